"""What a quantizer, the weights and a sum are in the learning of sequences: reals with gradients.

The equations of a cell are written once (``RecurrentLayer.steps``), in the words of :class:`Site`. The same words are
said on codes by :mod:`~n2d2py.layers.sequence_codes`, and written down as operations on integers by
:mod:`n2d2py.integer.lowering.recurrent`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.grid import Grid
from n2d2py.quant.weights import WeightQuantization

Function = Callable[[Tensor], Tensor]
"""A function of single values: the logistic one, or tanh."""


@dataclass(frozen=True)
class Value:
    """Codes if there is a grid, else reals; ``bias`` (float64, channels) is a real that codes still have to get.

    A step is (batch, channels), a sequence (time, batch, channels).
    """

    values: Tensor
    grid: Grid | None = None
    bias: Tensor | None = None

    def real(self) -> Tensor:
        """code * scale + bias."""
        values = self.values if self.grid is None else self.values * self.grid.scale
        return values if self.bias is None else values + self.bias


@dataclass(frozen=True)
class Rows:
    """Weights of all gates, one below the other (gates x outputs, inputs): codes if there are ``grids``, one a gate."""

    values: Tensor
    count: int
    grids: tuple[Grid, ...] = ()

    def columns(self, begin: int, end: int | None) -> Rows:
        """Those of some of the inputs."""
        return Rows(self.values[:, begin:end], self.count, self.grids)

    def real(self) -> Tensor:
        """code * scale."""
        if not self.grids:
            return self.values
        parts = zip(self.values.chunk(self.count), self.grids, strict=True)
        return torch.cat([part * grid.scale for part, grid in parts])


class Arithmetic:
    """Learning. What is called Any here is a :class:`Value` of reals, and something else in another arithmetic."""

    def take(self, name: str, quantizer: ActivationQuantization | None, x: Any) -> Any:
        """``x`` through the quantizer called ``name``."""
        return x if quantizer is None else Value(quantizer(x.values))

    def function(
        self, name: str, quantizer: ActivationQuantization | None, function: Function, inputs: Sequence[Any]
    ) -> list[Any]:
        """A function of each of the inputs, through one quantizer."""
        together = self.take(name, quantizer, Value(function(torch.cat([x.real() for x in inputs], -1))))
        return [Value(part, together.grid) for part in together.values.chunk(len(inputs), -1)]

    def weights(self, quantizers: Sequence[WeightQuantization | None], gates: Sequence[Tensor]) -> Any:
        """The weights of all gates, each through its quantizer."""
        found = [one if quantizer is None else quantizer(one) for quantizer, one in zip(quantizers, gates, strict=True)]
        return Rows(torch.cat(found), len(gates))

    def product(self, x: Any, rows: Any) -> list[Any]:
        """W x of each gate, of a step or of a sequence."""
        return [Value(one) for one in functional.linear(x.real(), rows.real()).chunk(rows.count, -1)]

    def biased(self, x: Any, bias: Tensor) -> Any:
        """x + bias."""
        return Value(x.values + bias)

    def plus(self, a: Any, b: Any) -> Any:
        """a + b."""
        return Value(a.real() + b.real())

    def times(self, a: Any, b: Any) -> Any:
        """a * b, place by place."""
        return Value(a.real() * b.real())

    def complement(self, x: Any) -> Any:
        """1 - x."""
        return Value(1 - x.real())

    def before(self, values: Tensor, x: Any) -> Any:
        """``values`` (channels) before the first step, for each stimulus of the sequence ``x``."""
        return Value(values.expand(x.values.shape[1], -1))

    def steps(self, x: Any) -> list[Any]:
        """The steps of a sequence."""
        return [Value(step, x.grid, x.bias) for step in x.values]

    def stacked(self, steps: Sequence[Any]) -> Any:
        """The sequence of steps."""
        return Value(torch.stack([step.values for step in steps]), steps[0].grid)

    def flipped(self, x: Any) -> Any:
        """A sequence from its last step to its first one."""
        return Value(x.values.flip(0), x.grid)

    def joined(self, sequences: Sequence[Any]) -> Any:
        """Sequences of one grid side by side, along the channels."""
        return Value(torch.cat([x.values for x in sequences], -1), sequences[0].grid)


class Collecting(Arithmetic):
    """Reals; ``found`` has what each quantizer would get."""

    def __init__(self) -> None:
        self.found: dict[str, list[Tensor]] = {}

    def take(self, name: str, quantizer: ActivationQuantization | None, x: Any) -> Any:
        if quantizer is not None:
            self.found.setdefault(name, []).append(x.values)
        return x


class Site:
    """A direction of a layer: its quantizers by role, and the weights of what it gave in the step before.

    ``begin`` is what comes before the first step, in the order of the layer's ``initial``.
    """

    def __init__(
        self,
        numbers: Arithmetic,
        quantizers: Mapping[str, ActivationQuantization],
        layer: int,
        called: str,
        rows: Any,
        biases: Sequence[Tensor] | None,
        begin: Sequence[Any],
    ) -> None:
        self._numbers, self._quantizers = numbers, quantizers
        self._place = f"{layer}{called}"
        self._layer = layer
        self._rows, self._biases = rows, biases
        self.begin = begin
        self.plus, self.times, self.complement = numbers.plus, numbers.times, numbers.complement

    def take(self, role: str, x: Any, gate: str = "") -> Any:
        """``x`` through the quantizer of a role; the output's is that of both directions."""
        name = self._name(role, gate)
        return self._numbers.take(name, self._quantizers.get(name), x)

    def logistic(self, *inputs: Any) -> list[Any]:
        """1 / (1 + exp(-x)) of each of the inputs, quantized."""
        name = self._name("sigmoid")
        return self._numbers.function(name, self._quantizers.get(name), torch.sigmoid, inputs)

    def tanh(self, x: Any) -> Any:
        """tanh(x), quantized."""
        name = self._name("tanh")
        return self._numbers.function(name, self._quantizers.get(name), torch.tanh, [x])[0]

    def recur(self, h: Any) -> list[Any]:
        """The products of each gate's recurrent weights with h, and the biases that belong to them."""
        products = self._numbers.product(h, self._rows)
        if self._biases is None:
            return products
        return [self._numbers.biased(one, bias) for one, bias in zip(products, self._biases, strict=True)]

    def _name(self, role: str, gate: str = "") -> str:
        if role == "output":
            return f"output_{self._layer}"
        return f"{role}{gate and '_'}{gate}_{self._place}"
