"""What each operator's module works with: the features, constants and cells of one import.

The rule of an operator is a function ``rule(node, importer)``, registered as ``@register("operator", "Conv")``. It
asks for features and constants by name, adds cells, and says which feature each output of the node is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from n2d2py import registry
from n2d2py.cells.base import PROVIDER, ActivatedCell, Cell, Dims
from n2d2py.cells.mapping import Mapping as Map
from n2d2py.errors import GraphError, Place
from n2d2py.onnx_import.constants import Constant, floats
from n2d2py.onnx_import.features import Feature, Shape, dims_of, feature, merged
from n2d2py.onnx_import.folding import Folding
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.overrides import NodeKeys, Overrides
from n2d2py.onnx_import.reader import Model
from n2d2py.onnx_import.sharing import Sharing
from n2d2py.parameters import read
from n2d2py.parts.activations import Linear

UNIT_MAP = Map(size=(1, 1))
"""Each channel alone."""

_Made = TypeVar("_Made", bound=Cell)


class Importer:
    """One import; ``transpose`` and ``loads_values`` are parameters of the section."""

    def __init__(
        self,
        model: Model,
        overrides: Overrides,
        *,
        transpose: bool = False,
        loads_values: bool = True,
    ) -> None:
        self.model = model
        self.overrides = overrides
        self.transpose = transpose
        self.loads_values = loads_values
        self.folding = Folding(model)
        self.cells: dict[str, Cell] = {}
        self.outputs: dict[str, Dims] = {}
        self.initial: dict[str, dict[str, np.ndarray]] = {}
        self.aliases: dict[str, str] = {}
        self.losses: list[str] = []
        self.sharing = Sharing()
        self.integers_of: set[str] = set()
        """Outputs of QuantizeLinear nodes."""
        self._features: dict[str, Feature] = {}
        self._in_shape: dict[str, str] = {}
        self._uses: Counter[str] = Counter()
        self._users: dict[str, list[OnnxNode]] = {}

    # ---------------------------------------------------------------------------------------------- before the walk

    def receive(self, name: str, item: Feature, element: int) -> None:
        """Take an input of the graph: its feature, and the type of its elements as ONNX numbers it."""
        self._features[name] = item
        self.folding.shapes[name] = item.shape
        self.folding.elements[name] = element
        self.outputs[item.source] = self.dims_of(item.base)

    def count(self, nodes: Sequence[OnnxNode]) -> None:
        """Learn who takes what of the nodes that become cells."""
        for node in nodes:
            for name in node.inputs:
                self._uses[name] += 1
                self._users.setdefault(name, []).append(node)
        for name in self.model.outputs:
            self._uses[name] += name in self._users  # a value that is wanted from outside too

    # ---------------------------------------------------------------------------------------- what operators ask

    def constant(self, name: str) -> Constant | None:
        """The constant called ``name``, None if stimuli change it."""
        return self.folding.constants.get(name)

    def values(self, node: OnnxNode, index: int, what: str) -> np.ndarray:
        """The constant at an input as float32; raises :class:`UnsupportedError` if it is none."""
        constant = self.constant(node.input(index))
        if constant is None:
            raise UnsupportedError(f"its {what} is not constant")
        return floats(constant)

    def integers(self, node: OnnxNode, index: int, what: str) -> tuple[int, ...] | None:
        """The constant integers at an input, None if it is left out; else raises :class:`UnsupportedError`."""
        name = node.input(index)
        if not name:
            return None
        constant = self.constant(name)
        if constant is None:
            raise UnsupportedError(f"its {what} is not constant")
        return tuple(int(value) for value in np.ravel(constant.array))

    def feature(self, name: str) -> Feature:
        """The feature called ``name``; raises :class:`UnsupportedError` if it is a constant."""
        if name not in self._features:
            if name in self.folding.constants:
                raise UnsupportedError(f"its input {name!r} is a constant")
            raise UnsupportedError(f"it has no input {name!r}" if name else "it has no input")
        return self._features[name]

    def is_feature(self, name: str) -> bool:
        """Whether ``name`` is computed from stimuli."""
        return name in self._features

    def used_once(self, name: str) -> bool:
        """Whether one node and nothing else takes the tensor."""
        return self.uses(name) == 1

    def uses(self, name: str) -> int:
        """How often the tensor is taken, as an output of the graph too."""
        return self._uses[name]

    def users(self, name: str) -> list[OnnxNode]:
        """The nodes that take a tensor."""
        return self._users.get(name, [])

    def source(self, name: str) -> str:
        """The cell that gives a tensor in its shape and order; a Reshape or Transpose cell is made if needed."""
        if name not in self._in_shape:
            item = self._ordered(name)
            wanted = self.dims_of(item.shape)
            if self.outputs[item.source] != wanted:
                if self.transpose and min(self.outputs[item.source][:2]) > 1:
                    raise UnsupportedError("with Transpose=1 an image cannot be reshaped")
                item = self._reshape(self.fresh(name), item, wanted)
            self._in_shape[name] = item.source
            if item.source != name:
                self.aliases[name] = item.source
        return self._in_shape[name]

    def rows(self, name: str) -> str:
        """The cell that gives the values of a tensor in their order, whatever its dimensions: for Fc."""
        return self._ordered(name).source

    def _ordered(self, name: str) -> Feature:
        item = self.feature(name)
        if item.in_order:
            return item.reshaped(item.shape)
        lengths, order = merged(item)
        if len(lengths) > 3:
            raise UnsupportedError("it transposes more than three axes")
        while len(lengths) < 3:
            lengths, order = (*lengths, 1), (*order, len(lengths))
        base = replace(item, base=(item.base[0], *lengths), order=tuple(range(4)))
        plain = self.dims_of(base.base)
        cell_name = self.fresh(name if name not in self.cells else f"{name}_after")
        if self.outputs[item.source] != plain:
            base = self._reshape(f"{cell_name}_reshape", base, plain)
        # Axis i of (channels, height, width) is axis 2 - i of (X, Y, channels).
        perm = [2 - order[2 - axis] for axis in range(3)] + [3]
        channels = (plain.channels, plain.height, plain.width)[order[0]]
        keys = {"Perm": _text(perm), "NbOutputs": str(channels)}
        made = self.add("Transpose", cell_name, _place(self, name), (base.source,), keys)
        return Feature(made.name, item.shape, tuple(range(len(item.shape))), item.alone)

    def _reshape(self, name: str, item: Feature, wanted: Dims) -> Feature:
        sizes = (wanted.width, wanted.height, *((wanted.depth,) if wanted.depth > 1 else ()), wanted.channels)
        keys = {"Dims": _text(sizes), "NbOutputs": str(wanted.channels)}
        made = self.add("Reshape", name, _place(self, name), (item.source,), keys)
        return replace(item, source=made.name)

    def fresh(self, name: str) -> str:
        """``name``, or a variant of it where a cell has that name already."""
        while name in self.cells or name == PROVIDER:
            name += "_"
        return name

    # ---------------------------------------------------------------------------------------- what operators make

    def add(
        self,
        type_name: str,
        name: str,
        node: OnnxNode | Place,
        inputs: tuple[str, ...],
        fixed: Mapping[str, str],
        usual: Mapping[str, str] | None = None,
        *,
        category: str | None = None,
        unit_map: bool = False,
        groups: int = 1,
    ) -> Cell:
        """Make a cell; ``fixed`` keys are the node's, ``usual`` ones give way to the override of its ``category``."""
        if not registry.known("cell", type_name):
            raise UnsupportedError(f"n2d2py has no cell {type_name} yet")
        type_ = registry.find("cell", type_name)
        place = node if isinstance(node, Place) else node.place
        scope = None
        activates = isinstance(node, OnnxNode) and category in (None, "Rectifier")
        if isinstance(node, OnnxNode):
            scope = self.overrides.of(node, category) if name == node.name else None
        keys = NodeKeys.of(place, type_, scope, fixed, usual or {}, activates=activates, tells=self.overrides.tells)
        try:
            cell: Cell = read(type_, keys, name=name, inputs=inputs)
            keys.close()
            if unit_map:
                cell = replace(cell, mapping=dict.fromkeys(inputs, UNIT_MAP))  # type: ignore[call-arg]
            elif groups > 1:
                cell = replace(cell, mapping=dict.fromkeys(inputs, Map(nb_groups=groups)))  # type: ignore[call-arg]
            dims = cell.outputs([self.outputs[parent] for parent in inputs])
        except GraphError as error:
            raise UnsupportedError(str(error).replace("\n", "\n    ")) from None
        self.cells[cell.name] = cell
        self.outputs[cell.name] = dims
        return cell

    def give(self, node: OnnxNode, cell: Cell, output: int = 0) -> None:
        """Say that an output of ``node`` is what ``cell`` gives; its dimensions must be those that ONNX infers."""
        name = node.outputs[output]
        dims = self.outputs[cell.name]
        shape = self.folding.shapes.get(name)
        if shape is None:
            shape = self.shape_of(dims)
        elif self.dims_of(shape) != dims:
            told = "x".join(map(str, shape[1:]))
            raise UnsupportedError(f"its output is {told} in ONNX, and {'x'.join(map(str, dims.shape))} as a cell")
        self._features[name] = feature(cell.name, shape, self.used_once(name))
        self._alias(name, cell.name)
        if node.proto.name:
            self._alias(node.proto.name, cell.name)

    def give_feature(self, node: OnnxNode, item: Feature) -> None:
        """Say that the first output of ``node`` is a feature that exists, seen in another way."""
        name = node.outputs[0]
        self._features[name] = replace(item, alone=item.alone and self.used_once(name))
        self._alias(name, item.source)
        if node.proto.name:
            self._alias(node.proto.name, item.source)

    def keep(self, name: str, item: Feature) -> None:
        """Give a feature that no node makes a name of its own."""
        self._features[name] = item

    def view(self, name: str, of: str, shape: Shape) -> None:
        """Call a tensor that is ``of`` in another shape ``name``."""
        if self.feature(of).in_order:
            self.keep(name, self.feature(of).reshaped(shape))
        else:
            self.keep(name, self.plain(self.rows(of), shape))

    def plain(self, source: str, shape: Shape) -> Feature:
        """What a cell gives, in a shape."""
        return feature(source, shape, alone=True)

    def map_of(self, source: str, matrix: np.ndarray) -> dict[str, Map]:
        """An explicit connection map, bool (channels, outputs)."""
        return {source: Map(matrix=tuple(bool(value) for value in matrix.ravel()))}

    def change(self, cell: Cell) -> None:
        """Replace a cell by one of the same name and dimensions: with an activation, a bias."""
        self.cells[cell.name] = cell

    def begin(self, cell: Cell, **values: np.ndarray) -> None:
        """The values that tensors of a cell begin with, unless ONNX_init=0."""
        if self.loads_values:
            self.initial.setdefault(cell.name, {}).update(values)

    def plain_producer(self, item: Feature, type_: type[_Made]) -> _Made | None:
        """The cell of a feature if nothing else takes it, it is a ``type_``, and it has no function yet."""
        cell = self.cells.get(item.source)
        if not item.alone or not isinstance(cell, type_):
            return None
        if isinstance(cell, ActivatedCell) and (
            cell.activation_quantizer is not None or cell.activation not in (None, Linear())
        ):
            return None
        return cell

    def dims_of(self, shape: Shape) -> Dims:
        """Dimensions of a tensor; with Transpose=1 the first axis of an image is its width."""
        dims = dims_of(shape)
        return dims._replace(width=dims.height, height=dims.width) if self.transpose and len(shape) == 4 else dims

    def shape_of(self, dims: Dims) -> Shape:
        """The shape of an image of ``dims``, the inverse of :meth:`dims_of`."""
        sizes = dims.shape
        return (self.batch, *(sizes[:-2] + sizes[:-3:-1] if self.transpose else sizes))

    @property
    def batch(self) -> int:
        """The number of stimuli that the graph is followed with."""
        return next(iter(self.folding.shapes.values()))[0]

    def _alias(self, name: str, cell: str) -> None:
        if name not in self.cells:
            self.aliases[name] = cell


def _place(importer: Importer, name: str) -> Place:
    """The place of a cell that no node asks for by itself."""
    return Place(importer.model.file, section=name)


def _text(values: Sequence[int]) -> str:
    return " ".join(map(str, values))
