"""Writes docs/onnx-coverage.md: what of others' models and operator tests imports, and gives what it should.

    python -m tests.onnx_import.coverage docs/onnx-coverage.md

Every row is computed anew: the networks inside the onnx package with random weights, models that torch exports, and the
tests of the onnx package for each operator that n2d2py registers, all of them, the refused ones with their reason.
"""

from __future__ import annotations

import collections
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases
from torch import Tensor, nn

from n2d2py import catalogue, console
from n2d2py.errors import GraphError, N2d2Error
from n2d2py.layers.network import TorchNetwork
from n2d2py.onnx_import import Standalone, import_model
from n2d2py.quant.grid import Coded
from tests.onnx_import.exported import modules
from tests.onnx_import.models import computed, network_of, values

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
TOLERANCE = 1e-5
"""Largest difference that passes, as a part of the largest output (of 1 if that is smaller)."""
_LONGEST = 150
_NEWEST_IR = 13
"""What this ONNX Runtime reads."""
_OF_EQUALS = ("Add", "Sub", "Mul", "Div", "Max", "Sum", "Mean", "Concat")
"""Operators of which all inputs may be stimuli."""
_VALUE_BY_VALUE = frozenset(
    """Celu Clip Elu Gelu HardSigmoid HardSwish LeakyRelu Max Mean Min Mish Neg Relu Selu Sigmoid Softplus Softsign Sum
    Swish Tanh""".split()
)
"""Operators to which a row of numbers is as good as one of stimuli that has these as channels."""


class Row(NamedTuple):
    """One model: what came of it; ``difference`` as a part of the largest output where it was computed."""

    name: str
    result: str
    difference: float | None = None
    reason: str = ""

    @property
    def cells(self) -> tuple[str, str, str]:
        """As the table has them."""
        shown = "" if self.difference is None else f"{self.difference:.1e}"
        return f"`{self.name}`", self.result, shown or self.reason


def compared(name: str, compute: Callable[[], tuple[list[np.ndarray], list[np.ndarray]]]) -> Row:
    """The row of a model whose outputs (wanted, given) ``compute`` finds."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted, got = compute()
    except N2d2Error as error:
        return Row(name, "refused", reason=_shortened(error.what))
    worst = 0.0
    for w, g in zip(map(_numbers, wanted), map(_numbers, got), strict=True):
        finite = np.isfinite(w)
        if not np.array_equal(np.isfinite(g), finite) or not np.array_equal(w[~finite], g[~finite], equal_nan=True):
            return Row(name, "differs", reason="in what is not finite")
        scale = max(1.0, float(np.abs(w[finite]).max(initial=0)))
        worst = max(worst, float(np.abs(w - g)[finite].max(initial=0)) / scale)
    if worst > TOLERANCE and name.startswith("test_training_dropout"):
        return Row(name, "not compared", reason="the test drops values at random")
    if worst > TOLERANCE and name.endswith("_bfloat16"):
        return Row(name, "not compared", reason="the numbers of the test are rounded to 8 bits")
    return Row(name, "passes" if worst <= TOLERANCE else "differs", worst)


def _numbers(array: Any) -> np.ndarray:
    if isinstance(array, TensorProto):
        raise GraphError("the values of the test are of a type that NumPy does not have")
    return np.asarray(array).astype(np.float64)


def _shortened(text: str) -> str:
    """The reason alone, in one line."""
    line = " ".join(text.split()).replace("|", "/")
    line = re.sub(r"^.*?1 nodes? .*?: ", "", line)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


# ------------------------------------------------------------------------------------------------ networks


def with_random_weights(file: Path) -> ModelProto:
    """A network of the onnx package, whose weights are made by nodes that fill them with one number."""
    made = onnx.load(file)
    shapes = {item.name: numpy_helper.to_array(item) for item in made.graph.initializer}
    kept = [node for node in made.graph.node if node.op_type != "ConstantOfShape"]
    for seed, node in enumerate(node for node in made.graph.node if node.op_type == "ConstantOfShape"):
        shape = [int(length) for length in shapes[node.input[0]]]
        spread = np.float32(np.sqrt(2 / max(1, int(np.prod(shape[1:])))))
        array = np.abs(values(*shape, seed=seed)) + np.float32(0.5) if len(shape) == 1 else values(*shape, seed=seed)
        weights = array if len(shape) == 1 else array * spread
        made.graph.initializer.append(numpy_helper.from_array(weights.astype(np.float32), node.output[0]))
    del made.graph.node[:]
    made.graph.node.extend(kept)
    if kept[-1].op_type == "Softmax":  # of large numbers it gives 0 and 1, whatever they are
        made.graph.node.pop()
        del made.graph.output[:]
        made.graph.output.append(onnx.ValueInfoProto(name=kept[-1].input[0]))
    (stimuli,) = (item for item in made.graph.input if item.name not in shapes)
    for node in made.graph.node:
        node.input[:] = ["x" if name == stimuli.name else name for name in node.input]
    stimuli.name = "x"
    return made


def network_rows(folder: Path, names: Iterable[str] | None = None) -> Iterator[Row]:
    """A row for each network inside the onnx package (of those named)."""
    for file in sorted(LIGHT.glob("light_*.onnx")):
        if names is not None and file.stem not in names:
            continue
        path = folder / file.name
        onnx.save(with_random_weights(file), path)
        yield compared(file.stem, lambda path=path: computed(path, values(1, 3, 224, 224))[:2])  # type: ignore[misc]
        path.unlink()


# ----------------------------------------------------------------------------------------------- operators


def operators() -> set[str]:
    """The operators that n2d2py registers."""
    return {topic.name for topic in catalogue.of_kind("ONNX operator")}


def operator_rows(folder: Path, only: set[str] | None = None) -> dict[str, list[Row]]:
    """By operator, a row for each test of the onnx package whose one node it is."""
    wanted = operators() if only is None else only
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tests = collect_testcases(None)
    rows: dict[str, list[Row]] = collections.defaultdict(list)
    for test in tests:
        nodes = test.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type in wanted and nodes[0].domain in ("", "ai.onnx"):
            rows[nodes[0].op_type].append(compared(test.name, lambda test=test: _node_test(folder, test)))  # type: ignore[misc]
    return dict(sorted(rows.items()))


def _node_test(folder: Path, test: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The outputs that a test wants, and those of its network.

    The first input is the stimuli and others are constants, unless all have one shape and may be stimuli.
    """
    made, (inputs, outputs) = ModelProto(), test.data_sets[0]
    made.CopyFrom(test.model)
    names = [item.name for item in made.graph.input]
    if test.model.graph.node[0].op_type in _VALUE_BY_VALUE:
        inputs, outputs = _as_channels(made, inputs), [_row(array) for array in outputs]
    alike = len(inputs) > 1 and np.ndim(inputs[0]) > 1 and len({np.shape(array) for array in inputs}) == 1
    if alike and test.model.graph.node[0].op_type in _OF_EQUALS:
        names, inputs = ["joined"], [_joined(made, names, inputs)]
    for name, array in zip(names[1:], inputs[1:], strict=True):
        plain = isinstance(array, np.ndarray | np.generic | float | int)
        tensor = numpy_helper.from_array(np.asarray(array)) if plain else array
        if not isinstance(tensor, TensorProto):
            continue  # a sequence or an optional value, which the import refuses as an input
        tensor.name = name
        made.graph.initializer.append(tensor)
    kept = [item for item in made.graph.input if item.name not in {one.name for one in made.graph.initializer}]
    del made.graph.input[:]
    made.graph.input.extend(kept)
    path = folder / "node.onnx"
    onnx.save(made, path)
    standalone = import_model(path)
    if not isinstance(inputs[0], np.ndarray):
        raise GraphError("the values of the test are of a type that NumPy does not have")
    got = _given(standalone, [item.name for item in made.graph.output], np.asarray(inputs[0]))
    given = [item.reshape(np.shape(w)) for item, w in zip(got, outputs, strict=True)]
    if compared(test.name, lambda: (list(outputs), given)).result != "passes" and made.ir_version <= _NEWEST_IR:
        outputs = onnxruntime.InferenceSession(str(path)).run(None, {names[0]: inputs[0]})
    return list(outputs), given


def _as_channels(made: ModelProto, inputs: list[Any]) -> list[Any]:
    """One stimulus of as many channels as a row has numbers."""
    for item, array in zip(made.graph.input, inputs, strict=True):
        if np.ndim(array) == 1:
            kind = item.type.tensor_type.elem_type
            item.CopyFrom(helper.make_tensor_value_info(item.name, kind, (1, len(array))))
    for item in made.graph.output:
        item.type.tensor_type.ClearField("shape")
    return [_row(array) for array in inputs]


def _row(array: Any) -> Any:
    return array[None] if isinstance(array, np.ndarray) and array.ndim == 1 else array


def _joined(made: ModelProto, names: list[str], inputs: list[np.ndarray]) -> np.ndarray:
    """Let several inputs of one shape be parts of one, along the channels: a network has one kind of stimuli."""
    joined = np.concatenate(inputs, 1)
    lengths = numpy_helper.from_array(np.full(len(inputs), inputs[0].shape[1], np.int64), "lengths")
    nodes = [helper.make_node("Split", ["joined", "lengths"], names, axis=1), *made.graph.node]
    element = made.graph.input[0].type.tensor_type.elem_type
    del made.graph.input[:], made.graph.node[:]
    made.graph.input.append(helper.make_tensor_value_info("joined", element, joined.shape))
    made.graph.initializer.append(lengths)
    made.graph.node.extend(nodes)
    return joined


def _given(standalone: Standalone, names: list[str], x: np.ndarray) -> list[np.ndarray]:
    stimuli = torch.from_numpy(x.astype(np.float32)).reshape(-1, *standalone.dims.shape)
    if not standalone.imported.cells:
        return [stimuli.numpy() for _ in names]
    network = TorchNetwork(network_of(standalone))
    network.fill(0)
    given = network.evaluate(Coded(stimuli))
    cells = [standalone.imported.aliases.get(name, name) for name in names]
    for name, cell in zip(names, cells, strict=True):
        if cell != "env" and cell not in given:
            raise GraphError(f"no cell gives the output {name}")
    return [(stimuli if cell == "env" else given[cell].real()).numpy() for cell in cells]


# --------------------------------------------------------------------------------------------------- torch


def torch_rows(folder: Path, exporters: Iterable[bool], names: Iterable[str] | None = None) -> Iterator[Row]:
    """A row for each module and exporter (True: the newer one)."""
    for name, (module, shape) in modules().items():
        if names is not None and name not in names:
            continue
        for newer in exporters:
            path = folder / "exported.onnx"
            row = f"{name} ({'dynamo' if newer else 'TorchScript'})"
            yield compared(row, lambda m=module, s=shape, n=newer, p=path: _exported(m, s, n, p))  # type: ignore[misc]


def _exported(
    module: nn.Module, shape: tuple[int, ...], newer: bool, path: Path
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    module.eval()
    x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    options: dict[str, Any] = {"dynamo": newer, "input_names": ["x"]}
    options |= {"verbose": False, "external_data": False} if newer else {"dynamic_axes": {"x": {0: "n"}}}
    try:
        torch.onnx.export(module, (x,), str(path), **options)
    except Exception as error:  # whatever the exporter raises; it is torch's answer and not that of the import
        raise GraphError(f"torch itself does not export it: {error}") from error
    with torch.no_grad():
        outputs = module(x)
    wanted = [outputs.numpy()] if isinstance(outputs, Tensor) else [outputs[0].numpy()]
    _, got, _ = computed(path, x.numpy())
    return wanted, got[:1]


# ---------------------------------------------------------------------------------------------------- page


_INTRODUCTION = """\
# What imports from ONNX, and what it gives

Computed by `python -m tests.onnx_import.coverage docs/onnx-coverage.md` with onnx {onnx} and torch {torch}; nothing
is left out. *passes*: every output is within {tolerance:g} of the largest one (of 1 if that is smaller) of what it is
compared with; the number is the largest difference that was found. *refused*: the import says why it has no cell,
before anything is computed.
"""


_TESTS = """\
The tests of the onnx package whose one node is the operator. Its first input is the stimuli and the others are
constants, or all are parts of the stimuli where they have one shape; a row of numbers is one stimulus where they are
computed one by one. Where the package's numbers are rounded, those of ONNX Runtime stand for them."""


def page(folder: Path) -> str:
    """The whole page."""
    parts = [_INTRODUCTION.format(onnx=onnx.__version__, torch=torch.__version__.split("+")[0], tolerance=TOLERANCE)]
    parts += [
        "## Networks inside the onnx package",
        "",
        "With random weights, against ONNX Runtime; of a network that ends in a Softmax, what enters it.",
        "",
    ]
    parts += _table(("network", "result", ""), network_rows(folder))
    parts += ["", "## Exports of torch", "", "`torch.onnx.export`, both of its exporters, against torch itself.", ""]
    parts += _table(("module", "result", ""), torch_rows(folder, (False, True)))
    found = operator_rows(folder)
    parts += ["", "## Operators", "", _TESTS, ""]
    counts = [
        (
            f"[{name}](#{name.lower()})",
            *(str(sum(row.result == word for row in rows)) for word in ("passes", "refused", "differs")),
            max((f"{row.difference:.1e}" for row in rows if row.difference is not None), key=float, default=""),
        )
        for name, rows in found.items()
    ]
    counts += [(name, "0", "0", "0", "") for name in sorted(operators() - set(found))]
    parts += _rows(("operator", "passes", "refused", "differs", "largest difference"), counts)
    for name, rows in found.items():
        parts += ["", f"### {name}", "", *_table(("test", "result", ""), rows)]
    return "\n".join(parts) + "\n"


def _table(heads: tuple[str, ...], rows: Iterable[Row]) -> list[str]:
    return _rows(heads, [row.cells for row in rows])


def _rows(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (heads, ("---",) * len(heads), *rows)]


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder, console.without_lines():
        text = page(Path(folder))
    Path(sys.argv[1]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
