"""Every operator against ONNX Runtime, through the torch network. The tolerance is 1e-5 of the largest output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, helper

from n2d2py import registry
from tests.onnx_import.models import SHAPE, computed, model, saved, values

TOLERANCE = 1e-5

Case = tuple[list[NodeProto], dict[str, np.ndarray], dict[str, Any]]
CASES: dict[str, Callable[[], Case]] = {}


def node(operator: str, inputs: str, output: str = "y", **attributes: Any) -> NodeProto:
    return helper.make_node(
        operator, inputs.replace("-", "").split(" "), output.split(), f"node_{output}", **attributes
    )


def case(name: str, nodes: list[NodeProto], constants: dict[str, Any] | None = None, **options: Any) -> None:
    arrays = {key: np.asarray(value) for key, value in (constants or {}).items()}
    assert name not in CASES
    CASES[name] = lambda: (nodes, arrays, options)


def f32(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


def i64(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


W3 = values(5, 4, 3, 3)
case("Conv", [node("Conv", "x w b")], {"w": W3, "b": values(5)})
case("Conv without bias", [node("Conv", "x w", strides=[2, 1], pads=[1, 0, 1, 0])], {"w": W3})
case("Conv of opset 7", [node("Conv", "x w")], {"w": W3}, opset=7)
case("Conv dilated", [node("Conv", "x w", dilations=[2, 1])], {"w": W3})
case("Conv of groups", [node("Conv", "x w b", group=2)], {"w": values(6, 2, 3, 3), "b": values(6)})
case("Conv depthwise", [node("Conv", "x w", group=4, pads=[1, 1, 1, 1])], {"w": values(4, 1, 3, 3)})
case("Conv padded on one side", [node("Conv", "x w", pads=[0, 1, 2, 0])], {"w": W3})
case("Conv SAME_UPPER", [node("Conv", "x w", auto_pad="SAME_UPPER", strides=[2, 2])], {"w": values(5, 4, 3, 2)})
case("Conv SAME_LOWER", [node("Conv", "x w", auto_pad="SAME_LOWER", strides=[3, 2])], {"w": values(5, 4, 4, 3)})
case("Conv VALID", [node("Conv", "x w", auto_pad="VALID")], {"w": W3})
case("Conv 1-D", [node("Conv", "x w b", pads=[2, 1])], {"w": values(5, 4, 3), "b": values(5)}, shape=(2, 4, 9))
case("Conv 3-D", [node("Conv", "x w", pads=[1] * 6)], {"w": values(5, 2, 3, 3, 3)}, shape=(2, 2, 4, 5, 6))
case(
    "Conv of float16 weights",
    [node("Cast", "h", "w", to=1), node("Conv", "x w")],
    {"h": W3.astype(np.float16)},
)
case(
    "ConvTranspose",
    [node("ConvTranspose", "x w b", strides=[2, 2], pads=[1, 1, 1, 1])],
    {"w": values(4, 5, 3, 3), "b": values(5)},
)
case("ConvTranspose depthwise", [node("ConvTranspose", "x w", group=4, strides=[2, 2])], {"w": values(4, 1, 2, 2)})
case(
    "ConvTranspose of groups",
    [node("ConvTranspose", "x w b", group=2, strides=[2, 2])],
    {"w": values(4, 3, 2, 2), "b": values(6)},
)
case(
    "ConvTranspose with output_padding",
    [node("ConvTranspose", "x w b", strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])],
    {"w": values(4, 5, 3, 3), "b": values(5)},
)
case(
    "ConvTranspose with more output_padding than padding",
    [node("ConvTranspose", "x w b", strides=[3, 2], pads=[0, 1, 0, 0], output_padding=[2, 1])],
    {"w": values(4, 5, 3, 2), "b": values(5)},
)
case(
    "ConvTranspose with output_shape",
    [node("ConvTranspose", "x w", strides=[3, 2], output_shape=[23, 14])],
    {"w": values(4, 5, 3, 3)},
)
case(
    "ConvTranspose SAME_UPPER",
    [node("ConvTranspose", "x w", strides=[2, 2], auto_pad="SAME_UPPER")],
    {"w": values(4, 5, 3, 3)},
)
case(
    "ConvTranspose SAME_LOWER",
    [node("ConvTranspose", "x w", strides=[2, 2], auto_pad="SAME_LOWER")],
    {"w": values(4, 5, 3, 3)},
)
case("Gemm", [node("Flatten", "x", "f"), node("Gemm", "f w b")], {"w": values(192, 5), "b": values(5)})
case(
    "Gemm transposed and scaled",
    [node("Flatten", "x", "f"), node("Gemm", "f w b", transB=1, alpha=0.5, beta=2.0)],
    {"w": values(5, 192), "b": values(1, 5)},
)
case("Gemm with one bias", [node("Flatten", "x", "f"), node("Gemm", "f w b")], {"w": values(192, 5), "b": f32(0.5)})
case("MatMul", [node("Flatten", "x", "f"), node("MatMul", "f w")], {"w": values(192, 5)})
case(
    "MatMul and Add",
    [node("Flatten", "x", "f"), node("MatMul", "f w", "m"), node("Add", "m b")],
    {"w": values(192, 5), "b": values(5)},
)
case(
    "MatMul of the last axis",
    [node("MatMul", "x w", "m"), node("Add", "m b", "a"), node("Relu", "a")],
    {"w": values(6, 5), "b": values(5)},
)
case(
    "MatMul with channels last",
    [
        node("Transpose", "x", "t", perm=[0, 2, 3, 1]),
        node("MatMul", "t w", "m"),
        node("Add", "m b", "a"),
        node("Relu", "a", "r"),
        node("MatMul", "r v", "n"),
        node("Mul", "n f", "g"),
        node("Transpose", "g", "o", perm=[0, 3, 1, 2]),
        node("Add", "o x"),
    ],
    {"w": values(4, 5), "b": values(5), "v": values(5, 4), "f": values(4)},
)
BN = {"s": values(4), "b": values(4, seed=1), "m": values(4, seed=2), "v": np.abs(values(4, seed=3)) + 0.1}
case("BatchNormalization", [node("BatchNormalization", "x s b m v", epsilon=0.01)], BN)
case("BatchNormalization of opset 8", [node("BatchNormalization", "x s b m v")], BN, opset=8)
case(
    "BatchNormalization, Mul and Add",
    [node("BatchNormalization", "x s b m v", "n"), node("Mul", "n f", "p"), node("Add", "p a")],
    {**BN, "f": values(4, 1, 1), "a": values(1, 4, 1, 1)},
)
case("LRN", [node("LRN", "x", size=3, alpha=0.1, beta=0.6, bias=1.5)])
case("Dropout of opset 7", [node("Dropout", "x", ratio=0.3)], opset=7)
case("Dropout of opset 13", [node("Dropout", "x r")], {"r": np.float32(0.3)})
for operator in ("Relu", "Sigmoid", "Tanh", "Softplus"):
    case(operator, [node(operator, "x")])
    case(f"{operator} after Conv", [node("Conv", "x w", "c"), node(operator, "c")], {"w": W3})
case("LeakyRelu", [node("Conv", "x w", "c"), node("LeakyRelu", "c", alpha=0.2)], {"w": W3})
case("PRelu", [node("PRelu", "x s")], {"s": f32(0.25).reshape(1, 1, 1)})
for operator, attributes in (
    ("Swish", {}),
    ("HardSwish", {}),
    ("HardSigmoid", {"alpha": 0.3, "beta": 0.4}),
    ("Elu", {"alpha": 0.5}),
    ("Selu", {}),
    ("Celu", {"alpha": 0.5}),
    ("Gelu", {}),
    ("Mish", {}),
    ("Softsign", {}),
):
    newer = {"Gelu": 20, "Mish": 18, "Swish": 24}.get(operator, 17)
    case(f"{operator} itself", [node(operator, "x", **attributes)], opset=newer)
    case(
        f"{operator} after Conv", [node("Conv", "x w", "c"), node(operator, "c", **attributes)], {"w": W3}, opset=newer
    )
case("Selu of other constants", [node("Selu", "x", alpha=2.0, gamma=3.0)])
case("Gelu by tanh", [node("Gelu", "x", approximate="tanh")], opset=20)
case("HardSigmoid of ONNX's slope", [node("HardSigmoid", "x")])
case("PRelu by channel", [node("PRelu", "x s")], {"s": f32(0.1, 0.9, -0.5, 0).reshape(4, 1, 1)})
case("PRelu by channel, some steep", [node("PRelu", "x s")], {"s": f32(0.1, 2, -0.5, 0).reshape(4, 1, 1)})
case("Min of a number", [node("Min", "x c")], {"c": f32(0.25)})
case("Max of a number", [node("Max", "c x")], {"c": f32(-0.25)})
case("Clip on one side", [node("Conv", "x w", "c"), node("Clip", "c - h")], {"w": W3, "h": np.float32(0.7)})
case(
    "Clip of a LeakyRelu",
    [node("Conv", "x w", "c"), node("LeakyRelu", "c", "l", alpha=0.3), node("Clip", "l - h")],
    {"w": W3, "h": np.float32(0.2)},
)
case("Clip between two bounds", [node("Clip", "x l h")], {"l": np.float32(-1), "h": np.float32(2)})
case("Clip of opset 7", [node("Clip", "x", min=0.0, max=0.5)], opset=7)
case("Clip of opset 13", [node("Clip", "x low high")], {"low": np.float32(0), "high": np.float32(0.5)})
case("Clip symmetric", [node("Clip", "x low high")], {"low": np.float32(-0.5), "high": np.float32(0.5)})
case("Clip of nothing", [node("Relu", "x", "r"), node("Clip", "r")])
case(
    "Clip after Relu",
    [node("Conv", "x w", "c"), node("Relu", "c", "r"), node("Clip", "r - h")],
    {"w": W3, "h": np.float32(0.7)},
)
case(
    "Relu of a tensor that others take",
    [node("Conv", "x w", "c"), node("Relu", "c", "r"), node("Add", "c r")],
    {"w": W3},
)
case("MaxPool", [node("MaxPool", "x", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 0])])
case("MaxPool without stride", [node("MaxPool", "x", kernel_shape=[2, 2])])
case("MaxPool rounded up", [node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)])
case("MaxPool rounded up by more than one", [node("MaxPool", "x", kernel_shape=[4, 5], strides=[3, 4], ceil_mode=1)])
case(
    "MaxPool padded and rounded up",
    [node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, ceil_mode=1)],
)
case("MaxPool padded on one side", [node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])])
case(
    "MaxPool padded on one side after Relu",
    [node("Relu", "x", "r"), node("MaxPool", "r", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])],
)
case("MaxPool SAME_UPPER", [node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")])
case("MaxPool 1-D", [node("MaxPool", "x", kernel_shape=[3], strides=[2])], shape=(2, 4, 9))
case("AveragePool", [node("AveragePool", "x", kernel_shape=[2, 2], strides=[2, 2])])
case("AveragePool that counts no padding", [node("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1])])
case(
    "AveragePool that counts padding",
    [node("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)],
)
case(
    "AveragePool padded on one side",
    [node("AveragePool", "x", kernel_shape=[3, 3], pads=[0, 1, 1, 0], count_include_pad=1)],
)
case(
    "AveragePool that counts no padding, on one side",
    [node("AveragePool", "x", kernel_shape=[3, 3], pads=[0, 0, 1, 1])],
)
case("AveragePool rounded up", [node("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)], opset=19)
case("GlobalAveragePool", [node("GlobalAveragePool", "x")])
case("GlobalMaxPool", [node("GlobalMaxPool", "x")])
case("ReduceMean of opset 13", [node("ReduceMean", "x", axes=[2, 3])])
case("ReduceMean of opset 18", [node("ReduceMean", "x a", keepdims=0)], {"a": i64(-1, -2)}, opset=18)
case("ReduceMax", [node("ReduceMax", "x", axes=[2, 3], keepdims=0)])
case("Add", [node("Relu", "x", "r"), node("Add", "x r")])
case("Sub", [node("Relu", "x", "r"), node("Sub", "x r")])
case("Mul", [node("Relu", "x", "r"), node("Mul", "x r")])
case("Max", [node("Tanh", "x", "r"), node("Max", "x r")])
case("Sum", [node("Relu", "x", "r"), node("Tanh", "x", "t"), node("Sum", "x r t")])
case("Mean", [node("Relu", "x", "r"), node("Tanh", "x", "t"), node("Mean", "x r t")])
case("Neg", [node("Neg", "x")])
case("Add a number", [node("Add", "x c")], {"c": f32(0.5)})
case("Sub from a number", [node("Sub", "c x")], {"c": f32(0.5)})
case("Mul by a number", [node("Mul", "x c")], {"c": np.float32(0.5)})
case("Div by a number", [node("Div", "x c")], {"c": np.float32(3)})
case("Max with 0", [node("Max", "x c")], {"c": np.float32(0)})
case("Add by channel", [node("Add", "x c")], {"c": values(4, 1, 1)})
case("Sub by channel", [node("Sub", "x c")], {"c": values(1, 4, 1, 1)})
case("Mul by channel", [node("Mul", "c x")], {"c": values(4, 1, 1)})
case("Div by channel", [node("Div", "x c")], {"c": values(4, 1, 1) + 5})
case("Add after Conv is its bias", [node("Conv", "x w", "c"), node("Add", "c b")], {"w": W3, "b": values(5, 1, 1)})
case("Add of 0", [node("Add", "x c", "a"), node("Relu", "a")], {"c": np.zeros((4, 1, 1), np.float32)})
case(
    "Squeeze and excitation",
    [node("GlobalAveragePool", "x", "p"), node("Conv", "p w", "c"), node("Sigmoid", "c", "s"), node("Mul", "x s")],
    {"w": values(4, 4, 1, 1)},
)
case("Concat", [node("Relu", "x", "r"), node("Concat", "x r", axis=1)])
case("Concat counted from the end", [node("Relu", "x", "r"), node("Concat", "x r", axis=-3)])
case("Split", [node("Split", "x s", "a b", axis=1), node("Tanh", "b")], {"s": i64(1, 3)})
case("Split in halves of opset 11", [node("Split", "x", "a b", axis=1), node("Sub", "a b")], opset=11)
case("Slice of channels", [node("Slice", "x s e a")], {"s": i64(1), "e": i64(3), "a": i64(1)})
case("Slice of opset 9", [node("Slice", "x", starts=[1], ends=[100], axes=[1])], opset=9)
case(
    "Slice of channels backwards", [node("Slice", "x s e a t")], {"s": i64(3), "e": i64(-9), "a": i64(1), "t": i64(-1)}
)
case("Slice of the image", [node("Slice", "x s e a")], {"s": i64(1, 2), "e": i64(-1, 5), "a": i64(2, 3)})
case("Reshape", [node("Reshape", "x s", "r"), node("Relu", "r")], {"s": i64(0, -1, 4, 6)})
case(
    "Reshape by a computed shape",
    [
        node("Shape", "x", "h"),
        node("Gather", "h z", "n"),
        node("Unsqueeze", "n z1", "u"),
        node("Concat", "u m", "s", axis=0),
        node("Reshape", "x s", "f"),
        node("Gemm", "f w"),
    ],
    {"z": np.int64(0), "z1": i64(0), "m": i64(-1), "w": values(192, 3)},
)
case("Flatten", [node("Flatten", "x", "f"), node("Relu", "f")])
case(
    "Squeeze",
    [node("GlobalAveragePool", "x", "p"), node("Squeeze", "p a", "q"), node("Gemm", "q w")],
    {"a": i64(2, 3), "w": values(4, 3)},
)
case(
    "Unsqueeze",
    [
        node("GlobalAveragePool", "x", "p"),
        node("Flatten", "p", "q"),
        node("Unsqueeze", "q a", "u"),
        node("Conv", "u w"),
    ],
    {"a": i64(2, 3), "w": values(4, 4, 1, 1)},
)
case("Identity", [node("Conv", "x w", "c"), node("Identity", "c", "i"), node("Relu", "i")], {"w": W3})
case("Transpose of width and height", [node("Transpose", "x", "t", perm=[0, 1, 3, 2]), node("Conv", "t w")], {"w": W3})
case(
    "Transpose to channels last and back",
    [node("Transpose", "x", "t", perm=[0, 2, 3, 1]), node("Relu", "t", "r"), node("Transpose", "r", perm=[0, 3, 1, 2])],
)
case(
    "Transpose of weights",
    [node("Transpose", "v", "w", perm=[3, 2, 0, 1]), node("Conv", "x w")],
    {"v": values(3, 3, 4, 5)},
)
case(
    "Transpose before Gemm",
    [node("Transpose", "x", "t", perm=[0, 2, 3, 1]), node("Flatten", "t", "f"), node("Gemm", "f w")],
    {"w": values(192, 3)},
)
case(
    "Shuffle of channels",
    [
        node("Reshape", "x s", "r"),
        node("Transpose", "r", "t", perm=[0, 2, 1, 3, 4]),
        node("Reshape", "t u", "v"),
        node("Conv", "v w"),
    ],
    {"s": i64(2, 2, 2, 8, 6), "u": i64(2, 4, 8, 6), "w": W3},
)
case(
    "Softmax of opset 11",
    [node("Flatten", "x", "f"), node("Gemm", "f w", "g"), node("Softmax", "g")],
    {"w": values(192, 5)},
    opset=11,
)
case(
    "Softmax of opset 13",
    [node("Flatten", "x", "f"), node("Gemm", "f w", "g"), node("Softmax", "g")],
    {"w": values(192, 5)},
)
case("Softmax over channels", [node("Softmax", "x", axis=1)])
case("Softmax over width", [node("Softmax", "x", "s", axis=3), node("Conv", "s w")], {"w": W3})
case("Softmax of an image in opset 11", [node("Softmax", "x", axis=1)], opset=11)
case("Pad", [node("Pad", "x p")], {"p": i64(0, 0, 1, 2, 0, 0, 3, 0)})
case("Pad of opset 9", [node("Pad", "x", pads=[0, 0, 1, 2, 0, 0, 3, 0])], opset=9)
case("Pad by 0", [node("Pad", "x p v")], {"p": i64(0, 0, 1, 1, 0, 0, 1, 1), "v": np.float32(0)})
case("Upsample", [node("Upsample", "x s", mode="nearest")], {"s": f32(1, 1, 2, 3)}, opset=9)
case("Resize nearest", [node("Resize", "x - s")], {"s": f32(1, 1, 2, 2)})
case(
    "Resize to sizes",
    [node("Resize", "x - - z", mode="linear", coordinate_transformation_mode="align_corners")],
    {"z": i64(2, 4, 12, 11)},
)
case("Resize linear", [node("Resize", "x - s", mode="linear")], {"s": f32(1, 1, 2, 2)})
case(
    "Resize asymmetric",
    [node("Resize", "x - s", mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")],
    {"s": f32(1, 1, 1.5, 2)},
)
case(
    "Resize linear asymmetric",
    [node("Resize", "x - s", mode="linear", coordinate_transformation_mode="asymmetric")],
    {"s": f32(1, 1, 2, 2)},
)
case(
    "Weights from quantized ones",
    [node("DequantizeLinear", "q s z", "w", axis=0), node("Conv", "x w")],
    {
        "q": np.random.default_rng(0).integers(-128, 128, (5, 4, 3, 3), np.int8),
        "s": np.abs(values(5)) + 0.01,
        "z": np.zeros(5, np.int8),
    },
)
case(
    "Constants that are computed",
    [
        node("ConstantOfShape", "s", "o", value=helper.make_tensor("v", 1, [1], [0.5])),
        node("Mul", "o k", "w"),
        node("Conv", "x w"),
    ],
    {"s": i64(5, 4, 3, 3), "k": values(5, 1, 1, 1)},
)


@pytest.mark.parametrize("name", CASES)
def test_operator_gives_what_onnx_runtime_gives(name: str, tmp_path: Path) -> None:
    nodes, constants, options = CASES[name]()
    shape = options.get("shape", SHAPE)
    path = saved(model(nodes, constants, shape, opset=options.get("opset", 17)), tmp_path)
    wanted, got, _ = computed(path, values(*shape, seed=7))
    for want, given in zip(wanted, got, strict=True):
        assert np.abs(want - given).max() <= TOLERANCE * max(1.0, np.abs(want).max())


INTEGER = {"ConvInteger", "MatMulInteger", "QuantizeLinear", "DequantizeLinear"}
"""Operators whose tests stand elsewhere or below: what they take are integers."""


def test_every_operator_is_tested_here() -> None:
    used = {item.op_type for made in CASES.values() for item in made()[0]}
    assert set(registry.names("operator")) - used - INTEGER == {"Cast"} - used
