"""LSQ on activations: one learned step for the output of a cell (:mod:`~n2d2py.quant.steps`).

With Offset=1 it is LSQ+ (:mod:`~n2d2py.quant.offsets`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from n2d2py.parts.lsq import LsqActivations
from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.grid import Grid
from n2d2py.quant.levels import Levels
from n2d2py.quant.offsets import OffsetStep
from n2d2py.quant.rules import Ruled
from n2d2py.quant.scaled import Scaled
from n2d2py.quant.steps import LearnedStep
from n2d2py.registry import register


@register("activation quantization", "APoT")
@register("activation quantization", "LSQ")
class LsqActivationQuantization(ActivationQuantization):
    """LSQ on one output. In evaluation code = the level nearest to x / s, in float64."""

    record: LsqActivations

    def __init__(self, record: LsqActivations) -> None:
        super().__init__(record)
        self.levels = Levels(record.codes)
        kind = OffsetStep if record.offset else LearnedStep
        self.step = kind(self.levels, record.initial, power_of_two=record.power_of_two, rate_factor=record.rate_factor)
        self.step.least_error = record.least_error

    def forward(self, values: Tensor) -> Tensor:
        return self.step.quantize(values)

    def ruled(self, count: int) -> Ruled | None:
        return None if isinstance(self.step, OffsetStep) else self.step.ruled(count)

    def split(self, values: Tensor) -> Scaled:
        codes, scale = self.step.split(values)
        return Scaled(codes, scale, self._now().magnitude)

    @property
    def span(self) -> tuple[int, int] | None:
        return None if self.record.offset else (self.levels.low, self.levels.high)

    @property
    def ready(self) -> bool:
        return self.step.known

    def prepare(self, values: Tensor) -> None:
        self.step.prepare(values)

    def grid(self) -> Grid:
        return self._now().grid(self.step.number())

    @torch.no_grad()
    def codes(self, real: Tensor) -> Tensor:
        return self._now().nearest(real / self.step.number())

    def nearest(self, scaled: Tensor) -> Tensor:
        return self._now().nearest(scaled)

    def _now(self) -> Levels:
        """The levels, shifted by the offset if there is one."""
        return self.step.shifted() if isinstance(self.step, OffsetStep) else self.levels

    def fill(self) -> None:
        self.step.fill()

    def learned(self) -> list[tuple[str, nn.Parameter]]:
        learned = [("QAct_LSQ_StepSize", self.step.value)]
        return [*learned, ("QAct_LSQ_Offset", self.step.offset)] if isinstance(self.step, OffsetStep) else learned
