"""The step function of a quantized activation: from integer accumulators to codes.

It is the one definition of what a BatchNorm, an activation function and an activation quantizer do together on
codes. The learned network is evaluated by it, and lowering proves its integer form equal to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from n2d2py.layers.functions import Function
from n2d2py.layers.line import Line, nearest_line
from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.grid import along_channels


@dataclass(frozen=True)
class Normalisation:
    """(x - mean) * factor + bias, each float64 (channels), factor = scale / sqrt(variance + epsilon)."""

    mean: Tensor
    factor: Tensor
    bias: Tensor


@dataclass(frozen=True)
class Step:
    """Accumulators -> codes 0..R, in float64, one rounding an operation, in this order::

        x = acc * scale ; x = x + offset[c] ; x = (x - mean[c]) * factor[c] + bias[c] ; x = f(x)
        code = rint(clamp(x, 0, alpha) * (R / alpha))

    With ``integer_bias`` all before f is a line instead, in units of codes, f is a function of such numbers, and the
    quantizer only rounds and clamps (see :mod:`~n2d2py.layers.line`)::

        code = nearest(f((acc + B[c]) * m[c]))

    ``offset``, ``normalisation`` and ``function`` are left out where they are None. All operations but f are
    monotone functions, correctly rounded, so that the code is a monotone function of the accumulator of a channel
    wherever f is one (Linear, Rectifier without a negative slope, clamps, HardSigmoid): :attr:`monotone`.
    """

    scale: float
    quantizer: ActivationQuantization
    offset: Tensor | None = None
    normalisation: Normalisation | None = None
    function: Function | None = None
    monotone: bool = True
    integer_bias: bool = False

    @torch.no_grad()
    def __call__(self, accumulators: Tensor, axis: int = 0) -> Tensor:
        """Codes, float64, of float64 accumulators; channels lie along ``axis`` (default: (channels, n)).

        A one-dimensional tensor holds one accumulator of each channel.
        """
        if (line := self.line) is None:
            return self.quantizer.codes(self.real(accumulators, axis))
        x = line(accumulators, axis)
        return self.quantizer.nearest(x if self.function is None else self.function(x, True))

    @property
    @torch.no_grad()
    def line(self) -> Line | None:
        """What comes before the quantizer, with an integer bias; None without one."""
        if not self.integer_bias:
            return None
        grid, normal, offset = self.quantizer.grid(), self.normalisation, self.offset
        unit = grid.scale
        if normal is None:
            offset = torch.zeros(1, dtype=torch.float64) if offset is None else offset.double()
            return nearest_line(torch.full_like(offset, self.scale / unit), offset / unit, grid)
        shift = -normal.mean if offset is None else offset - normal.mean
        return nearest_line(normal.factor * (self.scale / unit), (shift * normal.factor + normal.bias) / unit, grid)

    @torch.no_grad()
    def real(self, accumulators: Tensor, axis: int = 0) -> Tensor:
        """The value before the quantizer, float64."""
        dims = accumulators.dim()
        x = accumulators.double() * self.scale
        if self.offset is not None:
            x.add_(along_channels(self.offset, dims, axis))
        if self.normalisation is not None:
            x.sub_(along_channels(self.normalisation.mean, dims, axis))
            x.mul_(along_channels(self.normalisation.factor, dims, axis))
            x.add_(along_channels(self.normalisation.bias, dims, axis))
        return x if self.function is None else self.function(x, True)
