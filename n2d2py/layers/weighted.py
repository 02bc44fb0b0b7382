"""Layers with weights: Conv and Fc share how weights are quantized, masked, filled and evaluated on codes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from n2d2py.cells.base import Layout, WeightedCell
from n2d2py.graph.network import Node
from n2d2py.layers import tf32
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.base import Learned, Stored
from n2d2py.layers.fillers import fill
from n2d2py.layers.once import Once
from n2d2py.quant.affine import Affine, narrowed
from n2d2py.quant.bias import fold
from n2d2py.quant.grid import Coded, Grid, along_channels, product_dtype
from n2d2py.quant.scaled import Scaled
from n2d2py.quant.weights import make as make_quantizer

_MOST_SUM_BITS = 50
"""Sums of products of codes have at most these bits: inputs of too many bits are shortened."""
_MOST_EXACT = (1 << 53) - 1
"""Learning takes float64 for larger sums too, although their last bits are then rounded."""


class WeightedLayer(ActivatedLayer):
    """y = f(product(x, w) + b), w fake-quantized in learning and integer codes in evaluation.

    ``weights`` (outputs, channels of a group, ...) and ``biases`` (outputs, or None) are full precision.
    ``mask`` (same shape as the weights, bool) says which connections exist; None: all.
    """

    mask: Tensor | None

    def __init__(self, node: Node, shape: Sequence[int], mask: Tensor | None = None) -> None:
        super().__init__(node)
        cell = node.cell
        assert isinstance(cell, WeightedCell)
        self.cell: WeightedCell = cell
        self.weights = nn.Parameter(torch.zeros(*shape))
        self.biases = None if cell.no_bias else nn.Parameter(torch.zeros(shape[0]))
        self.register_buffer("mask", mask, persistent=False)
        record = cell.weights_quantizer
        self.weights_quantizer = None if record is None else make_quantizer(record, shape)
        self.folds_bias = True
        """Whether the bias becomes part of the accumulators' codes: False if every child takes a real offset."""
        self.once: Once | None = None
        """Where cells that share weights and their quantizer keep what it gave in the present pass."""

    @property
    def quantizes(self) -> bool:
        """Whether the weights have integer codes."""
        return self.weights_quantizer is not None and self.weights_quantizer.quantizes

    @property
    def quantized(self) -> bool:
        return self.quantizes or super().quantized

    # ------------------------------------------------------------------------------------------ what a type gives

    def join(self, inputs: Sequence[Tensor]) -> Tensor:
        """All inputs as the one tensor that :meth:`product` takes."""
        raise NotImplementedError

    def join_codes(self, inputs: Sequence[Coded]) -> Coded:
        """As :meth:`join`, on codes if the inputs share a scale."""
        raise NotImplementedError

    def product(self, x: Tensor, weights: Tensor, biases: Tensor | None) -> Tensor:
        """The linear map, (batch, outputs, height, width)."""
        raise NotImplementedError

    def layout(self) -> Layout:
        """The order of the values in the files of weights."""
        return self.cell.layout

    def parts(self) -> list[Tensor]:
        """The weights of each parent, views that are filled each with its own fan."""
        return [self.weights]

    def full_weights(self) -> Tensor:
        """The full-precision weights as they enter the quantizer; absent connections are 0."""
        return self.weights

    # ------------------------------------------------------------------------------------------ learning

    @property
    def takes_codes(self) -> bool:
        return self.weights_quantizer is not None and self.weights_quantizer.separate

    def before(self, *inputs: Tensor) -> Tensor:
        x = self.join(inputs)
        return self.sums(x if self.cell.back_propagate else x.detach())

    def forward_codes(self, inputs: Sequence[Tensor], scale: Tensor, high: int) -> Scaled:
        x = self.join(inputs)
        return self.activate_scaled(self.sums_of_codes(x if self.cell.back_propagate else x.detach(), scale, high))

    def sums(self, x: Tensor) -> Tensor:
        """product(x, w) + b, in learning with the gradient of the quantizer."""
        quantizer = self.weights_quantizer
        if quantizer is None:
            return self.product(x, self.connected(self.full_weights()), self.biases)
        if not quantizer.separate:
            weights: Tensor = self._once_a_pass(lambda: quantizer(self.full_weights()))
            return self.product(x, self.connected(weights), self.biases)
        codes, scale = self._split_weights()
        result = self.product(x, self.connected(codes), None).mul_(scale)
        return result if self.biases is None else result.add_(along_channels(self.biases, result.dim()))

    def sums_of_codes(self, x: Tensor, scale: Tensor, high: int) -> Tensor:
        """As :meth:`sums`, x being codes 0 .. high: exact integers times the scales of the weights and of x, + b."""
        codes, weights_scale = self._split_weights()
        codes = self.connected(codes)
        largest = float(codes.detach().abs().flatten(1).sum(1).max()) * high
        # In this order of the arguments, NaN counts as the most too: it goes on to where learning looks for it.
        dtype = torch.promote_types(product_dtype(int(min(_MOST_EXACT, largest))), x.dtype)
        with exact_products():
            result = self.product(x.to(dtype), codes.to(dtype), None).to(x.dtype)
        result = result.mul_(weights_scale * scale)
        return result if self.biases is None else result.add_(along_channels(self.biases, result.dim()))

    def _split_weights(self) -> tuple[Tensor, Tensor]:
        """Codes of the weights and their scale, for learning."""
        quantizer = self.weights_quantizer
        assert quantizer is not None
        found: tuple[Tensor, Tensor] = self._once_a_pass(lambda: quantizer.split(self.full_weights()))
        return found

    def _once_a_pass(self, compute: Callable[[], Any]) -> Any:
        return compute() if self.once is None else self.once.get(compute)

    def connected(self, weights: Tensor) -> Tensor:
        """``weights`` with 0 where there is no connection; a grid without a zero level is masked after it."""
        return weights if self.mask is None else weights * self.mask

    # ------------------------------------------------------------------------------------------ evaluation on codes

    def weight_codes(self) -> tuple[Tensor, Grid]:
        """Integer codes of the weights (float32, shape of the weights), 0 where there is no connection; their grid.

        Raises ValueError if the weights are not quantized.
        """
        if self.weights_quantizer is None:
            raise ValueError(f"{self.node.name} has no weight quantizer")
        with torch.no_grad():
            codes, grid = self.weights_quantizer.codes(self.full_weights())
            return self.connected(codes), grid

    def offset(self) -> Tensor | None:
        """The biases as float64 (outputs), or None."""
        return None if self.biases is None else self.biases.detach().double()

    @torch.no_grad()
    def accumulator_bounds(self, codes: Tensor, inputs: Grid) -> tuple[Tensor, Tensor]:
        """Smallest and largest accumulator of each output, float64 (outputs), without bias.

        Zero counts as an input (padding), so that every partial sum lies between them too.
        """
        flat = codes.double().flatten(1)
        low, high = float(min(inputs.low, 0)), float(max(inputs.high, 0))
        positive, negative = flat.clamp(min=0).sum(1), flat.clamp(max=0).sum(1)
        return positive * low + negative * high, positive * high + negative * low

    def accumulator_grid(self, codes: Tensor, weights: Grid, inputs: Grid) -> Grid:
        """The grid of the accumulators. Raises OverflowError if they pass 2^53."""
        low, high = self.accumulator_bounds(codes, inputs)
        lowest, highest = float(low.min()), float(high.max())
        if max(-lowest, highest) >= 1 << 53:
            raise OverflowError(f"{self.node.name}: accumulators from {lowest:g} to {highest:g} pass 2^53")
        return Grid(weights.scale * inputs.scale, int(lowest), int(highest))

    def input_shortening(self, codes: Tensor, inputs: Grid) -> Affine | None:
        """What inputs on a grid go through whose sums float64 would not hold; None for all others."""
        low, high = self.accumulator_bounds(codes, inputs)
        widest = max(-float(low.min()), float(high.max()))
        excess = math.frexp(widest)[1] - _MOST_SUM_BITS
        return narrowed(inputs, inputs.magnitude.bit_length() - excess) if excess > 0 else None

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        joined = self.join_codes(inputs)
        if joined.grid is None or not self.quantizes:
            return self.activate_coded(Coded(self.sums(joined.real())))
        joined = fold(joined)
        assert joined.grid is not None
        codes, weights = self.weight_codes()
        if (short := self.input_shortening(codes, joined.grid)) is not None:
            joined = short.coded(joined.values)
        assert joined.grid is not None
        grid = self.accumulator_grid(codes, weights, joined.grid)
        dtype = product_dtype(grid.magnitude)
        with exact_products():
            accumulators = self.product(joined.values.to(dtype), codes.to(dtype), None)
        sums = Coded(accumulators, grid, self.offset())
        if self.quantizer is None and self.function is None:
            return fold(sums) if self.folds_bias else sums
        return self.activate_coded(sums)

    # ------------------------------------------------------------------------------------------ parameters

    @property
    def advances(self) -> bool:
        """Whether its weight quantizer changes with the progress of learning (:meth:`advance`)."""
        return self.weights_quantizer is not None and self.weights_quantizer.advances

    def advance(self, stimuli: int, log_period: int) -> None:
        """Learning has seen so many stimuli, and logs every ``log_period`` of them."""
        if self.weights_quantizer is not None:
            self.weights_quantizer.advance(self.full_weights(), stimuli, log_period)

    @torch.no_grad()
    def fill(self, generator: torch.Generator) -> None:
        for part in self.parts():
            fill(self.cell.weights_filler, part, generator)
        if self.mask is not None:
            self.weights.mul_(self.mask)
        if self.biases is not None:
            fill(self.cell.bias_filler, self.biases, generator)
        if self.weights_quantizer is not None:
            self.weights_quantizer.fill()
        super().fill(generator)

    def learned(self) -> list[Learned]:
        learned = [Learned("weights", self.weights, self.cell.weights_solver)]
        if self.biases is not None:
            learned.append(Learned("biases", self.biases, self.cell.bias_solver))
        if self.weights_quantizer is not None:
            solver = self.cell.weights_quantizer_solver
            learned += [Learned(name, tensor, solver) for name, tensor in self.weights_quantizer.learned()]
        return learned + super().learned()

    def stored(self) -> list[Stored]:
        stored = [Stored("weights", self.weights, self.mask, self.layout())]
        if self.biases is not None:
            stored.append(Stored("biases", self.biases, layout=Layout(order=self.layout().order)))
        if self.weights_quantizer is not None:
            stored += [self._of_quantizer(name, tensor) for name, tensor in self.weights_quantizer.stored()]
        return stored + super().stored()

    def _of_quantizer(self, name: str, tensor: Tensor) -> Stored:
        """A tensor with a value for each weight stands in its file in the order of the weights."""
        if tensor.shape == self.weights.shape:
            return Stored(name, tensor, self.mask, self.layout())
        return Stored(name, tensor)


@contextmanager
def exact_products() -> Iterator[None]:
    """Every bit of the factors counts: no TF32, and no algorithm that computes a convolution with fractions.

    Those are Winograd's and the Fourier transform, which cuDNN and NNPACK may choose.
    """
    before = tf32.allowed()
    tf32.allow(False, before[1])
    try:
        with torch.backends.cudnn.flags(enabled=False), torch.backends.nnpack.flags(enabled=False):
            yield
    finally:
        tf32.allow(*before)
