"""The learning curve and the files of successes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from n2d2py.report import curves
from n2d2py.report.curves import Point


def test_successes_stand_with_their_average_in_four_digits(tmp_path: Path) -> None:
    files = curves.write_success(tmp_path, "learning", np.array([1.0, 0.0, 1 / 3]), window=2)
    assert [file.name for file in files] == ["Success_learning.dat", "Success_learning.png"]
    assert files[0].read_text() == "1 1\n0 0.5\n0.3333 0.1667\n"
    assert files[1].read_bytes().startswith(b"\x89PNG")


def test_top_n_has_a_file_of_its_own(tmp_path: Path) -> None:
    assert curves.write_success(tmp_path, "test", np.array([1.0]), suffix="TopN")[0].name == "SuccessTopN_test.dat"


def test_nothing_learned_gives_empty_files(tmp_path: Path) -> None:
    assert curves.write_success(tmp_path, "learning", np.array([]))[0].read_text() == ""


def test_moving_average_is_that_of_all_while_there_are_few() -> None:
    values = np.array([1.0, 0.0, 0.0, 1.0, 1.0])
    assert curves.moving_average(values, 3).tolist() == [1.0, 0.5, 1 / 3, 1 / 3, 2 / 3]
    assert curves.moving_average(values).tolist() == [1.0, 0.5, 1 / 3, 0.5, 0.6]


def test_validations_stand_with_the_batches_before_them(tmp_path: Path) -> None:
    file = curves.write_validation(tmp_path, [(235, 0.97123), (470, 1.0)])
    assert file.name == "Success_validation.dat"
    assert file.read_text() == "235 0.9712\n470 1\n"


@pytest.mark.parametrize(
    "points",
    [
        [],
        [Point(1, learning=0.9)],
        [Point(1, test=1.0), Point(2, test=1.0)],
        [Point(1, validation=0.0), Point(2, validation=0.0)],
        [Point(i, 0.9, 0.95, 0.96, 0.1 / i, float("nan") if i == 3 else 1 / i) for i in range(1, 60)],
    ],
)
def test_any_history_can_be_drawn(tmp_path: Path, points: list[Point]) -> None:
    path = curves.write_curve(tmp_path / "curve.png", points, "title with $dollars^")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_only_what_changes_gets_a_panel() -> None:
    points = [Point(1, rate=0.05, loss=2.0), Point(2, rate=0.05, loss=1.0)]
    assert not curves._worth_drawing(points, "rate")
    assert curves._worth_drawing(points, "loss")


def test_ticks_of_the_error_axis_are_round_and_inside() -> None:
    assert curves._round_ticks(0.15, 30.0) == [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
    for low, high in ((0.6, 0.9), (0.001, 130.0), (40.0, 120.0), (0.70, 0.72)):
        ticks = curves._round_ticks(low, high)
        assert all(low <= tick <= min(high, 100.0) for tick in ticks)
