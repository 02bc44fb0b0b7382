"""The step function of a quantized activation: from integer accumulators to codes.

It is the one definition of what a BatchNorm, an activation function and an activation quantizer do together on
codes. The learned network is evaluated by it, and lowering proves its integer form equal to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from n2d2py.layers.functions import Function
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

    @torch.no_grad()
    def __call__(self, accumulators: Tensor, axis: int = 0) -> Tensor:
        """Codes, float64, of float64 accumulators; channels lie along ``axis`` (default: (channels, n)).

        A one-dimensional tensor holds one accumulator of each channel.
        """
        return self.quantizer.codes(self.real(accumulators, axis))

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
