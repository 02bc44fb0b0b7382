"""Distributions: sorted values in the text files, one bar a level in the pictures."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from n2d2py.quant.grid import Grid
from n2d2py.report import distributions


def png_size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG, which it has to be."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_real_values_are_sorted_with_ten_digits(tmp_path: Path) -> None:
    files = distributions.write_real(tmp_path, "conv1", "weights", np.array([[0.1, -2.0], [1 / 3, 0.0]]))
    assert [file.name for file in files] == ["conv1_weights.distrib.dat", "conv1_weights.distrib.png"]
    assert files[0].read_text() == "-2\n0\n0.1\n0.3333333333\n"
    assert png_size(files[1])[0] > 600


def test_levels_are_sorted_values_with_six_digits(tmp_path: Path) -> None:
    codes = np.array([3, -15, 1, 1], dtype=np.int64)
    files = distributions.write_levels(tmp_path, "fc1", codes, Grid(1 / 15, -15, 15, 2))
    assert files[0].name == "fc1_weights_quant.distrib.dat"
    assert files[0].read_text() == "-1\n0.0666667\n0.0666667\n0.2\n"
    assert png_size(files[1])[0] > 600


def test_an_absent_connection_is_no_level(tmp_path: Path) -> None:
    files = distributions.write_levels(tmp_path, "c", np.array([-1, 0, 0, 3]), Grid(1.0, -3, 3, 2))
    assert files[0].read_text() == "-1\n3\n"


@pytest.mark.parametrize("grid", [Grid(1.0, -1, 1, 2), Grid(0.01, -1, 1), Grid(1 / 255, -255, 255, 2), Grid(1.0, 0, 0)])
def test_any_number_of_levels_can_be_drawn(tmp_path: Path, grid: Grid) -> None:
    codes = np.random.default_rng(0).integers(0, grid.levels, 50) * grid.step + grid.low
    assert png_size(distributions.write_levels(tmp_path, "c", codes, grid)[1])[1] > 300


@pytest.mark.parametrize("values", [[], [0.5], [0.25] * 9, [1.0, float("nan"), float("inf")], [0.0, 0.0]])
def test_degenerate_values_can_be_drawn(tmp_path: Path, values: list[float]) -> None:
    files = distributions.write_real(tmp_path, "c", "biases", np.array(values))
    assert len(files[0].read_text().split()) == len(values)
    assert png_size(files[1])[1] > 300


def test_names_of_cells_make_folders_and_lose_forbidden_signs(tmp_path: Path) -> None:
    file = distributions.write_real(tmp_path, "block/conv:1", "weights", np.ones(3))[0]
    assert file == tmp_path / "block" / "conv_1_weights.distrib.dat"


def test_spread() -> None:
    facts = distributions.spread(np.array([[1.0, 3.0]]))
    assert (facts.count, facts.mean, facts.deviation, facts.low, facts.high) == (2, 2.0, 1.0, 1.0, 3.0)
    assert str(facts) == "mean 2, std. dev. 1"


def test_every_level_has_its_bar() -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    grid = Grid(0.5, -3, 3, 2)
    distributions._bars(axes, np.array([-3, -1, 1, 3]), np.array([4, 0, 3, 1]), grid, few=True)
    centres = [bar.get_x() + bar.get_width() / 2 for bar in axes.patches]
    assert np.array_equal(np.round(centres, 9), [-1.5, -0.5, 0.5, 1.5])
    assert [bar.get_height() for bar in axes.patches] == [4, 0, 3, 1]
    assert [text.get_text() for text in axes.texts] == ["50 %", "0", "38 %", "12 %"]


def test_bins_are_of_one_width_and_hold_everything() -> None:
    values = np.sort(np.random.default_rng(1).normal(size=5000))
    edges = distributions._edges(values)
    assert edges[0] == values[0]
    assert edges[-1] == values[-1]
    assert 12 <= len(edges) - 1 <= 120
