"""Sequences on codes: what the words of :mod:`~n2d2py.layers.sequences` mean in evaluation.

Codes are integers in float64, beside their grid. A product of codes is a product of integers, a sum of several
scales is the integer form of :mod:`~n2d2py.quant.affine`, a quantizer is a step function of an integer
(:mod:`~n2d2py.layers.step`), and a function of codes is a table. So the output is a function of integers, the
same in every batch, and the integer network is built of the same forms. What is not quantized is real: float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.layers.activated import STEP_BITS
from n2d2py.layers.elemwise import ElemWiseLayer
from n2d2py.layers.sequences import Arithmetic, Function, Rows, Value
from n2d2py.layers.step import Step
from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.affine import Affine, Term, affine, narrowed
from n2d2py.quant.grid import Grid
from n2d2py.quant.weights import WeightQuantization

TABLE_BITS = 20
"""Codes of more bits have no table of a function."""

_EXACT = 1 << 53


def product_grid(weights: Tensor, scale: float, x: Grid) -> Grid:
    """The grid of the sums of codes ``weights`` (outputs, inputs) of ``scale`` times codes of ``x``."""
    most = int(weights.abs().sum(1).max()) * x.magnitude
    return Grid(scale * x.scale, -most, most)


def sum_form(grids: Sequence[Grid], bias: Tensor | None) -> Affine | None:
    """The integer form of the sum of codes of ``grids`` and of ``bias`` (channels); None where nothing is added."""
    one, zero = torch.ones((), dtype=torch.int64), torch.zeros((), dtype=torch.int64)
    if bias is None and len({grid.scale for grid in grids}) == 1:
        if len(grids) == 1:
            return None
        grid = Grid(grids[0].scale, sum(grid.low for grid in grids), sum(grid.high for grid in grids))
        return Affine((one,) * len(grids), zero, (0,) * len(grids), 0, grid)
    return affine([Term(torch.tensor(grid.scale).double(), grid) for grid in grids], bias)


def complement_form(grid: Grid) -> Affine:
    """The integer form of 1 - x."""
    return affine([Term(torch.tensor(-grid.scale).double(), grid)], torch.ones(()).double())


def response(quantizer: ActivationQuantization, function: Function, grid: Grid) -> Tensor | None:
    """The codes that come of the codes low, low + 1, .. high of ``grid`` (float64); None for too many of them."""
    if (grid.high - grid.low) >> TABLE_BITS:
        return None
    every = torch.arange(grid.low, grid.high + 1, dtype=torch.float64)
    return quantizer.codes(function(every * grid.scale))


def step(quantizer: ActivationQuantization, grid: Grid) -> Step:
    """The step function of a quantizer on codes of ``grid``."""
    return Step(grid.scale, quantizer)


def shortening(grid: Grid) -> Affine | None:
    """What codes of ``grid`` go through before a step function."""
    return narrowed(grid, STEP_BITS)


class Exact(Arithmetic):
    """Codes; ``found`` has those that each quantizer gave, call by call."""

    def __init__(self) -> None:
        self.found: dict[str, list[Tensor]] = {}
        self._grids: dict[str, Grid] = {}
        self._tables: dict[tuple[str, Grid], Tensor | None] = {}

    def take(self, name: str, quantizer: ActivationQuantization | None, x: Any) -> Any:
        if quantizer is None:
            return Value(x.real())
        return self._kept(name, quantizer, self._step(quantizer, x))

    def _step(self, quantizer: ActivationQuantization, x: Value) -> Tensor:
        if x.grid is None:
            return quantizer.codes(x.values)
        if (form := sum_form([x.grid], x.bias)) is not None:
            x = _through(form, x)
        assert x.grid is not None
        if (short := shortening(x.grid)) is not None:
            return step(quantizer, short.grid)(_through(short, x).values)
        return step(quantizer, x.grid)(x.values)

    def _kept(self, name: str, quantizer: ActivationQuantization, codes: Tensor) -> Value:
        self.found.setdefault(name, []).append(codes)
        if name not in self._grids:
            self._grids[name] = quantizer.grid()
        return Value(codes, self._grids[name])

    def function(
        self, name: str, quantizer: ActivationQuantization | None, function: Function, inputs: Sequence[Any]
    ) -> list[Any]:
        tables = [self._table(name, quantizer, function, x) for x in inputs]
        if quantizer is None or any(table is None for table in tables):
            return super().function(name, quantizer, function, inputs)
        pairs = zip(tables, inputs, strict=True)
        codes = [table[(x.values - x.grid.low).long()] for table, x in pairs if table is not None]
        together = self._kept(name, quantizer, torch.cat(codes, -1))
        return [Value(part, together.grid) for part in together.values.chunk(len(inputs), -1)]

    def _table(
        self, name: str, quantizer: ActivationQuantization | None, function: Function, x: Value
    ) -> Tensor | None:
        if quantizer is None or x.grid is None or x.bias is not None:
            return None
        key = (name, x.grid)
        if key not in self._tables:
            found = response(quantizer, function, x.grid)
            self._tables[key] = None if found is None else found.to(x.values.device)
        return self._tables[key]

    def weights(self, quantizers: Sequence[WeightQuantization | None], gates: Sequence[Tensor]) -> Rows:
        found, grids = [], []
        for quantizer, one in zip(quantizers, gates, strict=True):
            if quantizer is None or not quantizer.quantizes:
                rows: Rows = super().weights(quantizers, gates)
                return Rows(rows.values.double(), rows.count)
            codes, grid = quantizer.codes(one)
            found.append(codes.double())
            grids.append(grid)
        return Rows(torch.cat(found), len(gates), tuple(grids))

    def product(self, x: Any, rows: Any) -> list[Any]:
        if x.grid is None or not rows.grids:
            return super().product(x, rows)
        parts = zip(rows.values.chunk(rows.count), rows.grids, strict=True)
        grids = [product_grid(part, grid.scale, x.grid) for part, grid in parts]
        if max(grid.magnitude for grid in grids) >= _EXACT:
            return super().product(x, rows)
        sums = functional.linear(x.values, rows.values).chunk(rows.count, -1)
        return [Value(one, grid) for one, grid in zip(sums, grids, strict=True)]

    def biased(self, x: Any, bias: Tensor) -> Any:
        return Value(x.values + bias.double()) if x.grid is None else Value(x.values, x.grid, bias.double())

    def plus(self, a: Any, b: Any) -> Any:
        if a.grid is None or b.grid is None:
            return super().plus(a, b)
        biases = [x.bias for x in (a, b) if x.bias is not None]
        form = sum_form([a.grid, b.grid], sum(biases[1:], biases[0]) if biases else None)
        assert form is not None
        return Value(form(a.values, b.values).double(), form.grid)

    def times(self, a: Any, b: Any) -> Any:
        if a.grid is None or b.grid is None:
            return super().times(a, b)
        forms, grid = ElemWiseLayer.product_form([a.grid, b.grid])
        a, b = (x if form is None else _through(form, x) for x, form in zip((a, b), forms, strict=True))
        return Value(a.values * b.values, grid)

    def complement(self, x: Any) -> Any:
        return super().complement(x) if x.grid is None else _through(complement_form(x.grid), x)

    def before(self, values: Tensor, x: Any) -> Any:
        return super().before(values.double(), x)


def _through(form: Affine, x: Value) -> Value:
    return Value(form(x.values).double(), form.grid)
