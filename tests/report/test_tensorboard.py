"""``-tensorboard``: what was written is read back, over a run that stopped and went on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import runs

from n2d2py.report.page import Page

pytestmark = pytest.mark.usefixtures("without_pictures")


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    module = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="no tensorboard")
    found = module.EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0})
    found.Reload()
    tags = found.Tags()
    histograms = {tag: found.Histograms(tag) for tag in tags["histograms"]}
    for tag, events in histograms.items():
        assert tag.startswith("weights/")
        for event in events:
            value = event.histogram_value
            assert sum(value.bucket) == value.num
            assert value.min <= value.sum / value.num <= value.max
    return {tag: [(one.step, one.value) for one in found.Scalars(tag)] for tag in tags["scalars"]} | {
        tag: [(one.step, one.histogram_value.num) for one in events] for tag, events in histograms.items()
    }


def test_a_run_that_goes_on_goes_on_with_its_curves(folder, monkeypatch):
    folder.write(runs.network(validation=0.2))
    logged = Page.logged

    def stopping(self, log):
        logged(self, log)
        if log.epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # the log of epoch 2 is written, and its checkpoint is not
        patch.setattr(Page, "logged", stopping)
        assert folder.run("-learn-epoch 4 -log-test -tensorboard") == 130
    assert folder.run("-resume -tensorboard") == 0
    assert "[LOG] Curves for TensorBoard (tensorboard --logdir tensorboard)" in folder.said
    found = scalars(folder / "tensorboard")
    steps = [20, 40, 60, 80]
    assert {tag for tag in found if "/" in tag and not tag.startswith("weights")} == {
        "softmax.Target/learning", "softmax.Target/validation", "softmax.Target/test", "loss/learning",
        "score/Sensitivity",
    }  # fmt: skip
    assert {tag for tag in found if tag.startswith("weights")} == {"weights/conv1", "weights/fc1"}
    for tag, points in found.items():
        assert [step for step, _ in points] == steps, tag
    rows = [row.split(",") for row in (folder / "results.csv").read_text().splitlines()]
    for column, tag in ((5, "learning_rate"), (7, "softmax.Target/validation"), (9, "score/Sensitivity")):
        assert [value for _, value in found[tag]] == pytest.approx([float(row[column]) for row in rows[1:]], rel=1e-5)
    assert found["weights/conv1"][0] == (20, 36)

    assert folder.run("-learn-epoch 1 -tensorboard") == 0
    assert [step for step, _ in scalars(folder / "tensorboard")["learning_rate"]] == [20], "a new run begins anew"


def test_without_the_package_it_is_said_before_anything_is_done(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert folder.write(runs.network()).run("-learn-epoch 1 -tensorboard") == 2
    assert "Error: -tensorboard needs the package tensorboard, which is not installed" in folder.said
    assert "pip install tensorboard" in folder.said
    assert not (folder / "weights_init").exists()
