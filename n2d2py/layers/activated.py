"""Layers that end in an activation function and perhaps in a quantizer."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from n2d2py.cells.base import ActivatedCell
from n2d2py.graph.network import Node
from n2d2py.layers import functions
from n2d2py.layers.base import Layer, Learned, Stored
from n2d2py.layers.pieces import pieces
from n2d2py.layers.step import Step
from n2d2py.parts import activations as records
from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.activations import make as make_quantizer
from n2d2py.quant.affine import Affine, narrowed
from n2d2py.quant.bias import fold
from n2d2py.quant.grid import Coded, Grid, exact_dtype
from n2d2py.quant.rules import CodeRule, Rectified, Ruled, Straight
from n2d2py.quant.scaled import Scaled

_MONOTONE = (records.Linear, records.Saturation, records.Clamp, records.HardSigmoid)

STEP_BITS = 30
"""Accumulators of more bits are shortened before a quantizer: a multiplier of 31 bits then serves them exactly."""


class ActivatedLayer(Layer):
    """What comes after the sum, the normalisation or the window of a cell."""

    quantizer: ActivationQuantization | None

    compiled: bool = False
    """Whether learning takes passes that torch.compile made; the network sets it."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        cell = node.cell
        assert isinstance(cell, ActivatedCell)
        self.activation = cell.activation
        self.function = functions.make(cell.activation)
        record = cell.activation_quantizer
        self.quantizer = None if record is None else make_quantizer(record)

    @property
    def quantized(self) -> bool:
        return self.quantizer is not None

    @property
    def loss_form(self) -> str:
        with_loss = isinstance(self.activation, records.LogisticWithLoss) and self.quantizer is None
        return "logistic" if with_loss else "square"

    @property
    def splits(self) -> bool:
        """Whether learning takes codes from its quantizer."""
        return self.quantizer is not None and self.gives_codes

    @property
    def passes_codes(self) -> bool:
        """Whether codes 0, 1, .. stay codes in what comes after the sum or the window."""
        return self.quantizer is None and (self.function is None or functions.is_rectifier(self.activation))

    def before(self, *inputs: Tensor) -> Tensor:
        """What the activation function takes, for learning."""
        raise NotImplementedError

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.activate(self.before(*inputs))

    def forward_reals(self, *inputs: Tensor) -> Scaled:
        return self.activate_scaled(self.before(*inputs)) if self.splits else super().forward_reals(*inputs)

    def activate(self, x: Tensor, own: bool = True) -> Tensor:
        """Function, then quantizer, for learning; ``own``: x is a new tensor that may be written into."""
        if self.training and self.gives_logits:
            return x
        if self.function is not None:
            x = self.function(x, own)
        return x if self.quantizer is None else self.quantizer(x)

    def ruled(self, count: int) -> Ruled | None:
        """What comes after the sum or the normalisation of ``count`` values, as a rule of learning.

        None if it is no such rule, or if the first batch must still decide something.
        """
        straight = self.function is None
        if self.gives_logits or not (straight or functions.is_rectifier(self.activation)):
            return None
        if self.quantizer is None:
            return Ruled(Straight() if straight else Rectified())
        ruled = self.quantizer.ruled(count) if self.quantizer.ready else None
        # What codes from 0 on give below 0, value and gradients, is what they give at 0: a rectifier changes nothing.
        serves = ruled is not None and (straight or (isinstance(ruled.rule, CodeRule) and ruled.rule.low == 0))
        return ruled if serves else None

    @torch.no_grad()
    def _prepare(self, before: Callable[[], Tensor]) -> None:
        """Let the quantizer take from the first batch what it must, as it does where it gets the values themselves.

        ``before`` gives a new tensor of what the activation function takes, and is called only if that is needed.
        """
        if self.quantizer is None or self.quantizer.ready:
            return
        values = before()
        self.quantizer.prepare(values if self.function is None else self.function(values, True))

    def activate_scaled(self, x: Tensor) -> Scaled:
        """As :meth:`activate`, real x; codes come out where they are learned from."""
        if self.quantizer is None or not self.splits:
            return Scaled(self.activate(x, own=False))
        return self.quantizer.split(x if self.function is None else self.function(x, False))

    def step(self, grid: Grid | None, offset: Tensor | None = None) -> Step:
        """The step function on accumulators of ``grid`` (None: on real values), ``offset`` being their bias.

        ``grid`` and ``offset`` (float64, channels, or None) are those of the value that enters this step: the
        output of the parent for a BatchNorm, Pool or Activation, the own accumulators for a Conv or Fc (see
        :meth:`~n2d2py.layers.weighted.WeightedLayer.accumulator_grid`). Raises ValueError without a quantizer.
        """
        if self.quantizer is None:
            raise ValueError(f"{self.node.name} has no activation quantizer")
        whole = grid is not None and self.takes_integer_bias
        function = self.function
        if whole and self.activation is not None:
            function = functions.make(self.activation.in_units(self.quantizer.grid().scale))
        return Step(
            scale=1.0 if grid is None else grid.scale,
            quantizer=self.quantizer,
            offset=offset,
            function=function,
            monotone=self.activation is None or self._is_monotone(self.activation),
            integer_bias=whole,
        )

    @property
    def takes_integer_bias(self) -> bool:
        """Whether the bias before the quantizer is an integer, once all is known that the first batch decides."""
        return self.quantizer is not None and self.quantizer.record.integer_bias and self.quantizer.ready

    @staticmethod
    def _is_monotone(record: records.Activation) -> bool:
        if isinstance(record, records.Rectifier):
            return record.leak_slope >= 0.0
        return isinstance(record, _MONOTONE)

    def activate_coded(self, before: Coded) -> Coded:
        """Function, then quantizer, for evaluation; codes stay codes where that is exact."""
        if self.quantizer is not None:
            if before.grid is not None and (short := self.shortening(before.grid)) is not None:
                before = Coded(short(before.values), short.grid, before.offset)
            step = self.step(before.grid, before.offset)
            if not self.quantizer.ready:
                self.quantizer.prepare(step.real(before.values, axis=1))
                step = self.step(before.grid, before.offset)
            grid = self.quantizer.grid()
            codes = step(before.values, axis=1)
            return Coded(codes.to(exact_dtype(grid.magnitude)), grid)
        if self.function is None:
            return before
        if before.grid is None:
            return Coded(self.function(before.values, False).float())
        before = fold(before)
        assert before.grid is not None
        integer = pieces(self.activation, before.grid)
        if integer is None:
            return Coded(self.function(before.exact(), False).float())
        return integer(before.values)

    @staticmethod
    def shortening(grid: Grid) -> Affine | None:
        """What accumulators of ``grid`` go through before the step function; None if they are short enough."""
        return narrowed(grid, STEP_BITS)

    def fill(self, generator: torch.Generator) -> None:
        if self.quantizer is not None:
            self.quantizer.fill()

    def learned(self) -> list[Learned]:
        if self.quantizer is None:
            return []
        assert isinstance(self.node.cell, ActivatedCell)
        solver = self.node.cell.activation_quantizer_solver
        return [Learned(name, tensor, solver) for name, tensor in self.quantizer.learned()]

    def stored(self) -> list[Stored]:
        return [] if self.quantizer is None else [Stored(name, tensor) for name, tensor in self.quantizer.stored()]
