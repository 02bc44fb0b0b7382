"""The activation functions that ``ActivationFunction=`` names, with their parameters."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.kinds import real, unsigned_real
from n2d2py.parameters import Record, parameter
from n2d2py.registry import name_of, register


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


@register("activation", "Linear")
@dataclass(frozen=True, kw_only=True)
class Linear(Activation):
    """y = x, or x clamped to [-Clipping, Clipping]."""

    clipping: float = parameter("Clipping", unsigned_real, 0.0, "bound of |y|; 0 means none")


@register("activation", "Rectifier")
@dataclass(frozen=True, kw_only=True)
class Rectifier(Activation):
    """y = x for x > 0 (at most Clipping), LeakSlope * x below."""

    leak_slope: float = parameter("LeakSlope", real, 0.0, "slope for negative x")
    clipping: float = parameter("Clipping", unsigned_real, 0.0, "largest y; 0 means none")

    @property
    def reaches_below_zero(self) -> bool:
        return self.leak_slope > 0


@register("activation", "Saturation")
@dataclass(frozen=True, kw_only=True)
class Saturation(Activation):
    """y = x clamped to [-Threshold, Threshold]."""

    threshold: float = parameter("Threshold", unsigned_real, 1.0, "bound of |y|")


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
    """y = log(1 + exp(x))."""


@register("activation", "Swish")
@dataclass(frozen=True, kw_only=True)
class Swish(Activation):
    """y = x / (1 + exp(-x))."""
