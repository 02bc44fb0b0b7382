"""Initializers that several nodes take are shared by their cells, and stay one tensor when they learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

import n2d2py
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.parts.lsq import LsqActivations, LsqWeights
from tests.onnx_import.models import computed, model, saved, values
from tests.onnx_import.test_operators import node

RANDOM = np.random.default_rng(0)
X = RANDOM.random((20, 8, 8, 4), dtype=np.float32)
Y = RANDOM.integers(0, 4, 20)


class Twice(nn.Module):
    """The same Conv, BatchNorm and Linear, twice each."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.linear, self.out = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(2):
            x = torch.relu(self.norm(self.conv(x)))
        x = x.mean((2, 3))
        for _ in range(2):
            x = torch.relu(self.linear(x))
        return self.out(x)


def test_a_module_that_is_used_twice_learns_as_one() -> None:
    torch.manual_seed(1)
    net = n2d2py.from_torch(Twice().eval(), (4, 8, 8))
    layers = [layer for layer in net.module.layers.values() if isinstance(layer, WeightedLayer)]
    assert len(layers) == 5
    before = [layer.weights.clone() for layer in layers]
    net.learn(epochs=2, data=(X, Y))
    for first, second in (layers[:2], layers[2:4]):
        assert first.weights is second.weights
        assert first.biases is second.biases
    assert not any(torch.equal(layer.weights, old) for layer, old in zip(layers, before, strict=True))
    learned = sum(tensor.numel() for tensor in net.module.parameters())
    assert learned == sum(tensor.numel() for tensor in Twice().parameters())


def test_what_is_shared_is_told_and_saved(tmp_path: Path) -> None:
    torch.manual_seed(1)
    net = n2d2py.from_torch(Twice().eval(), (4, 8, 8))
    text = str(net)
    counts = {key: text.count(f"{key}Sharing=") for key in ("Weights", "Biases", "Scales", "Means", "Variances")}
    assert counts == {"Weights": 2, "Biases": 3, "Scales": 1, "Means": 1, "Variances": 1}
    net.learn(epochs=1, data=(X, Y))
    net.save(tmp_path / "kept")
    again = n2d2py.from_torch(Twice().eval(), (4, 8, 8))
    again.load_weights(tmp_path / "kept")
    for name, tensor in net.module.named_parameters():
        assert torch.allclose(dict(again.module.named_parameters())[name], tensor, atol=1e-8)


@pytest.mark.parametrize("quantized", [False, True])
def test_shared_weights_fuse(quantized: bool) -> None:
    torch.manual_seed(1)
    net = n2d2py.from_torch(Twice().eval(), (4, 8, 8))
    if quantized:
        net.quantize("*", weights=LsqWeights(range=15), activations=LsqActivations(range=15))
        net.learn(epochs=1, data=(X, Y))
        assert net.fuse(data=(X, Y)).verification.differing == 0
    else:
        net.calibrate(10, data=(X, Y))
        assert net.fuse(data=(X, Y)).verification.differing == 0


KERNEL = values(4, 4, 1, 1)


@pytest.mark.parametrize(
    ("nodes", "shared"),
    [
        ([node("Conv", "x w", "a"), node("Conv", "a w")], 1),
        ([node("Conv", "x w b", "a"), node("Conv", "a w b")], 2),
        ([node("Conv", "x w b", "a"), node("Conv", "a w")], 1),
        # The first bias becomes another one: the second must not.
        ([node("Conv", "x w b", "a"), node("Add", "a c", "s"), node("Conv", "s w b")], 1),
        ([node("Conv", "x w b", "a"), node("Conv", "a w b", "s"), node("Add", "s c")], 1),
        ([node("Conv", "x w", "a"), node("ConvTranspose", "a w")], 0),
        ([node("Conv", "x w", "a"), node("Conv", "a w", pads=[0, 0, 0, 0], strides=[2, 2])], 1),
    ],
)
def test_only_what_is_the_same_is_shared(nodes: list[onnx.NodeProto], shared: int, tmp_path: Path) -> None:
    constants = {"w": KERNEL, "b": values(4, seed=2), "c": values(1, 4, 1, 1, seed=3)}
    used = {name for item in nodes for name in item.input}
    path = saved(model(nodes, {name: array for name, array in constants.items() if name in used}), tmp_path)
    wanted, got, standalone = computed(path, values(2, 4, 8, 6, seed=5))
    fields = ("weights_sharing", "biases_sharing")
    found = [getattr(cell, field, None) for cell in standalone.imported.cells for field in fields]
    assert sum(bool(one) for one in found) == shared
    assert np.abs(wanted[0] - got[0]).max() <= 1e-5 * np.abs(wanted[0]).max()
