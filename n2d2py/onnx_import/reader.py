"""From a file to an ONNX model that keeps the rules of ONNX; whatever the file holds, the answer is an error or that.

In this order, so that nothing is asked of a file that an earlier step would refuse: is it a file, of a size that can
be; are its first bytes those of something else; is it whole (:mod:`~n2d2py.onnx_import.wire`); does protobuf read
it; is its version known; is it a graph in which each name is made once and before its use.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import ModelProto, NodeProto, ValueInfoProto

from n2d2py.errors import GraphError, Place
from n2d2py.onnx_import.constants import Constant, check_shape, constant_of
from n2d2py.onnx_import.external import ExternalData
from n2d2py.onnx_import.limits import LARGEST_FILE, MOST_NODES
from n2d2py.onnx_import.wire import DamagedError, scan
from n2d2py.signature import HEAD, identify

OLDEST_OPSET = 7
NEWEST_OPSET = onnx.defs.onnx_opset_version()
_OWN_DOMAINS = ("", "ai.onnx")
_LONGEST_CYCLE = 8


@dataclass(frozen=True)
class Model:
    """An ONNX model: nodes in an order of computation, its constants, and the inputs that are stimuli."""

    file: str
    size: int
    opsets: dict[str, int]
    nodes: tuple[NodeProto, ...]
    constants: dict[str, Constant]
    inputs: tuple[ValueInfoProto, ...]
    outputs: tuple[str, ...]
    output_shapes: dict[str, tuple[int | None, ...] | None]
    about: str
    external: ExternalData

    @property
    def place(self) -> Place:
        """The place of the file itself."""
        return Place(self.file)


def read_model(path: str | Path, asked: Place | None = None) -> Model:
    """The model of a file; raises :class:`GraphError` with the reason why it is none. ``asked`` is who names it."""
    path = Path(path)
    data = _bytes_of(path, asked)
    place = Place(str(path))
    proto = _parsed(data, place)
    size = len(data)
    del data
    opsets = _opsets(proto, place)
    proto = _without_functions(proto, place)
    graph = proto.graph
    _check_texts(proto, place)
    if not graph.node:
        raise GraphError("the ONNX model has no nodes", place=place, remedy="export the model again")
    if graph.sparse_initializer:
        raise GraphError(
            "the ONNX model has sparse weights, which n2d2py does not read",
            place=place,
            remedy="export the model with dense weights",
        )
    external = ExternalData(path)
    constants: dict[str, Constant] = {}
    for tensor in graph.initializer:
        if tensor.name in constants:
            raise _twice(tensor.name, place)
        constants[tensor.name] = constant_of(tensor, external, place)
    inputs = tuple(item for item in graph.input if item.name not in constants)
    nodes = _in_order(graph.node, [*constants, *(item.name for item in inputs)], place)
    outputs = tuple(item.name for item in graph.output)
    shapes = {item.name: value_shape(item, place) for item in graph.output}
    producer = " ".join(filter(None, (proto.producer_name, proto.producer_version))) or "unknown"
    about = f"ONNX ir_version={proto.ir_version}, opset={opsets.get('')}, producer={producer}"
    return Model(str(path), size, opsets, nodes, constants, inputs, outputs, shapes, about, external)


# -------------------------------------------------------------------------------------------------- the bytes


def _bytes_of(path: Path, asked: Place | None) -> bytes:
    try:
        status = path.stat()
    except OSError as error:
        raise GraphError(
            f"there is no ONNX model {path}: {error.strerror}",
            place=asked,
            remedy="File= is taken from the folder in which n2d2py runs; ${VARIABLES} are replaced",
        ) from None
    except ValueError:
        raise GraphError("the name of the ONNX model holds a zero character", place=asked) from None
    if not stat.S_ISREG(status.st_mode):
        raise GraphError(f"the ONNX model {path} is not a file", place=asked, expected="a .onnx file")
    if status.st_size > LARGEST_FILE:
        raise GraphError(
            f"the ONNX model {path} has {status.st_size} bytes",
            place=asked,
            expected=f"at most {LARGEST_FILE} bytes, the most that an ONNX file can have",
            remedy="save the model with external data",
        )
    with path.open("rb") as file:
        head = file.read(HEAD)
        if (found := identify(head)) is not None:
            raise GraphError(f"the ONNX model {path} is {found}", place=asked, expected="an ONNX model")
        file.seek(0)
        return file.read(status.st_size)


def _parsed(data: bytes, place: Place) -> ModelProto:
    remedy = "download or export the model again"
    proto = ModelProto()
    try:
        scan(data)
        proto.ParseFromString(data)
    except DamagedError as error:
        raise GraphError(f"the file is unreadable as an ONNX model: {error}", place=place, remedy=remedy) from None
    except (DecodeError, ValueError):
        raise GraphError(
            "the file is unreadable as an ONNX model: protobuf does not take it", place=place, remedy=remedy
        ) from None
    if not proto.HasField("graph"):
        raise GraphError("the file is no ONNX model: it has no graph", place=place, remedy=remedy)
    return proto


# ------------------------------------------------------------------------------------------------- the graph


def _check_texts(proto: ModelProto, place: Place) -> None:
    """Protobuf gives bytes in place of text where they are not UTF-8."""
    texts: list[object] = [proto.producer_name, proto.producer_version]
    for tensor in proto.graph.initializer:
        texts += [tensor.name, *(text for entry in tensor.external_data for text in (entry.key, entry.value))]
    texts.extend(item.name for item in proto.graph.input)
    texts.extend(item.name for item in proto.graph.output)
    for node in proto.graph.node:
        texts += [node.op_type, node.name, node.domain, *node.input, *node.output]
        texts.extend(attribute.name for attribute in node.attribute)
    for text in texts:
        if not isinstance(text, str):
            raise GraphError(
                f"the ONNX model has a name that is no text: {text!r}", place=place, remedy="download the model again"
            )


def _opsets(proto: ModelProto, place: Place) -> dict[str, int]:
    opsets: dict[str, int] = {}
    for entry in proto.opset_import:
        domain = "" if entry.domain in _OWN_DOMAINS else entry.domain
        if opsets.setdefault(domain, entry.version) != entry.version:
            raise GraphError(f"the ONNX model names two versions of opset {domain or 'ai.onnx'!r}", place=place)
    version = opsets.get("")
    if version is None or not OLDEST_OPSET <= version <= NEWEST_OPSET:
        said = "does not name its opset" if version is None else f"has opset {version}"
        newer = version is not None and version > NEWEST_OPSET
        raise GraphError(
            f"the ONNX model {said}",
            place=place,
            expected=f"opset {OLDEST_OPSET} to {NEWEST_OPSET}",
            remedy="install a newer onnx (pip install -U onnx), or export for an older opset"
            if newer
            else "convert the model with onnx.version_converter",
        )
    return opsets


def _without_functions(proto: ModelProto, place: Place) -> ModelProto:
    """The model with calls of its own functions replaced by what they do."""
    if not proto.functions:
        return proto
    _check_expansion(proto, place)
    from onnx.inliner import inline_local_functions

    try:
        return inline_local_functions(proto)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise GraphError(f"the functions of the ONNX model cannot be expanded: {reason}", place=place) from None


def _check_expansion(proto: ModelProto, place: Place) -> None:
    """Functions that call each other twice grow twofold with each: count before they are expanded."""
    bodies = {(item.domain, item.name): item for item in proto.functions}
    calls = {
        key: [(node.domain, node.op_type) for node in body.node if (node.domain, node.op_type) in bodies]
        for key, body in bodies.items()
    }
    sizes: dict[tuple[str, str], int] = {}
    try:
        for key in TopologicalSorter(calls).static_order():
            sizes[key] = min(len(bodies[key].node) + sum(sizes[call] for call in calls[key]), MOST_NODES + 1)
    except CycleError:
        raise GraphError("the functions of the ONNX model call each other in a circle", place=place) from None
    total = sum(sizes.get((node.domain, node.op_type), 1) for node in proto.graph.node)
    if total > MOST_NODES:
        raise GraphError(f"the functions of the ONNX model expand to more than {MOST_NODES} nodes", place=place)


def _in_order(nodes: Sequence[NodeProto], given: Iterable[str], place: Place) -> tuple[NodeProto, ...]:
    """The nodes so that each comes after those whose outputs it takes."""
    if len(nodes) > MOST_NODES:
        raise GraphError(f"the ONNX model has {len(nodes)} nodes", place=place, expected=f"at most {MOST_NODES}")
    known = set(given)
    makers: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in node.output:
            if name and (name in makers or name in known):
                raise _twice(name, place)
            if name:
                makers[name] = index
    parents: dict[int, list[int]] = {}
    for index, node in enumerate(nodes):
        for name in node.input:
            if name and name not in makers and name not in known:
                raise GraphError(
                    f"node {label(node)} takes {name!r}, which nothing in the ONNX model gives",
                    place=place,
                    remedy="the weights of the model are missing, or the model was cut; export it again",
                )
        parents[index] = [makers[name] for name in node.input if name in makers]
    if all(parent < index for index, above in parents.items() for parent in above):
        return tuple(nodes)
    try:
        return tuple(nodes[index] for index in TopologicalSorter(parents).static_order())
    except CycleError as error:
        names = [label(nodes[index]) for index in error.args[1]]
        shown = names if len(names) <= _LONGEST_CYCLE else [*names[:_LONGEST_CYCLE], "..."]
        raise GraphError(
            f"nodes of the ONNX model feed each other in a circle: {' -> '.join(shown)}",
            place=place,
            expected="a graph without cycles",
            remedy="export the model again",
        ) from None


def _twice(name: str, place: Place) -> GraphError:
    return GraphError(
        f"two nodes or weights of the ONNX model are called {name!r}",
        place=place,
        expected="a name of its own for each tensor",
        remedy="export the model again",
    )


def label(node: NodeProto) -> str:
    """What a node is called in messages: its name, else its first output."""
    return node.name or next((name for name in node.output if name), "") or node.op_type


def value_shape(item: ValueInfoProto, place: Place) -> tuple[int | None, ...] | None:
    """The shape that the model says for an input or an output, None where it says nothing."""
    kind = item.type.tensor_type
    if item.type.WhichOneof("value") != "tensor_type" or not kind.HasField("shape"):
        return None
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim)
    check_shape(tuple(length or 0 if length is None else length for length in shape), item.name, place)
    return tuple(length if length else None for length in shape)
