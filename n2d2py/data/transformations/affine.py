"""AffineTransformation: an operation with an image, value by value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.paths import expand, path
from n2d2py.data.transformations.base import Dims, ImageTransformation
from n2d2py.data.transformations.depth import saturated
from n2d2py.data.transformations.matrix_file import read_matrix
from n2d2py.data.transformations.range_affine import OPERATORS
from n2d2py.errors import ParameterError
from n2d2py.kinds import one_of
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

_FIELDS = ("first_value", "second_value")


@register("transformation", "AffineTransformation")
@dataclass(frozen=True, kw_only=True)
class AffineTransformation(ImageTransformation):
    """x = (x FirstOperator FirstValue) SecondOperator SecondValue, the values being images of the same size.

    Such an image is a picture, or a mean or a standard deviation as ``[sp.StimuliData-x]_MeanData`` names it. Of
    integer images and real operands the result has the depth of the operand; else the depth stays, rounded and
    clipped. Division by 0 gives 0.
    """

    first_operator: str = parameter("FirstOperator", one_of(*OPERATORS), REQUIRED, "first operation")
    first_value: str = parameter("FirstValue", path, REQUIRED, "image that is its right operand")
    second_operator: str = parameter("SecondOperator", one_of(*OPERATORS), "Plus", "second operation")
    second_value: str = parameter("SecondValue", path, "", "image that is its right operand; none: no operation")

    @cached_property
    def _operands(self) -> list[tuple[str, str, NDArray[Any]]]:
        """Field, operator and matrix of each operation."""
        operands = []
        for name, operator in zip(_FIELDS, (self.first_operator, self.second_operator), strict=True):
            text = getattr(self, name)
            if not text:
                continue
            matrix = read_matrix(expand(text, self.place(name)), self, name)
            if operator == "Divides" and not matrix.all():
                self.warn_once(f"{text} has zeros: a value that is divided by 0 becomes 0")
            operands.append((name, operator, matrix))
        return operands

    def read_from_files(self) -> bytes:
        return b"".join(repr((one.shape, one.dtype.str)).encode() + one.tobytes() for _, _, one in self._operands)

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        for _, _, matrix in self._operands:
            if np.issubdtype(dtype, np.integer) and np.issubdtype(matrix.dtype, np.floating):
                dtype = matrix.dtype
        return dtype

    def out_dims(self, dims: Dims) -> Dims:
        width, height, channels = dims
        for name, _, matrix in self._operands:
            rows, columns, planes = matrix.shape
            if (columns, rows) != (width, height) or planes not in (1, channels):
                raise ParameterError(
                    f"images of {width}x{height}x{channels} meet an operand of {columns}x{rows}x{planes}",
                    place=self.place(name),
                    expected="an operand of the same width and height, with one channel or the same channels",
                )
        return dims

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        height, width, channels = image.shape
        self.out_dims((width, height, channels))
        values = image
        for _, operator, matrix in self._operands:
            if np.issubdtype(values.dtype, np.integer) and np.issubdtype(matrix.dtype, np.floating):
                values = values.astype(matrix.dtype)
            values = saturated(_operate(values.astype(np.float64), operator, matrix.astype(np.float64)), values.dtype)
        return values


def _operate(left: NDArray[np.float64], operator: str, right: NDArray[np.float64]) -> NDArray[np.float64]:
    if operator == "Plus":
        return left + right
    if operator == "Minus":
        return left - right
    if operator == "Multiplies":
        return left * right
    return np.divide(left, right, out=np.zeros_like(left), where=np.broadcast_to(right != 0, left.shape))
