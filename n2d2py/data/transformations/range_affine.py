"""RangeAffineTransformation: another range of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, list_of, one_of, real
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

OPERATORS = ("Plus", "Minus", "Multiplies", "Divides")
"""Operations of an image with a value."""


@register("transformation", "RangeAffineTransformation")
@dataclass(frozen=True, kw_only=True)
class RangeAffineTransformation(Transformation):
    """x = (x FirstOperator FirstValue) SecondOperator SecondValue, in float32, without rescaling x before.

    A value is one number for all channels or one for each. Division is multiplication with float32(1 / value),
    as OpenCV does it. The result is float32, so no implicit scaling follows.
    """

    first_operator: str = parameter("FirstOperator", one_of(*OPERATORS), REQUIRED, "first operation")
    first_value: tuple[float, ...] = parameter("FirstValue", list_of(real), REQUIRED, "its right operand")
    second_operator: str = parameter("SecondOperator", one_of(*OPERATORS), "Plus", "second operation")
    second_value: tuple[float, ...] = parameter(
        "SecondValue", list_of(real), (), "its right operand; none: no second operation"
    )
    truncate: bool = parameter("Truncate", boolean, False, "1: the result is truncated to an integer")

    batched: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.first_value:
            raise ParameterError(
                "FirstValue is empty", place=self.place("first_value"), expected="a number, or one for each channel"
            )
        for name, operator, values in (
            ("first_value", self.first_operator, self.first_value),
            ("second_value", self.second_operator, self.second_value),
        ):
            if operator == "Divides" and 0 in values:
                raise ParameterError("division by 0", place=self.place(name), expected="a divisor other than 0")

    @property
    def by_pixel(self) -> bool:
        return True

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def out_dims(self, dims: Dims) -> Dims:
        channels = dims[2]
        for name, key, values in (
            ("first_value", "FirstValue", self.first_value),
            ("second_value", "SecondValue", self.second_value),
        ):
            if len(values) not in (0, 1, channels):
                raise ParameterError(
                    f"{key} has {len(values)} values for images of {channels} channels",
                    place=self.place(name),
                    expected=f"one value, or {channels}",
                )
        return dims

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        _, height, width, channels = images.shape
        self.out_dims((width, height, channels))
        values = images.astype(np.float32)
        for operator, operand in (
            (self.first_operator, self.first_value),
            (self.second_operator, self.second_value),
        ):
            if not operand:
                continue
            right = np.array(operand, np.float64)
            if operator == "Plus":
                values += right.astype(np.float32)
            elif operator == "Minus":
                values -= right.astype(np.float32)
            elif operator == "Multiplies":
                values *= right.astype(np.float32)
            else:
                values *= (1 / right).astype(np.float32)
        return np.trunc(values, out=values) if self.truncate else values
