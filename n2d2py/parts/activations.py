"""The activation functions that ``ActivationFunction=`` names, with their parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from n2d2py.errors import ParameterError
from n2d2py.kinds import one_of, real, real_between, unsigned_real
from n2d2py.parameters import Record, parameter
from n2d2py.registry import name_of, register

UNBOUNDED = 3e38
"""From here on a bound is none."""

_ABOVE_0 = real_between(0, math.inf, low_open=True, high_open=True)


@dataclass(frozen=True, kw_only=True)
class Activation(Record):
    """An element-wise function at the end of a cell."""

    def label(self) -> str:
        """The name as it stands on a picture."""
        return name_of("activation", type(self))

    @property
    def reaches_below_zero(self) -> bool:
        """Whether a value below 0 can come out."""
        return True

    def in_units(self, unit: float) -> Activation | None:
        """The function of values that are given and wanted in units of ``unit``; None if it is no such function.

        It is one where it consists of straight lines through 0 and of bounds.
        """
        return None


@register("activation", "Linear")
@dataclass(frozen=True, kw_only=True)
class Linear(Activation):
    """y = x, or x clamped to [-Clipping, Clipping]."""

    clipping: float = parameter("Clipping", unsigned_real, 0.0, "bound of |y|; 0 means none")

    def in_units(self, unit: float) -> Activation | None:
        return replace(self, clipping=self.clipping / unit)


@register("activation", "Rectifier")
@dataclass(frozen=True, kw_only=True)
class Rectifier(Activation):
    """y = x for x > 0 (at most Clipping), LeakSlope * x below."""

    leak_slope: float = parameter("LeakSlope", real, 0.0, "slope for negative x")
    clipping: float = parameter("Clipping", unsigned_real, 0.0, "largest y; 0 means none")

    @property
    def reaches_below_zero(self) -> bool:
        return self.leak_slope > 0

    def in_units(self, unit: float) -> Activation | None:
        return replace(self, clipping=self.clipping / unit)


@register("activation", "Saturation")
@dataclass(frozen=True, kw_only=True)
class Saturation(Activation):
    """y = x clamped to [-Threshold, Threshold]."""

    threshold: float = parameter("Threshold", unsigned_real, 1.0, "bound of |y|")

    def in_units(self, unit: float) -> Activation | None:
        return replace(self, threshold=self.threshold / unit)


@register("activation", "Tanh")
@dataclass(frozen=True, kw_only=True)
class Tanh(Activation):
    """y = tanh(Alpha * x)."""

    alpha: float = parameter("Alpha", real, 1.0, "factor of x")


@register("activation", "TanhLeCun")
@dataclass(frozen=True, kw_only=True)
class TanhLeCun(Activation):
    """y = tanh(1.7159 * 2/3 * x): N2D2's constant, which is not LeCun's 1.7159 * tanh(2/3 * x)."""


@register("activation", "Logistic")
@dataclass(frozen=True, kw_only=True)
class Logistic(Activation):
    """y = 1 / (1 + exp(-x))."""


@register("activation", "LogisticWithLoss")
@dataclass(frozen=True, kw_only=True)
class LogisticWithLoss(Activation):
    """y = 1 / (1 + exp(-x)); the error of the target passes unchanged (binary cross-entropy)."""


@register("activation", "Softplus")
@dataclass(frozen=True, kw_only=True)
class Softplus(Activation):
    """y = log(1 + exp(Alpha * x)) / Alpha; with Alpha=-1 the logarithm of the logistic function."""

    alpha: float = parameter("Alpha", real, 1.0, "steepness of the bend at 0; not 0")

    def __post_init__(self) -> None:
        if self.alpha == 0:
            raise ParameterError("Softplus has Alpha=0", place=self.place("alpha"), expected="a number other than 0")


@register("activation", "Softsign")
@dataclass(frozen=True, kw_only=True)
class Softsign(Activation):
    """y = x / (1 + abs(x))."""


@register("activation", "Swish")
@dataclass(frozen=True, kw_only=True)
class Swish(Activation):
    """y = x / (1 + exp(-Alpha * x)) (Ramachandran et al. 2017, arXiv:1710.05941)."""

    alpha: float = parameter("Alpha", real, 1.0, "factor of x in the exponent")


@register("activation", "HardSwish")
@dataclass(frozen=True, kw_only=True)
class HardSwish(Activation):
    """y = x * clamp(x / 6 + 1 / 2, 0, 1) (Howard et al. 2019, arXiv:1905.02244, section 5.2)."""


@register("activation", "HardSigmoid")
@dataclass(frozen=True, kw_only=True)
class HardSigmoid(Activation):
    """y = clamp(Alpha * x + Beta, 0, 1)."""

    alpha: float = parameter("Alpha", unsigned_real, 1.0 / 6.0, "slope between the bounds")
    beta: float = parameter("Beta", real, 0.5, "y for x = 0")

    @property
    def reaches_below_zero(self) -> bool:
        return False


@register("activation", "Clamp")
@dataclass(frozen=True, kw_only=True)
class Clamp(Activation):
    """y = x, at least Low and at most High."""

    low: float = parameter("Low", real, -1.0, f"smallest y; {-UNBOUNDED:g}: no bound")
    high: float = parameter("High", real, 1.0, f"largest y; {UNBOUNDED:g}: no bound")

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ParameterError(
                f"Clamp has Low={self.low:g} above High={self.high:g}",
                place=self.place("low") or self.place("high"),
                expected="Low of at most High",
            )

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """Low and High, None where there is no bound."""
        return (self.low if self.low > -UNBOUNDED else None), (self.high if self.high < UNBOUNDED else None)

    def in_units(self, unit: float) -> Activation | None:
        low, high = (bound if bound is None else bound / unit for bound in self.bounds)
        return replace(self, low=-UNBOUNDED if low is None else low, high=UNBOUNDED if high is None else high)

    @property
    def reaches_below_zero(self) -> bool:
        return self.low < 0


@register("activation", "Elu")
@dataclass(frozen=True, kw_only=True)
class Elu(Activation):
    """y = x for x > 0, Alpha * (exp(x) - 1) below (Clevert et al. 2016, arXiv:1511.07289, equation 15)."""

    alpha: float = parameter("Alpha", real, 1.0, "-y for x far below 0")


@register("activation", "Selu")
@dataclass(frozen=True, kw_only=True)
class Selu(Activation):
    """y = Gamma * x for x > 0, Gamma * Alpha * (exp(x) - 1) below (Klambauer et al. 2017, arXiv:1706.02515)."""

    alpha: float = parameter("Alpha", real, 1.6732632423543772, "-y / Gamma for x far below 0")
    gamma: float = parameter("Gamma", real, 1.0507009873554805, "slope for x > 0")


@register("activation", "Celu")
@dataclass(frozen=True, kw_only=True)
class Celu(Activation):
    """y = x for x > 0, Alpha * (exp(x / Alpha) - 1) below (Barron 2017, arXiv:1704.07483)."""

    alpha: float = parameter("Alpha", _ABOVE_0, 1.0, "-y for x far below 0")


@register("activation", "Gelu")
@dataclass(frozen=True, kw_only=True)
class Gelu(Activation):
    """y = x * P(X <= x), X normally distributed (Hendrycks and Gimpel 2016, arXiv:1606.08415).

    Approximate=Tanh: y = x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))).
    """

    approximate: str = parameter("Approximate", one_of("None", "Tanh"), "None", "what stands for the distribution")


@register("activation", "Mish")
@dataclass(frozen=True, kw_only=True)
class Mish(Activation):
    """y = x * tanh(log(1 + exp(x))) (Misra 2019, arXiv:1908.08681)."""
