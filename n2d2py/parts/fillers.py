"""The fillers that give weights and biases their initial values."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py import console
from n2d2py.kinds import one_of, real, unsigned_real
from n2d2py.parameters import Record, parameter
from n2d2py.registry import register

_VARIANCE_NORM = one_of("FanIn", "Average", "FanOut")


@dataclass(frozen=True, kw_only=True)
class Filler(Record):
    """A distribution of initial values."""


@register("filler", "ConstantFiller")
@dataclass(frozen=True, kw_only=True)
class ConstantFiller(Filler):
    """Every value is Value."""

    value: float = parameter("Value", real, None, "the value; a missing one is 0, with a warning")

    def __post_init__(self) -> None:
        if self.value is None:
            place = self.place()
            console.warning(
                f"ConstantFiller without Value: every value is 0, at: {place}",
                about=("ConstantFiller without Value", place.file if place is not None else None),
            )
            object.__setattr__(self, "value", 0.0)


@register("filler", "NormalFiller")
@dataclass(frozen=True, kw_only=True)
class NormalFiller(Filler):
    """N(Mean, StdDev)."""

    mean: float = parameter("Mean", real, 0.0, "mean")
    std_dev: float = parameter("StdDev", unsigned_real, 1.0, "standard deviation")


@register("filler", "UniformFiller")
@dataclass(frozen=True, kw_only=True)
class UniformFiller(Filler):
    """U[Min, Max]."""

    low: float = parameter("Min", real, 0.0, "smallest value")
    high: float = parameter("Max", real, 1.0, "largest value")


@register("filler", "HeFiller")
@dataclass(frozen=True, kw_only=True)
class HeFiller(Filler):
    """Scaling * N(MeanNorm / n, sqrt(2 / n)), n the fan (He et al. 2015, equation 10)."""

    variance_norm: str = parameter("VarianceNorm", _VARIANCE_NORM, "FanIn", "which fan n is")
    mean_norm: float = parameter("MeanNorm", real, 0.0, "numerator of the mean")
    scaling: float = parameter("Scaling", real, 1.0, "factor of every value")


@register("filler", "XavierFiller")
@dataclass(frozen=True, kw_only=True)
class XavierFiller(Filler):
    """Scaling * U[-sqrt(3/n), sqrt(3/n)] or Scaling * N(0, sqrt(1/n)), n the fan (Glorot and Bengio 2010)."""

    variance_norm: str = parameter("VarianceNorm", _VARIANCE_NORM, "FanIn", "which fan n is")
    distribution: str = parameter("Distribution", one_of("Uniform", "Normal"), "Uniform", "shape")
    scaling: float = parameter("Scaling", real, 1.0, "factor of every value")
