"""The maximum over windows of 2x2 that do not overlap, on a CPU faster than torch's own and equal to it.

torch's kernel looks at one output at a time. Here the maxima of columns and rows are whole-tensor operations, and
only the two bits that say where the maximum stands are kept for the gradient.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


def max_pool(x: Tensor, window: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...]) -> Tensor:
    """Maximum over windows (height, width); of equal values the first in reading order gets the gradient."""
    if x.device.type == "cpu" and window == stride == (2, 2) and padding == (0, 0) and x.is_contiguous():
        result: Tensor = _TwoByTwo.apply(x)
        return result
    return functional.max_pool2d(x, window, stride, padding)


class _TwoByTwo(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        height, width = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
        left, right = x[:, :, :height, 0:width:2], x[:, :, :height, 1:width:2]
        rows = torch.maximum(left, right)
        upper, lower = rows[:, :, 0::2], rows[:, :, 1::2]
        if ctx.needs_input_grad[0]:
            ctx.shape = x.shape
            ctx.save_for_backward(right > left, lower > upper)
        return torch.maximum(upper, lower)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        is_right, is_lower = ctx.saved_tensors
        height, width = ctx.shape[2:]
        column = torch.where(is_lower, is_right[:, :, 1::2], is_right[:, :, 0::2])
        corners = torch.arange(0, height - 1, 2)[:, None] * width + torch.arange(0, width - 1, 2)
        index = corners + column + is_lower.long().mul_(width)
        like = gradient.new_empty(()).expand(ctx.shape)  # only its shape is read
        return torch.ops.aten.max_pool2d_with_indices_backward(
            gradient.contiguous(), like, [2, 2], [2, 2], [0, 0], [1, 1], False, index
        )
