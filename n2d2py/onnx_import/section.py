"""The section ``Type=ONNX`` of an INI file, and models that are given without one."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from onnx import ValueInfoProto

from n2d2py import console
from n2d2py.cells.base import PROVIDER, Dims
from n2d2py.errors import GraphError, Place
from n2d2py.ini import Document
from n2d2py.kinds import boolean, list_of, text, word
from n2d2py.onnx_import.features import Feature, Shape, dims_of, feature
from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.overrides import Overrides
from n2d2py.onnx_import.reader import Model, read_model, value_shape
from n2d2py.onnx_import.walk import Imported, walk
from n2d2py.parameters import REQUIRED, Record, parameter, read

_NORMALISED = ("Softmax", "LogSoftmax", "Sigmoid")
_SHAPES = ("Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")


@dataclass(frozen=True, kw_only=True)
class OnnxModel(Record):
    """A section ``Type=ONNX``: all nodes of the model become cells."""

    file: str = parameter("File", text, REQUIRED, "the .onnx file, from the folder in which n2d2py runs")
    ignore: tuple[str, ...] = parameter("Ignore", list_of(word), (), "first outputs of nodes that are left out")
    ignores_input_size: bool = parameter(
        "IgnoreInputSize", boolean, False, "1: no warning if the model says another size of the stimuli"
    )
    transpose: bool = parameter("Transpose", boolean, False, "1: the model has width and height exchanged")
    cntk: bool = parameter("CNTK", boolean, False, "no effect: an Add of a constant is always the bias before it")
    loads_values: bool = parameter(
        "ONNX_init", boolean, True, "0: the values of the model are not loaded, the fillers give them"
    )


@dataclass(frozen=True)
class Standalone:
    """A model that is a network by itself: the dimensions and number of its stimuli, and its cells."""

    dims: Dims
    batch_size: int
    imported: Imported


@dataclass(frozen=True)
class Logits:
    """The output of a model that a Softmax may follow: its name and its number of values."""

    name: str
    classes: int


@dataclass(frozen=True)
class Signature:
    """What a model that is a network by itself is fed with, 1 standing for any number, and its logits if it has any."""

    dims: Dims
    batch_size: int
    logits: Logits | None
    names: frozenset[str] = frozenset()
    """All names of the model, of tensors and of nodes."""

    def free(self, name: str) -> str:
        """``name``, or with a number behind it, if the model calls something so or like a section below it."""
        taken = {known.split(".")[0] for known in self.names} | self.names
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        return next(one for one in itertools.chain((name,), numbered) if one not in taken)


def signature_of(path: str | Path) -> Signature:
    """The signature of a model; raises :class:`GraphError` as :func:`import_model` does."""
    model = read_model(path)
    _, sizes = _stimuli(model)
    names = {name for node in model.nodes for name in (node.name, *node.output) if name}
    return Signature(dims_of(sizes), sizes[0], _logits(model), frozenset(names))


def _logits(model: Model) -> Logits | None:
    """The one output, if it is a vector of several values that the end of the model does not normalise itself."""
    if len(model.outputs) != 1:
        return None
    (name,) = model.outputs
    shape = model.output_shapes.get(name)
    if shape is None or len(shape) < 2 or not shape[1] or shape[1] < 2 or any(length != 1 for length in shape[2:]):
        return None
    made = {output: node for node in model.nodes for output in node.output}
    last = made.get(name)
    while last is not None and last.op_type in _SHAPES:
        last = made.get(last.input[0])
    if last is None or last.op_type in _NORMALISED:
        return None
    return Logits(name, shape[1])


def import_section(document: Document, section: str, inputs: tuple[str, ...], dims: tuple[Dims, ...]) -> Imported:
    """The cells of the section ``section`` of type ONNX, fed by ``inputs`` of dimensions ``dims``.

    Raises :class:`GraphError` for a file that is no ONNX model, and one for all nodes that have no cell;
    :class:`ParameterError` for what the override sections say.
    """
    scope = document.scope(section)
    settings = read(OnnxModel, scope)
    scope.find("Input", "Type", "Model", "DataType")
    scope.close()
    path = os.path.expandvars(settings.file)
    model = read_model(path, settings.place("file"))
    console.line(f"{section}: {model.file}, {model.about}")
    parents = tuple(PROVIDER if name in ("sp", "env", "cenv") else name for name in inputs)
    if len(parents) != len(model.inputs):
        given = ", ".join(item.name for item in model.inputs) or "none"
        raise GraphError(
            f"[{section}] has {len(parents)} inputs, the ONNX model {len(model.inputs)}: {given}",
            place=scope.place,
            expected=f"Input with {len(model.inputs)} names",
        )
    overrides = Overrides(document, section)
    importer = Importer(
        model,
        overrides,
        transpose=settings.transpose,
        loads_values=settings.loads_values,
    )
    place = settings.place("file") or model.place
    features = {
        item.name: _input(item, parent, size, place, settings)
        for item, parent, size in zip(model.inputs, parents, dims, strict=True)
    }
    elements = {item.name: item.type.tensor_type.elem_type for item in model.inputs}
    imported = walk(importer, features, elements, settings.ignore)
    overrides.warn_of_the_rest(name for node in model.nodes for name in (*node.output[:1], node.name) if name)
    return imported


def import_model(path: str | Path, *, ignore: Sequence[str] = (), loads_values: bool = True) -> Standalone:
    """The model of a file by itself, its stimuli of the size that it says.

    Raises :class:`GraphError` as :func:`import_section` does, and if the model has several inputs or leaves a size
    open.
    """
    model = read_model(path)
    console.line(f"{model.file}, {model.about}")
    item, sizes = _stimuli(model)
    importer = Importer(model, Overrides(None, ""), loads_values=loads_values)
    given = feature(PROVIDER, sizes, alone=False)
    imported = walk(importer, {item.name: given}, {item.name: item.type.tensor_type.elem_type}, ignore)
    return Standalone(dims_of(sizes), sizes[0], imported)


def _stimuli(model: Model) -> tuple[ValueInfoProto, Shape]:
    """The one input of a model that is a network by itself, and its shape; an open number of stimuli is 1."""
    if len(model.inputs) != 1:
        names = ", ".join(item.name for item in model.inputs) or "none"
        raise GraphError(
            f"the ONNX model has {len(model.inputs)} inputs: {names}",
            place=model.place,
            expected="one input, the stimuli",
            remedy="write an INI file with a section Type=ONNX and one name in Input= for each",
        )
    item = model.inputs[0]
    shape = value_shape(item, model.place)
    if shape is not None and (len(shape) < 2 or 0 in shape[1:]):
        told = "x".join("?" if length is None else str(length) for length in shape)
        raise GraphError(
            f"the input {item.name!r} of the ONNX model is {told or 'a single number'}",
            place=model.place,
            expected="stimuli: their number, then their channels and sizes, each above 0",
        )
    if shape is None or None in shape[1:]:
        raise GraphError(
            f"the ONNX model leaves the size of its input {item.name!r} open",
            place=model.place,
            remedy="write an INI file whose [sp] has the size, with a section Type=ONNX",
        )
    return item, (shape[0] or 1, *(length or 1 for length in shape[1:]))


def _input(item: ValueInfoProto, parent: str, dims: Dims, place: Place, settings: OnnxModel) -> Feature:
    """An input of the graph as the cell or the provider gives it; says where the model has other sizes in mind."""
    said = value_shape(item, place)
    batch = (said[0] if said else None) or 1
    plain = (batch, *dims.shape)
    if said is None or len(said) < 2:
        return feature(parent, plain, alone=False)
    if len(said) == 4 and _differ(said, plain) and not _differ(said, last := (batch, *dims.shape[1:], dims.channels)):
        console.notice(f"input {item.name} of {settings.file} has its channels last: {'x'.join(map(str, last))}")
        return Feature(parent, plain, (0, 2, 3, 1), False)
    sizes = _with_axes(plain, len(said), dims)
    if settings.transpose and len(sizes) == 4:
        sizes = (*sizes[:2], sizes[3], sizes[2])
    if _differ(said, sizes) and not settings.ignores_input_size:
        wanted = "x".join(str(length or "?") for length in said[1:])
        console.warning(
            f"input {item.name} of {settings.file} is {wanted} in the model, {parent} gives "
            f"{'x'.join(map(str, sizes[1:]))} (IgnoreInputSize=1 accepts it), at: {place}"
        )
    return feature(parent, sizes, alone=False)


def _with_axes(plain: Shape, axes: int, dims: Dims) -> Shape:
    """The shape with as many axes as the model has: flat, a row, or a volume of depth 1."""
    if axes == 2:
        return (plain[0], dims.size)
    if axes == 3 and dims.height == 1 and dims.depth == 1:
        return (plain[0], dims.channels, dims.width)
    if axes == 5 and dims.depth == 1:
        return (plain[0], dims.channels, 1, dims.height, dims.width)
    return plain


def _differ(said: Sequence[int | None], shape: Shape) -> bool:
    return len(said) != len(shape) or any(a not in (None, b) for a, b in zip(said[1:], shape[1:], strict=True))
