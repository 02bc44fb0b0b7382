"""BatchNorm by the statistics of a batch whose parts lie with several processes (``-sync-bn``)."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable


def synchronised_batch_norm(
    x: Tensor,
    scales: Tensor,
    biases: Tensor,
    means: Tensor,
    variances: Tensor,
    of_batch: bool,
    momentum: float,
    epsilon: float,
    cudnn: bool,
) -> Tensor:
    """As ``torch.batch_norm``, mean and variance being those of all processes together.

    The gradients of scales and biases are those of this process's part: learning adds them up.
    """
    if not of_batch:
        return torch.batch_norm(x, scales, biases, means, variances, False, momentum, epsilon, cudnn)
    normalised: Tensor = _Synchronised.apply(x, scales, biases, means, variances, momentum, epsilon)
    return normalised


class _Synchronised(torch.autograd.Function):
    """Sums are exchanged in float64: their differences lose nothing.

    With N values a channel, n = (x - mean) / sqrt(variance + epsilon) and g the gradient of y,
    dL/dx = scale / sqrt(variance + epsilon) (g - sum(g) / N - n sum(g n) / N).
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        scales: Tensor,
        biases: Tensor,
        means: Tensor,
        variances: Tensor,
        momentum: float,
        epsilon: float,
    ) -> Tensor:
        axes = [axis for axis in range(x.dim()) if axis != 1]
        channels, shape = x.shape[1], [-1 if axis == 1 else 1 for axis in range(x.dim())]
        wide = x.double()
        count = torch.full((1,), x.numel() / channels, dtype=torch.float64, device=x.device)
        sums = torch.cat([wide.sum(axes), wide.square().sum(axes), count])
        dist.all_reduce(sums)
        count = sums[-1]
        mean = sums[:channels] / count
        variance = (sums[channels:-1] / count - mean.square()).clamp_min(0)
        with torch.no_grad():
            unbiased = variance * (count / (count - 1).clamp_min(1))
            means.lerp_(mean.to(means.dtype), momentum)
            variances.lerp_(unbiased.to(variances.dtype), momentum)
        factor = torch.rsqrt(variance + epsilon).to(x.dtype)
        normal = (x - mean.to(x.dtype).view(shape)) * factor.view(shape)
        ctx.save_for_backward(normal, scales, factor, count)
        ctx.axes, ctx.shape = axes, shape
        return normal * scales.view(shape) + biases.view(shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        normal, scales, factor, count = ctx.saved_tensors
        own_bias, own_scale = gradient.sum(ctx.axes), (gradient * normal).sum(ctx.axes)
        sums = torch.cat([own_bias, own_scale]).double()
        dist.all_reduce(sums)
        by_bias, by_scale = ((half / count).to(gradient.dtype).view(ctx.shape) for half in sums.chunk(2))
        slope = (scales * factor).view(ctx.shape)
        return slope * (gradient - by_bias - normal * by_scale), own_scale, own_bias, None, None, None, None
