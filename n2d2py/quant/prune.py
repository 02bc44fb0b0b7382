"""Prune: a mask of 0 and 1 on the weights, out = w mask, dL/dw = g mask.

What is taken away stays so: the mask loses ones and never gains any. With N weights and the share f,

    Random         ceil(f N) weights are 0, those that are added chosen at random
    IterNonStruct  |w| <= c are 0, c the least multiple of Delta for which their share reaches f

Another quantizer may come after it: it sees the weights that are left and zeros, and its result is masked again, since
a grid need not have a level at 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from n2d2py.parts.prune import PrunedWeights
from n2d2py.quant.budgets import Budget
from n2d2py.quant.grid import Grid
from n2d2py.quant.levels import with_zero
from n2d2py.quant.weights import WeightQuantization, make
from n2d2py.registry import register


@register("weight quantization", "Prune")
class Pruning(WeightQuantization):
    """The mask of one weight tensor, and the quantizer after it if there is one.

    The mask comes from a weight file, or else from the first weights that are seen.
    """

    record: PrunedWeights
    mask: Tensor
    seed: Tensor
    """What random masks are drawn from, so that all processes and a resumed run draw the same; 0: not drawn yet."""

    def __init__(self, record: PrunedWeights, shape: Sequence[int]) -> None:
        super().__init__(record, shape)
        self.inner = None if record.quantizer is None else make(record.quantizer, shape)
        self.register_buffer("mask", torch.ones(*shape))
        self.register_buffer("seed", torch.zeros((), dtype=torch.int64))
        self._known = False
        self._reached = 0.0

    # ------------------------------------------------------------------------------------------ as a quantizer

    @property
    def quantizes(self) -> bool:
        return self.inner is not None and self.inner.quantizes

    @property
    def separate(self) -> bool:
        return self.inner is not None and self.inner.separate

    @property
    def bounds_sums(self) -> bool:
        return self.inner is not None and self.inner.bounds_sums

    def bound(self, budget: Budget) -> None:
        assert self.inner is not None  # bounds_sums
        self.inner.bound(budget)

    def forward(self, weights: Tensor) -> Tensor:
        left = self._left(weights)
        return left if self.inner is None else self.inner(left) * self.mask

    def split(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        assert self.inner is not None  # separate
        codes, scale = self.inner.split(self._left(weights))
        return codes * self.mask, scale

    @torch.no_grad()
    def codes(self, weights: Tensor) -> tuple[Tensor, Grid]:
        if self.inner is None:
            raise ValueError("QWeight=Prune without QWeight.Quantizer: weights that are left have no codes")
        codes, grid = self.inner.codes(self._left(weights))
        return codes * self.mask, with_zero(grid)

    def _left(self, weights: Tensor) -> Tensor:
        self.prepare(weights)
        return weights * self.mask

    # ------------------------------------------------------------------------------------------ the mask

    def get_extra_state(self) -> Tensor:
        """What the mask does not say of its course, for checkpoints."""
        return torch.tensor([float(self._known), self._reached], dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """What :meth:`get_extra_state` gave."""
        self._known, self._reached = bool(state[0]), float(state[1])

    @property
    def fraction(self) -> float:
        """The share of the weights that is taken away."""
        return 1.0 - float(self.mask.double().mean())

    @torch.no_grad()
    def prepare(self, weights: Tensor) -> None:
        """Take away what the mode begins with, unless a mask with zeros was loaded."""
        if self._known:
            return
        self._known = True
        if self.record.filler == "Random" and int(self.seed) == 0:
            self.seed.fill_(int(torch.randint(1, 1 << 31, ())))
        self.mask.copy_((self.mask != 0).to(self.mask.dtype))
        if bool((self.mask != 0).all()):
            start = {"Identity": 0.0, "Static": self.record.threshold, "Gradual": self.record.start_threshold}
            self.remove(weights, start[self.record.mode])
        else:
            self._reached = self.fraction

    @property
    def advances(self) -> bool:
        return self.record.mode == "Gradual" or (self.inner is not None and self.inner.advances)

    @torch.no_grad()
    def advance(self, weights: Tensor, stimuli: int, log_period: int) -> None:
        record = self.record
        self.prepare(weights)
        if self.inner is not None:
            self.inner.advance(weights, stimuli, log_period)
        steps = stimuli // max(1, record.step_size_threshold or log_period)
        wanted = min(record.threshold, record.start_threshold + steps * record.gamma_threshold)
        if record.mode == "Gradual" and wanted > self._reached:
            self.remove(weights, wanted)

    @torch.no_grad()
    def remove(self, weights: Tensor, share: float) -> None:
        """Take away more weights, until ``share`` of all is gone (PruningFiller=None: nothing)."""
        self._reached = share
        if self.record.filler == "Random":
            self._remove_random(share)
        elif self.record.filler == "IterNonStruct":
            self._remove_smallest(weights, share)

    def _remove_random(self, share: float) -> None:
        left = torch.nonzero(self.mask.flatten()).flatten()
        count = _ceil(share * self.mask.numel()) - (self.mask.numel() - len(left))
        if count > 0:
            # Drawn on the CPU, so that a seed gives the same mask on every device.
            generator = torch.Generator().manual_seed(int(self.seed) + len(left))
            drawn = torch.randperm(len(left), generator=generator)[:count].to(left.device)
            self.mask.view(-1)[left[drawn]] = 0.0

    def _remove_smallest(self, weights: Tensor, share: float) -> None:
        count = _ceil(share * self.mask.numel())
        if count <= 0:
            return
        magnitudes = (weights.detach() * self.mask).abs()
        # The share of |w| <= c reaches count / N as soon as c reaches the count-th smallest magnitude.
        needed = float(magnitudes.flatten().kthvalue(count).values)
        cut = _ceil(needed / self.record.delta) * self.record.delta
        self.mask.mul_(magnitudes > max(cut, needed))

    # ------------------------------------------------------------------------------------------ files

    @torch.no_grad()
    def fill(self) -> None:
        self.mask.fill_(1.0)
        self.seed.zero_()
        self._known, self._reached = False, 0.0
        if self.inner is not None:
            self.inner.fill()

    def learned(self) -> list[tuple[str, nn.Parameter]]:
        return [] if self.inner is None else self.inner.learned()

    def stored(self) -> list[tuple[str, Tensor]]:
        return [("masks", self.mask), *([] if self.inner is None else self.inner.stored())]


def _ceil(value: float) -> int:
    """ceil, with 0.2 * 5 = 1.0000000000000002 taken for 1."""
    return math.ceil(value - 1e-9)
