"""Each operation against a plain loop or torch in float64, on random geometry."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.cells.base import PROVIDER, Dims
from n2d2py.integer.interpreter import run
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Concatenation, Convolution, FullyConnected, Identity, MaxPool, SumPool
from n2d2py.quant.grid import Grid

from .networks import edge, lenet_like, single, stimuli

WEIGHTS = Grid(1.0, -255, 255)
sizes, seeds = st.integers(1, 3), st.integers(0, 1000)


@given(st.tuples(sizes, sizes), st.tuples(sizes, sizes), st.tuples(sizes, sizes), st.tuples(sizes, sizes), sizes, seeds)
@settings(max_examples=80, deadline=None)
def test_convolution(kernel, stride, dilation, sub_sample, groups: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    padding = tuple(int(value) for value in random.integers(-1, 3, 2))
    channels, outputs = groups * int(random.integers(1, 4)), groups * int(random.integers(1, 4))
    source = edge(PROVIDER, Dims(11, 9, channels), 0, 255)
    weights = random.integers(-255, 256, (outputs, channels // groups, kernel[1], kernel[0]))
    operation = Convolution(
        "conv", "conv", (PROVIDER,), weights, WEIGHTS, None, 0, stride, padding, dilation, sub_sample, groups
    )
    codes = random.integers(0, 256, (3, channels, 9, 11))
    padded = torch.nn.functional.pad(torch.tensor(codes).double(), (padding[0],) * 2 + (padding[1],) * 2)
    expected = torch.nn.functional.conv2d(
        padded, torch.tensor(weights).double(), stride=stride[::-1], dilation=dilation[::-1], groups=groups
    )[:, :, :: sub_sample[1], :: sub_sample[0]]
    dims = Dims(expected.shape[3], expected.shape[2], outputs)
    network = single(operation, source, edge("conv", dims, -(1 << 30), 1 << 30))
    result = run(network, codes)["conv"]
    assert result.dtype == np.int64
    assert np.array_equal(result, expected.numpy())


@pytest.mark.parametrize("largest", [1, 1 << 16, 1 << 45, 1 << 54])
def test_sums_are_exact_in_every_width(largest: int) -> None:
    """float32, float64 and int64 sums; the widest would lose bits in float64."""
    weights = np.array([[3, -5, 7, 1], [1, 1, -1, -1]])
    codes = np.array([largest, largest - 1, -largest, 1]).reshape(1, 4, 1, 1)
    source = edge(PROVIDER, Dims(1, 1, 4), -largest, largest)
    operation = FullyConnected("fc", "fc", (PROVIDER,), weights, WEIGHTS, np.array([5, -9]), 2)
    network = single(operation, source, edge("fc", Dims(1, 1, 2), -(1 << 61), 1 << 61))
    flat = [int(code) for code in codes.ravel()]
    sums = [sum(weight * code for weight, code in zip(row, flat, strict=True)) for row in weights.tolist()]
    assert run(network, codes)["fc"].ravel().tolist() == [4 * sums[0] + 5, 4 * sums[1] - 9]


@given(st.tuples(sizes, sizes), st.tuples(sizes, sizes), st.booleans(), seeds)
@settings(max_examples=60, deadline=None)
def test_pools(pool, stride, padded: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    padding = tuple(int(random.integers(0, size)) if padded else 0 for size in pool)
    codes = random.integers(-20, 21, (2, 3, 8, 7))
    mapping = None if seed % 2 else random.random((3, 4)) < 0.5
    if mapping is not None:
        mapping[0] |= ~mapping.any(axis=0)
    source = edge(PROVIDER, Dims(7, 8, 3), -20, 20)
    for kind, empty, reduce in ((MaxPool, -(1 << 40), np.max), (SumPool, 0, np.sum)):
        operation = kind("pool", "pool", (PROVIDER,), pool, stride, padding, mapping)
        sizes = zip((7, 8), padding, pool, stride, strict=True)
        width, height = ((size + 2 * p - w) // s + 1 for size, p, w, s in sizes)
        dims = Dims(width, height, 3 if mapping is None else 4)
        result = run(single(operation, source, edge("pool", dims, -999, 999)), codes)["pool"]
        grown = np.pad(codes, ((0, 0), (0, 0), (padding[1],) * 2, (padding[0],) * 2), constant_values=empty)
        for index in np.ndindex(result.shape):
            batch, output, y, x = index
            channels = [output] if mapping is None else np.flatnonzero(mapping[:, output])
            top, left = y * stride[1], x * stride[0]
            window = grown[batch][channels, top : top + pool[1], left : left + pool[0]]
            assert result[index] == reduce(window)


def test_concatenation_and_identity() -> None:
    source = edge(PROVIDER, Dims(2, 2, 1), 0, 9)
    network = IntegerNetwork(
        "pair",
        (Identity("same", "same", (PROVIDER,)), Concatenation("both", "both", ("same", PROVIDER))),
        {PROVIDER: source, "same": source, "both": edge("both", Dims(2, 2, 2), 0, 9)},
        {},
    )
    codes = np.arange(4).reshape(1, 1, 2, 2)
    assert run(network, codes, wanted=["both"])["both"].tolist() == [[[[0, 1], [2, 3]], [[0, 1], [2, 3]]]]


def test_softmax_is_of_the_real_logits() -> None:
    network = lenet_like()
    results = run(network, stimuli(network, 4))
    logits = torch.tensor(results["fc"]).double() * network.edges["fc"].grid.scale
    assert np.abs(results["softmax"] - torch.softmax(logits, dim=1).numpy()).max() < 1e-7
    assert results["softmax"].dtype == np.float32
    assert np.array_equal(results["softmax"].argmax(axis=1), results["fc"].argmax(axis=1))


def test_codes_stay_in_the_reachable_ranges() -> None:
    network = lenet_like()
    for name, codes in run(network, stimuli(network, 50)).items():
        reach = network.edges[name]
        if reach.grid is not None:
            assert np.all(codes >= reach.low[:, None, None])
            assert np.all(codes <= reach.high[:, None, None])


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.zeros((1, 2, 12, 11)), "shape"),
        (np.full((1, 2, 12, 12), 256), "outside 0..255"),
        (np.full((1, 2, 12, 12), 0.5), "not integer"),
    ],
)
def test_refuses_what_is_not_codes_of_the_input(codes: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(lenet_like(), codes)
