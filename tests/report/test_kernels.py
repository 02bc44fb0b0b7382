"""Weights as pictures and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from n2d2py.report.kernels import tiles, write_kernels


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def test_numbers_are_a_line_an_output_and_survive_the_round_trip(tmp_path) -> None:
    values = {"conv1": weights(3, 2, 5, 4), "block/fc": weights(4, 7)}
    files = write_kernels(tmp_path, values)
    assert {file.relative_to(tmp_path).as_posix() for file in files} == {
        "conv1.dat",
        "conv1.png",
        "block/fc.dat",
        "block/fc.png",
    }
    for name, expected in values.items():
        read = np.loadtxt(tmp_path / f"{name}.dat", dtype=np.float32)
        assert np.array_equal(read, expected.reshape(len(expected), -1))


def test_pictures_are_pictures(tmp_path) -> None:
    for file in write_kernels(tmp_path, {"c": weights(2, 1, 3, 3)}):
        if file.suffix == ".png":
            assert file.read_bytes().startswith(b"\x89PNG")


def test_kernels_are_tiles_with_a_line_between() -> None:
    values = weights(3, 2, 5, 4)
    image, left_out = tiles(values)
    assert image.shape == (3 * 6 - 1, 2 * 5 - 1)
    assert left_out == ""
    for output in range(3):
        for channel in range(2):
            tile = image[output * 6 : output * 6 + 5, channel * 5 : channel * 5 + 4]
            assert np.array_equal(tile, values[output, channel])
    assert np.isnan(image[5]).all()
    assert np.isnan(image[:, 4]).all()
    assert np.isnan(image).sum() == image.size - values.size


def test_a_matrix_is_drawn_whole() -> None:
    values = weights(40, 100)
    image, left_out = tiles(values)
    assert np.array_equal(image, values)
    assert left_out == ""


@pytest.mark.parametrize(("shape", "words"), [((40, 3, 2, 2), "first 32 of 40 outputs, 3 of 3 channels"),
                                              ((2, 33, 1, 1), "first 2 of 2 outputs, 32 of 33 channels")])  # fmt: skip
def test_what_is_left_out_is_said(shape, words) -> None:
    image, left_out = tiles(weights(*shape))
    assert left_out == words
    height, width = shape[2:]
    assert image.shape == (min(shape[0], 32) * (height + 1) - 1, min(shape[1], 32) * (width + 1) - 1)


def test_weights_that_are_all_zero_are_drawn(tmp_path) -> None:
    files = write_kernels(tmp_path, {"c": np.zeros((1, 1, 3, 3), np.float32)})
    assert (tmp_path / "c.dat").read_text() == "0 0 0 0 0 0 0 0 0\n"
    assert files[1].exists()


def test_the_planes_of_a_kernel_stand_one_below_the_other() -> None:
    values = weights(3, 2, 2, 5, 4)
    assert np.array_equal(tiles(values)[0], tiles(values.reshape(3, 2, 10, 4))[0], equal_nan=True)
