"""Codes of stimuli from the bytes of a camera: a table that stands before the first operation."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from n2d2py.cells.base import PROVIDER
from n2d2py.data.conversion import tabulate
from n2d2py.data.transformations.range_affine import RangeAffineTransformation
from n2d2py.integer import ends
from n2d2py.integer.interpreter import look_up, run
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Lookup
from n2d2py.quant.entry import encoded, table_grid

from .networks import lenet_like
from .reader import codes_of

NORMALISED = RangeAffineTransformation(
    first_operator="Minus", first_value=(123.675, 116.28), second_operator="Divides", second_value=(58.395, 57.12)
)


def with_table() -> tuple[IntegerNetwork, torch.Tensor]:
    """A network whose two channels are normalised, and the real values of bytes."""
    every = torch.arange(256, dtype=torch.uint8).view(256, 1, 1, 1).expand(256, 2, 1, 1)
    table = tabulate([NORMALISED], 2, None).inputs(every)[:, :, 0, 0].T.contiguous()
    network = lenet_like()
    grid = table_grid(table)
    codes = encoded(table, grid).values.numpy().astype(np.int64)
    edge = replace(network.stimuli, grid=grid, low=codes.min(axis=1), high=codes.max(axis=1))
    lookup = Lookup(PROVIDER, PROVIDER, ("bytes",), codes)
    return replace(network, edges=network.edges | {PROVIDER: edge}, lookup=lookup), table


def test_codes_are_those_of_the_real_values() -> None:
    network, table = with_table()
    pixels = np.random.default_rng(0).integers(0, 256, (3, 2, 12, 12)).astype(np.uint8)
    reals = torch.stack([table[c][torch.from_numpy(pixels[:, c]).long()] for c in range(2)], dim=1)
    expected = encoded(reals, network.stimuli.grid).values.numpy()
    codes = look_up(network, pixels)
    assert codes.dtype == np.int64
    assert np.array_equal(codes, expected)
    assert set(run(network, codes)) == {operation.name for operation in network}


def test_one_row_serves_all_channels() -> None:
    lookup = Lookup(PROVIDER, PROVIDER, ("bytes",), np.arange(256)[None] - 128)
    pixels = np.array([0, 128, 255], dtype=np.uint8).reshape(1, 3, 1, 1)
    assert lookup.codes(pixels).ravel().tolist() == [-128, 0, 127]


def test_it_is_the_first_line_of_the_text() -> None:
    network, _ = with_table()
    first = network.text().splitlines()[1]
    assert first.startswith("env = Lookup(bytes) [2x256 table]: 2x12x12 codes -")


def test_the_manifest_has_what_makes_the_same_codes() -> None:
    network, _ = with_table()
    grid, lookup = network.stimuli.grid, network.lookup
    assert grid is not None
    assert lookup is not None
    found = json.loads(json.dumps(ends.preprocessing([NORMALISED], grid, lookup, [0])))
    assert found["codes"]["lookup"]["replaces"] == [0]
    assert "table[c][byte]" in found["codes"]["lookup"]["words"]
    pixels = np.random.default_rng(1).integers(0, 256, (2, 2, 12, 12)).astype(np.uint8)
    assert np.array_equal(codes_of(found["codes"], pixels), look_up(network, pixels))


def test_what_has_no_table_is_refused() -> None:
    with pytest.raises(ValueError, match="has no table of bytes"):
        look_up(lenet_like(), np.zeros((1, 2, 12, 12), np.uint8))
    with pytest.raises(ValueError, match="pixels of float64"):
        look_up(with_table()[0], np.zeros((1, 2, 12, 12)))
