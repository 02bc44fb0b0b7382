"""Images taken out of memory: scaled in one pass, or moved while they are gathered, mirrored copies or none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from n2d2py.data import conversion, rows
from n2d2py.data.draws import Draws
from n2d2py.data.moves import Moves, Moving
from n2d2py.data.transformations.flip import FlipTransformation
from n2d2py.data.transformations.slice_extraction import SliceExtractionTransformation

UNSIGNED = conversion.scaling(False, None)


@pytest.mark.parametrize("count", [0, 1, 5, 300])
def test_bytes_are_scaled_to_the_bit(count: int) -> None:
    planes = torch.arange(7 * 3 * 5 * 6).view(7, 3, 5, 6).mul(11).remainder(256).to(torch.uint8)
    chosen = np.random.default_rng(1).integers(0, 7, count)
    assert rows.scales_in_one_pass(UNSIGNED, planes)
    found = rows.scaled_rows(planes, chosen)
    assert (found.dtype, found.shape, found.is_contiguous()) == (torch.float32, (count, 3, 5, 6), True)
    assert torch.equal(found, UNSIGNED.inputs(rows.rows_of(planes, chosen)))
    assert torch.equal(rows.rows_of(planes, chosen), planes[torch.from_numpy(chosen)])


def test_every_byte_is_scaled_to_the_bit_even_where_none_is_255() -> None:
    for last in (1, 2, 100, 256):
        planes = torch.arange(last, dtype=torch.uint8).view(1, 1, 1, last)
        found = rows.scaled_rows(planes, np.zeros(1, np.int64))
        assert found.flatten().tolist() == [float(np.float32(byte) * np.float32(1 / 255)) for byte in range(last)]


def test_batches_have_memory_of_their_own() -> None:
    planes = torch.full((4, 1, 2, 2), 255, dtype=torch.uint8)
    first = rows.scaled_rows(planes, np.arange(4))
    rows.scaled_rows(planes, np.arange(4)).zero_()
    assert first.unique().tolist() == [1.0]


def test_what_is_not_scaled_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    planes = torch.zeros((1, 1, 2, 2), dtype=torch.uint8)
    assert not rows.scales_in_one_pass(conversion.scaling(True, None), planes)
    assert not rows.scales_in_one_pass(conversion.scaling(False, conversion.Quantization(16)), planes)
    assert not rows.scales_in_one_pass(UNSIGNED, planes.to(torch.int32))
    assert not rows.scales_in_one_pass(UNSIGNED, planes.to("meta"))
    # Another OpenCV may multiply in another way.
    monkeypatch.setattr(rows, "scaled_rows", lambda planes, chosen: planes.to(torch.float32).div(255).add(1e-7))
    rows._is_exact.cache_clear()
    assert not rows.scales_in_one_pass(UNSIGNED, planes)
    rows._is_exact.cache_clear()


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
        moves.mirror(both[:9], both[9:])
        assert np.array_equal(both[9:], planes[..., ::-1])
        movings.append(Moving(moves, torch.from_numpy(both), mirrored=True))
    for moving in movings:
        assert torch.equal(moving.gather(chosen, draws), expected)
        kept = draws.kept()
        for part in (slice(0, 17), slice(17, 40)):  # as the batches of a pass
            assert torch.equal(moving.gather(chosen[part], kept.some(part)), expected[part])


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
