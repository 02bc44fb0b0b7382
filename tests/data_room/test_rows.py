"""Images taken out of memory: scaled in one pass, or moved while they are gathered, mirrored copies or none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from n2d2py.data import conversion, lookups, rows
from n2d2py.data.draws import Draws
from n2d2py.data.moves import Moves, Moving, memory_for
from n2d2py.data.transformations.flip import FlipTransformation
from n2d2py.data.transformations.range_affine import RangeAffineTransformation
from n2d2py.data.transformations.slice_extraction import SliceExtractionTransformation

UNSIGNED = conversion.scaling(False, None)
SIGNED = conversion.scaling(True, None)


def normalized(channels: int, first: str = "Minus", second: str = "Divides") -> conversion.Conversion:
    step = RangeAffineTransformation(
        first_operator=first,
        first_value=(125.3, 123.0, 113.9)[:channels],
        second_operator=second,
        second_value=(63.0, 62.1, 66.7)[:channels],
    )
    return conversion.tabulate([step], channels, None)


def filled(how: conversion.Conversion, planes: Tensor) -> rows.ByteRows:
    reading = lookups.reading_of(how, planes.shape[1])
    assert reading is not None
    channels, height, width = planes.shape[1:]
    found = rows.ByteRows(len(planes), (channels, height, width), reading)
    found.images[:] = planes.numpy()
    return found


@pytest.mark.parametrize("how", ["unsigned", "signed", "normalized", "multiplied"])
@pytest.mark.parametrize("shape", [(3, 5, 6), (1, 1, 1), (1, 28, 28), (3, 7, 31), (2, 1, 255)])
@pytest.mark.parametrize("count", [0, 1, 5, 300])
def test_bytes_are_read_to_the_bit(count: int, shape: tuple[int, int, int], how: str) -> None:
    made = {
        "unsigned": UNSIGNED,
        "signed": SIGNED,
        "normalized": normalized(shape[0]),
        "multiplied": normalized(shape[0], "Multiplies", "Plus"),
    }[how]
    planes = torch.arange(7 * math.prod(shape)).view(7, *shape).mul(11).remainder(256).to(torch.uint8)
    chosen = np.random.default_rng(1).integers(0, 7, count)
    kept = filled(made, planes)
    found = kept.inputs(chosen)
    assert (found.dtype, found.shape, found.is_contiguous()) == (torch.float32, (count, *shape), True)
    assert torch.equal(kept.codes(chosen), planes[torch.from_numpy(chosen)])
    assert torch.equal(found, made.inputs(rows.rows_of(planes, chosen)))
    assert torch.equal(rows.rows_of(planes, chosen), planes[torch.from_numpy(chosen)])


def test_every_byte_is_scaled_to_the_bit() -> None:
    planes = torch.arange(256, dtype=torch.uint8).view(1, 1, 1, 256)
    found = filled(UNSIGNED, planes).inputs(np.zeros(1, np.int64))
    assert found.flatten().tolist() == [float(np.float32(byte) * np.float32(1 / 255)) for byte in range(256)]
    found = filled(SIGNED, planes).inputs(np.zeros(1, np.int64))
    assert found.flatten().tolist() == [(byte - 128) / 128 for byte in range(256)]


def test_batches_have_memory_of_their_own() -> None:
    kept = filled(UNSIGNED, torch.full((4, 1, 2, 2), 255, dtype=torch.uint8))
    first, codes = kept.inputs(np.arange(4)), kept.codes(np.arange(4))
    kept.inputs(np.arange(4)).zero_()
    codes.zero_()
    assert first.unique().tolist() == [1.0]
    assert kept.codes(np.arange(4)).unique().tolist() == [255]


@pytest.mark.parametrize("row", [-1, 4])
def test_rows_that_do_not_exist_are_an_error(row: int) -> None:
    kept = filled(UNSIGNED, torch.zeros((4, 1, 2, 2), dtype=torch.uint8))
    with pytest.raises(RuntimeError):
        kept.inputs(np.array([0, row]))


def no_lookup(table: Tensor, chosen: Tensor) -> Tensor:
    return torch.ops.quantized.there_is_no_such_lookup(table, chosen)


def test_what_is_not_read_by_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lookups.reading_of(conversion.scaling(False, conversion.Quantization(16)), 1) is None
    assert lookups.reading_of(conversion.Real(), 3) is None
    assert lookups.reading_of(conversion.Affine(()), 3) is None
    lookup = lookups.lookup
    # Another torch may multiply in another way, or have no such lookup.
    for other in (lambda table, chosen: lookup(table, chosen).add_(1e-7), no_lookup):
        with monkeypatch.context() as patch:
            patch.setattr(lookups, "lookup", other)
            assert lookups.reading_of(UNSIGNED, 1) is None
    assert lookups.reading_of(UNSIGNED, 1) is not None


SLICES: list[dict[str, Any]] = [
    {"width": 6, "height": 5, "random_offset_x": True, "random_offset_y": True},
    {"width": 6, "height": 5, "random_offset_x": True, "offset_y": 1},
    {"width": 2, "height": 6, "random_offset_x": True},
    {"width": 0, "height": 3, "random_offset_y": True},
    {"width": 3, "height": 4, "offset_x": 2},
]
FLIPS: list[dict[str, Any]] = [
    {"random_horizontal": True},
    {"random_horizontal": True, "random_vertical": True},
    {"random_horizontal": True, "vertical": True},
    {"horizontal": True, "random_vertical": True},
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float32])
@pytest.mark.parametrize("flip", [None, *FLIPS])
@pytest.mark.parametrize("slicing", [None, *SLICES])
def test_moves_are_those_of_the_transformations(
    slicing: dict[str, Any] | None, flip: dict[str, Any] | None, dtype: type
) -> None:
    steps = [SliceExtractionTransformation(**slicing)] if slicing is not None else []
    flips = [FlipTransformation(**flip)] if flip is not None else []
    moves = Moves((2, steps[0]) if steps else None, (3, flips[0]) if flips else None)
    planes = np.random.default_rng(1).integers(0, 128, (9, 3, 6, 8)).astype(dtype)
    chosen = np.random.default_rng(2).integers(0, 9, 40)
    draws = Draws.of(5, 1, range(40))
    images = planes[chosen].transpose(0, 2, 3, 1)
    for number, step in [*((2, one) for one in steps), *((3, one) for one in flips)]:
        images = step.apply(images, draws.child(number))
    expected = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    both = np.empty((18, *planes.shape[1:]), dtype)
    both[:9] = planes
    movings = [Moving(moves, torch.from_numpy(planes))]
    if moves.mirrors:
        movings.append(Moving(moves, torch.from_numpy(both), mirrored=True))
        movings[1].mirror()
        assert np.array_equal(both[9:], planes[..., ::-1])
    for moving in movings:
        assert torch.equal(moving.gather(chosen, draws)[0], expected)
        kept = draws.kept()
        for part in (slice(0, 17), slice(17, 40)):  # as the batches of a pass
            assert torch.equal(moving.gather(chosen[part], kept.some(part))[0], expected[part])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("how", ["scaled", "normalized"])
@pytest.mark.parametrize("flip", [None, *FLIPS])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("height", [6, 7])
def test_inputs_are_read_from_windows(height: int, channels: int, flip: dict[str, Any] | None, how: str) -> None:
    """The images are eight columns wider than the windows: of the last one the window ends where the memory ends."""
    slicing = SliceExtractionTransformation(width=12, height=height, random_offset_x=True, random_offset_y=True)
    flipping = FlipTransformation(**flip) if flip is not None else None
    moves = Moves((2, slicing), (3, flipping) if flipping is not None else None)
    made = UNSIGNED if how == "scaled" else normalized(channels)
    shape = (18 if moves.mirrors else 9, channels, 7, 20)
    planes = memory_for(shape, np.dtype(np.uint8))
    planes[:9] = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (9, *shape[1:]), np.uint8))
    plain = Moving(moves, planes, moves.mirrors)
    plain.mirror()
    before = planes.clone()
    moving = Moving(moves, planes, moves.mirrors, lookups.reading_of(made, channels))
    for number, count in enumerate((300, 1, 0, 40)):
        chosen = np.random.default_rng(number).integers(0, 9, count)
        windows, none = plain.gather(chosen, Draws.of(5, 1, range(count)))
        found, inputs = moving.gather(chosen, Draws.of(5, 1, range(count)))
        assert none is None
        assert inputs is not None
        assert torch.equal(found, windows)
        assert inputs.is_contiguous()
        assert torch.equal(inputs, made.inputs(windows))
    assert torch.equal(planes, before)


def test_rows_of_a_pass_are_made_once() -> None:
    asked: list[int] = []

    def words(streams: Draws) -> np.ndarray[Any, np.dtype[np.int64]]:
        asked.append(len(streams))
        return streams.integer(0, 999)

    whole = Draws.of(7, 2, range(50))
    kept = whole.kept()
    parts = [kept.some(slice(0, 20)), kept.some(np.array([44, 3]))]
    assert [part.each("words", words).tolist() for part in parts] == [
        Draws.of(7, 2, range(20)).integer(0, 999).tolist(),
        Draws.of(7, 2, [44, 3]).integer(0, 999).tolist(),
    ]
    assert asked == [50]
    assert whole.some(slice(3, 5)).each("words", words).tolist() == Draws.of(7, 2, [3, 4]).integer(0, 999).tolist()


def test_what_a_pass_has_drawn_cannot_be_changed() -> None:
    part = Draws.of(7, 2, range(50)).kept().some(slice(0, 20))
    with pytest.raises(ValueError, match="read-only"):
        part.below_one()[0] = 2
