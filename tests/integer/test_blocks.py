"""Whole networks of every kind of block: all executors give the learned network's codes, cell by cell."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from n2d2py.cells.base import PROVIDER
from n2d2py.integer import torch_executor
from n2d2py.integer.interpreter import run
from n2d2py.integer.lower import lower
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.verify import verify

from . import blocks
from .learned import IMAGES, Images, network

MAKERS = {name: getattr(blocks, name) for name, _ in blocks.every()}


def checked(text: str, seed: int, count: int = 3, gammas: str = "mixed") -> IntegerNetwork:
    """The integer network, after codes, grids and ranges of all cells were compared on random images."""
    learned = network(text, seed, gammas)
    integer = lower(learned, IMAGES)
    assert integer.exact, integer.text()
    images = Images(learned, count, seed)
    result = verify(learned, integer, [images])
    assert result.all_equal, "\n".join([*result.lines(), integer.text()])
    codes = images.codes
    assert codes is not None
    for name, value in learned.evaluate(codes).items():
        assert value.grid == integer.edges[integer.outputs[name]].grid, name
    found = run(integer, codes.values.numpy().astype(np.int64))
    for name, values in found.items():
        edge = integer.edges[name]
        if edge.grid is None:
            continue
        low, high = (end.reshape(-1, *[1] * (values.ndim - 2)) for end in (edge.low, edge.high))
        assert values.shape[1:] == edge.dims.shape, name
        assert np.all((values >= low) & (values <= high)), f"{name} leaves its range\n{integer.text()}"
        assert edge.low.min() >= edge.grid.low, name
        assert edge.high.max() <= edge.grid.high, name
    fast = torch_executor.run(integer, codes.values)
    for name, values in found.items():
        assert np.array_equal(fast[name].numpy(), values), f"torch: {name}\n{integer.text()}"
    return integer


@pytest.mark.parametrize("name", MAKERS)
def test_every_block(name: str) -> None:
    integer = checked(MAKERS[name](), 3)
    assert integer.islands == (["island", "softmax"] if name == "oddities" else ["softmax"])


@pytest.mark.parametrize("name", ["resnet_v1", "resnet_v2", "mobilenet_v2", "inception"])
@pytest.mark.parametrize(("weights", "activations"), [(1, 1), (3, 255), (255, 3), (255, 255), (63, 7), (31, 127)])
def test_ranges(name: str, weights: int, activations: int) -> None:
    checked(MAKERS[name](weights, activations), weights + activations, 2)


@given(
    st.sampled_from(sorted(MAKERS)),
    st.sampled_from((1, 3, 7, 15, 31, 63, 127, 255)),
    st.sampled_from((1, 3, 7, 15, 31, 63, 127, 255)),
    st.integers(0, 1 << 16),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_statistics(name: str, weights: int, activations: int, seed: int) -> None:
    text = MAKERS[name](weights, activations)
    note(text)
    checked(text, seed, 2)


def test_wide_codes_are_as_near_as_float32() -> None:
    """A BatchNorm and a sum without quantizer beside their float64 values."""
    learned = network(blocks.mobilenet_v2(), 5, "plain")
    codes = Images(learned, 4).codes
    assert codes is not None
    found = learned.evaluate(codes)
    normal = learned.layers["b0"].normalisation()
    shape = (1, -1, 1, 1)
    exact = (found["c0"].exact() - normal.mean.view(shape)) * normal.factor.view(shape) + normal.bias.view(shape)
    error = (found["b0"].exact() - exact).abs().max()
    assert error <= exact.abs().max() * 2.0**-24
    total = found["pb0"].exact() + found["b0"].exact()
    assert (found["sum0"].exact() - total).abs().max() <= total.abs().max() * 2.0**-24


def test_the_stimuli_of_a_branch_are_not_touched() -> None:
    learned = network(blocks.inception(), 1)
    codes = Images(learned, 2).codes
    assert codes is not None
    before = codes.values.clone()
    run(lower(learned, IMAGES), codes.values.numpy().astype(np.int64))
    learned.evaluate(codes)
    assert torch.equal(codes.values, before)
    assert PROVIDER in lower(learned, IMAGES).edges
