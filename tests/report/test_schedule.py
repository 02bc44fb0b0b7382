"""Files of learning rates."""

from __future__ import annotations

from pathlib import Path

import pytest

from n2d2py.parts.solvers import SGD
from n2d2py.report import schedule


@pytest.mark.parametrize(
    ("tensor", "file"),
    [("weights", "conv1_weights"), ("biases", "conv1_bias"), ("scales", "conv1_scale"), ("alpha", "conv1_alpha")],
)
def test_a_constant_rate_is_one_line_and_files_are_named_as_n2d2s(tensor: str, file: str, tmp_path: Path) -> None:
    found = list(schedule.changes(SGD(learning_rate=0.05), 256, 60000, 235))
    written = schedule.write_schedule(tmp_path, "conv1", tensor, found)
    assert written.name == f"{file}_schedule.log"
    assert written.read_text() == "0 1 0 0.05 0\n"


def steps(found: list[schedule.Change]) -> list[tuple[int, int, int, float]]:
    return [(change.step, change.iteration, change.epoch, change.rate) for change in found]


def test_steps_say_where_the_rate_changes_and_where_the_loop_logged() -> None:
    record = SGD(learning_rate=1.0, policy="StepDecay", step_size=40, rate_decay=0.5)
    found = list(schedule.changes(record, 10, 40, 12, logs=[4, 12]))
    assert steps(found) == [(0, 1, 0, 1.0), (4, 5, 1, 0.5), (8, 9, 2, 0.25)]
    assert [change.logged for change in found] == [False, True, False]


def test_one_update_takes_as_many_batches_as_the_solver_says() -> None:
    record = SGD(learning_rate=1.0, policy="StepDecay", step_size=40, rate_decay=0.5, iteration_size=2)
    found = list(schedule.changes(record, 10, 40, 12, logs=[4, 8, 12]))  # 6 updates of 20 stimuli
    assert steps(found) == [(0, 1, 0, 1.0), (2, 3, 1, 0.5), (4, 5, 2, 0.25)]
    assert [change.logged for change in found] == [False, True, True]


def test_an_epoch_is_its_batches_also_where_updates_straddle_its_end() -> None:
    record = SGD(learning_rate=1.0, policy="StepDecay", step_size=20, rate_decay=0.5, iteration_size=2)
    found = list(schedule.changes(record, 10, 25, 9))  # 3 batches an epoch, 4 updates
    assert [change.epoch for change in found] == [0, 0, 1, 2]


def test_long_smooth_schedules_stay_short_and_keep_the_logs() -> None:
    record = SGD(policy="CosineDecay", step_size=1, max_iterations=100_000)
    found = list(schedule.changes(record, 1, 1000, 100_000, logs=[33_333]))
    assert 9_000 < len(found) <= 10_002
    assert [change.step for change in found if change.logged] == [33_333]
