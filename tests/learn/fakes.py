"""A small network and small stimuli with the faces of the real ones, for tests of learning alone."""

from __future__ import annotations

from itertools import pairwise
from types import MappingProxyType, SimpleNamespace

import numpy as np
import torch
from torch import nn

from n2d2py.layers.base import Layer, Learned, Stored
from n2d2py.parts.solvers import SGD
from n2d2py.parts.targets import TargetScore
from n2d2py.quant.grid import Coded


class FullyConnected(Layer):
    def __init__(self, name, inputs, outputs, solver):
        super().__init__(SimpleNamespace(name=name))
        self.weights = nn.Parameter(torch.zeros(outputs, inputs))
        self.biases = nn.Parameter(torch.zeros(outputs))
        self.solver = solver

    def forward(self, *inputs):
        return (inputs[0].flatten(1) @ self.weights.T + self.biases)[:, :, None, None]

    def learned(self):
        return [Learned("weights", self.weights, self.solver), Learned("biases", self.biases, self.solver)]

    def stored(self):
        return [Stored("weights", self.weights), Stored("biases", self.biases)]


class FakeNetwork(nn.Module):
    """Fully connected cells fc0, fc1, ... one after the other; the last one has the target."""

    quantized = False
    carries_codes = False
    form = "square"
    layers = MappingProxyType({})
    without_target = MappingProxyType({})

    def __init__(self, *sizes, solver=None, targets=None, seed=1):
        super().__init__()
        solver = solver or SGD(learning_rate=0.5)
        self.cells = nn.ModuleList(
            FullyConnected(f"fc{index}", *pair, solver) for index, pair in enumerate(pairwise(sizes))
        )
        last = f"fc{len(self.cells) - 1}"
        cell = SimpleNamespace(learns_alone=False, changes_rows=False, type_name="Fc", found_in=lambda inputs: None)
        output = SimpleNamespace(channels=sizes[-1])
        graph = {last: SimpleNamespace(name=last, cell=cell, inputs=(), parents=(), output=output)}
        self.network = FakeGraph(graph, targets or (TargetScore(name=f"{last}.Target", cell=last),))
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for cell in self.cells:
                cell.weights.normal_(0, 0.1, generator=generator)

    def forward(self, x):
        for cell in self.cells:
            x = cell(x)
        return {self.cells[-1].node.name: x}

    def evaluate(self, stimuli, wanted=None):
        return {name: Coded(output) for name, output in self(stimuli.values).items()}

    def loss_form(self, cell):
        return self.form

    def learned(self):
        return [(cell.node.name, item) for cell in self.cells for item in cell.learned()]

    def stored(self):
        return {cell.node.name: cell.stored() for cell in self.cells}


class FakeGraph(dict):
    spiking = ()
    nodes = ()
    stimuli = SimpleNamespace(width=1, height=1)

    def __iter__(self):
        return iter(self.nodes)

    def __init__(self, cells, targets):
        super().__init__(cells)
        self.targets = targets


class FakeStimuli:
    """Points around one corner a class; ``sizes`` is the number of points of each set."""

    def __init__(self, learn=64, validation=0, test=20, classes=3, batch_size=8, spread=0.1):
        self.batch_size = batch_size
        self.label_names = [str(label) for label in range(classes)]
        self.default_label = -1
        draw = np.random.default_rng(7)
        self.sets = {}
        start = 0
        for name, size in (("Learn", learn), ("Validation", validation), ("Test", test)):
            labels = np.arange(size) % classes
            points = np.eye(classes)[labels] + draw.normal(0, spread, (size, classes))
            self.sets[name] = (np.arange(start, start + size), points[:, :, None, None].astype(np.float32), labels)
            start += size

    def size(self, name):
        return len(self.sets[name][0])

    def name(self, stimulus):
        return f"point{stimulus}"

    def byte_table(self, name, channels):
        return None

    def labels(self, name):
        return self.sets[name][2]

    def batch(self, name, positions):
        ids, points, labels = self.sets[name]
        return SimpleNamespace(
            ids=ids[positions],
            inputs=torch.from_numpy(points[positions]),
            labels=torch.from_numpy(labels[positions]),
            codes=None,
            target_data=None,
        )

    def epoch(self, generator, start=0, part=(0, 1), gaps=False):
        size = self.size("Learn")
        order = np.concatenate([np.arange(size), np.arange(-size % self.batch_size)])
        generator.shuffle(order)
        return self.batches(order.reshape(-1, self.batch_size)[start:], part)

    def draws(self, batches, generator, start=0, part=(0, 1), gaps=False):
        drawn = [generator.integers(0, self.size("Learn") - 1, self.batch_size) for _ in range(batches)]
        return self.batches(drawn[start:], part)

    def batches(self, rows, part):
        for row in rows:
            yield self.batch("Learn", np.array_split(row, part[1])[part[0]])

    def passes(self, name, batch_size=None, share=(0, 1), gaps=False):
        for start in range(share[0] * self.batch_size, self.size(name), share[1] * self.batch_size):
            yield self.batch(name, np.arange(start, min(start + self.batch_size, self.size(name))))
