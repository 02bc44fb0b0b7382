"""Two processes that learn together, each from its part of every batch, learn what one process learns."""

from __future__ import annotations

import os
import re
import signal
import socket

import numpy as np
import pytest
import runs
from runs import Folder

from n2d2py.learn import learner, testing

MOMENTUM = "Solvers.Momentum=0.9"
WITHOUT_NORM = runs.network(fillers=MOMENTUM).replace(
    "Type=BatchNorm\nNbOutputs=4\nSolvers.LearningRate=0.05", "Type=Activation\nNbOutputs=4"
)
LSQ = runs.network(
    weights="QWeight=LSQ\nQWeight.Range=15",
    activation="ActivationFunction=Linear\nQAct=LSQ\nQAct.Range=15\nQActSolver.LearningRate=0.01",
    fillers=MOMENTUM + "\nSolvers.IterationSize=2",
).replace("QWeight.ApplyScaling=1", "")
CLOSE = {"rtol": 1e-4, "atol": 2e-6}
"""Floats are added in another order; after some updates that is a difference in the last digits."""


pytestmark = pytest.mark.usefixtures("without_pictures")


def together(folder: Folder, line: str, size: int = 2) -> list[int]:
    """The exit statuses of the processes that torchrun would start; what each says is in ``said<rank>.txt``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for rank in range(size):
        child = os.fork()
        if child == 0:
            status = 99
            try:
                shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(size)}
                os.environ.update(shared, RANK=str(rank), LOCAL_RANK=str(rank))
                status = folder.run(f"{line} -workers 0")
                (folder / f"said{rank}.txt").write_text(folder.said)
            finally:
                os._exit(status)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def tensors(folder: Folder, name: str = "weights") -> dict[str, np.ndarray]:
    return {file.name: np.loadtxt(file) for file in (folder / name).glob("*.syntxt") if "quant" not in file.name}


def assert_close(one: Folder, other: Folder) -> None:
    first, second = tensors(one), tensors(other)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_allclose(first[name], second[name], err_msg=name, **CLOSE)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (WITHOUT_NORM, "-learn-epoch 2"),
        (WITHOUT_NORM, "-learn 200 -log 100"),
        (runs.network(fillers=MOMENTUM), "-learn-epoch 2 -sync-bn"),
        (LSQ, "-learn-epoch 1 -sync-bn"),
    ],
)
def test_two_processes_learn_what_one_learns(text, line, folder, tmp_path, small_data):
    alone = Folder(tmp_path / "alone", small_data).write(text)
    assert alone.run(f"{line} -workers 0") == 0
    folder.write(text)
    assert together(folder, line) == [0, 0], (folder / "said0.txt").read_text()
    assert (folder / "said1.txt").read_text() == ""
    assert "Final recognition rate:" in (folder / "said0.txt").read_text()
    assert_close(alone, folder)
    rows = [(one / "results.csv").read_text().splitlines()[-1].split(",") for one in (alone, folder)]
    assert rows[0][:3] == rows[1][:3]
    if text is LSQ:  # where a value lies halfway between two levels, the order of a sum may decide
        assert float(rows[0][6]) == pytest.approx(float(rows[1][6]), abs=0.02)
        return
    assert rows[0][6] == rows[1][6], "the success in learning is that of all stimuli"
    files = [(one / "softmax.Target/ConfusionMatrix_learning.dat").read_text() for one in (alone, folder)]
    assert files[0] == files[1]


def test_without_sync_each_process_normalises_its_own_part(folder, tmp_path, small_data):
    text = runs.network()
    alone = Folder(tmp_path / "alone", small_data).write(text)
    assert alone.run("-learn-epoch 1 -workers 0") == 0
    assert together(folder.write(text), "-learn-epoch 1") == [0, 0]
    differences = [np.abs(a - b).max() for a, b in zip(tensors(alone).values(), tensors(folder).values(), strict=True)]
    assert max(differences) > 1e-4


def test_a_validation_is_decided_for_all_by_the_first(folder):
    folder.write(runs.network(validation=0.25, rate=0.0))
    assert together(folder, "-learn-epoch 9 -stop-valid 2") == [0, 0]
    assert "--- STOPPING THE LEARNING" in (folder / "said0.txt").read_text()
    assert (folder / "weights_validation").exists()


FOUND = tuple(f"softmax.Target/{name}" for name in ("test/classif.log", "ConfusionMatrix_test.dat", "Success_test.dat"))


@pytest.mark.parametrize("text", [runs.network(validation=0.2), LSQ])
@pytest.mark.parametrize("size", [2, 3])
def test_they_test_together_what_one_tests(text, size, folder, tmp_path):
    """45 stimuli in 5 batches, the last one of 5: no process has as many as another."""
    assert together(folder.write(text), "-learn-epoch 1 -log-test", size) == [0] * size
    assert "Final recognition rate:" in (folder / "said0.txt").read_text()
    learned = {name: (folder / name).read_bytes() for name in FOUND}
    alone = folder.copy(tmp_path / "alone")
    assert alone.run("-test -workers 0") == 0
    assert together(folder, "-test", size) == [0] * size
    for name in FOUND:
        found = (alone / name).read_bytes()
        assert (folder / name).read_bytes() == found
        assert learned[name] == found
    rows = (folder / "results.csv").read_text().splitlines()
    named = dict(zip(rows[0].split(","), rows[-1].split(","), strict=True))
    rate = float(re.search(r"Final recognition rate: ([\d.]+)%", alone.said)[1])
    if text is LSQ:  # without validation the weights of the last log are those that are tested
        assert float(named["softmax.Target:test"]) == pytest.approx(rate / 100, abs=1e-6)


def test_the_bad_stimuli_of_all_shares_are_told(folder, monkeypatch):
    together_bad = {0: "torn", 1: "empty"}
    evaluate = testing.evaluate

    def with_faults(network, stimuli, name, **options):
        rank = options["group"].rank
        stimuli.faults.bad[rank] = together_bad[rank]
        return evaluate(network, stimuli, name, **options)

    monkeypatch.setattr(testing, "evaluate", with_faults)
    assert together(folder.write(runs.network()), "-learn-epoch 1") == [0, 0]
    assert "2 stimuli were left out because they are bad: 0, 1" in (folder / "said0.txt").read_text()


def test_sync_bn_of_one_process_says_that_it_does_nothing(folder):
    assert folder.write(runs.network()).run("-learn-epoch 1 -sync-bn") == 0
    assert "Notice: -sync-bn: there is one process" in folder.said


def test_they_go_on_together(folder, tmp_path):
    text = runs.network(fillers=MOMENTUM)
    whole = folder.write(text).copy(tmp_path / "whole")
    assert together(whole, "-learn-epoch 2") == [0, 0]
    assert together(folder, "-learn-epoch 1") == [0, 0]
    assert together(folder, "-resume -learn-epoch 2") == [0, 0]
    assert folder.weights() == whole.weights()
    assert folder.run("-resume") == 1
    assert "the checkpoint is of another number of processes: 2, now 1" in folder.said


def test_a_batch_must_have_a_part_for_each(folder):
    folder.write(runs.network().replace("BatchSize=10", "BatchSize=1"))
    assert together(folder, "-learn-epoch 1") == [2, 2]
    assert "a batch of 1 cannot be divided among 2 processes" in (folder / "said0.txt").read_text()


def test_several_gpus_are_asked_for_where_there_are_none(folder: Folder, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert folder.write(runs.network()).run("-learn-epoch 1 -multidev 0,1") == 2
    assert "Error: -multidev 0,1: there is no GPU 1" in folder.said
    assert "torchrun --nproc-per-node 2 -m n2d2py net.ini" in folder.said
    assert folder.run("-learn-epoch 1 -multidev a") == 2
    assert "numbers of GPUs with commas between" in folder.said


def test_gpus_that_are_there_get_a_process_each(folder: Folder, monkeypatch):
    calls = []
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    monkeypatch.setattr("os.execve", lambda *words: calls.append(words))
    folder.write(runs.network()).run("-learn-epoch 1 -multidev 1,3")
    (_, words, environment) = calls[0]
    assert environment["CUDA_VISIBLE_DEVICES"] == "1,3"
    start = words.index("torch.distributed.run")
    assert words[start + 1 :] == [
        "--standalone", "--nproc-per-node", "2", "-m", "n2d2py", "net.ini", "-seed", "1", "-learn-epoch", "1",
    ]  # fmt: skip




def test_what_was_counted_before_a_stop_inside_an_epoch_counts(folder, tmp_path):
    """Success, confusion and mistakes of learning are those of all processes, whenever the run was stopped."""
    folder.write(WITHOUT_NORM)
    straight = folder.copy(tmp_path / "straight")
    line = "-learn-epoch 2 -history H"
    assert together(straight, line) == [0, 0]
    step, calls = learner.Learner._step, [0]

    def stopping(self, batch, epoch):
        calls[0] += 1
        if calls[0] == 30:
            os.kill(os.getpid(), signal.SIGTERM)
        step(self, batch, epoch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learner.Learner, "_step", stopping)
        assert together(folder, line) == [143, 143], (folder / "said0.txt").read_text()
    assert together(folder, "-resume") == [0, 0], (folder / "said0.txt").read_text()
    assert folder.weights() == straight.weights()
    names = ("ConfusionMatrix_learning.dat", "Success_learning.dat", "Misclassified_learning.dat")
    for name in ("H.npy", *(f"softmax.Target/{name}" for name in names)):
        assert (folder / name).read_bytes() == (straight / name).read_bytes(), name
