"""What of a model has no cell is refused, with the reason and the name of each node."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, helper

from n2d2py.errors import GraphError
from n2d2py.onnx_import import import_model
from tests.onnx_import.models import model, saved, values
from tests.onnx_import.test_operators import f32, i64, node

REFUSED: dict[str, tuple[list[NodeProto], dict[str, np.ndarray], str]] = {
    "transA": (
        [node("Flatten", "x", "f"), node("Gemm", "f w", transA=1)],
        {"w": values(2, 5)},
        "transA=1 mixes stimuli",
    ),
    "dilated pool": ([node("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 2])], {}, "dilations 2 2"),
    "zero points": ([node("ConvInteger", "q w z")], {}, "zero points"),
    "axis of stimuli": ([node("Softmax", "x", axis=0)], {}, "axis=0 is that of the stimuli"),
    "mixed stimuli": ([node("Reshape", "x s")], {"s": i64(4, 2, 8, 6)}, "it mixes stimuli: 2x4x8x6 to 4x2x8x6"),
    "squeezed stimuli": ([node("ReduceMean", "x", axes=[0])], {}, "it reduces axes 0"),
    "per-pixel constant": ([node("Add", "x c")], {"c": values(8, 6)}, "neither one number nor one for each channel"),
    "padding of ones": (
        [node("Pad", "x p v")],
        {"p": i64(0, 0, 1, 1, 0, 0, 1, 1), "v": np.float32(1)},
        "it pads with 1",
    ),
    "reflection": ([node("Pad", "x p", mode="reflect")], {"p": i64(0, 0, 1, 1, 0, 0, 1, 1)}, "mode reflect"),
    "cubic": ([node("Resize", "x - s", mode="cubic")], {"s": f32(1, 1, 2, 2)}, "mode cubic"),
    "division of tensors": ([node("Relu", "x", "r"), node("Div", "x r")], {}, "only a division by a constant"),
    "concat of rows": ([node("Concat", "x x", axis=2)], {}, "axis=2 is not that of the channels"),
    "slopes by pixel": ([node("PRelu", "x s")], {"s": values(8, 6)}, "neither one number nor one for each channel"),
    "minimum of tensors": (
        [node("Tanh", "x", "r"), node("Min", "x r")],
        {},
        "only the minimum of a feature and a number",
    ),
    "clipping": (
        [node("Clip", "x l h")],
        {"l": np.float32(2), "h": np.float32(-1)},
        "its min 2 is above its max -1",
    ),
    "a bias for each stimulus": (
        [node("Flatten", "x", "f"), node("Gemm", "f w c")],
        {"w": values(192, 2), "c": values(2, 1)},
        "a bias of 2 values does not fit 2 outputs",
    ),
    "falling HardSigmoid": ([node("HardSigmoid", "x", alpha=-0.2)], {}, "alpha=-0.2 is not supported"),
    "matrix of another size": ([node("MatMul", "x w")], {"w": values(5, 3)}, ""),
}


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "zero points"])
def test_what_has_no_cell_is_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    nodes, constants, reason = REFUSED[name]
    with pytest.raises(GraphError) as caught:
        import_model(saved(model(nodes, constants), tmp_path))
    assert reason in caught.value.what
    assert nodes[-1].name in caught.value.what


def test_all_nodes_that_are_not_supported_are_listed_at_once(tmp_path: Path) -> None:
    nodes = [
        node("Erf", "x", "e"),
        node("Relu", "e", "r"),
        node("Sin", "r", "d"),
        helper.make_node("Magic", ["r"], ["m"], "node_m", domain="com.example"),
        node("Relu", "r", "y"),
    ]
    with pytest.raises(GraphError) as caught:
        import_model(saved(model(nodes, outputs=["y"]), tmp_path))
    assert caught.value.what.splitlines() == [
        "3 nodes of the ONNX model cannot be imported:",
        "  node_e (Erf): the operator is not supported",
        "  node_d (Sin): the operator is not supported",
        "  node_m (Magic): the operator set 'com.example' is not known",
    ]
    assert "-list operators" in str(caught.value)
