import numpy as np
import pytest
import torch

from n2d2py.data.random import Generator
from n2d2py.errors import LearningError
from n2d2py.learn import finiteness, learner, loop, weights
from n2d2py.learn.history import Plan
from n2d2py.learn.loop import learn
from n2d2py.parts.solvers import SGD
from n2d2py.parts.targets import TargetScore

from .fakes import FakeNetwork, FakeStimuli


@pytest.fixture(autouse=True)
def _lines(caplog):
    caplog.set_level("INFO", logger="n2d2py")


def generator():
    return Generator(1)


class Watcher:
    def __init__(self):
        self.logs = []

    def logged(self, log):
        self.logs.append(log)

    def resumed(self, logs):
        self.logs += logs


def parameters(network):
    return [item.tensor.detach().clone() for _, item in network.learned()]


def test_epochs_learn_and_save(tmp_path, caplog):
    network, watcher = FakeNetwork(3, 3), Watcher()
    history = learn(network, FakeStimuli(learn=60), Plan(epochs=3, folder=tmp_path), generator(), watcher)
    assert history.logs == watcher.logs
    assert [log.epoch for log in history.logs] == [0, 1, 2]
    assert [log.batches for log in history.logs] == [8, 16, 24]
    assert history.best is None
    last = history.logs[-1]
    assert last.learning[0].recent > 0.9
    assert last.learning[0].successes.shape == (24, 2)
    assert last.learning[0].confusion.total == 64
    assert last.saved == tmp_path / "weights"
    assert last.rate == 0.5
    assert not network.training
    learned = FakeNetwork(3, 3, seed=9)
    weights.load(learned, tmp_path / "weights")
    assert all(map(torch.equal, parameters(learned), parameters(network)))
    initial = FakeNetwork(3, 3, seed=9)
    weights.load(initial, tmp_path / "weights_init")
    assert all(map(torch.equal, parameters(initial), parameters(FakeNetwork(3, 3))))
    lines = [message for message in caplog.messages if message.startswith("Learning [")]
    assert len(lines) == 3
    assert lines[2].startswith(f"Learning [{'=' * 50}] #epoch 2 ")
    assert " min at " in lines[2]


def test_same_seed_same_result(tmp_path):
    networks = [FakeNetwork(3, 4, 3) for _ in range(2)]
    for network in networks:
        learn(network, FakeStimuli(), Plan(epochs=2, folder=tmp_path), generator())
    assert all(map(torch.equal, *map(parameters, networks)))


@pytest.mark.parametrize(("log_epochs", "logged"), [(1, [0, 1, 2, 3, 4]), (2, [1, 3, 4]), (0, [4])])
def test_logs_come_every_so_many_epochs_and_at_the_end(tmp_path, log_epochs, logged):
    plan = Plan(epochs=5, log_epochs=log_epochs, folder=tmp_path)
    history = learn(FakeNetwork(3, 3), FakeStimuli(), plan, generator())
    assert [log.epoch for log in history.logs] == logged


def test_learning_by_stimuli(tmp_path, caplog):
    plan = Plan(stimuli=100, log_stimuli=40, report=30, folder=tmp_path)
    history = learn(FakeNetwork(3, 3), FakeStimuli(), plan, generator())
    assert [(log.epoch, log.batches) for log in history.logs] == [(None, 6), (None, 11), (None, 13)]
    lines = [message for message in caplog.messages if message.startswith("Learning #")]
    assert [line.split("(")[0] for line in lines] == [f"Learning #{i:<8}" for i in (32, 64, 96)]
    assert "#32      (50.00%)   " in lines[0]


def test_epochs_take_precedence_over_stimuli(tmp_path):
    history = learn(FakeNetwork(3, 3), FakeStimuli(), Plan(epochs=1, stimuli=5, folder=tmp_path), generator())
    assert [log.epoch for log in history.logs] == [0]


def test_the_best_validation_is_saved(tmp_path, caplog, monkeypatch):
    scores = iter([0.5, 0.5, 0.75, 0.25])
    monkeypatch.setattr("n2d2py.learn.metrics.Confusion.average", _scores(scores))
    network = FakeNetwork(3, 3)
    history = learn(network, FakeStimuli(validation=9), Plan(epochs=4, metric="F1Score", folder=tmp_path), generator())
    assert [log.best for log in history.logs] == [True, False, True, False]
    assert [log.score for log in history.logs] == [0.5, 0.5, 0.75, 0.25]
    assert history.best == 0.75
    assert not history.stopped_early
    assert not (tmp_path / "weights").exists()
    lines = [message for message in caplog.messages if not message.startswith(("Learning", "    loss"))]
    courses = [message for message in caplog.messages if message.startswith("    loss")]
    assert "best validation" not in courses[0]
    assert ", best validation 50.00%, learning rate 0.5, " in courses[1]
    assert courses[1].endswith(" s left")
    assert courses[3].endswith("learning rate 0.5"), "nothing is left after the last epoch"
    assert lines[:6] == [
        "Validation....................",
        "+++ BEST validation score: 50% [F1Score]",
        "    'weights_validation' saved!",
        "    Sensitivity: 0% / Specificity: 0% / Precision: 0%",
        "    Accuracy: 0% / F1-score: 50% / Informedness: 0%",
        "Validation....................",
    ]
    assert "--- LOWER validation score: 50% [F1Score] (best was 50%)" in lines
    assert "--- LOWER validation score: 25% [F1Score] (best was 75%)" in lines


def _scores(scores):
    """In place of Confusion.average: the next score for the F1Score of each new matrix, 0 for other metrics."""
    known = []

    def average(self, name):
        if name != "F1Score":
            return 0.0
        if not known or known[-1][0] is not self:
            known.append((self, next(scores)))
        return known[-1][1]

    return average


def test_learning_stops_when_validation_gets_no_better(tmp_path, caplog):
    network = FakeNetwork(3, 3, solver=SGD(learning_rate=0.0))
    plan = Plan(epochs=50, stop_after=3, folder=tmp_path)
    history = learn(network, FakeStimuli(validation=9), plan, generator())
    assert history.stopped_early
    assert len(history.logs) <= 4
    assert "--- Validation did not improve after 3 steps" in caplog.messages
    assert caplog.messages[-1] == "--- STOPPING THE LEARNING"


def test_a_test_at_each_log_is_for_information(tmp_path, caplog):
    plan = Plan(epochs=2, test_at_logs=True, folder=tmp_path)
    history = learn(FakeNetwork(3, 3), FakeStimuli(), plan, generator())
    assert [len(log.test) for log in history.logs] == [1, 1]
    assert sum(message.startswith("Test at this log (for information only): ") for message in caplog.messages) == 2


def test_the_window_is_counted_in_whole_batches(tmp_path):
    plan = Plan(epochs=1, window=20, folder=tmp_path)
    history = learn(FakeNetwork(3, 3), FakeStimuli(), plan, generator())
    learning = history.logs[0].learning[0]
    assert learning.recent == pytest.approx(learning.successes[-2:, 0].mean())


def test_values_that_are_not_finite_stop_learning_and_name_the_cell(tmp_path):
    network, stimuli = FakeNetwork(3, 4, 3), FakeStimuli()
    learn(network, stimuli, Plan(epochs=1, folder=tmp_path), generator())
    good = parameters(network)
    with torch.no_grad():
        network.cells[1].weights[0, 0] = float("inf")
    with pytest.raises(LearningError) as caught:
        learn_without_initial_save(network, stimuli, tmp_path)
    text = str(caught.value)
    assert "learning broke down at batch 0 (epoch 0)" in text
    assert "a number that is not finite in weights of cell fc1" in text
    assert "a lower LearningRate (it was 0.5)" in text
    weights.load(network, tmp_path / "weights")
    assert all(map(torch.equal, good, parameters(network)))


def learn_without_initial_save(network, stimuli, folder):
    save = learner.Learner.save
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learner.Learner, "save", lambda self, name: save(self, name) if name != loop.INITIAL else None)
        learn(network, stimuli, Plan(epochs=2, folder=folder), generator())


def test_a_rate_that_is_too_high_is_noticed_and_good_weights_are_kept(tmp_path):
    network = FakeNetwork(3, 4, 3, solver=SGD(learning_rate=1e12))
    with pytest.raises(LearningError) as caught:
        learn(network, FakeStimuli(), Plan(epochs=9, folder=tmp_path), generator())
    assert "of cell fc1 reach" in str(caught.value)
    assert "1e+12" in str(caught.value)
    assert "weights_init" in str(caught.value)
    assert not (tmp_path / "weights").exists()


def test_a_gradient_that_is_not_finite_is_noticed_before_weights_are_saved(tmp_path):
    network = FakeNetwork(3, 4, 3)
    network.cells[0].biases.register_hook(lambda gradient: gradient * float("nan"))
    with pytest.raises(LearningError, match="not finite in biases of cell fc0"):
        learn(network, FakeStimuli(learn=8), Plan(epochs=2, folder=tmp_path), generator())
    assert not (tmp_path / "weights").exists()


def test_an_output_that_is_not_finite_is_named():
    network, stimuli = FakeNetwork(3, 4, 3), FakeStimuli()
    batch = stimuli.batch("Learn", np.arange(8))
    network.cells[0].register_forward_hook(lambda module, inputs, output: output / 0.0)
    network.cells[0]._forward_hooks.move_to_end(next(iter(network.cells[0]._forward_hooks)), last=False)
    found = finiteness.first_unsound(network, batch.inputs, lambda: network(batch.inputs)["fc1"].sum())
    assert found == "the output of cell fc0"


def test_stimuli_that_are_not_finite_are_named():
    inputs = torch.full((1, 3, 1, 1), float("nan"))
    assert finiteness.first_unsound(FakeNetwork(3, 3), inputs, lambda: torch.zeros(1).sum()) == "the stimuli"


def test_an_interrupt_saves_the_weights_and_goes_on_up(tmp_path, caplog):
    network, stimuli = FakeNetwork(3, 3), FakeStimuli(validation=9)
    passes = stimuli.epoch

    def interrupted(draw, *_):
        for index, batch in enumerate(passes(draw)):
            if index == 5:
                raise KeyboardInterrupt
            yield batch

    stimuli.epoch = interrupted
    with pytest.raises(KeyboardInterrupt):
        learn(network, stimuli, Plan(epochs=2, folder=tmp_path), generator())
    loaded = FakeNetwork(3, 3, seed=5)
    weights.load(loaded, tmp_path / "weights")
    assert all(map(torch.equal, parameters(loaded), parameters(network)))
    assert f"interrupted after 5 batches; the weights are saved in {tmp_path / 'weights'}" in caplog.messages


def test_an_interrupt_before_anything_was_learned_leaves_old_weights_alone(tmp_path):
    stimuli = FakeStimuli()

    def interrupted(draw, *_):
        raise KeyboardInterrupt

    stimuli.epoch = interrupted
    with pytest.raises(KeyboardInterrupt):
        learn(FakeNetwork(3, 3), stimuli, Plan(epochs=1, folder=tmp_path), generator())
    assert not (tmp_path / "weights").exists()


def test_an_interrupt_does_not_save_what_is_not_finite(tmp_path, caplog):
    network, stimuli = FakeNetwork(3, 3), FakeStimuli()
    passes = stimuli.epoch

    def interrupted(draw, *_):
        yield next(passes(draw))
        with torch.no_grad():
            network.cells[0].biases[0] = float("nan")
        raise KeyboardInterrupt

    stimuli.epoch = interrupted
    with pytest.raises(KeyboardInterrupt):
        learn(network, stimuli, Plan(epochs=1, folder=tmp_path), generator())
    assert not (tmp_path / "weights").exists()
    assert "nothing was saved, because a number in biases of cell fc0 is not finite" in caplog.text


@pytest.mark.parametrize(
    ("network", "stimuli", "words"),
    [
        (FakeNetwork(3, 3), FakeStimuli(learn=0), "the learning set is empty"),
        (FakeNetwork(4, 2), FakeStimuli(classes=4), "target out of range"),
    ],
)
def test_what_cannot_be_learned_is_said_at_once(tmp_path, network, stimuli, words):
    with pytest.raises(LearningError, match=words):
        learn(network, stimuli, Plan(epochs=1, folder=tmp_path), generator())
    assert not list(tmp_path.iterdir())


def test_a_network_without_target_or_without_parameters(tmp_path):
    network = FakeNetwork(3, 3)
    network.network.targets = ()
    with pytest.raises(LearningError, match="no target"):
        learn(network, FakeStimuli(), Plan(epochs=1, folder=tmp_path), generator())
    network = FakeNetwork(3, 3)
    network.learned = list
    with pytest.raises(LearningError, match="no cell of the network learns"):
        learn(network, FakeStimuli(), Plan(epochs=1, folder=tmp_path), generator())


def test_the_mistakes_of_a_log_are_those_of_its_confusion_matrix(tmp_path):
    history = learn(
        FakeNetwork(3, 4, 3), FakeStimuli(spread=0.5), Plan(epochs=3, log_epochs=0, folder=tmp_path), generator()
    )
    (log,) = history.logs
    (success,) = log.learning
    wrong = success.confusion.matrix.copy()
    np.fill_diagonal(wrong, 0)
    found = np.zeros_like(wrong)
    for mistake in success.mistakes:
        found[mistake.target, mistake.estimated] += mistake.pixels
    assert success.confusion.total == 3 * 64
    assert found.sum() > 0
    assert np.array_equal(found, wrong)


def test_of_several_targets_of_a_cell_the_last_one_asks(tmp_path):
    """As in N2D2, where each overwrites the error that the one before wrote; all of them score."""
    weights = []
    for count in (1, 2):
        several = tuple(TargetScore(name=f"fc0.Target-{n}", cell="fc0", top_n=n) for n in range(1, count + 1))
        network = FakeNetwork(3, 3, targets=several)
        history = learn(network, FakeStimuli(), Plan(epochs=1, folder=tmp_path), generator())
        weights.append(network.cells[0].weights.detach().clone())
        assert [success.target.name for success in history.logs[0].learning] == [target.name for target in several]
    assert torch.equal(*weights)


def test_layers_that_want_labels_are_given_those_of_the_batch(tmp_path):
    network, stimuli, seen = FakeNetwork(3, 3), FakeStimuli(learn=16), []
    forward = network.forward

    def watched(inputs):
        seen.append(network.labels(torch.zeros(len(inputs), 3)))
        return forward(inputs)

    network.forward = watched
    learn(network, stimuli, Plan(epochs=1, folder=tmp_path), generator())
    assert sorted(torch.cat(seen[:2]).tolist()) == sorted(stimuli.labels("Learn").tolist())
