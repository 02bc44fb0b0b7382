"""ElemWise: sums, products and maxima of the values at the same place of all inputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from n2d2py.cells.elemwise import ElemWise
from n2d2py.graph.network import Node
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.joining import common, spread, united
from n2d2py.layers.passes import fits, summed
from n2d2py.quant.affine import Affine, Term, affine, affine_on, narrowed
from n2d2py.quant.bias import WORD, fold
from n2d2py.quant.grid import Coded, Grid, along_channels, exact_dtype
from n2d2py.quant.layouts import layout_of, widened
from n2d2py.quant.rules import Straight
from n2d2py.quant.scaled import Scaled
from n2d2py.registry import register

_PRODUCT_BITS = 50


@register("layer", "ElemWise")
class ElemWiseLayer(ActivatedLayer):
    """Sums of codes of one scale with whole weights are exact integers; so are maxima of such codes, and products.

    Of several scales, codes become wide codes first; the root of a EuclideanSum is one of real numbers.
    """

    factors: Tensor
    shifts: Tensor

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        cell = node.cell
        assert isinstance(cell, ElemWise)
        self.operation = cell.operation
        self.by_channel = cell.coeff_mode == "PerChannel"
        """Whether ``factors`` and ``shifts`` hold a number for each channel, and not for each input."""
        factors, shifts = (cell.coefficients(field, len(node.inputs)) for field in ("weights", "shifts"))
        self.register_buffer("factors", torch.tensor(factors), persistent=False)
        self.register_buffer("shifts", torch.tensor(shifts), persistent=False)
        self.plain = all(factor == 1.0 for factor in factors) and not any(shifts)
        """Whether all weights are 1 and all shifts 0."""
        whole = all(factor.is_integer() and abs(factor) < 1 << 24 for factor in factors) and not any(shifts)
        self.sums_codes = self.operation in ("Sum", "AbsSum") and whole

    @property
    def keeps_codes(self) -> bool:
        return self.operation == "Max" and self.passes_codes

    def before(self, *inputs: Tensor) -> Tensor:
        values = spread(inputs)
        if self.operation == "Max":
            largest: Tensor = _Largest.apply(*values)
            return largest
        if self.operation == "Prod":
            return reduce(torch.mul, values)
        if self.operation == "AbsSum":
            return self._sum([x.abs() for x in values])
        if self.operation == "Sum":
            return self._sum(values)
        squares = [self._weighted(x, index).square() for index, x in enumerate(values)]
        total = reduce(torch.add, squares)
        shifts = self.shifts.square()
        total = total + (self._along(shifts, total) * len(values) if self.by_channel else shifts.sum())
        root: Tensor = _Root.apply(total)
        return root

    def forward(self, *inputs: Tensor) -> Tensor:
        # Without a compiler, torch's functions are as good in float32, but would keep float32 beside bfloat16.
        half = inputs[0].dtype == torch.bfloat16 and self.quantizer is not None
        if (self.compiled or half) and self.training and self.operation == "Sum" and self.plain and _fit(inputs):
            self._prepare(lambda: reduce(torch.add, map(widened, inputs)))
            ruled = self.ruled(inputs[0].numel())
            if ruled is not None and not isinstance(ruled.rule, Straight):
                compiled = self.compiled and ruled.rule.compiles
                if compiled or half:
                    return summed(list(inputs), ruled, compiled)
        if self.quantizer is not None:
            inputs = tuple(widened(x) for x in inputs)
        # The only input of a sum may be the parent's tensor, and a root is kept for its gradient.
        return self.activate(self.before(*inputs), own=len(inputs) > 1 and self.operation != "EuclideanSum")

    def _sum(self, values: Sequence[Tensor]) -> Tensor:
        if self.plain:
            return reduce(torch.add, values)
        terms = [self._weighted(x, index) for index, x in enumerate(values)]
        total = reduce(torch.add, terms)
        if not bool(self.shifts.any()):
            return total
        return total + (self._along(self.shifts, total) * len(values) if self.by_channel else self.shifts.sum())

    def _weighted(self, x: Tensor, index: int) -> Tensor:
        if self.by_channel:
            return x * self._along(self.factors, x)
        return x * self.factors[index].to(x.dtype)

    def _along(self, numbers: Tensor, x: Tensor) -> Tensor:
        return along_channels(numbers.to(x.dtype), x.dim())

    def forward_codes(self, inputs: Sequence[Tensor], scale: Tensor, high: int) -> Scaled:
        return Scaled(self.activate(self.before(*inputs), own=False), scale, high)

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        grids = [x.grid for x in inputs if x.grid is not None]
        if len(grids) < len(inputs) or self.operation == "EuclideanSum":
            # In float64, so that codes of several scales have one sum whatever computes it.
            wide = self.quantizer is not None and bool(grids)
            return self.activate_coded(Coded(self.before(*(x.exact() if wide else x.real() for x in inputs))))
        coded = [fold(x) for x in inputs]
        if self.operation == "AbsSum":
            coded = [Coded(x.values.abs(), magnitudes(x.grid)) for x in coded if x.grid is not None]
        grids, values = [x.grid for x in coded if x.grid is not None], [x.values for x in coded]
        if self.operation == "Prod":
            shorts, grid = self.product_form(grids)
            factors = [x if form is None else form(x) for x, form in zip(values, shorts, strict=True)]
            product = reduce(torch.mul, spread([x.double() for x in factors]))
            return self.activate_coded(Coded(product.to(exact_dtype(grid.magnitude)), grid))
        if self.operation == "Max":
            same = common(coded)
            assert same is not None
            return self.activate_coded(Coded(self.before(*(x.values for x in same)), united(same)))
        total = self.sum_form(grids).coded(*spread(values))
        if self.quantizer is not None and self.quantizer.record.integer_bias and not self.quantizer.ready:
            # The step that this batch decides decides the form of the sum.
            self.quantizer.prepare(self.step(total.grid).real(total.values, axis=1))
            total = self.sum_form(grids).coded(*spread(values))
        return self.activate_coded(total)

    def sum_form(self, grids: Sequence[Grid]) -> Affine:
        """The integers of a sum: the weights themselves on codes of one scale, else wide codes.

        With an integer bias they are in parts of the quantizer's step, where the inputs have few codes.
        """
        shape = (-1, *(1 for _ in self.node.output.shape[1:])) if self.by_channel else ()
        if self.sums_codes and len({grid.scale for grid in grids}) == 1:
            grid = self._grid_of_sum(grids)
            if grid.magnitude < WORD:
                factors = self.factors.long().cpu()
                own = [factors.view(shape) if self.by_channel else factors[index] for index in range(len(grids))]
                return Affine(tuple(own), torch.zeros((), dtype=torch.int64), (0,) * len(grids), 0, grid)
        factors, shifts = self.factors.double().cpu(), self.shifts.double().cpu()
        if self.by_channel:
            terms = [Term((factors * grid.scale).view(shape), grid) for grid in grids]
            constant = (shifts * len(grids)).view(shape)
        else:
            terms = [Term(factors[index] * grid.scale, grid) for index, grid in enumerate(grids)]
            constant = shifts.sum()
        if self.quantizer is not None and self.takes_integer_bias:
            short = affine_on(terms, constant, self.quantizer.grid().scale)
            if short is not None:
                return short
        return affine(terms, constant)

    @staticmethod
    def product_form(grids: Sequence[Grid]) -> tuple[list[Affine | None], Grid]:
        """What shortens each factor so that the product is exact, and the grid of the product."""
        bits = sum(grid.magnitude.bit_length() for grid in grids)
        shorts = [narrowed(grid, _PRODUCT_BITS // len(grids)) if bits > _PRODUCT_BITS else None for grid in grids]
        taken = [grid if short is None else short.grid for grid, short in zip(grids, shorts, strict=True)]
        ends, scale = (1, 1), 1.0
        for grid in taken:
            corners = [end * code for end in ends for code in (grid.low, grid.high)]
            ends, scale = (min(corners), max(corners)), scale * grid.scale
        return shorts, Grid(scale, *ends)

    def _grid_of_sum(self, grids: Sequence[Grid]) -> Grid:
        """All codes that a sum may have; their common step where the weights are all 1."""
        ends = [self._ends(grid, index) for index, grid in enumerate(grids)]
        low, high = sum(min(pair) for pair in ends), sum(max(pair) for pair in ends)
        even = len({grid.step for grid in grids}) == 1 and not any(grid.uneven for grid in grids)
        step = grids[0].step if self.plain and even else 1
        return Grid(grids[0].scale, low, high, step)

    def _ends(self, grid: Grid, index: int) -> list[int]:
        factors = self.factors if self.by_channel else self.factors[index : index + 1]
        return [int(factor) * code for factor in factors.tolist() for code in (grid.low, grid.high)]


def _fit(inputs: Sequence[Tensor]) -> bool:
    first = inputs[0]
    alike = all(x.shape == first.shape and x.dtype == first.dtype and layout_of(x) is layout_of(first) for x in inputs)
    return len(inputs) > 1 and alike and all(fits(x) for x in inputs)


def magnitudes(grid: Grid) -> Grid:
    """The grid of |code|."""
    low = 0 if grid.low <= 0 <= grid.high else min(abs(grid.low), abs(grid.high))
    return Grid(grid.scale, low, grid.magnitude)


class _Largest(torch.autograd.Function):
    """The maximum of tensors of one shape; of equal values the first input has the gradient."""

    @staticmethod
    def forward(ctx: Any, *values: Tensor) -> Tensor:
        largest, index = torch.stack(values).max(0)
        ctx.count = len(values)
        ctx.save_for_backward(index)
        return largest

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        (index,) = ctx.saved_tensors
        zero = gradient.new_zeros(())
        return tuple(torch.where(index == place, gradient, zero) for place in range(ctx.count))


class _Root(torch.autograd.Function):
    """sqrt(x), whose gradient at 0 is 0 and not infinite."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        root = x.sqrt()
        ctx.save_for_backward(root)
        return root

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (root,) = ctx.saved_tensors
        return torch.where(root > 0, gradient / (2 * root), 0.0)
