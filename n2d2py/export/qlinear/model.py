"""The ONNX model of an integer network: standard operators, the cells' names, exact integers throughout."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

import onnx
from onnx import helper

from n2d2py.cells.base import PROVIDER
from n2d2py.export.base import Export
from n2d2py.export.qlinear import operations  # noqa: F401 - the operations register themselves
from n2d2py.export.qlinear.graph import TYPES, Form, Graph, Value
from n2d2py.export.qlinear.writing import IN_RESCALING, KIND, Site
from n2d2py.registry import find, known
from n2d2py.version import __version__

PLAIN = Form()


@dataclass(frozen=True, eq=False)
class Model:
    """The model, how the codes of each operation are stored in its tensor, and by which path they are computed.

    ``outputs`` are the names of the graph's outputs by operation, ``unequal`` the cells that are outside of QLinearConv
    because no integer bias is equal to theirs.
    """

    proto: onnx.ModelProto
    values: dict[str, Value]
    paths: dict[str, str]
    outputs: dict[str, str]
    unequal: list[str]

    @property
    def stimuli_type(self) -> str:
        """The type of the input."""
        return self.values[PROVIDER].type


def build(export: Export, shown: Collection[str] = (), form: Form = PLAIN) -> Model:
    """The model of an export; ``shown`` names operations whose tensors become outputs too, as they are stored.

    Raises :class:`IntegerError` for an operation without exact ONNX form.
    """
    graph, network = Graph(form), export.network
    stimuli = network.stimuli
    low, high = int(stimuli.low.min()), int(stimuli.high.max())
    type_ = "uint8" if low >= 0 and high <= 255 else "int8" if low >= -128 and high <= 127 else "int32"
    values, paths = {PROVIDER: Value(PROVIDER, type_)}, dict[str, str]()
    unequal: list[str] = []
    for operation in export.operations:
        if operation.name in values:
            continue  # a rescaling that was written with its sums
        site = Site(export, graph, operation, values, paths, unequal)
        kind = type(operation).__name__
        if not known(KIND, kind):
            raise site.no_form()
        find(KIND, kind)(site)
    outputs = {}
    for name in export.outputs:
        value = values[name]
        outputs[name] = graph.cast(value, "int32", f"{name}_codes") if value.zero else value
    stored = {name: values[name] for name in shown if name not in outputs and paths[name] != IN_RESCALING}
    graph.prune([value.name for value in (*outputs.values(), *stored.values())])
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            network.name or "network",
            [_info(PROVIDER, type_, ("batch", *stimuli.dims.shape))],
            [_info(value.name, value.type, ("batch", *network.edges[name].dims.shape))
             for name, value in {**outputs, **stored}.items()],
            list(graph.initializers.values()),
        ),
        opset_imports=[helper.make_opsetid("", form.opset)],
        ir_version=form.ir_version,
        producer_name="n2d2py",
        producer_version=__version__,
    )  # fmt: skip
    facts = {key: json.dumps(value) if not isinstance(value, str) else value for key, value in export.facts().items()}
    helper.set_model_props(proto, {**facts, "paths": json.dumps(paths)})
    onnx.checker.check_model(proto, full_check=True)
    return Model(proto, values, paths, {name: value.name for name, value in outputs.items()}, unequal)


def _info(name: str, type_: str, shape: tuple[str | int, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TYPES[type_], shape)
