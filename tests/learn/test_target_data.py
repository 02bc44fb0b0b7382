"""Targets with DataAsTarget where the stimuli have target data: these are compared with, and not the input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from n2d2py.data.random import Generator
from n2d2py.learn import losses
from n2d2py.learn.history import Plan
from n2d2py.learn.loop import learn
from n2d2py.learn.testing import evaluate
from n2d2py.parts.solvers import SGD
from n2d2py.parts.targets import TargetScore

from .fakes import FakeNetwork, FakeStimuli


class WithTargetData(FakeStimuli):
    """Points of three values, each with two values that a linear function makes of it."""

    def batch(self, name, positions):
        found = super().batch(name, positions)
        first, second, third = found.inputs[:, :, 0, 0].unbind(1)
        found.target_data = torch.stack([first - second, 0.5 * third], 1)[:, :, None, None]
        return found


def network():
    target = TargetScore(name="fc0.Target", cell="fc0", data_as_target=True)
    return FakeNetwork(3, 2, solver=SGD(learning_rate=0.5), targets=(target,))


def test_the_loss_of_a_batch_is_that_of_its_target_data(tmp_path):
    stimuli, untouched = WithTargetData(learn=8, test=0), network()
    batch = stimuli.batch("Learn", np.arange(8))
    with torch.no_grad():
        expected = losses.reconstruction_error(untouched(batch.inputs)["fc0"], batch.target_data)
    history = learn(network(), stimuli, Plan(epochs=1, folder=tmp_path), Generator(1))
    assert history.logs[0].loss == pytest.approx(float(expected) / 8)


def test_a_network_learns_what_the_target_data_say(tmp_path):
    stimuli, learned = WithTargetData(learn=64, validation=16), network()
    (before,) = evaluate(learned, stimuli, "Test")
    history = learn(learned, stimuli, Plan(epochs=80, folder=tmp_path), Generator(1))
    (after,) = evaluate(learned, stimuli, "Test", keep_outputs=True)
    assert after.rate < 0.1 * before.rate
    # The rate of such a target is the mean squared error, to the target data.
    wanted = stimuli.batch("Test", np.arange(20)).target_data[:, :, 0, 0].numpy().astype(np.float64)
    assert after.rate == pytest.approx(np.square(after.outputs.reshape(20, 2) - wanted).mean())
    assert history.logs[-1].validation[0].rate < 0.1 * before.rate
