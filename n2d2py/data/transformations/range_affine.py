"""RangeAffineTransformation: another range of values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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

_UFUNCS = {"Plus": np.add, "Minus": np.subtract, "Multiplies": np.multiply, "Divides": np.multiply}


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
        count, height, width, channels = images.shape
        self.out_dims((width, height, channels))
        if not images.size:
            return images.astype(np.float32)
        # Rows of all channels, with operands as long: NumPy begins a loop anew for each few channels of a pixel.
        rows = images.reshape(count, height, width * channels)
        (operation, operand), *second = self._operations
        # One pass: values become float32 piece by piece on their way into the first operation.
        values = operation(rows, self._along(operand, width), dtype=np.float32)
        for operation, operand in second:
            operation(values, self._along(operand, width), out=values)
        if self.truncate:
            np.trunc(values, out=values)
        return values.reshape(images.shape)

    @staticmethod
    def _along(operand: NDArray[Any], width: int) -> NDArray[Any]:
        return operand if operand.ndim == 0 else np.tile(operand, width)

    @cached_property
    def _operations(self) -> list[tuple[np.ufunc, NDArray[Any]]]:
        """What is done to float32 values, with its operand: a scalar, or one for each channel."""
        given = [(self.first_operator, self.first_value), (self.second_operator, self.second_value)]
        found: list[tuple[np.ufunc, NDArray[Any]]] = []
        for operator, operand in given:
            if operand:
                right = np.array(operand[0] if len(operand) == 1 else operand, np.float64)
                right = 1 / right if operator == "Divides" else right
                found.append((_UFUNCS[operator], right.astype(np.float32)))
        return found
