"""The solvers that update parameters, and the learning-rate policies of SGD: their parameters."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.errors import ParameterError, Place
from n2d2py.kinds import Kind, boolean, one_of, positive, real, real_between, unsigned, unsigned_real
from n2d2py.parameters import Record, parameter
from n2d2py.registry import register

POLICIES = ("None", "StepDecay", "ExponentialDecay", "InvTDecay", "PolyDecay", "InvDecay", "CosineDecay")
_STEPWISE = ("StepDecay", "ExponentialDecay", "InvTDecay", "CosineDecay")


def _clamping(text: str, place: Place) -> tuple[float | None, float | None]:
    text = text.strip()
    if not text:
        return (None, None)
    if text.count(":") != 1:
        raise ValueError("one colon between the two bounds, either of which may be left out")
    low, high = (float(real.parse(side, place)) if side.strip() else None for side in text.split(":"))
    if low is not None and high is not None and low > high:
        raise ValueError("the lower bound is above the upper one")
    return (low, high)


def _format_clamping(bounds: tuple[float | None, float | None]) -> str:
    return "" if bounds == (None, None) else ":".join("" if side is None else real.format(side) for side in bounds)


clamping = Kind("bounds min:max of the values after an update", _clamping, _format_clamping)


@dataclass(frozen=True, kw_only=True)
class Solver(Record):
    """A rule by which gradients change parameters."""

    def flaw(self) -> ParameterError | None:
        """What makes learning impossible, though the network can be built; None if nothing does."""
        return None


@register("solver", "SGD")
@dataclass(frozen=True, kw_only=True)
class SGD(Solver):
    """v = Momentum v - rate/(B I) g - Decay rate w; w = w + v, g the gradient summed over B stimuli, I batches."""

    learning_rate: float = parameter("LearningRate", unsigned_real, 0.01, "initial learning rate")
    momentum: float = parameter("Momentum", real_between(0, 1, high_open=True), 0.0, "share of the last step kept")
    decay: float = parameter("Decay", unsigned_real, 0.0, "L2 weight decay")
    power: float = parameter("Power", unsigned_real, 0.0, "exponent of PolyDecay and InvDecay")
    iteration_size: int = parameter("IterationSize", positive, 1, "batches summed before an update", unit="batches")
    max_iterations: int = parameter(
        "MaxIterations", unsigned, 0, "length of PolyDecay (updates) and CosineDecay (steps)"
    )
    warm_up_duration: int = parameter("WarmUpDuration", unsigned, 0, "length of CosineDecay's warm-up", unit="steps")
    warm_up_fraction: float = parameter("WarmUpLRFrac", unsigned_real, 0.25, "share of the rate at its start")
    policy: str = parameter("LearningRatePolicy", one_of(*POLICIES), "None", "how the rate changes")
    step_size: int = parameter("LearningRateStepSize", unsigned, 1, "stimuli of one step", unit="stimuli")
    rate_decay: float = parameter("LearningRateDecay", unsigned_real, 0.1, "decay of the stepwise policies")
    clamping: tuple[float | None, float | None] = parameter(
        "Clamping", clamping, (None, None), "bounds of the parameter after each update"
    )
    polyak_momentum: bool = parameter("PolyakMomentum", boolean, True, "read for N2D2's files; has no effect")
    min_decay: float = parameter("MinDecay", unsigned_real, 0.0, "final share of the rate in CosineDecay")

    def __post_init__(self) -> None:
        if self.policy in _STEPWISE and self.step_size == 0:
            raise ParameterError(
                f"LearningRateStepSize=0 with LearningRatePolicy={self.policy}",
                place=self.place("step_size") or self.place("policy"),
                expected="the number of stimuli of one step, at least 1",
            )

    def flaw(self) -> ParameterError | None:
        if self.policy not in ("PolyDecay", "CosineDecay") or self.max_iterations > 0:
            return None
        given = "max_iterations" in self.places
        return ParameterError(
            f"LearningRatePolicy={self.policy} " + ("with MaxIterations=0" if given else "without MaxIterations"),
            place=self.place("max_iterations") if given else self.place("policy"),
            expected="MaxIterations of at least 1: "
            + ("updates" if self.policy == "PolyDecay" else "steps of LearningRateStepSize stimuli"),
        )


@register("solver", "Adam")
@dataclass(frozen=True, kw_only=True)
class Adam(Solver):
    """Adam (Kingma and Ba 2014) on the gradient summed over the batch."""

    learning_rate: float = parameter("LearningRate", unsigned_real, 0.001, "learning rate")
    beta1: float = parameter("Beta1", real_between(0, 1, high_open=True), 0.9, "decay of the mean of gradients")
    beta2: float = parameter("Beta2", real_between(0, 1, high_open=True), 0.999, "decay of the mean of squares")
    epsilon: float = parameter("Epsilon", unsigned_real, 1e-8, "keeps the quotient finite")
    clamping: tuple[float | None, float | None] = parameter(
        "Clamping", clamping, (None, None), "bounds of the parameter after each update"
    )


