"""Solvers: defaults, bounds, and policies that cannot work."""

from __future__ import annotations

import pytest

from n2d2py import registry
from n2d2py.errors import ParameterError
from n2d2py.parts.solvers import POLICIES, Adam, clamping
from tests.parts.reading import part


def test_names_ignore_case() -> None:
    assert registry.find("solver", "ADAM") is Adam
    assert registry.names("solver") == ["Adam", "SGD"]


def test_sgd_defaults() -> None:
    sgd = part("solver", "SGD")
    assert (sgd.learning_rate, sgd.momentum, sgd.decay, sgd.iteration_size, sgd.policy) == (0.01, 0.0, 0.0, 1, "None")
    assert (sgd.warm_up_fraction, sgd.rate_decay, sgd.step_size, sgd.max_iterations) == (0.25, 0.1, 1, 0)
    assert (sgd.clamping, sgd.min_decay, sgd.power) == ((None, None), 0.0, 0.0)


def test_adam_defaults() -> None:
    adam = part("solver", "Adam")
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon) == (0.001, 0.9, 0.999, 1e-8)


def test_integers_with_commas_and_expressions() -> None:
    sgd = part(
        "solver", "SGD", "LearningRateStepSize=10,000|MaxIterations=$(3 * 50000 / 2)|LearningRatePolicy=PolyDecay"
    )
    assert (sgd.step_size, sgd.max_iterations) == (10000, 75000)


@pytest.mark.parametrize(
    ("text", "bounds"),
    [("-1.0:1.0", (-1.0, 1.0)), ("0:", (0.0, None)), (":2.5", (None, 2.5)), ("", (None, None)), (":", (None, None))],
)
def test_clamping(text: str, bounds: tuple[float | None, float | None]) -> None:
    found = part("solver", "SGD", f"Clamping={text}").clamping
    assert found == bounds
    assert part("solver", "Adam", f"Clamping={clamping.format(found)}").clamping == bounds


@pytest.mark.parametrize("text", ["1", "1:0", "a:b", "1:2:3", "nan:1"])
def test_clamping_that_cannot_be(text: str) -> None:
    with pytest.raises(ParameterError, match="bounds min:max"):
        part("solver", "SGD", f"Clamping={text}")


@pytest.mark.parametrize("policy", POLICIES)
def test_policies(policy: str) -> None:
    assert part("solver", "SGD", f"LearningRatePolicy={policy}|MaxIterations=10").policy == policy


@pytest.mark.parametrize("policy", ["PolyDecay", "CosineDecay"])
def test_policies_that_end(policy: str) -> None:
    solver = part("solver", "SGD", f"LearningRatePolicy={policy}")  # it can be built, but does not learn
    error = str(solver.flaw())
    assert f"LearningRatePolicy={policy} without MaxIterations" in error
    assert "net.ini:2, [c], LearningRatePolicy" in error
    assert part("solver", "SGD", f"LearningRatePolicy={policy}|MaxIterations=1").flaw() is None


def test_steps_of_nothing() -> None:
    with pytest.raises(ParameterError, match="LearningRateStepSize=0 with LearningRatePolicy=StepDecay"):
        part("solver", "SGD", "LearningRatePolicy=StepDecay|LearningRateStepSize=0")


@pytest.mark.parametrize("line", ["Momentum=1", "LearningRate=-1", "IterationSize=0", "LearningRatePolicy=Step"])
def test_values_out_of_range(line: str) -> None:
    with pytest.raises(ParameterError, match="unreadable value"):
        part("solver", "SGD", line)


def test_a_decay_over_no_updates_says_what_was_written() -> None:
    flaw = str(part("solver", "SGD", "LearningRatePolicy=PolyDecay|MaxIterations=0").flaw())
    assert "LearningRatePolicy=PolyDecay with MaxIterations=0" in flaw
    assert "net.ini:3, [c], MaxIterations" in flaw
