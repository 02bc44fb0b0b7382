"""What a quantizer, the weights and a product are, in the learning and in the evaluation of sequences.

In learning values are float32 reals with gradients. In evaluation they are codes beside their grid, in float64: a
product of codes with codes is an exact integer, everything else is a function of single values, and each operation is
rounded once, so that a code does not depend on the batch that it came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.grid import Grid
from n2d2py.quant.weights import WeightQuantization

_EXACT = 1 << 53


@dataclass(frozen=True)
class Value:
    """Codes if there is a grid, else reals."""

    values: Tensor
    grid: Grid | None = None

    def real(self) -> Tensor:
        """code * scale."""
        return self.values if self.grid is None else self.values * self.grid.scale

    def flipped(self) -> Value:
        """From the last step to the first."""
        return Value(self.values.flip(0), self.grid)


@dataclass(frozen=True)
class Rows:
    """Weights (outputs, inputs): codes if there are ``scales`` (outputs), else reals."""

    values: Tensor
    scales: Tensor | None = None

    def columns(self, begin: int, end: int | None) -> Rows:
        """Those of some of the inputs."""
        return Rows(self.values[:, begin:end], self.scales)

    def real(self) -> Tensor:
        """code * scale."""
        return self.values if self.scales is None else self.values * self.scales[:, None]


class Arithmetic:
    """Learning, and what is common: real weights and real products."""

    def take(self, name: str, quantizer: ActivationQuantization | None, x: Tensor) -> Value:
        """``x`` through the quantizer called ``name``."""
        raise NotImplementedError

    def weights(self, quantizers: Sequence[WeightQuantization | None], gates: Sequence[Tensor]) -> Rows:
        """The weights of all gates, one below the other, each through its quantizer."""
        found = [one if quantizer is None else quantizer(one) for quantizer, one in zip(quantizers, gates, strict=True)]
        return Rows(torch.cat(found))

    def product(self, x: Value, weights: Rows) -> Tensor:
        """W x."""
        return functional.linear(x.real(), weights.real())

    def real(self, x: Tensor) -> Tensor:
        """A tensor that nothing quantizes."""
        return x


class Learning(Arithmetic):
    """Fake-quantized reals."""

    def take(self, name: str, quantizer: ActivationQuantization | None, x: Tensor) -> Value:
        return Value(x if quantizer is None else quantizer(x))


class Collecting(Arithmetic):
    """Reals; ``found`` has what each quantizer would get."""

    def __init__(self) -> None:
        self.found: dict[str, list[Tensor]] = {}

    def take(self, name: str, quantizer: ActivationQuantization | None, x: Tensor) -> Value:
        if quantizer is not None:
            self.found.setdefault(name, []).append(x)
        return Value(x)


class Exact(Arithmetic):
    """Codes; ``found`` has those that each quantizer gave, call by call."""

    def __init__(self) -> None:
        self.found: dict[str, list[Tensor]] = {}
        self._grids: dict[str, Grid] = {}

    def take(self, name: str, quantizer: ActivationQuantization | None, x: Tensor) -> Value:
        if quantizer is None:
            return Value(x)
        codes = quantizer.codes(x)
        self.found.setdefault(name, []).append(codes)
        if name not in self._grids:
            self._grids[name] = quantizer.grid()
        return Value(codes, self._grids[name])

    def weights(self, quantizers: Sequence[WeightQuantization | None], gates: Sequence[Tensor]) -> Rows:
        found, scales = [], []
        for quantizer, one in zip(quantizers, gates, strict=True):
            if quantizer is None or not quantizer.quantizes:
                return Rows(super().weights(quantizers, gates).values.double())
            codes, grid = quantizer.codes(one)
            found.append(codes.double())
            scales.append(codes.new_full((len(codes),), grid.scale, dtype=torch.float64))
        return Rows(torch.cat(found), torch.cat(scales))

    def product(self, x: Value, weights: Rows) -> Tensor:
        if x.grid is None or weights.scales is None:
            return super().product(x, weights)
        largest = float(weights.values.abs().sum(1).max()) * x.grid.magnitude
        if largest >= _EXACT:
            return super().product(x, weights)
        return functional.linear(x.values, weights.values) * (weights.scales * x.grid.scale)

    def real(self, x: Tensor) -> Tensor:
        return x.double()


class Site:
    """What a direction of a layer computes with: its quantizers by role, its recurrent weights, its biases.

    ``biases`` are those of the input and of the recurrence; ``begin`` (batch, hidden) is what comes before the first
    step, in the order of the layer's ``initial``.
    """

    def __init__(
        self,
        numbers: Arithmetic,
        quantizers: Mapping[str, ActivationQuantization],
        layer: int,
        called: str,
        recurrent: Rows,
        biases: Sequence[Tensor],
        begin: Sequence[Tensor],
    ) -> None:
        self._numbers, self._quantizers = numbers, quantizers
        self._place = f"{layer}{called}"
        self._layer = layer
        self._recurrent = recurrent
        self.input_biases, self.recurrent_biases = (numbers.real(one) for one in biases)
        self.begin = [numbers.real(one) for one in begin]

    def take(self, role: str, x: Tensor, gate: str = "") -> Value:
        """``x`` through the quantizer of a role; the output's is that of both directions."""
        name = f"output_{self._layer}" if role == "output" else f"{role}{gate and '_'}{gate}_{self._place}"
        return self._numbers.take(name, self._quantizers.get(name), x)

    def recur(self, h: Value) -> Tensor:
        """The products of the recurrent weights with h."""
        return self._numbers.product(h, self._recurrent)
