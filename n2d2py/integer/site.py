"""Where a lowering works: one cell, its learned layer, the edges that come in, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import torch

from n2d2py.cells.base import Dims
from n2d2py.errors import IntegerError
from n2d2py.graph.network import Node
from n2d2py.integer.network import Concatenation, Edge, Operation, Rectification, Requantization
from n2d2py.integer.requantize import requantize
from n2d2py.integer.thresholds import Step
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.base import Layer
from n2d2py.layers.functions import is_rectifier
from n2d2py.layers.joining import united
from n2d2py.layers.step import Step as LearnedStep
from n2d2py.parameters import Record
from n2d2py.quant.grid import Coded, Grid
from n2d2py.registry import name_of


@dataclass(eq=False)
class Site:
    """One cell that is being lowered.

    ``sources`` are the edges of its parents, in order; ``mode`` is the word of ``-act-rescaling-mode``. The
    operations of the cell are added in order; the last one has the cell's name and gives its output.
    """

    node: Node
    layer: Layer
    sources: tuple[Edge, ...]
    mode: str
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

        With ``flat`` each is flattened first. Raises :class:`IntegerError` for real values and for inputs whose
        scales or sizes differ.
        """
        grids = [self._grid(edge) for edge in self.sources]
        if len(self.sources) == 1:
            return self.sources[0], grids[0]
        self._check_concatenation(grids, flat)
        first = self.sources[0].dims
        sizes = [edge.dims.width * edge.dims.height if flat else 1 for edge in self.sources]
        channels = sum(edge.dims.channels * size for edge, size in zip(self.sources, sizes, strict=True))
        grid = united([Coded(torch.empty(0), grid) for grid in grids])
        joined = Edge(
            f"{self.name}:inputs",
            Dims(1 if flat else first.width, 1 if flat else first.height, channels),
            grid,
            np.concatenate([np.repeat(edge.low, size) for edge, size in zip(self.sources, sizes, strict=True)]),
            np.concatenate([np.repeat(edge.high, size) for edge, size in zip(self.sources, sizes, strict=True)]),
        )
        names = tuple(edge.name for edge in self.sources)
        return self.add(Concatenation(joined.name, self.name, names, flat), joined), grid

    def _grid(self, edge: Edge) -> Grid:
        if edge.grid is None:
            raise self.error(
                f"its input {edge.name} holds real values",
                f"let only the last cells of the network be of a type that gives reals, or quantize after {edge.name}",
                "inputs",
            )
        return edge.grid

    def _check_concatenation(self, grids: list[Grid], flat: bool) -> None:
        scales = {edge.name: grid.scale for edge, grid in zip(self.sources, grids, strict=True)}
        if len(set(scales.values())) > 1:
            shown = ", ".join(f"{name} {scale:.6g}" for name, scale in scales.items())
            raise self.error(
                f"its inputs come with different scales ({shown})",
                "join the branches before they are quantized, so that one quantizer serves all of them",
                "inputs",
            )
        if not flat and len({(edge.dims.width, edge.dims.height) for edge in self.sources}) > 1:
            raise self.error("its inputs differ in width and height", "give all inputs one width and height", "inputs")

    # ------------------------------------------------------------------------------------------ what goes out

    def keep(self, operation: Operation, source: Edge) -> Edge:
        """Add an operation that hands codes on as they are."""
        return self.add(operation, Edge(self.name, self.node.output, source.grid, source.low, source.high))

    @property
    def activates(self) -> bool:
        """Whether anything comes after the sum, the normalisation or the window."""
        layer = self.layer
        return isinstance(layer, ActivatedLayer) and (layer.quantizer is not None or layer.function is not None)

    def activate(self, source: Edge) -> Edge:
        """Add the activation function and the quantizer of the layer to what ``source`` carries.

        Raises :class:`IntegerError` for a function without quantizer that leaves the grid.
        """
        layer = self.layer
        assert isinstance(layer, ActivatedLayer)
        assert source.grid is not None
        if layer.quantizer is None:
            return self._function(layer, source)
        offset = None if source.offset is None else torch.from_numpy(source.offset).to(device_of(layer))
        step = layer.step(source.grid, offset)
        if not step.monotone:
            raise self.error(
                f"its activation function {_name(layer.activation)} is not known to be monotone after rounding",
                "use ActivationFunction=Linear or Rectifier before the quantizer",
                "activation",
            )
        self._check_finite(step)
        return self._rescale(source, integer_step(step, device_of(layer)), layer.quantizer.grid())

    def _function(self, layer: ActivatedLayer, source: Edge) -> Edge:
        assert source.grid is not None
        if not is_rectifier(layer.activation):
            raise self.error(
                f"its activation function {_name(layer.activation)} gives real values and is not quantized",
                "add QAct=SAT (with QAct.Range) to the cell",
                "activation",
            )
        grid = Grid(source.grid.scale, 0, max(source.grid.high, 0))
        edge = Edge(self.name, self.node.output, grid, np.maximum(source.low, 0), np.maximum(source.high, 0))
        return self.add(Rectification(self.name, self.name, (source.name,)), edge)

    def _check_finite(self, step: LearnedStep) -> None:
        normal = step.normalisation
        values = [] if normal is None else [normal.mean, normal.factor, normal.bias]
        values += [] if step.offset is None else [step.offset]
        for tensor in values:
            wrong = torch.nonzero(~torch.isfinite(tensor)).flatten()
            if len(wrong):
                raise self.error(
                    f"channel {int(wrong[0])} is normalised by a number that is not finite",
                    "check the statistics of the BatchNorm, and give it Epsilon above 0",
                )

    def _rescale(self, source: Edge, step: Step, grid: Grid) -> Edge:
        try:
            found = requantize(step, source.low, source.high, grid.high, self.mode, self.name)
        except IntegerError as error:
            raise self.error(error.what, error.remedy or "") from error
        ends = np.sort(found.rescaling.codes(np.stack([source.low, source.high], axis=1)), axis=1)
        operation = Requantization(self.name, self.name, (source.name,), found.rescaling, found.proof, self.mode)
        return self.add(operation, Edge(self.name, self.node.output, grid, ends[:, 0], ends[:, 1]))


def device_of(layer: Layer) -> torch.device:
    """Where the tensors of a layer are."""
    return next((tensor.device for tensor in chain(layer.parameters(), layer.buffers())), torch.device("cpu"))


def integer_step(step: LearnedStep, device: torch.device) -> Step:
    """The learned step function on int64 arrays. It is called, not copied: what it computes stands in one place."""

    def codes(accumulators: np.ndarray) -> np.ndarray:
        result: np.ndarray = step(torch.from_numpy(accumulators).double().to(device)).cpu().numpy()
        return result.astype(np.int64)

    return codes


def _name(activation: Record | None) -> str:
    return "Linear" if activation is None else name_of("activation", type(activation))
