"""Networks that were learned once, for all tests of whole runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import runs
from runs import Folder

from n2d2py import console, outcome

# Small tensors: threads would only wait for each other, and for those of other test processes.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A test run in the background of a script ignores Ctrl-C, and so would the runs that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_PICTURES = {name: getattr(outcome, name) for name in ("write_network", "write_weights", "write_stimuli")}


@pytest.fixture(autouse=True)
def _level():
    """A run in this process leaves the console as it was."""
    level = console.logger.level
    yield
    console.logger.setLevel(level)


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of this test draw nothing: it looks at none of it, and drawing takes most of their time."""
    for name in _PICTURES:
        monkeypatch.setattr(outcome, name, lambda *_: False)


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What N2D2_DATA names: 240 stimuli to learn and 45 to test, 8x8 pixels, three classes."""
    return runs.write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def folder(tmp_path: Path, small_data: Path) -> Folder:
    """An empty working directory."""
    return Folder(tmp_path / "run", small_data)


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory, small_data: Path) -> Callable[[str], Folder]:
    """``learned(text)``: the folder in which the network of an INI text has learned three epochs.

    Copy the folder to change it.
    """
    made: dict[str, Folder] = {}

    def learn(text: str) -> Folder:
        if text not in made:
            made[text] = Folder(tmp_path_factory.mktemp("learned"), small_data).write(text)
            with pytest.MonkeyPatch.context() as drawing:  # for all tests, whoever asks first
                for name, function in _PICTURES.items():
                    drawing.setattr(outcome, name, function)
                assert made[text].run("-learn-epoch 3") == 0, made[text].said
        return made[text]

    return learn
