"""The page of whole runs: kept while a run learns, completed by the runs that follow in the same folder."""

from __future__ import annotations

import pytest
import runs

from n2d2py.report import page_facts, page_html, page_views
from n2d2py.report.page import Page as Kept
from n2d2py.report.page_facts import FAILED, INTERRUPTED, Facts
from report.pages import Page

pytestmark = pytest.mark.usefixtures("without_pictures")


def read(folder: runs.Folder) -> Facts:
    found = page_html.read(folder / "report.html")
    assert found is not None
    return found[0]


def test_a_run_keeps_its_page_and_a_later_one_adds_to_it(folder):
    folder.write(runs.quantized(validation=0.2))
    assert folder.run("-learn-epoch 2 -log-test") == 0
    assert "[LOG] Report (report.html)" in folder.said
    found = read(folder)
    assert [one.epoch for one in found.learning.points] == [0, 1]
    assert [(one.what, one.set, one.stimuli) for one in found.tests] == [("learned network", "Test", 45)]
    assert found.commands[0].words == "n2d2py net.ini -seed 1 -learn-epoch 2 -log-test"
    assert found.commands[0].state == "finished"
    row = (folder / "results.csv").read_text().splitlines()[-1].split(",")
    last = found.learning.points[-1]
    assert f"{last.validation['softmax.Target']:.6g}" == row[7]
    assert {one.stage for one in found.distributions if one.cell == "conv1"} == set(page_views._COLOURS)
    codes = found.of("conv1", page_facts.QUANTIZED)
    assert codes is not None
    assert (codes.levels, codes.total) == (16, 36)

    assert folder.run("-qat-sat -w weights_validation") == 0
    again = read(folder)
    assert again.learning == found.learning
    assert [one.what for one in again.tests] == ["learned network", "integer network"]
    assert again.integers is not None
    assert again.integers.exact
    assert [one.differing for one in again.equalities] == [0]
    scales = {one.name: (one.weight_scale, one.output_scale) for one in again.layers}
    assert scales["conv1"][0] == 1 / 15
    assert scales["bn1"][1] is not None
    page = Page.of(folder / "report.html")
    assert "integer network 0 differ" in page.text.replace("codes of the integers", "integer network")

    assert folder.run("-learn-epoch 1") == 0
    anew = read(folder)
    assert (len(anew.commands), len(anew.learning.points), anew.integers) == (1, 1, None)


def test_verified_executors_stand_in_the_page(folder, learned):
    copy = learned(runs.quantized()).copy(folder.path)
    assert copy.run("-verify -export ONNX") == 0
    found = read(folder)
    (equality,) = found.equalities
    assert equality.executors == ["interpreter", "torch", "ONNX Runtime"]
    assert equality.differing == 0
    assert equality.codes > 0


def test_a_run_that_goes_on_has_the_whole_curve(folder, monkeypatch):
    folder.write(runs.network())
    logged = Kept.logged

    def stopping(self, log):
        logged(self, log)
        if log.epoch == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Kept, "logged", stopping)
        assert folder.run("-learn-epoch 4") == 130
    found = read(folder)
    assert (found.commands[-1].state, len(found.learning.points)) == (INTERRUPTED, 2)
    assert folder.run("-resume") == 0
    found = read(folder)
    assert [one.epoch for one in found.learning.points] == [0, 1, 2, 3]
    assert [one.state for one in found.commands] == [INTERRUPTED, "finished"]


def test_a_failure_stands_in_the_page_and_a_full_disk_is_only_a_warning(folder, monkeypatch):
    folder.write(runs.network(rate=1e30))
    assert folder.run("-learn-epoch 1") == 1
    found = read(folder)
    assert found.commands[-1].state == FAILED
    assert "not finite" in found.commands[-1].problem

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("n2d2py.report.page.write_page", full)
    assert folder.write(runs.network()).run("-learn-epoch 2") == 0
    assert folder.said.count("report.html could not be written: No space left on device") == 1
    assert "[LOG] Report" not in folder.said
