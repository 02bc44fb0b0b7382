"""The order of the values of an activation in memory: channel after channel, or (channels_last) pixel after pixel.

Convolutions of the CPU are faster on the second one, and everything between them keeps it.
"""

from __future__ import annotations

import torch
from torch import Tensor


def fastest(x: Tensor) -> Tensor:
    """``x`` (batch, channels, height, width) in the order in which the CPU learns fastest; anything else as it is."""
    if x.device.type != "cpu" or x.dim() != 4 or x.dtype != torch.float32:
        return x
    return x.contiguous(memory_format=torch.channels_last)


def widened(x: Tensor) -> Tensor:
    """bfloat16 as float32, anything else as it is."""
    return x.float() if x.dtype == torch.bfloat16 else x


def layout_of(x: Tensor) -> torch.memory_format:
    """channels_last if nothing but that is the order of ``x``, else the usual one."""
    last = x.dim() == 4 and not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format


def line(x: Tensor) -> Tensor:
    """All values in their order in memory, (count); a copy only if ``x`` is not dense."""
    return (x.permute(0, 2, 3, 1) if layout_of(x) is torch.channels_last else x).reshape(-1)


def as_shaped(values: Tensor, like: Tensor) -> Tensor:
    """What :func:`line` or :func:`flat` made of a tensor of the shape and layout of ``like``, in these again."""
    if layout_of(like) is torch.channels_last:
        batch, channels, height, width = like.shape
        return values.view(batch, height, width, channels).permute(0, 3, 1, 2)
    return values.view(like.shape)


def flat(x: Tensor) -> Tensor:
    """(batch, channels, positions) of a dense tensor, without gradient; (places, channels, 1) of channels_last."""
    x = x.detach()
    # Of a view torch.compile would look at the tensor behind it too, and its sizes.
    if layout_of(x) is torch.channels_last:
        rows: Tensor = torch.ops.aten._unsafe_view(x.permute(0, 2, 3, 1), [-1, x.shape[1], 1])
        return rows
    flattened: Tensor = torch.ops.aten._unsafe_view(x, [x.shape[0], x.shape[1], -1])
    return flattened
