"""Where a lowering works: one cell, its learned layer, the edges that come in, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
import torch

from n2d2py.cells.base import Dims
from n2d2py.errors import IntegerError
from n2d2py.graph.network import Node
from n2d2py.integer.arithmetic import Alignment, FloatBits, Pieces
from n2d2py.integer.floats import LARGEST_BITS, floats_of
from n2d2py.integer.operations import Concatenation, Edge, Identity, Operation, Rectification, Requantization
from n2d2py.integer.requantization import IntegerBias
from n2d2py.integer.requantize import requantize
from n2d2py.integer.thresholds import Step, monotone_everywhere
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.base import Layer
from n2d2py.layers.joining import alignments, united
from n2d2py.layers.pieces import Pieces as LearnedPieces
from n2d2py.layers.pieces import pieces
from n2d2py.layers.step import Normalisation
from n2d2py.layers.step import Step as LearnedStep
from n2d2py.parameters import Record
from n2d2py.quant.affine import Affine, reachable
from n2d2py.quant.grid import Coded, Grid
from n2d2py.registry import name_of


@dataclass(eq=False)
class Site:
    """One cell that is being lowered.

    ``sources`` are the edges of its parents, in order; ``mode`` is the word of ``-act-rescaling-mode``. The
    operations of the cell are added in order; :meth:`finish` gives the last one the cell's name.
    """

    node: Node
    layer: Layer
    sources: tuple[Edge, ...]
    mode: str
    before: tuple[Operation, ...] = ()
    """The operations of the cells before it."""
    operations: list[Operation] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of the cell."""
        return self.node.name

    def error(self, why: str, remedy: str, parameter: str | None = None) -> IntegerError:
        """The error that this cell has no exact integer form."""
        return IntegerError(
            f"{self.node.cell.type_name} cell {self.name} has no exact integer form: {why}",
            place=self.node.cell.place(parameter),
            remedy=remedy,
        )

    def add(self, operation: Operation, edge: Edge) -> Edge:
        """Add an operation and the edge that it makes; gives the edge."""
        self.operations.append(operation)
        self.edges.append(edge)
        return edge

    # ------------------------------------------------------------------------------------------ what comes in

    def source(self, flat: bool = False) -> tuple[Edge, Grid]:
        """The one edge that comes in, on its grid: of several, their concatenation along the channels.

        With ``flat`` each is flattened first. Inputs of several scales are brought to one. Raises
        :class:`IntegerError` for real values.
        """
        if len(self.sources) == 1:
            return self.sources[0], self.grid_of(self.sources[0])
        sources = self.same_scale()
        spaces = [edge.dims._replace(channels=1) for edge in sources]
        sizes = [space.size if flat else 1 for space in spaces]
        channels = sum(edge.dims.channels * size for edge, size in zip(sources, sizes, strict=True))
        grid = united([Coded(torch.empty(0), edge.grid) for edge in sources])
        joined = Edge(
            f"{self.name}:inputs",
            Dims(1, 1, channels) if flat else max(spaces)._replace(channels=channels),
            grid,
            np.concatenate([np.repeat(edge.low, size) for edge, size in zip(sources, sizes, strict=True)]),
            np.concatenate([np.repeat(edge.high, size) for edge, size in zip(sources, sizes, strict=True)]),
        )
        names = tuple(edge.name for edge in sources)
        return self.add(Concatenation(joined.name, self.name, names, flat), joined), grid

    def same_scale(self, sources: Sequence[Edge] | None = None) -> list[Edge]:
        """The edges that come in (or others), those of several scales brought to one as the learned network does."""
        sources = self.sources if sources is None else sources
        with self.refusing():
            forms = alignments([self.grid_of(edge) for edge in sources])
        return [
            edge if form is None else self.align([edge], form, f"input{index}")
            for index, (edge, form) in enumerate(zip(sources, forms, strict=True))
        ]

    def grid_of(self, edge: Edge) -> Grid:
        """The grid of an edge that comes in, or the error that it holds real values."""
        if edge.grid is None:
            raise self.error(
                f"its input {edge.name} holds real values",
                f"let only the last cells of the network be of a type that gives reals, or quantize after {edge.name}"
                " (an Activation or BatchNorm cell with QAct=SAT)",
                "inputs",
            )
        return edge.grid

    def quantizable(self) -> Edge:
        """The edge that comes in; it may hold real values if the cell's quantizer makes codes of them."""
        layer = self.layer
        quantizes = isinstance(layer, ActivatedLayer) and layer.quantizer is not None
        if quantizes and len(self.sources) == 1:
            return self.sources[0]
        return self.source()[0]

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Numbers that have no integers become the error of this cell."""
        try:
            yield
        except OverflowError as error:
            raise self.error(
                str(error), "quantize the activations of the cells before it (QAct=SAT), and check its parameters"
            ) from error

    def align(self, sources: Sequence[Edge], form: Affine, suffix: str, dims: Dims | None = None) -> Edge:
        """Add a linear function of edges; the ranges of its result are exact."""
        axes = len(self.node.output.shape) - 1
        bounds = [[_by_channel(bound, axes) for bound in (edge.low, edge.high)] for edge in sources]
        low, high = reachable(
            form.multipliers, form.biases, form.pre_shifts, form.shift, [b[0] for b in bounds], [b[1] for b in bounds]
        )
        channels = sources[0].dims.channels
        ends = [end.expand(channels, *end.shape[1:]).reshape(channels, -1) for end in (low, high)]
        name = f"{self.name}:{suffix}"
        operation = Alignment(
            name,
            self.name,
            tuple(edge.name for edge in sources),
            tuple(multipliers.numpy() for multipliers in form.multipliers),
            form.biases.numpy(),
            form.pre_shifts,
            form.shift,
        )
        spaces = [edge.dims for edge in sources]
        dims = dims or max(spaces, key=lambda space: space.size)
        return self.add(operation, Edge(name, dims, form.grid, ends[0].amin(1).numpy(), ends[1].amax(1).numpy()))

    def shorten(self, source: Edge, form: Affine | None, suffix: str = "short") -> Edge:
        """``source`` as it goes through what shortens its codes, if anything does; its offset stays."""
        if form is None:
            return source
        edge = replace(self.align([source], form, suffix), offset=source.offset)
        self.edges[-1] = edge
        return edge

    # ------------------------------------------------------------------------------------------ what goes out

    def keep(self, operation: Operation, source: Edge, grid: Grid | None = None) -> Edge:
        """Add an operation that hands the codes of each channel on as they are, perhaps among zeros (``grid``)."""
        low, high, grid = source.low, source.high, grid or source.grid
        if grid != source.grid:
            low, high = np.minimum(low, 0), np.maximum(high, 0)
        return self.add(operation, Edge(operation.name, self.node.output, grid, low, high))

    def finish(self, edge: Edge) -> None:
        """Add the activation function and the quantizer of the layer, if any; what comes last is the cell's output."""
        if self.activates:
            edge = self.activate(edge)
        if not self.operations:
            edge = self.keep(Identity(self.name, self.name, (edge.name,)), edge)
        last = self.operations[-1]
        if last.name != self.name:
            self.operations[-1] = replace(last, name=self.name)
            self.edges[-1] = replace(self.edges[-1], name=self.name)

    @property
    def activates(self) -> bool:
        """Whether anything comes after the sum, the normalisation or the window."""
        layer = self.layer
        return isinstance(layer, ActivatedLayer) and (layer.quantizer is not None or layer.function is not None)

    def activate(self, source: Edge) -> Edge:
        """Add the activation function and the quantizer of the layer to what ``source`` carries.

        Raises :class:`IntegerError` for a function without quantizer that gives real values.
        """
        layer = self.layer
        assert isinstance(layer, ActivatedLayer)
        if layer.quantizer is None:
            return self._function(layer, source)
        mode = self.mode
        real = source.grid is None
        if source.grid is None:
            source, mode = self._float_bits(source), "Floating-point"
            step = layer.step(None)
        else:
            source = self.shorten(source, layer.shortening(source.grid))
            assert source.grid is not None
            offset = None if source.offset is None else torch.from_numpy(source.offset).to(device_of(layer))
            step = layer.step(source.grid, offset)
        self.check_finite(step.normalisation, step.offset)
        grid = layer.quantizer.grid()
        numbers = integer_step(step, grid, device_of(layer), of_floats=real)
        if not step.monotone and not monotone_everywhere(numbers, source.low, source.high):
            raise self.error(
                f"its activation function {_name(layer.activation)} is not known to be monotone after rounding",
                "use ActivationFunction=Linear or Rectifier before the quantizer",
                "activation",
            )
        return self._rescale(source, numbers, grid, mode, _line(step, source.dims.channels), _is_straight(layer, real))

    def _function(self, layer: ActivatedLayer, source: Edge) -> Edge:
        form = None if source.grid is None else pieces(layer.activation, source.grid)
        if form is None:
            raise self.error(
                f"its activation function {_name(layer.activation)} gives real values and is not quantized",
                "add QAct=SAT (with QAct.Range) to the cell",
                "activation",
            )
        source, form = self.shorten(source, form.before, "fine"), replace(form, before=None)
        name = f"{self.name}:function"
        ends = np.stack([form(torch.from_numpy(end).double()).values.numpy() for end in (source.low, source.high)])
        zero = (source.low <= 0) & (source.high >= 0)
        low, high = (np.where(zero, join(end, _at_zero(form)), end).astype(np.int64)
                     for join, end in ((np.minimum, ends.min(axis=0)), (np.maximum, ends.max(axis=0))))  # fmt: skip
        edge = Edge(name, self.node.output, form.grid, low, high)
        if (form.slope, form.shift, form.low, form.high) == (0, 0, None, None):
            return self.add(Rectification(name, self.name, (source.name,)), edge)
        numbers = (form.slope, form.shift, form.low, form.high)
        return self.add(Pieces(name, self.name, (source.name,), *numbers), edge)

    def _float_bits(self, source: Edge) -> Edge:
        name, channels = f"{self.name}:bits", source.dims.channels
        low, high = (np.full(channels, bits, dtype=np.int64) for bits in (-LARGEST_BITS - 1, LARGEST_BITS))
        grid = Grid(1.0, -LARGEST_BITS - 1, LARGEST_BITS)
        return self.add(FloatBits(name, self.name, (source.name,)), Edge(name, source.dims, grid, low, high))

    def check_finite(self, normal: Normalisation | None, offset: torch.Tensor | None) -> None:
        """Raise :class:`IntegerError` for statistics or biases that are not finite."""
        values = [] if normal is None else [normal.mean, normal.factor, normal.bias]
        values += [] if offset is None else [offset]
        for tensor in values:
            wrong = torch.nonzero(~torch.isfinite(tensor)).flatten()
            if len(wrong):
                raise self.error(
                    f"channel {int(wrong[0])} is normalised by a number that is not finite",
                    "check the statistics of the BatchNorm, and give it Epsilon above 0",
                )

    def _rescale(
        self, source: Edge, step: Step, grid: Grid, mode: str, line: IntegerBias | None, straight: bool
    ) -> Edge:
        try:
            found = requantize(step, source.low, source.high, grid.levels - 1, mode, self.name)
        except IntegerError as error:
            raise self.error(error.what, error.remedy or "") from error
        operation = Requantization(
            self.name,
            self.name,
            (source.name,),
            found.rescaling,
            found.proof,
            mode,
            *((grid.low, grid.step) if not grid.uneven else (0, 1)),
            levels=grid.uneven,
            line=line,
            straight=straight,
        )
        ends = np.sort(operation.codes(np.stack([source.low, source.high], axis=1)), axis=1)
        return self.add(operation, Edge(self.name, self.node.output, grid, ends[:, 0], ends[:, 1]))


def device_of(layer: Layer) -> torch.device:
    """Where the tensors of a layer are."""
    return next((tensor.device for tensor in chain(layer.parameters(), layer.buffers())), torch.device("cpu"))


def integer_step(
    step: Callable[[torch.Tensor], torch.Tensor], grid: Grid, device: torch.device, of_floats: bool = False
) -> Step:
    """The learned step function on int64 arrays, its codes as the numbers of the levels of ``grid``.

    It is called, not copied: what it computes stands in one place. ``of_floats``: the integers are
    :class:`~n2d2py.integer.arithmetic.FloatBits`.
    """

    def numbers(accumulators: np.ndarray) -> np.ndarray:
        values = floats_of(accumulators) if of_floats else accumulators
        codes = step(torch.from_numpy(values).double().to(device)).cpu().numpy().astype(np.int64)
        if grid.uneven:
            return np.searchsorted(np.array(grid.uneven, dtype=np.int64), codes).astype(np.int64)
        return codes if (grid.low, grid.step) == (0, 1) else (codes - grid.low) // grid.step

    return numbers


def _is_straight(layer: ActivatedLayer, real: bool) -> bool:
    return not real and (layer.activation is None or layer.activation.in_units(1.0) is not None)


def _line(step: LearnedStep, channels: int) -> IntegerBias | None:
    line = step.line
    if line is None:
        return None
    biases, slopes = (np.broadcast_to(part.cpu().numpy(), channels) for part in (line.biases, line.slopes))
    return IntegerBias(biases.astype(np.int64), slopes)


def _at_zero(form: LearnedPieces) -> int:
    return int(form(torch.zeros(1).double()).values)


def _by_channel(bounds: np.ndarray, axes: int) -> torch.Tensor:
    return torch.from_numpy(bounds).view(-1, *(1 for _ in range(axes)))


def _name(activation: Record | None) -> str:
    return "Linear" if activation is None else name_of("activation", type(activation))
