"""LSTM and GRU: the recurrence unrolled, step by step, in operations that every executor has.

The equations are those of ``RecurrentLayer.steps``; here their words add operations, with the very forms and tables
by which :mod:`~n2d2py.layers.sequence_codes` evaluates the learned cell. All of QWeight, QGateAcc, QSigmoid, QTanh,
QState and QOutput have to be there, and codes have to come in or QInput makes them, so that every tensor has codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from n2d2py.cells.base import Dims
from n2d2py.cells.recurrent import ROLES, Recurrent
from n2d2py.errors import IntegerError
from n2d2py.integer.arithmetic import Alignment, Product
from n2d2py.integer.movement import Nearest, Reshaping, Transposition
from n2d2py.integer.operations import Concatenation, Edge, FullyConnected, Operation, Requantization
from n2d2py.integer.ranges import sum_bounds
from n2d2py.integer.requantize import Found, requantize
from n2d2py.integer.site import Site, device_of, integer_step
from n2d2py.integer.thresholds import monotone_everywhere
from n2d2py.layers.elemwise import ElemWiseLayer
from n2d2py.layers.recurrent import RecurrentLayer
from n2d2py.layers.sequence_codes import (
    TABLE_BITS,
    complement_form,
    product_grid,
    response,
    shortening,
    step,
    sum_form,
)
from n2d2py.layers.sequences import Arithmetic, Function
from n2d2py.parameters import declarations
from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.affine import Affine
from n2d2py.quant.grid import Grid
from n2d2py.quant.weights import WeightQuantization
from n2d2py.registry import register


@register("lowering", "LSTM")
@register("lowering", "GRU")
def lower(site: Site) -> None:
    """The steps of all layers and directions; what nothing takes is left out."""
    layer, cell = site.layer, site.node.cell
    assert isinstance(layer, RecurrentLayer)
    assert isinstance(cell, Recurrent)
    source, _ = site.source()
    if source.offset is not None:
        why = f"its input {source.name} has a bias that is no code"
        raise site.error(why, f"quantize the activations of {source.name} (QAct=SAT)", "inputs")
    outputs = layer.run(_Whole(source), _Unrolling(site))
    last = outputs[-1].edge if cell.last_step_only else _along_time(site, [one.edge for one in outputs])
    _prune(site, last.name)
    site.finish(last)


@dataclass(frozen=True)
class _Whole:
    """The sequence that comes in, all steps on one edge."""

    edge: Edge


@dataclass(frozen=True)
class _Written:
    """What an operation gives at one step, and a real bias (channels) that it still has to get."""

    edge: Edge
    bias: Tensor | None = None

    @property
    def grid(self) -> Grid:
        assert self.edge.grid is not None  # every tensor has codes here
        return self.edge.grid


@dataclass(frozen=True)
class _Rows:
    """Codes (outputs, inputs) of each gate and their grids."""

    codes: tuple[Tensor, ...]
    grids: tuple[Grid, ...]

    def columns(self, begin: int, end: int | None) -> _Rows:
        return _Rows(tuple(one[:, begin:end] for one in self.codes), self.grids)


class _Unrolling(Arithmetic):
    """A sequence is a list of what is written at each step; what stands before the first step is a tensor."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._counts: dict[str, int] = {}
        self._found: dict[tuple[str, float, int, int], Found] = {}
        self._slices: list[_Written] = []
        self._first: Edge | None = None

    # ------------------------------------------------------------------------------------------ quantizers

    def take(self, name: str, quantizer: ActivationQuantization | None, x: Any) -> Any:
        if quantizer is None:
            raise self._missing(name)
        if isinstance(x, Tensor):
            return self._constant(name, quantizer, x)
        if isinstance(x, _Whole):
            return _Whole(self.take(name, quantizer, _Written(x.edge)).edge)
        with self._site.refusing():
            if (form := sum_form([x.grid], x.bias)) is not None:
                x = self._through(form, [x], f"{name}:biased")
            if (short := shortening(x.grid)) is not None:
                x = self._through(short, [x], f"{name}:short")
        return self._rescaled(name, quantizer, x, step(quantizer, x.grid))

    def function(
        self, name: str, quantizer: ActivationQuantization | None, function: Function, inputs: Sequence[Any]
    ) -> list[Any]:
        if quantizer is None:
            raise self._missing(name)
        return [self._tabled(name, quantizer, function, x) for x in inputs]

    def _tabled(self, name: str, quantizer: ActivationQuantization, function: Function, x: _Written) -> _Written:
        table, low = response(quantizer, function, x.grid), x.grid.low
        if table is None:
            raise self._site.error(
                f"the input of {name} has codes of {x.grid.bits} bits, and a table of them would be too long",
                f"give it a quantizer of at most {TABLE_BITS} bits",
            )
        codes: Tensor = table
        return self._rescaled(name, quantizer, x, lambda values: codes[(values - low).long()])

    def _rescaled(
        self, name: str, quantizer: ActivationQuantization, x: _Written, function: Callable[[Tensor], Tensor]
    ) -> _Written:
        """The step function of codes, searched for and proved once for all channels and all steps of one range."""
        site, grid = self._site, quantizer.grid()
        low, high = (np.array([end]) for end in (x.edge.low.min(), x.edge.high.max()))
        key = (name, x.grid.scale, int(low[0]), int(high[0]))
        if key not in self._found:
            numbers = integer_step(function, grid, device_of(site.layer))
            if high[0] - low[0] <= 1 << TABLE_BITS and not monotone_everywhere(numbers, low, high):
                raise site.error(f"the function before {name} is not monotone after rounding", "use another quantizer")
            try:
                self._found[key] = requantize(numbers, low, high, grid.levels - 1, site.mode, site.name)
            except IntegerError as error:
                raise site.error(error.what, error.remedy or "") from error
        found, channels = self._found[key], x.edge.dims.channels
        rescaling = found.rescaling
        operation = Requantization(
            self._name(name),
            site.name,
            (x.edge.name,),
            replace(
                rescaling,
                multipliers=np.repeat(rescaling.multipliers, channels),
                biases=np.repeat(rescaling.biases, channels),
                tables={channel: table for table in rescaling.tables.values() for channel in range(channels)},
            ),
            replace(
                found.proof,
                reachable=found.proof.reachable * channels,
                differing=np.repeat(found.proof.differing, channels),
                overflows=tuple(range(channels)) if found.proof.overflows else (),
            ),
            site.mode,
            *((grid.low, grid.step) if not grid.uneven else (0, 1)),
            levels=grid.uneven,
        )
        ends = np.sort(operation.codes(np.stack([x.edge.low, x.edge.high], axis=1)), axis=1)
        return self._add(operation, x.edge.dims, grid, ends[:, 0], ends[:, 1])

    def _constant(self, name: str, quantizer: ActivationQuantization, values: Tensor) -> _Written:
        """Codes that do not depend on the stimulus: nothing of some operation, and a bias."""
        return self._fixed(name, quantizer.codes(values.double()).cpu().numpy().astype(np.int64), quantizer.grid())

    def _fixed(self, name: str, codes: np.ndarray, grid: Grid) -> _Written:
        assert self._first is not None  # the products with the input come first
        zero = np.zeros((), dtype=np.int64)
        names = (self._first.name,)
        operation = Alignment(self._name(name), self._site.name, names, (zero,), codes.reshape(-1, 1, 1), (0,), 0)
        return self._add(operation, self._first.dims, grid, codes, codes)

    def _missing(self, name: str) -> IntegerError:
        role = name.partition("_")[0]
        cell = self._site.node.cell
        key = declarations(type(cell))[ROLES[role]].key
        return self._site.error(f"{name} holds real values: there is no {key}", f"{key}=LSQ or {key}=FixedPoint")

    # ------------------------------------------------------------------------------------------ weights

    def weights(self, quantizers: Sequence[WeightQuantization | None], gates: Sequence[Tensor]) -> Any:
        pairs = zip(quantizers, gates, strict=True)
        found = [one.codes(gate) for one, gate in pairs if one is not None and one.quantizes]
        if len(found) < len(gates):
            raise self._site.error("its weights are not quantized", "QWeight=LSQ or QWeight=FixedPoint")
        return _Rows(tuple(codes.double() for codes, _ in found), tuple(grid for _, grid in found))

    def product(self, x: Any, rows: Any) -> list[Any]:
        gates = list(zip(rows.codes, rows.grids, strict=True))
        if isinstance(x, _Written):
            return [self._product(x, codes, grid) for codes, grid in gates]
        return [[self._product(one, codes, grid) for one in self.steps(x)] for codes, grid in gates]

    def _product(self, x: _Written, codes: Tensor, grid: Grid) -> _Written:
        weights = codes.cpu().numpy().astype(np.int64)
        places = x.edge.dims.size // x.edge.dims.channels
        least, most = (np.repeat(end, places) for end in (np.minimum(x.edge.low, 0), np.maximum(x.edge.high, 0)))
        low, high = sum_bounds(weights, least, most, self._site.name)
        sums = product_grid(codes, grid.scale, x.grid)
        if np.array_equal(x.edge.low, x.edge.high):  # what stands before the first step needs no weights a second time
            return self._fixed("sum", weights @ x.edge.low, sums)
        operation = FullyConnected(self._name("sum"), self._site.name, (x.edge.name,), weights, grid)
        written = self._add(operation, Dims(1, 1, len(weights)), sums, low, high)
        self._first = self._first or written.edge
        return written

    # ------------------------------------------------------------------------------------------ arithmetic

    def biased(self, x: Any, bias: Tensor) -> Any:
        if isinstance(x, list):
            return [self.biased(one, bias) for one in x]
        return _Written(x.edge, bias.detach().double())

    def plus(self, a: Any, b: Any) -> Any:
        biases = [x.bias for x in (a, b) if x.bias is not None]
        with self._site.refusing():
            form = sum_form([a.grid, b.grid], sum(biases[1:], biases[0]) if biases else None)
        assert form is not None
        return self._through(form, [a, b], "total")

    def times(self, a: Any, b: Any) -> Any:
        forms, grid = ElemWiseLayer.product_form([a.grid, b.grid])
        pairs = zip((a, b), forms, strict=True)
        a, b = (x if form is None else self._through(form, [x], "factor") for x, form in pairs)
        corners = np.stack([left * right for left in (a.edge.low, a.edge.high) for right in (b.edge.low, b.edge.high)])
        operation = Product(self._name("product"), self._site.name, (a.edge.name, b.edge.name))
        return self._add(operation, a.edge.dims, grid, corners.min(axis=0), corners.max(axis=0))

    def complement(self, x: Any) -> Any:
        return self._through(complement_form(x.grid), [x], "complement")

    def _through(self, form: Affine, inputs: Sequence[_Written], name: str) -> _Written:
        if form.biases.dim() == 1:
            form = replace(form, biases=form.biases.view(-1, 1, 1))
        suffix = self._name(name).removeprefix(f"{self._site.name}:")
        return _Written(self._site.align([x.edge for x in inputs], form, suffix))

    # ------------------------------------------------------------------------------------------ sequences

    def before(self, values: Tensor, x: Any) -> Any:
        return values

    def steps(self, x: Any) -> list[Any]:
        if not isinstance(x, _Whole):
            steps: list[Any] = x
            return steps
        if not self._slices:
            self._slices = [self._slice(x.edge, row) for row in range(x.edge.dims.height)]
        return self._slices

    def _slice(self, edge: Edge, row: int) -> _Written:
        if edge.dims.height == 1:
            return _Written(edge)
        columns = np.arange(edge.dims.width)
        operation = Nearest(self._name("step"), self._site.name, (edge.name,), np.array([row]), columns)
        return self._add(operation, edge.dims._replace(height=1), edge.grid, edge.low, edge.high)

    def stacked(self, steps: Sequence[Any]) -> Any:
        return list(steps)

    def flipped(self, x: Any) -> Any:
        return self.steps(x)[::-1]

    def joined(self, sequences: Sequence[Any]) -> Any:
        if len(sequences) == 1:
            return sequences[0]
        return [self._concatenated(steps) for steps in zip(*sequences, strict=True)]

    def _concatenated(self, parts: Sequence[_Written]) -> _Written:
        edges = [part.edge for part in parts]
        low, high = (np.concatenate([getattr(edge, end) for edge in edges]) for end in ("low", "high"))
        operation = Concatenation(self._name("both"), self._site.name, tuple(edge.name for edge in edges))
        return self._add(operation, Dims(1, 1, len(low)), parts[0].grid, low, high)

    # ------------------------------------------------------------------------------------------ writing

    def _name(self, name: str) -> str:
        count = self._counts[name] = self._counts.get(name, -1) + 1
        return f"{self._site.name}:{name}:{count}"

    def _add(self, operation: Operation, dims: Dims, grid: Grid | None, low: np.ndarray, high: np.ndarray) -> _Written:
        return _Written(self._site.add(operation, Edge(operation.name, dims, grid, low, high)))


def _along_time(site: Site, steps: Sequence[Edge]) -> Edge:
    """The outputs of all steps as one map, whose height is the time."""
    channels, count = steps[0].dims.channels, len(steps)
    low, high = (np.concatenate([getattr(edge, end) for edge in steps]) for end in ("low", "high"))
    name = f"{site.name}:steps"
    joined = Concatenation(name, site.name, tuple(edge.name for edge in steps))
    edge = site.add(joined, Edge(name, Dims(1, 1, count * channels), steps[0].grid, low, high))
    name = f"{site.name}:rows"
    low, high = np.full(count, low.min()), np.full(count, high.max())
    shaped = Reshaping(name, site.name, (edge.name,))
    edge = site.add(shaped, Edge(name, Dims(1, channels, count), steps[0].grid, low, high))
    name = f"{site.name}:time"
    low, high = np.full(channels, low[0]), np.full(channels, high[0])
    turned = Transposition(name, site.name, (edge.name,), (0, 2, 1, 3))
    return site.add(turned, Edge(name, site.node.output, steps[0].grid, low, high))


def _prune(site: Site, last: str) -> None:
    """Leave out operations that ``last`` does not need: steps that only the other direction's last output takes."""
    needed = {last}
    for operation in reversed(site.operations):
        if operation.name in needed:
            needed.update(operation.inputs)
    kept = [index for index, operation in enumerate(site.operations) if operation.name in needed]
    kept.sort(key=lambda index: site.operations[index].name == last)  # the output of the cell comes last
    site.operations[:] = [site.operations[index] for index in kept]
    site.edges[:] = [edge for edge in site.edges if edge.name in needed]
    site.edges.sort(key=lambda edge: edge.name == last)
