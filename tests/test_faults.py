"""Full disks, folders that cannot be written, two runs in one folder: nothing that was there is damaged."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest
import runs
from runs import Folder

from n2d2py.graph import files
from n2d2py.learn import learner, lock, weights
from n2d2py.report import curves, watchers

pytestmark = pytest.mark.usefixtures("without_pictures")


def forked(folder: Folder, line: str, before) -> int:
    """Start a run in a child after ``before()``; gives its process id."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            before()
            status = folder.run(line)
            (folder / "said.txt").write_text(folder.said)
        finally:
            os._exit(status)
    return child


def waited(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("refused", ["*.safetensors", "state.json"])
def test_a_disk_that_takes_no_checkpoint_does_not_end_the_run(folder, refused):
    folder.write(runs.quantized())
    assert folder.run("-learn-epoch 1 -workers 0") == 0
    kept = {file: file.read_bytes() for file in folder.path.glob("checkpoints/*/*")}

    def small_files_only() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        # Tensors of later epochs take less room than those of the first, but not by so much.
        limit = 8000 if refused == "*.safetensors" else len(kept[folder / "checkpoints/24/state.json"]) - 1
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    assert waited(forked(folder, "-resume -learn-epoch 3 -workers 0", small_files_only)) == 0
    said = (folder / "said.txt").read_text()
    assert "Warning: the checkpoint checkpoints/48 could not be written: File too large; learning goes on" in said
    assert "checkpoints/24 is the last one" in said
    assert {file: file.read_bytes() for file in folder.path.glob("checkpoints/*/*")} == kept
    assert not (folder / "checkpoints/48").exists()
    assert not list(folder.path.rglob("*.part"))
    assert folder.run("-resume -workers 0") == 0
    assert folder.run("-test") == 0


def full_disk(count: int):
    """Weights that a disk does not take, ``count`` times."""
    save, calls = weights.save, [0]

    def refused(network, folder) -> None:
        calls[0] += "init" not in str(folder)
        if 0 < calls[0] <= count and "init" not in str(folder):
            raise OSError(28, "No space left on device", str(folder))
        save(network, folder)

    return refused


def test_weights_that_a_disk_does_not_take_are_saved_at_the_next_log(folder, monkeypatch):
    folder.write(runs.quantized(validation=0.25))
    monkeypatch.setattr(weights, "save", full_disk(1))
    assert folder.run("-learn-epoch 2 -workers 0") == 0
    assert "Warning: the weights could not be saved into weights_validation: No space left on device" in folder.said
    assert folder.said.count("'weights_validation' saved!") == 1
    assert (folder / "results.csv").read_text().splitlines()[1].endswith(",1,")


def test_if_the_last_weights_cannot_be_saved_the_run_fails_and_can_go_on(folder, monkeypatch):
    folder.write(runs.quantized())
    assert folder.run("-learn-epoch 1 -workers 0") == 0
    before = folder.weights()
    with monkeypatch.context() as patch:
        patch.setattr(weights, "save", full_disk(99))
        assert folder.run("-resume -learn-epoch 3 -workers 0") == 1
    assert "Error: a file or folder cannot be read or written: No space left on device" in folder.said
    assert "at: weights" in folder.said
    assert "free space" in folder.said
    assert folder.weights() == before
    assert folder.run("-resume -learn-epoch 3 -workers 0") == 0
    assert folder.weights() != before


def test_a_folder_that_cannot_be_written_is_named(folder, monkeypatch):
    folder.write(runs.network())

    def refused(path, *rest):
        raise PermissionError(13, "Permission denied", os.fspath(path))

    with monkeypatch.context() as patch:
        patch.setattr(lock.os, "open", refused)
        assert folder.run("-learn-epoch 1") == 1
    assert "Error: a file or folder cannot be read or written: Permission denied" in folder.said
    assert f"at: {folder / 'n2d2py.lock'}" in folder.said
    assert "work in another folder" in folder.said
    assert not (folder / "weights_init").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_left_as_it_is(folder):
    folder.write(runs.network())
    folder.path.chmod(0o500)
    try:
        assert folder.run("-learn-epoch 1") == 1
    finally:
        folder.path.chmod(0o700)
    assert folder.files() == {"net.ini"}


def test_two_runs_in_one_folder_are_one_too_many(folder):
    folder.write(runs.network())

    def stop_at_a_batch() -> None:
        step = learner.Learner._step

        def stopping(self, *given) -> None:
            if self.batches == 3:
                os.kill(os.getpid(), signal.SIGSTOP)
            step(self, *given)

        learner.Learner._step = stopping

    child = forked(folder, "-learn-epoch 1 -workers 0", stop_at_a_batch)
    os.waitpid(child, os.WUNTRACED)
    try:
        seed = (folder / "seed.dat").read_bytes()
        assert folder.run("-learn-epoch 1", seed=9) == 1
        assert f"Error: another run works in this folder: process {child} on " in folder.said
        assert ", since 20" in folder.said
        assert "work in another folder" in folder.said
        assert (folder / "seed.dat").read_bytes() == seed
    finally:
        os.kill(child, signal.SIGKILL)
    assert waited(child) == -signal.SIGKILL
    assert (folder / "n2d2py.lock").exists()
    assert folder.run("-learn-epoch 1 -workers 0") == 0, "a lock that a dead process left is none"
    assert not (folder / "n2d2py.lock").exists()


def test_curves_that_a_disk_does_not_take_do_not_end_the_run(folder, tmp_path, monkeypatch):
    folder.write(runs.quantized())
    straight = folder.copy(tmp_path / "straight")
    assert straight.run("-learn-epoch 2 -workers 0 -history H") == 0

    def refused(path, content) -> Path:
        if "learning_curve" in str(path) or str(path) == "H.npy":
            raise OSError(28, "No space left on device", str(path))
        return files.write(path, content)

    with monkeypatch.context() as patch:
        for module in (curves, watchers):
            patch.setattr(module, "write", refused)
        stopped = waited(forked(folder, "-learn-epoch 2 -workers 0 -history H", lambda: None))
    said = (folder / "said.txt").read_text()
    assert "H.npy could not be written: No space left on device; learning goes on" in said
    assert (folder / "checkpoints/48/state.json").exists(), said
    assert folder.weights() == straight.weights()
    assert stopped in (0, 1)  # what is written at the end may be more than a curve
    assert folder.run("-resume -workers 0") == 0
    assert (folder / "H.npy").read_bytes() == (straight / "H.npy").read_bytes()


def test_a_file_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        files.write(tmp_path / "a.txt", "text")
    assert caught.value.filename == str(tmp_path / "a.txt")
    assert not list(tmp_path.iterdir())
