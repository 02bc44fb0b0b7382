"""Runs that end at any moment and go on: the weights are byte for byte those of a run that never stopped."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import runs
from runs import Folder

from n2d2py import outcome
from n2d2py.learn import learner, testing, weights

SOLVER = "Solvers.Momentum=0.9\nSolvers.LearningRatePolicy=PolyDecay\nSolvers.MaxIterations=90\nSolvers.Power=1"
DROPOUT = "[drop]\nInput=pool1\nType=Dropout\nNbOutputs=4\nDropout=0.3\n\n[fc1]\nInput=drop"
SHIFTED = """\
[env.Transformation-pad]
Type=PadCropTransformation
Width=10
Height=10
ApplyTo=LearnOnly

[env.Transformation-shift]
Type=SliceExtractionTransformation
Width=8
Height=8
RandomOffsetX=1
RandomOffsetY=1
ApplyTo=LearnOnly

[common.config]"""

SAT = (
    runs.quantized(fillers=SOLVER)
    .replace("[fc1]\nInput=pool1", DROPOUT)
    .replace("[common.config]", SHIFTED)
)
ADAM = "Solvers=Adam\nSolvers.LearningRate=0.01"
LSQ = runs.network(
    weights="QWeight=LSQ\nQWeight.Range=15",
    activation="ActivationFunction=Linear\nQAct=LSQ\nQAct.Range=15\nQActSolver=Adam",
    validation=0.25,
    fillers=f"WeightsSolver=SGD\nWeightsSolver.LearningRate=0.02\nWeightsSolver.IterationSize=3\n{ADAM}",
).replace("QWeight.ApplyScaling=1", "")
OFTEN = "-workers 0 -checkpoint-every 0.00001"


@pytest.fixture(autouse=True, scope="module")
def _without_pictures():
    """What is drawn is tested elsewhere, and takes most of the time of a small run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outcome, "write_network", lambda session: None)
        patch.setattr(outcome, "write_stimuli", lambda session: False)
        patch.setattr(outcome, "write_weights", lambda session, folder: None)
        yield


def in_child(work: Callable[[], int]) -> int:
    """The exit status of ``work`` in a process of its own; negative for the signal that ended it."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 99
        try:
            status = work()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(folder: Folder, line: str, place: tuple[object, str], count: int, number: int = signal.SIGKILL) -> int:
    """Run in a child that is sent a signal when the function ``place`` is called for the ``count``-th time."""

    def work() -> int:
        owner, name = place
        function, calls = getattr(owner, name), [0]

        def counted(*args: object, **keys: object) -> object:
            calls[0] += 1
            if calls[0] == count:
                os.kill(os.getpid(), number)
            return function(*args, **keys)

        setattr(owner, name, counted)
        status = folder.run(line)
        (folder / "said.txt").write_text(folder.said)
        return status

    return in_child(work)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory, small_data: Path) -> Callable[[str, str], Folder]:
    """Runs that nothing stopped, each made once."""
    made: dict[tuple[str, str], Folder] = {}

    def learn(text: str, line: str) -> Folder:
        if (text, line) not in made:
            run = Folder(tmp_path_factory.mktemp("straight"), small_data).write(text)
            assert run.run(f"{line} -workers 0") == 0, run.said
            made[text, line] = run
        return made[text, line]

    return learn


STEP = (learner.Learner, "_step")
SYNC = (os, "fsync")
RENAME = (Path, "replace")


@pytest.mark.parametrize(
    ("text", "line", "place", "count"),
    [
        (SAT, "-learn-epoch 3", STEP, 2),
        (SAT, "-learn-epoch 3", STEP, 40),
        (SAT, "-learn-epoch 3", SYNC, 101),
        (SAT, "-learn-epoch 3", RENAME, 77),
        (LSQ, "-learn-epoch 3", STEP, 29),
        (LSQ, "-learn-epoch 3", SYNC, 64),
        (SAT, "-learn 300 -log 100", STEP, 17),
        (SAT, "-learn 300 -log 100", SYNC, 90),
    ],
)
def test_a_killed_run_that_goes_on_gives_the_bytes_of_one_that_was_not(text, line, place, count, straight, folder):
    expected = straight(text, line)
    folder.write(text)
    assert killed_at(folder, f"{line} {OFTEN}", place, count) == -signal.SIGKILL
    assert folder.run("-resume -workers 0", seed=None) == 0, folder.said
    assert "Going on from checkpoint checkpoints/" in folder.said
    name = "weights_validation" if text is LSQ else "weights"
    assert folder.weights(name) == expected.weights(name)
    assert not list(folder.path.rglob("*.part"))
    for file in ("softmax.Target/learning_curve.dat", "softmax.Target/ConfusionMatrix_learning.dat"):
        assert (folder / file).read_bytes() == (expected / file).read_bytes()
    rows = [(one / "results.csv").read_text().splitlines() for one in (folder, expected)]
    assert [row.split(",")[:3] for row in rows[0]] == [row.split(",")[:3] for row in rows[1]]


def test_a_run_that_is_killed_again_and_again_comes_to_its_end(straight, folder):
    expected = straight(SAT, "-learn-epoch 3")
    folder.write(SAT)
    assert killed_at(folder, f"-learn-epoch 3 {OFTEN}", STEP, 9) == -signal.SIGKILL
    for count in (13, 5, 21):
        assert killed_at(folder, f"-resume {OFTEN}", STEP, count) == -signal.SIGKILL
    assert folder.run("-resume -workers 0") == 0
    assert folder.weights() == expected.weights()


def test_a_finished_run_that_is_resumed_tests_again(straight, tmp_path):
    run = straight(SAT, "-learn-epoch 3").copy(tmp_path / "copy")
    before = run.weights()
    assert run.run("-resume") == 0
    assert "#epoch" not in run.said
    assert "Final recognition rate:" in run.said
    assert run.weights() == before


def test_a_finished_run_can_be_made_longer(straight, tmp_path, folder):
    text = runs.quantized()
    run = straight(text, "-learn-epoch 1").copy(tmp_path / "copy")
    assert run.run("-resume -learn-epoch 3 -workers 0") == 0
    assert run.weights() == straight(text, "-learn-epoch 3").weights()


@pytest.mark.parametrize(
    ("number", "status", "word"), [(signal.SIGTERM, 143, "Terminated."), (signal.SIGINT, 130, "Interrupted.")]
)
def test_a_run_that_is_asked_to_stop_keeps_its_state_and_says_how_to_go_on(number, status, word, straight, folder):
    folder.write(SAT)
    assert killed_at(folder, "-learn-epoch 3 -workers 0", STEP, 30, number) == status
    said = (folder / "said.txt").read_text()
    assert "Notice: asked to stop after 30 batches; -resume goes on from checkpoints/30" in said
    assert word in said
    assert folder.run("-resume -workers 0") == 0
    assert folder.weights() == straight(SAT, "-learn-epoch 3").weights()


def test_a_run_that_is_asked_to_stop_while_it_validates_repeats_the_validation(straight, folder):
    folder.write(LSQ)
    assert killed_at(folder, "-learn-epoch 3 -workers 0", (testing, "stimuli_of"), 8, signal.SIGTERM) == 143
    assert folder.run("-resume -workers 0") == 0
    name = "weights_validation"
    assert folder.weights(name) == straight(LSQ, "-learn-epoch 3").weights(name)


# Checkpoints that are not what they should be


def test_a_damaged_checkpoint_gives_way_to_the_one_before(straight, tmp_path):
    run = straight(SAT, "-learn-epoch 3").copy(tmp_path / "copy")
    (tensors,) = (run / "checkpoints/72").glob("*.safetensors")
    data = bytearray(tensors.read_bytes())
    data[-3] ^= 1
    tensors.write_bytes(data)
    assert run.run("-resume -workers 0") == 0
    assert "Warning: the checkpoint checkpoints/72 is damaged: the tensors are not those that were written" in run.said
    assert "Going on from checkpoint checkpoints/48" in run.said
    assert run.weights() == straight(SAT, "-learn-epoch 3").weights()


def test_when_all_checkpoints_are_damaged_the_run_says_so(straight, tmp_path):
    run = straight(SAT, "-learn-epoch 3").copy(tmp_path / "copy")
    for file in run.path.glob("checkpoints/*/state.json"):
        file.write_bytes(file.read_bytes()[:-40])
    assert run.run("-resume") == 1
    assert "it is no JSON text" in run.said
    assert "Error: no checkpoint in checkpoints is whole" in run.said
    assert "begin anew without -resume" in run.said


def test_a_checkpoint_of_another_network_is_refused(straight, tmp_path):
    run = straight(SAT, "-learn-epoch 3").copy(tmp_path / "copy")
    run.write(SAT.replace("QWeight.Range=15", "QWeight.Range=7"))
    assert run.run("-resume") == 1
    assert "Error: the checkpoint is of another network (- then, + now): - QWeight=SAT: Range=15" in run.said
    assert "at: checkpoints/72" in run.said
    run.write(SAT.replace("BatchSize=10", "BatchSize=12"))
    assert run.run("-resume") == 1
    assert "the checkpoint is of another BatchSize: 10, now 12" in run.said


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-resume -log-epoch 2", "had -log-epoch 1, now it is 2"),
        ("-resume -learn-epoch 2", "had -learn-epoch 3, now it is 2"),
        ("-resume -learn 100", "had no -learn, now it is 100"),
    ],
)
def test_other_options_are_refused(line, words, straight, tmp_path):
    run = straight(SAT, "-learn-epoch 3").copy(tmp_path / "copy")
    assert run.run(line) == 2
    assert f"Error: -resume: the run of checkpoints/72 {words}" in run.said
    assert run.run("-resume", seed=7) == 2
    assert "had -seed 1, now it is 7" in run.said


def test_without_a_checkpoint_learning_begins(folder):
    folder.write(runs.network())
    assert folder.run("-resume") == 2
    assert "begin with -learn-epoch N or -learn N" in folder.said
    assert folder.run("-resume -learn-epoch 1") == 0
    assert "Notice: -resume: there is no checkpoint in checkpoints, learning starts at its beginning" in folder.said


def test_checkpoints_are_kept_as_many_as_wanted(folder):
    folder.write(runs.network())
    assert folder.run("-learn-epoch 4 -checkpoints 3") == 0
    assert {path.name for path in (folder / "checkpoints").iterdir() if path.is_dir()} == {"48", "72", "96"}
    assert folder.run("-learn-epoch 1") == 0
    left = {path.name for path in (folder / "checkpoints").iterdir()}
    assert left == {"24", "run.json"}, "those of the run before are gone"
    assert folder.run("-learn-epoch 2 -checkpoints 0") == 0
    assert {path.name for path in (folder / "checkpoints").iterdir()} == {"24", "run.json"}


# Saved states


def test_a_saved_state_is_tested_and_learned_from(straight, tmp_path, folder):
    run = straight(SAT, "-learn-epoch 3")
    text = SAT
    folder.write(text)
    assert folder.run(f"-test -l {run / 'net_state'}") == 0
    rates = [one.said.split("Final recognition rate:")[1].splitlines()[0] for one in (run, folder)]
    assert rates[0] == rates[1]
    assert folder.run(f"-learn-epoch 1 -l {run / 'net_state'}") == 0
    assert folder.weights("weights_init") == run.weights()
    assert folder.run(f"-test -l {run / 'weights'}") == 1
    assert f"there is no checkpoint in {run / 'weights'}" in folder.said
    folder.write(SAT.replace("NbOutputs=4", "NbOutputs=5"))
    assert folder.run(f"-test -l {run / 'net_state'}") == 1
    assert "the checkpoint is of another network: its tensor" in folder.said


def test_with_a_validation_set_the_best_state_is_kept(straight):
    run = straight(LSQ, "-learn-epoch 3")
    assert (run / "net_state_validation/state.json").exists()
    assert not (run / "net_state").exists()


# Weights


def test_weights_that_were_half_renamed_are_whole_when_they_are_read(straight, tmp_path, folder):
    new = straight(SAT, "-learn-epoch 3")
    old = straight(SAT, "-learn-epoch 3").weights("weights_init")
    folder.write(SAT)

    def work() -> int:
        rename = Path.replace
        done = [0]

        def dying(self: Path, target: Path) -> Path:
            if self.suffix == ".part" and target.suffix == ".syntxt" and "weights_init" not in str(target):
                done[0] += 1
                if done[0] == 4:
                    os.kill(os.getpid(), signal.SIGKILL)
            return rename(self, target)

        Path.replace = dying
        return folder.run("-learn-epoch 3 -log-epoch 0 -workers 0")

    assert in_child(work) == -signal.SIGKILL
    assert old != new.weights()
    assert weights.JOURNAL in {path.name for path in (folder / "weights").iterdir()}
    assert folder.run("-test") == 0, folder.said
    assert folder.weights() == new.weights()
    left = {path.name for path in (folder / "weights").iterdir() if path.suffix != ".syntxt"}
    assert left == set()


def test_an_earlier_run_is_not_gone_on_from(folder):
    folder.write(SAT)
    assert folder.run("-learn-epoch 1 -workers 0") == 0
    assert killed_at(folder, "-learn-epoch 2 -workers 0", STEP, 5) == -signal.SIGKILL
    assert folder.run("-resume -workers 0") == 2
    assert "the run that was begun last has no checkpoint yet, checkpoints/24 belong to the one before" in folder.said
    straight = folder.copy(folder.path / "straight")
    assert straight.run("-learn-epoch 2 -workers 0") == 0
    assert folder.run("-resume -learn-epoch 2 -workers 0") == 0
    assert "learning starts at its beginning" in folder.said
    assert folder.weights() == straight.weights()


def test_who_wants_the_earlier_run_gets_it(folder):
    folder.write(SAT)
    assert folder.run("-learn-epoch 1 -workers 0") == 0
    assert killed_at(folder, "-learn-epoch 2 -workers 0", STEP, 5) == -signal.SIGKILL
    (folder / "checkpoints/run.json").unlink()
    assert folder.run("-resume -learn-epoch 2 -workers 0") == 0
    assert "Going on from checkpoint checkpoints/24" in folder.said


@pytest.mark.parametrize("count", [24, 25, 40])
def test_losses_are_those_of_a_run_that_did_not_stop(count, folder, straight):
    line = "-learn-epoch 3 -history H"
    folder.write(LSQ)
    assert killed_at(folder, f"{line} -workers 0", STEP, count, signal.SIGTERM) == 143
    assert folder.run("-resume -workers 0") == 0
    assert (folder / "H.npy").read_bytes() == (straight(LSQ, line) / "H.npy").read_bytes()


def test_all_options_of_the_run_are_taken_over(folder):
    folder.write(runs.quantized(fillers=SOLVER))
    line = "-learn-epoch 5 -checkpoints 9 -history H -qat-sat -workers 0"
    assert killed_at(folder, line, STEP, 60, signal.SIGTERM) == 143
    assert folder.run("-resume -checkpoint-every 1") == 0
    numbers = {path.name for path in (folder / "checkpoints").iterdir() if path.is_dir()}
    assert numbers == {"24", "48", "60", "72", "96", "120"}
    assert (folder / "weights_quantized/manifest.json").exists()
    assert len(np.load(folder / "H.npy")) == 5
    assert folder.run("-resume -w weights_init") == 2
    assert "the run of checkpoints/120 had no -w, now it is weights_init" in folder.said
