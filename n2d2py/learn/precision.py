"""How precise the products of learning are: float32, TF32 (``-tf32``) or bfloat16 (``-amp bf16``).

Only products of convolutions and fully connected cells, and what torch computes safely between them, become less
precise. Weights, their gradients and sums, and losses stay float32; so does everything that is tested, and sums of
codes stay exact. Quantizers, and the BatchNorms and sums that end in one, compute in float32, whatever they read; what
a BatchNorm or a sum gives is written as bfloat16 where that tells all its codes apart.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from n2d2py import console
from n2d2py.errors import UsageError
from n2d2py.layers import tf32
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.batchnorm import BatchNormLayer
from n2d2py.layers.elemwise import ElemWiseLayer
from n2d2py.layers.recurrent import RecurrentLayer
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.learn.testing import device_of
from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.layouts import widened
from n2d2py.quant.weights import WeightQuantization

if TYPE_CHECKING:
    from n2d2py.layers.network import TorchNetwork

BF16 = "bf16"
_HALF = ("fp16", "float16", "half", "f16")
_NONE = ("", "none", "fp32", "float32")
_SLOWER = 1.2
"""How many times as long as in float32 products may take in bfloat16 before learning says so."""
_TURNS = 8


@dataclass(frozen=True)
class Precision:
    """What the options ask for."""

    tf32: bool = False
    bf16: bool = False

    @contextmanager
    def products(self, device: torch.device) -> Iterator[None]:
        """The products on ``device``, forward and backward, until the end of the context."""
        if device.type != "cuda":
            yield
            return
        before = tf32.allowed()
        tf32.allow(self.tf32, self.tf32)
        try:
            yield
        finally:
            tf32.allow(*before)

    def forward(self, device: torch.device) -> AbstractContextManager[Any]:
        """The forward pass of a step of learning."""
        return torch.autocast(device.type, torch.bfloat16) if self.bf16 else nullcontext()


FULL = Precision()
"""float32, as in tests."""


def read(amp: str, fast: bool) -> Precision:
    """The precision that ``-amp`` and (``fast``) ``-tf32`` name; float16 is a :class:`UsageError` that says why."""
    word = amp.lower()
    if word in _HALF:
        raise UsageError(
            f"-amp {amp}: gradients of quantized networks become unstable in float16, whose smallest number is 6e-8",
            expected=f"{BF16}, which has the range of float32",
            remedy=f"-amp {BF16}, or -tf32",
        )
    if word not in (*_NONE, BF16, "bfloat16"):
        raise UsageError(f"-amp {amp}: there is no such precision", expected=BF16, remedy=f"-amp {BF16}")
    return Precision(fast, word not in _NONE)


def prepared(precision: Precision, network: TorchNetwork) -> tuple[Precision, list[Any]]:
    """Let quantizers of ``network`` get float32 whatever comes to them; what to ``remove`` after learning.

    A network that learns from exact integers (QWeight.Mode=Integer) learns them as they are, with a notice.
    """
    if not precision.bf16:
        return precision, []
    if network.carries_codes:
        console.notice("-amp has no effect: a network with QWeight.Mode=Integer learns from exact integers")
        return Precision(precision.tf32), []
    if device_of(network).type == "cpu":
        _tell_if_slow()
    return precision, [module.register_forward_pre_hook(_widen) for module in _in_float32(network)]


def _tell_if_slow() -> None:
    """Say so if this processor has no instructions for products in bfloat16: torch then imitates them."""
    times = slowness()
    if times > _SLOWER:
        console.notice(
            f"-amp {BF16}: here a convolution takes {times:.1f} times as long in bfloat16 as in float32, because the "
            "processor has no instructions for it (AVX-512 BF16, AMX). Learning is faster without -amp"
        )


def slowness() -> float:
    """The time of a convolution in bfloat16 on this processor, as a multiple of that in float32; some milliseconds.

    It is measured, as what a processor can do, and what torch makes of it, has no public name. The least of several
    turns counts, which what else runs disturbs least.
    """
    times: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    given = {kind: (torch.ones(4, 16, 16, 16, dtype=kind), torch.ones(16, 16, 3, 3, dtype=kind)) for kind in times}
    with torch.no_grad():
        for _ in range(_TURNS):
            for kind, (images, weights) in given.items():
                start = time.perf_counter()
                torch.nn.functional.conv2d(images, weights)
                times[kind].append(time.perf_counter() - start)
    return min(times[torch.bfloat16]) / min(times[torch.float32])


def _in_float32(network: TorchNetwork) -> Iterator[nn.Module]:
    """The modules that take float32: quantizers, and layers that end in one without a product before it.

    Sums and BatchNorms on the statistics of this process take bfloat16, and compute what they make of it in float32.
    """
    for module in network.modules():
        if isinstance(module, ActivatedLayer):
            if isinstance(module, BatchNormLayer):
                takes = module.normalise is not torch.batch_norm
            else:
                takes = module.quantizer is not None
                takes &= not isinstance(module, WeightedLayer | RecurrentLayer | ElemWiseLayer)
        else:
            takes = isinstance(module, ActivationQuantization | WeightQuantization)
        if takes:
            yield module


def _widen(module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(widened(one) if isinstance(one, Tensor) else one for one in inputs)
