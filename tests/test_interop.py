"""Folders of weights that N2D2 itself wrote give the rates that N2D2 printed. Skipped where they are not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import Folder

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
WEIGHTS = DATA / "interop"

pytestmark = pytest.mark.skipif(
    not (WEIGHTS.is_dir() and (DATA / "mnist").is_dir()), reason="neither MNIST nor weights of N2D2 are here"
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A working directory with MNIST."""
    return Folder(tmp_path / "run", DATA)


def block(folder: Folder) -> list[list[str]]:
    """The numbers of the three lines of results, as N2D2 prints them after learning: with four digits."""
    lines = folder.said.splitlines()
    start = next(index for index, text in enumerate(lines) if text.startswith("Final recognition rate:"))
    words = [text.replace("(error rate:", "").replace(")", "").split() for text in lines[start : start + 3]]
    return [[f"{float(word[:-1]):.4g}" for word in row if word.endswith("%")] for row in words]


def test_the_clamped_network(folder):
    folder.write((ROOT / "models/LeNet_clamp.ini").read_text())
    assert folder.run(f"-test -dev cpu -w {WEIGHTS / 'clamp/weights'}") == 0, folder.said
    assert block(folder) == [["96.6", "3.4"], ["96.59", "99.62", "96.61"], ["99.32", "96.58", "96.21"]]


def test_the_quantized_network_and_its_integers(folder):
    folder.write((ROOT / "models/LeNet_4bit.ini").read_text())
    assert folder.run(f"-test -qat-sat -dev cpu -w {WEIGHTS / 'quantized/weights'}") == 0, folder.said
    assert block(folder) == [["97.32", "2.68"], ["97.3", "99.7", "97.35"], ["99.46", "97.31", "97.01"]]
    verdict = next(text for text in folder.said.splitlines() if " codes differ, " in text)
    assert verdict.startswith("0 of ")
    assert verdict.endswith("0 of 10000 labels differ (10000 stimuli)")
