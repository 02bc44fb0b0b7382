"""Functions that exporters spell out, node by node."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto

from n2d2py.cells.activation import Activation
from n2d2py.errors import GraphError
from n2d2py.onnx_import import import_model
from n2d2py.parts import activations as records
from tests.onnx_import.models import computed, model, saved, values
from tests.onnx_import.test_operators import TOLERANCE, node

C = {
    "half": 0.5, "one": 1.0, "two": 2.0, "three": 3.0, "six": 6.0, "root": np.sqrt(2), "cube": 0.044715,
    "rate": np.sqrt(2 / np.pi), "steep": 1.702, "tenth": 0.1, "zero": 0.0, "bend": 20.0, "tiny": 1e-8, "huge": 1e8,
}  # fmt: skip

SPELLED: dict[str, tuple[list[NodeProto], records.Activation]] = {
    "Swish": ([node("Sigmoid", "x", "s"), node("Mul", "x s")], records.Swish()),
    "Swish by exp": (
        [node("Neg", "x", "n"), node("Exp", "n", "e"), node("Add", "e one", "a"), node("Div", "x a")],
        records.Swish(),
    ),
    "Swish, steep": (
        [node("Mul", "x steep", "m"), node("Sigmoid", "m", "s"), node("Mul", "s x")],
        records.Swish(alpha=1.702),
    ),
    "HardSwish": (
        [node("Add", "x three", "a"), node("Clip", "a zero six", "c"), node("Mul", "x c", "m"), node("Div", "m six")],
        records.HardSwish(),
    ),
    "HardSwish by HardSigmoid": (
        [node("HardSigmoid", "x", "s", alpha=1 / 6), node("Mul", "s x")],
        records.HardSwish(),
    ),
    "Mish": ([node("Softplus", "x", "s"), node("Tanh", "s", "t"), node("Mul", "x t")], records.Mish()),
    "Gelu": (
        [
            node("Div", "x root", "d"), node("Erf", "d", "e"), node("Add", "e one", "a"), node("Mul", "x a", "m"),
            node("Mul", "m half"),
        ],
        records.Gelu(),
    ),
    "Gelu, halved first": (
        [
            node("Mul", "x half", "h"), node("Div", "x root", "d"), node("Erf", "d", "e"), node("Add", "e one", "a"),
            node("Mul", "h a"),
        ],
        records.Gelu(),
    ),
    "Gelu by tanh": (
        [
            node("Mul", "x x", "x2"), node("Mul", "x2 x", "x3"), node("Mul", "x3 cube", "k"), node("Add", "x k", "i"),
            node("Mul", "i rate", "r"), node("Tanh", "r", "t"), node("Add", "t one", "a"), node("Mul", "x a", "m"),
            node("Mul", "half m"),
        ],
        records.Gelu(approximate="Tanh"),
    ),
    "Softplus": (
        [node("Exp", "x", "e"), node("Add", "e one", "a"), node("Log", "a")],
        records.Softplus(),
    ),
    "Softplus of torch": (
        [
            node("Mul", "x two", "m"), node("Softplus", "m", "s"), node("Div", "s two", "d"),
            node("Greater", "m bend", "g"), node("Where", "g x d"),
        ],
        records.Softplus(alpha=2.0),
    ),
    "logarithm of Sigmoid": ([node("Sigmoid", "x", "s"), node("Log", "s")], records.Softplus(alpha=-1.0)),
    "Softsign": ([node("Abs", "x", "p"), node("Add", "one p", "a"), node("Div", "x a")], records.Softsign()),
    "LeakyRelu": ([node("Mul", "x tenth", "m"), node("Max", "x m")], records.Rectifier(leak_slope=0.1)),
    "Relu": ([node("Greater", "x zero", "g"), node("Where", "g x zero")], records.Rectifier()),
    "Elu": (
        [
            node("Exp", "x", "e"), node("Sub", "e one", "s"), node("Mul", "s half", "h"),
            node("Greater", "x zero", "g"), node("Where", "g x h"),
        ],
        records.Elu(alpha=0.5),
    ),
    "Clip": (
        [node("Less", "x half", "g"), node("Where", "g x half", "w"), node("Max", "w zero")],
        records.Rectifier(clipping=0.5),
    ),
    "Sigmoid": (
        [node("Neg", "x", "n"), node("Exp", "n", "e"), node("Add", "e one", "a"), node("Reciprocal", "a")],
        records.Logistic(),
    ),
}  # fmt: skip


def constants(nodes: list[NodeProto]) -> dict[str, np.ndarray]:
    used = {name for item in nodes for name in item.input}
    return {name: np.array(value, np.float32) for name, value in C.items() if name in used}


@pytest.mark.parametrize("name", SPELLED)
def test_a_function_that_is_spelled_out(name: str, tmp_path: Path) -> None:
    nodes, record = SPELLED[name]
    path = saved(model(nodes, constants(nodes)), tmp_path)
    wanted, got, standalone = computed(path, values(2, 4, 8, 6, seed=7))
    (cell,) = standalone.imported.cells
    assert isinstance(cell, Activation)
    assert cell.activation == record
    assert np.abs(wanted[0] - got[0]).max() <= TOLERANCE * np.abs(wanted[0]).max()


def test_the_function_is_part_of_the_cell_before_it_each_time(tmp_path: Path) -> None:
    nodes = []
    for index, source in enumerate(("x", "m0", "m1")):
        nodes += [
            node("Conv", f"{source} w", f"c{index}"),
            node("Sigmoid", f"c{index}", f"s{index}"),
            node("Mul", f"c{index} s{index}", f"m{index}"),
        ]
    path = saved(model(nodes, {"w": values(4, 4, 1, 1)}), tmp_path)
    wanted, got, standalone = computed(path, values(2, 4, 8, 6))
    assert [cell.name for cell in standalone.imported.cells] == ["c0", "c1", "c2"]
    assert {getattr(cell, "activation", None) for cell in standalone.imported.cells} == {records.Swish()}
    assert standalone.imported.aliases["m1"] == "c1"
    assert np.abs(wanted[0] - got[0]).max() <= TOLERANCE * max(1, np.abs(wanted[0]).max())


SWISH = [node("Sigmoid", "x", "s"), node("Mul", "x s", "m")]


@pytest.mark.parametrize(
    "nodes",
    [
        [*SWISH, node("Add", "m s")],
        [*SWISH, node("MaxPool", "s", "p", kernel_shape=[1, 1]), node("Add", "m p")],
        [node("Sigmoid", "x", "s"), node("Mul", "x s", "m"), node("Add", "m x", "a"), node("Tanh", "a")],
        [node("Tanh", "x", "t"), node("Mul", "x t")],
        [*SWISH, node("Min", "m bend")],
        [*SWISH, node("Mul", "m tiny", "t"), node("MaxPool", "t", "p", kernel_shape=[1, 1]), node("Mul", "p huge")],
    ],
    ids=["taken twice", "taken by another", "a sum with it", "no known function", "bounded far out", "tiny"],
)
def test_other_groups_stay_what_they_are(nodes: list[NodeProto], tmp_path: Path) -> None:
    path = saved(model(nodes, constants(nodes)), tmp_path)
    wanted, got, _ = computed(path, 30 * values(2, 4, 8, 6, seed=7))
    assert np.abs(wanted[0] - got[0]).max() <= TOLERANCE * max(1, np.abs(wanted[0]).max())


def test_a_value_that_the_graph_gives_out_ends_no_group(tmp_path: Path) -> None:
    path = saved(model(SWISH, outputs=["s", "m"]), tmp_path)
    wanted, got, _ = computed(path, values(2, 4, 8, 6))
    for want, given in zip(wanted, got, strict=True):
        assert np.abs(want - given).max() <= TOLERANCE


def test_what_is_no_function_is_refused_node_by_node(tmp_path: Path) -> None:
    nodes = [node("Abs", "x", "p"), node("Sqrt", "p", "r"), node("Mul", "r x")]
    with pytest.raises(GraphError) as caught:
        import_model(saved(model(nodes), tmp_path))
    assert [line.strip() for line in caught.value.what.splitlines()[1:]] == [
        "node_p (Abs): the operator is not supported",
        "node_r (Sqrt): the operator is not supported",
    ]


def test_a_long_chain_takes_no_long_time(tmp_path: Path) -> None:
    nodes = [node("Mul", "x x", "m0")]
    nodes += [node("Mul", f"m{index} x", f"m{index + 1}") for index in range(3000)]
    imported = import_model(saved(model(nodes), tmp_path)).imported
    assert len(imported.cells) == 3001
