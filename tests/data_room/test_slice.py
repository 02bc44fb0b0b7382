"""Slices of images: at a fixed place in every set, or at one drawn for each stimulus that is learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from n2d2py.data.random import Generator
from n2d2py.data.stimuli import Batch, Stimuli
from n2d2py.errors import ParameterError

from .conftest import idx_bytes

SIDE = 6
RANDOM = "RandomOffsetX=1\nRandomOffsetY=1\nApplyTo=LearnOnly"

NETWORK = """
[database]
Type=MNIST_IDX_Database
RandomPartitioning=0
[env]
SizeX={width}
SizeY={height}
BatchSize=8
[env.Transformation-middle]
Type=PadCropTransformation
Width={width}
Height={height}
ApplyTo=NoLearn
[env.Transformation-slice]
Type=SliceExtractionTransformation
Width={width}
Height={height}
{slice}
"""


@pytest.fixture
def pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """The 36 images to learn, (36, 6, 6), of which no two have a pixel in common: a slice says where it is from."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    images = np.arange(36 * SIDE * SIDE).reshape(36, SIDE, SIDE) % 251
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(images.astype(np.uint8)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(np.arange(36, dtype=np.uint8) % 10))
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    return images


@pytest.fixture
def sliced(build: Callable[..., Stimuli]) -> Callable[..., Stimuli]:
    """The stimuli with a slice of these keys."""

    def make(text: str, width: int = 4, height: int = 3, seed: int = 1) -> Stimuli:
        return build(NETWORK.format(slice=text, width=width, height=height), seed)

    return make


def codes(batch: Batch) -> np.ndarray:
    """The pixels of a batch, (count, height, width)."""
    assert batch.codes is not None
    return batch.codes.values.numpy()[:, 0].astype(np.int64)


def places(batch: Batch, images: np.ndarray) -> list[tuple[int, int]]:
    """Where in its image each slice begins: column, row. It is found there and nowhere else."""
    found = []
    for stimulus, piece in zip(batch.ids.tolist(), codes(batch), strict=True):
        height, width = piece.shape
        hits = [
            (x, y)
            for y in range(SIDE - height + 1)
            for x in range(SIDE - width + 1)
            if np.array_equal(images[stimulus][y : y + height, x : x + width], piece)
        ]
        assert len(hits) == 1
        found += hits
    return found


def learned(stimuli: Stimuli, images: np.ndarray, seed: int, epochs: int = 1) -> list[tuple[int, int]]:
    """The places of all slices of some epochs."""
    generator = Generator(seed)
    batches = [batch for _ in range(epochs) for batch in stimuli.epoch(generator)]
    return [place for batch in batches for place in places(batch, images)]


def test_a_fixed_slice_is_that_of_numpy(pixels, sliced) -> None:
    stimuli = sliced("OffsetX=1\nOffsetY=2\nApplyTo=LearnOnly")
    for batch in stimuli.epoch(Generator(1)):
        assert np.array_equal(codes(batch), pixels[batch.ids][:, 2:5, 1:5])


def test_every_place_is_reached_and_none_outside(pixels, sliced) -> None:
    found = Counter(learned(sliced(RANDOM), pixels, seed=1, epochs=12))
    assert set(found) == {(x, y) for x in range(3) for y in range(4)}  # 6 - 4 + 1 columns, 6 - 3 + 1 rows
    expected = found.total() / 12
    assert all(0.4 * expected < count < 1.6 * expected for count in found.values()), found


def test_the_seed_decides_where(pixels, sliced) -> None:
    stimuli = sliced(RANDOM)
    first = learned(stimuli, pixels, seed=1, epochs=2)
    assert learned(sliced(RANDOM), pixels, seed=1, epochs=2) == first
    assert learned(stimuli, pixels, seed=2, epochs=2) != first
    half = len(first) // 2
    assert first[:half] != first[half:]  # each epoch draws anew


def test_draws_are_sliced_too(pixels, sliced) -> None:
    stimuli = sliced(RANDOM)
    found = [place for batch in stimuli.draws(12, Generator(3)) for place in places(batch, pixels)]
    assert len(set(found)) == 12


@pytest.mark.parametrize(
    ("keys", "columns", "rows"),
    [
        ("RandomOffsetX=1\nOffsetY=2\nApplyTo=LearnOnly", {0, 1, 2}, {2}),
        ("RandomOffsetY=1\nOffsetX=1\nApplyTo=LearnOnly", {1}, {0, 1, 2, 3}),
    ],
)
def test_one_axis_may_be_fixed(keys, columns, rows, pixels, sliced) -> None:
    found = learned(sliced(keys), pixels, seed=1, epochs=4)
    assert {x for x, _ in found} == columns
    assert {y for _, y in found} == rows


def test_each_pass_over_what_is_learned_is_the_same(pixels, sliced) -> None:
    stimuli = sliced(RANDOM)
    first, second = ([place for batch in stimuli.passes("Learn") for place in places(batch, pixels)] for _ in range(2))
    assert first == second
    assert len(set(first)) > 6


def test_other_sets_are_not_sliced(pixels, sliced) -> None:
    stimuli = sliced(RANDOM)
    assert stimuli.size("Test") == 36
    for batch in stimuli.passes("Test"):
        assert np.array_equal(codes(batch), pixels[batch.ids - 36][:, 1:4, 1:5])  # what PadCrop keeps


def test_a_slice_of_the_whole_image_has_one_place(pixels, sliced) -> None:
    found = learned(sliced(RANDOM, SIDE, SIDE), pixels, seed=1)
    assert set(found) == {(0, 0)}


def test_reals_may_follow_a_random_slice(pixels, sliced) -> None:
    text = RANDOM + "\n[env.Transformation-z]\nType=RangeAffineTransformation\nFirstOperator=Divides\nFirstValue=4"
    for batch in sliced(text).epoch(Generator(1)):
        assert batch.codes is None
        quarters = batch.inputs.numpy()[:, 0]
        for stimulus, piece in zip(batch.ids.tolist(), quarters, strict=True):
            assert np.isin(piece * 4, pixels[stimulus]).all()


def test_another_transformation_may_follow_a_random_slice(pixels, sliced) -> None:
    text = RANDOM + "\n[env.Transformation-z]\nType=FlipTransformation\nHorizontalFlip=1\nApplyTo=LearnOnly"
    found = set()
    for batch in sliced(text).epoch(Generator(1)):
        for stimulus, piece in zip(batch.ids.tolist(), codes(batch), strict=True):
            mirrored = piece[:, ::-1]
            found |= {
                (x, y)
                for x in range(3)
                for y in range(4)
                if np.array_equal(pixels[stimulus][y : y + 3, x : x + 4], mirrored)
            }
    assert len(found) > 6


def test_random_slices_of_other_sets_are_drawn_with_a_warning(pixels, sliced, said) -> None:
    stimuli = sliced("RandomOffsetX=1\nRandomOffsetY=1\nApplyTo=All\n", SIDE, SIDE)
    assert stimuli.size("Test") == 36
    assert any("drawn at random for Validation and Test as well" in line for line in said)


@pytest.mark.parametrize(
    ("keys", "texts"),
    [
        ("OffsetX=3", ("a slice of 4x3 pixels at 3,0 is not inside an image of 6x6", "Width + OffsetX")),
        ("OffsetY=4", ("a slice of 4x3 pixels at 0,4 is not inside an image of 6x6",)),
    ],
)
def test_what_a_slice_cannot_be(keys, texts, pixels, sliced) -> None:
    with pytest.raises(ParameterError) as error:
        sliced(keys)
    for text in (*texts, "[env.Transformation-slice]", "net.ini:"):
        assert text in str(error.value)
