"""Adam, as N2D2 computes it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from n2d2py.learn.solving import Updates, clamp
from n2d2py.parts.solvers import Adam
from n2d2py.registry import register


@register("solving", "Adam")
class AdaptiveMoments(Updates):
    """Adam (Kingma and Ba 2014, the efficient form at the end of section 2) on gradients summed over the batch.

    t = t + 1; m = Beta1 m + (1 - Beta1) g; u = Beta2 u + (1 - Beta2) g^2; w = w - a m / (sqrt(u) + e)
    with a = LearningRate sqrt(1 - Beta2^t) / (1 - Beta1^t) and e = Epsilon sqrt(1 - Beta2^t).
    The batch size does not enter; there is no decay and no policy.
    """

    record: Adam
    moments = ("means", "squares")

    def __init__(self, record: Adam, tensors: Sequence[nn.Parameter], batch_size: int) -> None:
        super().__init__(record, tensors, batch_size)
        self.means: list[Tensor] | None = None
        self.squares: list[Tensor] | None = None

    @property
    def rate(self) -> float:
        return self.record.learning_rate

    def step(self) -> None:
        reached = self._pull()
        if not reached:
            return
        if self.rate != 0.0:
            self._update(reached)
        self._forget()
        self.updates += 1

    def _update(self, reached: list[int]) -> None:
        record = self.record
        if self.means is None or self.squares is None:
            self.means = [torch.zeros_like(tensor) for tensor in self.tensors]
            self.squares = [torch.zeros_like(tensor) for tensor in self.tensors]
        values: list[Tensor] = [self.tensors[index].data for index in reached]
        gradients = [gradient for index in reached if (gradient := self.tensors[index].grad) is not None]
        means = [self.means[index] for index in reached]
        squares = [self.squares[index] for index in reached]
        torch._foreach_mul_(means, record.beta1)
        torch._foreach_add_(means, gradients, alpha=1.0 - record.beta1)
        torch._foreach_mul_(squares, record.beta2)
        torch._foreach_addcmul_(squares, gradients, gradients, value=1.0 - record.beta2)
        correction = (1.0 - record.beta2 ** (self.updates + 1)) ** 0.5
        rate = record.learning_rate * correction / (1.0 - record.beta1 ** (self.updates + 1))
        divisors = torch._foreach_sqrt(squares)
        torch._foreach_add_(divisors, record.epsilon * correction)
        torch._foreach_addcdiv_(values, means, list(divisors), value=-rate)
        clamp(values, record.clamping)
