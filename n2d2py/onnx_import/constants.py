"""Constants of a model: tensors as numpy arrays, checked before a byte of them is taken over."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from n2d2py.errors import GraphError, Place
from n2d2py.onnx_import.external import ExternalData
from n2d2py.onnx_import.limits import LARGEST_DIMENSION, LARGEST_TENSOR

_TYPED_FIELDS = ("float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data")


class Constant:
    """A constant whose values are taken out of the file when they are first asked for.

    ``grid`` says by which quantization the values came to be, if a DequantizeLinear made them.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        element: int,
        make: Callable[[], np.ndarray],
        grid: Grid | None = None,
    ) -> None:
        self.shape = shape
        self.element = element
        self.grid = grid
        self._make: Callable[[], np.ndarray] | None = make
        self._array: np.ndarray | None = None

    @classmethod
    def of(cls, array: np.ndarray, grid: Grid | None = None) -> Constant:
        """A constant that is computed already."""
        return cls(array.shape, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), lambda: array, grid)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def array(self) -> np.ndarray:
        """The values."""
        if self._array is None:
            assert self._make is not None
            self._array, self._make = self._make(), None
        return self._array


class Grid:
    """The integers that values were dequantized from: ``scale`` (a number, or one a channel), bits, sign, zero."""

    def __init__(self, scale: np.ndarray, zero: np.ndarray, element: int) -> None:
        self.scale = scale
        self.zero = zero
        self.element = element

    @property
    def signed(self) -> bool:
        """Whether the integers have a sign."""
        return self.element in (TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT4)

    @property
    def codes(self) -> range:
        """All integers of the type."""
        below = 2 ** (self.bits - 1) if self.signed else 0
        return range(-below, 2**self.bits - below)

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value, of all channels."""
        zero, scale = self.zero.astype(np.int64), self.scale.astype(np.float64)
        low, high = ((end - zero) * scale for end in (self.codes[0], self.codes[-1]))
        return float(low.min()), float(high.max())

    @property
    def bits(self) -> int:
        """Bits of an integer."""
        if self.element in (TensorProto.INT4, TensorProto.UINT4):
            return 4
        return onnx.helper.tensor_dtype_to_np_dtype(self.element).itemsize * 8


def constant_of(tensor: TensorProto, external: ExternalData, place: Place) -> Constant:
    """The constant of a tensor of the file; raises :class:`GraphError` if what it says of itself is not true."""
    dims = tuple(tensor.dims)
    check_shape(dims, tensor.name, place)
    if tensor.data_type not in _known_types():
        raise _wrong(tensor, place, f"its values have type {_type_name(tensor.data_type)}", "a type of numbers")
    stored = tensor.data_location == TensorProto.EXTERNAL
    size = math.prod(dims)
    if stored:
        return Constant(dims, tensor.data_type, lambda: external.read(tensor, place))
    if tensor.HasField("raw_data"):
        needed = _bytes_of(tensor.data_type, size)
        if len(tensor.raw_data) != needed:
            given = f"it has {len(tensor.raw_data)} bytes"
            raise _wrong(tensor, place, given, f"{needed} bytes for {size} values of {_type_name(tensor.data_type)}")
    elif size:
        lengths = {field: len(getattr(tensor, field)) for field in _TYPED_FIELDS}
        if not any(lengths.values()):
            raise _wrong(tensor, place, "it has no values", f"{size} values")
        field = onnx.helper.tensor_dtype_to_field(tensor.data_type)
        if lengths[field] * _per_entry(tensor.data_type) < size:
            given = f"it has {lengths[field]} values in {field}"
            raise _wrong(tensor, place, given, f"{size} values of {_type_name(tensor.data_type)}")
    return Constant(dims, tensor.data_type, lambda: _array_of(tensor, place))


def check_shape(shape: tuple[int, ...], name: str, place: Place) -> None:
    """Raise :class:`GraphError` for a shape with dimensions below 0 or more values than a network has."""
    text = "x".join(map(str, shape))
    if any(length < 0 for length in shape):
        raise GraphError(
            f"tensor {name!r} has a dimension below 0: {text}", place=place, remedy="export the model again"
        )
    if math.prod(shape) > LARGEST_TENSOR or any(length > LARGEST_DIMENSION for length in shape):
        raise GraphError(
            f"tensor {name!r} is too large: {text}", place=place, expected=f"at most {LARGEST_TENSOR} values"
        )


def floats(constant: Constant) -> np.ndarray:
    """The values as float32; no copy where they are float32 already."""
    return np.asarray(constant.array, dtype=np.float32)


def _array_of(tensor: TensorProto, place: Place) -> np.ndarray:
    try:
        array = np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError) as error:
        raise _wrong(tensor, place, f"it is unreadable: {error}", "a whole tensor") from None
    tensor.ClearField("raw_data")  # the array is what is needed from here on
    return array


def _known_types() -> set[int]:
    return {
        TensorProto.FLOAT,
        TensorProto.FLOAT16,
        TensorProto.BFLOAT16,
        TensorProto.DOUBLE,
        TensorProto.INT4,
        TensorProto.UINT4,
        TensorProto.INT8,
        TensorProto.UINT8,
        TensorProto.INT16,
        TensorProto.UINT16,
        TensorProto.INT32,
        TensorProto.UINT32,
        TensorProto.INT64,
        TensorProto.UINT64,
        TensorProto.BOOL,
    }


def _per_entry(element: int) -> int:
    return 2 if element in (TensorProto.INT4, TensorProto.UINT4) else 1


def _bytes_of(element: int, size: int) -> int:
    if element in (TensorProto.INT4, TensorProto.UINT4):
        return -(-size // 2)
    return size * onnx.helper.tensor_dtype_to_np_dtype(element).itemsize


def _type_name(element: int) -> str:
    return TensorProto.DataType.Name(element) if element in TensorProto.DataType.values() else str(element)


def _wrong(tensor: TensorProto, place: Place, what: str, expected: str) -> GraphError:
    return GraphError(
        f"tensor {tensor.name!r} of the ONNX model is damaged: {what}",
        place=place,
        expected=expected,
        remedy="export or download the model again",
    )
