"""Deconv: torch's transposed convolution, on weights that are stored as those of a Conv, output by output."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from n2d2py.layers.kernels import KernelLayer
from n2d2py.quant.grid import along_channels
from n2d2py.registry import register


@register("layer", "Deconv")
class DeconvLayer(KernelLayer):
    """Dumoulin and Visin 2016, arXiv:1603.07285, chapter 4: the map whose gradient is a convolution."""

    def slid(self, x: Tensor, weights: Tensor, biases: Tensor | None) -> Tensor:
        # torch wants (channels, outputs of a group, ...).
        turned = weights.unflatten(0, (self.groups, -1)).transpose(1, 2).flatten(0, 1)
        spread = functional.conv_transpose3d if self.in_space else functional.conv_transpose2d
        padding = self.padding
        if min(padding) >= 0:
            return spread(x, turned, biases, self.stride, padding, 0, self.groups, self.dilation)
        # A padding below 0 surrounds the output with places that no tap reaches.
        inside = tuple(max(amount, 0) for amount in padding)
        y = spread(x, turned, None, self.stride, inside, 0, self.groups, self.dilation)
        y = functional.pad(y, [side for amount in reversed(padding) for side in (max(-amount, 0),) * 2])
        return y if biases is None else y + along_channels(biases, y.dim())
