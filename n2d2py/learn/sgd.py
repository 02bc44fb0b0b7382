"""N2D2's stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from n2d2py import console
from n2d2py.learn import policies
from n2d2py.learn.metrics import number
from n2d2py.learn.solving import Updates, clamp
from n2d2py.parts.solvers import SGD
from n2d2py.registry import register


@register("solving", "SGD")
class GradientDescent(Updates):
    """v = Momentum v - rate / (B I) g - Decay rate w; w = w + v.

    g is the gradient summed over the B stimuli of a batch and over I = IterationSize batches. The rate stands
    inside the velocity (in ``torch.optim.SGD`` it stands outside), so that after a drop of the rate the old
    velocity keeps its size. B is the configured batch size, whatever the number of stimuli that count. A rate
    of 0 changes nothing, not even the velocity. Decay is not divided by B.
    """

    record: SGD
    counters = ("updates", "_batches")
    moments = ("velocities",)

    def __init__(self, record: SGD, tensors: Sequence[nn.Parameter], batch_size: int) -> None:
        super().__init__(record, tensors, batch_size)
        self.velocities: list[Tensor] | None = None
        self._batches = 0

    @property
    def rate(self) -> float:
        return policies.rate(self.record, self.updates, self.batch_size)

    def step(self) -> None:
        reached = self._pull()
        if not reached:
            return
        self._batches += 1
        if self._batches < self.record.iteration_size:
            return  # gradients stay, and those of the next batch are added to them
        self._batches = 0
        rate = self.rate
        if rate != 0.0:
            self._update(reached, rate)
        self._forget()
        self.updates += 1
        self._announce(rate)

    def _update(self, reached: list[int], rate: float) -> None:
        record = self.record
        values: list[Tensor] = [self.tensors[index].data for index in reached]
        gradients = [gradient for index in reached if (gradient := self.tensors[index].grad) is not None]
        share = rate / (self.batch_size * record.iteration_size)
        if record.momentum == 0.0 and record.decay == 0.0:
            torch._foreach_add_(values, gradients, alpha=-share)
        else:
            if self.velocities is None:
                self.velocities = [torch.zeros_like(tensor) for tensor in self.tensors]
            velocities = [self.velocities[index] for index in reached]
            torch._foreach_mul_(velocities, record.momentum)
            torch._foreach_add_(velocities, gradients, alpha=-share)
            if record.decay:
                torch._foreach_add_(velocities, values, alpha=-record.decay * rate)
            torch._foreach_add_(values, velocities)
        clamp(values, record.clamping)

    def _announce(self, old: float) -> None:
        """Say that the rate has changed, for policies of steps that are longer than an update."""
        stimuli = self.record.iteration_size * self.batch_size
        if self.record.policy not in policies.ANNOUNCED or self.record.step_size <= stimuli:
            return
        if (new := self.rate) != old:
            console.line(f"Learning rate after {self.updates}(x{stimuli}) iteration(s): {number(new)}")
