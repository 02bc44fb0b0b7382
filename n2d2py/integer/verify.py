"""The learned network against the integer network on real stimuli, cell by cell.

The proof says that they are equal; this confirms it on data, and would catch what no proof speaks of: a wrong
padding, a swapped axis, a wrong map. Beside it stands how many codes the float forward pass of learning
(fake quantization, float32) gives differently, mostly at ties: that is the difference which other tools leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from n2d2py import tables
from n2d2py.cells.base import PROVIDER
from n2d2py.integer import interpreter
from n2d2py.integer.evaluation import coded, entering
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.site import device_of
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn.targets import estimate
from n2d2py.parts.targets import Target
from n2d2py.quant.grid import Coded, Grid


class Coding(Protocol):
    """What is needed of a batch: float inputs, and their codes."""

    @property
    def inputs(self) -> Tensor:
        """float32 (count, channels, height, width)."""
        ...

    @property
    def codes(self) -> Coded | None:
        """The integer codes of the inputs with their grid."""
        ...


@dataclass(frozen=True)
class Comparison:
    """One cell: codes compared, how many differ, and how many the float pass of learning gives differently.

    ``float_differing`` is None for a cell without an activation quantizer, whose floats lie on no grid.
    """

    cell: str
    codes: int = 0
    differing: int = 0
    float_differing: int | None = None


@dataclass(frozen=True)
class Verification:
    """All cells that carry codes, in order, and the labels of all stimuli (what each target reads from its output)."""

    stimuli: int
    cells: tuple[Comparison, ...]
    labels: int
    differing_labels: int
    float_differing_labels: int

    @property
    def differing(self) -> int:
        """Differing codes of all cells."""
        return sum(row.differing for row in self.cells)

    @property
    def all_equal(self) -> bool:
        """Whether no code and no label differs."""
        return self.differing == 0 and self.differing_labels == 0

    @property
    def first_differing(self) -> str | None:
        """The first cell, in the order of the network, of which a code differs."""
        return next((row.cell for row in self.cells if row.differing), None)

    def lines(self) -> list[str]:
        """The table for the console."""
        rows: list[tuple[object, ...]] = [
            (row.cell, row.codes, row.differing, row.float_differing) for row in self.cells
        ]
        rows.append(("labels", self.labels, self.differing_labels, self.float_differing_labels))
        return tables.table(("cell", "codes", "differing", "float forward differs in"), rows)


def verify(learned: TorchNetwork, network: IntegerNetwork, batches: Iterable[Coding]) -> Verification:
    """Compare codes and labels of the two networks on all stimuli of ``batches``.

    A cell whose learned values are not codes, or codes of another scale, differs in all of them. Real stimuli enter
    both networks as codes of the integer network's input.
    """
    rows = {name: Comparison(name) for name in network.outputs if network.edges[network.outputs[name]].grid is not None}
    decisions = _decisions(learned)
    stimuli = labels = differing = float_differing = 0
    for batch in batches:
        stimuli_codes = entering(network, Coded(batch.inputs) if batch.codes is None else batch.codes)
        device = _device(learned)
        ours = interpreter.run(network, stimuli_codes.values.cpu().numpy().astype(np.int64))
        theirs = learned.evaluate(Coded(stimuli_codes.values.to(device), stimuli_codes.grid))
        floats = forward(learned, batch.inputs.to(device))
        for name, row in rows.items():
            operation = network.outputs[name]
            grid = network.edges[operation].grid
            assert grid is not None  # rows holds only cells on a grid
            codes = ours[operation]
            rows[name] = replace(
                row,
                codes=row.codes + codes.size,
                differing=row.differing + _differing(codes, theirs[name], grid),
                float_differing=_float_differing(row, learned, name, codes, floats[name], grid),
            )
        stimuli += len(batch.inputs)
        for name, threshold in decisions:
            operation = network.outputs[name]
            label = labels_of(coded(network.edges[operation], ours[operation]), threshold)
            labels += label.numel()
            differing += int((label != labels_of(theirs[name], threshold)).sum())
            float_differing += int((label != labels_of(Coded(floats[name]), threshold)).sum())
    return Verification(stimuli, tuple(rows.values()), labels, differing, float_differing)


@torch.no_grad()
def forward(learned: TorchNetwork, x: Tensor) -> Mapping[str, Tensor]:
    """Outputs of all cells in the float forward pass of learning, in evaluation mode."""
    mode = learned.training
    learned.eval()
    try:
        values = {PROVIDER: x}
        for name, layer in learned.layers.items():
            values[name] = layer(*(values[parent] for parent in layer.node.parents))
        return values
    finally:
        learned.train(mode)


def _differing(codes: np.ndarray, learned: Coded, grid: Grid) -> int:
    if learned.grid is None or learned.grid.scale != grid.scale or tuple(learned.values.shape) != codes.shape:
        return codes.size
    return int(np.count_nonzero(learned.values.cpu().numpy() != codes))


def _float_differing(
    row: Comparison, learned: TorchNetwork, name: str, codes: np.ndarray, floats: Tensor, grid: Grid
) -> int | None:
    layer = learned.layers[name]
    if not isinstance(layer, ActivatedLayer) or layer.quantizer is None:
        return None
    nearest = np.rint(floats.double().cpu().numpy() / grid.scale)
    return (row.float_differing or 0) + int(np.count_nonzero(nearest != codes))


def _decisions(learned: TorchNetwork) -> list[tuple[str, float]]:
    """The outputs that are labels, each with the threshold of a single neuron: a pair a target.

    An output without target is read as a target would read it that says nothing else.
    """
    targets = learned.network.targets
    pairs = [(target.cell, target.binary_threshold) for target in targets]
    named = {target.cell for target in targets}
    pairs += [(name, Target(name=name, cell=name).binary_threshold) for name in learned.outputs if name not in named]
    return list(dict.fromkeys(pairs))


def labels_of(output: Coded, threshold: float) -> Tensor:
    """The label of each stimulus (and position) as a test of the network reads it from an output; int64, CPU.

    That is the largest output, the first among equals; with one output neuron, whether its real value, bias
    included, is above ``threshold``. Codes order outputs as their real values do, and without rounding.
    """
    decided_by_codes = output.values.shape[1] > 1 and output.offset is None
    return estimate(output.values if decided_by_codes else output.exact(), threshold).cpu()


def _device(learned: TorchNetwork) -> torch.device:
    return next((device_of(layer) for layer in learned.layers.values()), torch.device("cpu"))
