import math

import pytest

from n2d2py.learn.policies import rate
from n2d2py.parts.solvers import SGD


def rates(record, updates, batch_size=1):
    return [rate(record, n, batch_size) for n in updates]


def test_none_is_constant():
    assert rates(SGD(learning_rate=0.05), (0, 10, 10**9), 256) == [0.05] * 3


def test_step_decay_counts_stimuli():
    record = SGD(learning_rate=1.0, policy="StepDecay", rate_decay=0.5, step_size=100)
    assert rates(record, range(5), 32) == [1.0, 1.0, 1.0, 1.0, 0.5]


def test_iteration_size_multiplies_the_stimuli_of_an_update():
    record = SGD(learning_rate=1.0, policy="StepDecay", rate_decay=0.5, step_size=128, iteration_size=4)
    assert rates(record, range(3), 32) == [1.0, 0.5, 0.25]


def test_exponential_and_inverse_time_decay():
    record = SGD(learning_rate=2.0, policy="ExponentialDecay", rate_decay=0.5, step_size=2)
    assert rates(record, (0, 1, 2, 4)) == [2.0, 2.0, 2.0 * math.exp(-0.5), 2.0 * math.exp(-1.0)]
    record = SGD(learning_rate=2.0, policy="InvTDecay", rate_decay=0.5, step_size=2)
    assert rates(record, (0, 2, 4)) == [2.0, 2.0 / 1.5, 1.0]


def test_poly_decay_counts_updates_and_stays_at_its_end():
    record = SGD(learning_rate=1.0, policy="PolyDecay", power=1.0, max_iterations=10)
    expected = [1 - n / 10 for n in range(10)] + [0.0, 0.0, 0.0]
    assert rates(record, (*range(10), 10, 11, 500), 64) == pytest.approx(expected)


def test_inverse_decay_counts_updates():
    record = SGD(learning_rate=1.0, policy="InvDecay", power=2.0, rate_decay=1.0)
    assert rates(record, (0, 1, 3), 99) == [1.0, 0.25, 1 / 16]


def test_cosine_decay_warms_up():
    record = SGD(
        learning_rate=0.4, policy="CosineDecay", warm_up_duration=10, warm_up_fraction=0.25, max_iterations=100
    )
    assert rates(record, (0, 5, 10)) == pytest.approx([0.1, 0.25, 0.4])


def test_cosine_decay_holds_its_end():
    record = SGD(learning_rate=1.0, policy="CosineDecay", max_iterations=4, step_size=8, min_decay=0.1)
    half = 0.9 * 0.5 + 0.1
    assert rates(record, (0, 2, 4, 5, 8, 1000), 8) == pytest.approx([1.0, half, 0.1, 0.1, 0.1, 0.1])


def test_cosine_decay_whose_warm_up_is_longer_than_itself():
    record = SGD(learning_rate=1.0, policy="CosineDecay", max_iterations=5, warm_up_duration=5, warm_up_fraction=0.0)
    assert rates(record, (0, 4, 5, 6)) == pytest.approx([0.0, 0.8, 0.0, 0.0])


def test_max_iterations_stops_the_count_of_other_policies():
    record = SGD(learning_rate=1.0, policy="StepDecay", rate_decay=0.5, step_size=1, max_iterations=2)
    assert rates(record, (1, 2, 3)) == [0.5, 0.25, 0.25]
