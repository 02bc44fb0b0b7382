"""Detectors that learn: the examples on a generated set, with checkpoints, with workers, in several processes."""

from __future__ import annotations

import json
import runpy
import signal
from pathlib import Path

import numpy as np
import pytest
from runs import Folder
from test_distributed import assert_close, together
from test_resume import OFTEN, STEP, killed_at

import n2d2py
from n2d2py.api import Net
from n2d2py.learn import testing
from n2d2py.learn.history import Log

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
ONE, TWO = (EXAMPLES / "detection" / name for name in ("rpn.ini", "faster_rcnn.ini"))


pytestmark = pytest.mark.usefixtures("without_pictures")


@pytest.fixture(scope="session")
def rectangles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the set of the examples, smaller."""
    folder = tmp_path_factory.mktemp("detection")
    runpy.run_path(str(EXAMPLES / "make_rectangles.py"))["make"](folder / "rectangles", 192, 1)
    return folder


def text_of(example: Path, rectangles: Path, learn: int = 160, test: int = 32) -> str:
    text = example.read_text(encoding="utf-8").replace("=rectangles", f"={rectangles}/rectangles")
    return text.replace("Learn=192", f"Learn={learn}").replace("Test=48", f"Test={test}")


class Losses:
    """Remembers the loss of each log."""

    def __init__(self) -> None:
        self.found: list[float] = []

    def logged(self, log: Log) -> None:
        assert log.loss is not None
        self.found.append(log.loss)

    def resumed(self, logs: list[Log]) -> None:
        raise AssertionError


def load(text: str, folder: Path, seed: int = 3) -> Net:
    file = folder / "net.ini"
    file.write_text(text, encoding="utf-8")
    return n2d2py.load(file, seed=seed)


def test_a_region_proposal_network_learns(rectangles, tmp_path):
    net = load(text_of(ONE, rectangles), tmp_path)
    untrained = net.test()
    losses = Losses()
    net.learn(5, watcher=losses)
    learned = net.test()
    assert losses.found[-1] < losses.found[0] / 4
    assert untrained.rate < 0.5
    assert learned.rate > 0.9
    assert overlap(learned) > max(overlap(untrained), 0.6)
    assert learned.names == ("wide", "tall")
    assert learned.confusion.has_none
    # One region of each label at least, every one of which is a pair.
    assert int(learned.confusion.matrix[:-1].sum()) == len(net.stimuli.region_labels("Test"))
    found, mean = learned.lines()[1].split(" / ")[0], learned.lines()[1].split(" / ")[-1]
    assert found.startswith("    Found: ")
    assert float(mean.removeprefix("Mean average precision: ").removesuffix("%")) > 80


def test_a_network_that_sees_mirrored_stimuli_finds_the_regions_where_they_are(rectangles, tmp_path):
    mirror = "[mirror]\nType=Transformation\nInput=sp\nNbOutputs=1\nTransformation=Flip\nHorizontalFlip=1\n\n[Body]\n"
    text = text_of(ONE, rectangles).replace("[Body]\n", mirror).replace("Input=sp\nStride", "Input=mirror\nStride")
    net = load(text.replace("NbClass=2\nConfig", "NbClass=2\nFlip=1\nConfig"), tmp_path)
    net.learn(5)
    learned = net.test()
    assert learned.rate > 0.9
    assert overlap(learned) > 0.6


def overlap(result: testing.Result) -> float:
    """The mean overlap of what is found with its region."""
    assert result.found is not None
    right = result.found[result.found[:, 7] > 0, 7]
    return float(right.mean()) if len(right) else 0.0


def test_both_stages_of_a_detector_learn(rectangles, tmp_path):
    net = load(text_of(TWO, rectangles), tmp_path)
    losses = Losses()
    net.learn(5, watcher=losses)
    assert losses.found[-1] < losses.found[0] / 2
    proposed, final = net.test(target="rp.Target"), net.test(target="final.Target")
    assert proposed.rate > 0.8
    assert final.rate > 0.7
    assert final.names == ("background", "wide", "tall")
    # What comes out lies better than what was proposed, and there is much less of it.
    assert overlap(final) > overlap(proposed)
    assert final.found is not None
    assert proposed.found is not None
    assert len(final.found) < len(proposed.found) / 4


def test_a_run_tells_what_it_finds(rectangles, folder):
    folder.write(text_of(ONE, rectangles, 32, 8))
    assert folder.run("-learn-epoch 1 -log-test") == 0, folder.said
    assert "    loss 0." in folder.said
    assert "Test at this log (for information only): " in folder.said
    assert "Regions that were found (det.Target/Regions_test.csv)" in folder.said
    lines = (folder / "det.Target/Regions_test.csv").read_text().splitlines()
    assert lines[0] == "stimulus;name;x;y;width;height;class;score;overlap"
    assert {line.split(";")[6] for line in lines[1:]} <= {"wide", "tall"}
    assert folder.run("-test") == 0, folder.said
    assert (folder / "det.Target/Regions_test.csv").read_text().splitlines() == lines


@pytest.mark.parametrize("example", [ONE, TWO])
def test_workers_change_nothing(example, rectangles, folder, tmp_path):
    text = text_of(example, rectangles, 32, 8)
    other = Folder(tmp_path / "other", folder.data).write(text)
    assert folder.write(text).run("-learn-epoch 1 -workers 0") == 0, folder.said
    assert other.run("-learn-epoch 1 -workers 3") == 0
    assert folder.weights() == other.weights()


@pytest.mark.parametrize("example", [ONE, TWO])
def test_a_killed_run_goes_on_as_if_it_had_not_been(example, rectangles, folder, tmp_path):
    text = text_of(example, rectangles, 32, 8)
    expected = Folder(tmp_path / "straight", folder.data).write(text)
    assert expected.run("-learn-epoch 2 -workers 0") == 0, expected.said
    folder.write(text)
    assert killed_at(folder, f"-learn-epoch 2 {OFTEN}", STEP, 7) == -signal.SIGKILL
    assert folder.run("-resume -workers 0", seed=None) == 0, folder.said
    assert folder.weights() == expected.weights()
    for file in ("det.Target/Regions_test.csv", "final.Target/Regions_test.csv"):
        if (expected / file).exists():
            assert (folder / file).read_bytes() == (expected / file).read_bytes()


def test_two_processes_learn_what_one_learns(rectangles, folder, tmp_path):
    text = text_of(ONE, rectangles, 32, 8)  # nothing is drawn but the batches
    alone = Folder(tmp_path / "alone", folder.data).write(text)
    assert alone.run("-learn-epoch 2 -workers 0") == 0
    assert together(folder.write(text), "-learn-epoch 2") == [0, 0], (folder / "said0.txt").read_text()
    assert_close(alone, folder)


def test_processes_agree_where_a_part_has_no_regions(rectangles, tmp_path, folder):
    """Batches of two, of which one stimulus has no regions: its process has nothing to learn offsets from."""
    some = tmp_path / "some"
    (some / "rectangles").mkdir(parents=True)
    lines = (rectangles / "rectangles/regions.csv").read_text().splitlines(keepends=True)
    kept = {f"{number:04d}.png" for number in range(0, 12, 2)}
    for number in range(12):
        name = f"{number:04d}.png"
        (some / "rectangles" / name).write_bytes((rectangles / "rectangles" / name).read_bytes())
    (some / "rectangles/regions.csv").write_text("".join(line for line in lines if line.split(";")[0] in kept))
    for example in (ONE, TWO):
        text = text_of(example, some, 8, 4).replace("BatchSize=8", "BatchSize=2")
        assert together(folder.write(text), "-learn-epoch 2") == [0, 0], (folder / "said0.txt").read_text()
        said = (folder / "said0.txt").read_text()
        assert "#epoch 1 " in said
        assert "    loss " in said
        assert all(np.isfinite(np.loadtxt(file)).all() for file in (folder / "weights").glob("*_weights.syntxt"))


def test_a_database_without_regions_is_said(rectangles, folder):
    text = text_of(ONE, rectangles, 32, 8)
    folder.write("\n".join(line for line in text.splitlines() if not line.startswith("ROIFile")))
    assert folder.run("-learn-epoch 1") == 1
    assert "Anchor cell anchor needs labelled regions, and the set Learn has none" in folder.said


def test_anchors_are_made_of_the_data(rectangles, folder, tmp_path):
    """A run writes them into a file, and a network reads them there."""
    text = text_of(ONE, rectangles)
    asked = text.replace("Type=TargetBBox", "Type=TargetBBox\nGenerateAnchors=1\nNbAnchors=2")
    assert folder.write(asked).run("-learn-epoch 1") == 0, folder.said
    file = folder / "det.Target/anchors.json"
    assert "[LOG] 2 anchors of the regions of Learn, of mean overlap " in folder.said
    (high, wide), (tall, narrow) = sorted(json.loads(file.read_text(encoding="utf-8")))
    assert wide > 1.5 * high
    assert tall > 1.5 * narrow
    first = file.read_bytes()
    file.unlink()
    assert folder.run("-test") == 0, folder.said
    assert file.read_bytes() == first
    lines = [line for line in text.splitlines() if not line.startswith("AnchorBBOX[1]")]
    read = "\n".join(lines).replace("AnchorBBOX[0]=-9 -5 19 10", f"AnchorJSON={file}\nAnchoring=Centered")
    net = load(read, tmp_path)
    net.learn(5)
    assert net.test().rate > 0.9


def test_more_anchors_than_sizes_of_regions(rectangles, folder):
    asked = text_of(ONE, rectangles, 2).replace("Type=TargetBBox", "Type=TargetBBox\nGenerateAnchors=1\nNbAnchors=99")
    assert folder.write(asked).run("-learn-epoch 1") == 1
    assert "99 anchors are wanted of" in folder.said
