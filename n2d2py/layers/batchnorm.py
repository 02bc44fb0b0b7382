"""BatchNorm (Ioffe and Szegedy 2015): statistics of the batch in learning, running statistics in evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from n2d2py.cells.batchnorm import BatchNorm
from n2d2py.graph.network import Node
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.base import Learned, Stored
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.layers.passes import Statistics, fits, normalised
from n2d2py.layers.step import Normalisation, Step
from n2d2py.quant.affine import Affine, Term, affine
from n2d2py.quant.grid import Coded, Grid
from n2d2py.quant.layouts import layout_of, widened
from n2d2py.quant.rules import CodeRule
from n2d2py.registry import register


@register("layer", "BatchNorm")
class BatchNormLayer(ActivatedLayer):
    """y = scale (x - mean) / sqrt(variance + epsilon) + bias.

    Learning normalises by the biased variance of the batch and moves the running variance toward the unbiased
    one; with MovingAverageMomentum=0 the running statistics are frozen and used in learning too.
    """

    means: Tensor
    variances: Tensor
    normalise: Callable[..., Tensor] = staticmethod(torch.batch_norm)
    """What does it, of the arguments of ``torch.batch_norm``; learning in several processes has one of its own."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, BatchNorm)
        self.cell = node.cell
        channels = node.output.channels
        self.scales = nn.Parameter(torch.ones(channels))
        self.biases = nn.Parameter(torch.zeros(channels))
        self.register_buffer("means", torch.zeros(channels))
        self.register_buffer("variances", torch.ones(channels))

    @property
    def takes_offset(self) -> bool:
        return len(self.node.parents) == 1

    def forward(self, *inputs: Tensor) -> Tensor:
        x = self._joined(inputs)
        if self._takes_batch(x) and self.normalise is torch.batch_norm and fits(x):
            self._prepare(lambda: self._by_batch(x))
            ruled = self.ruled(x.numel())
            # Pixel by pixel, torch's own functions are faster than what torch.compile makes of them.
            by_compiler = self.compiled and layout_of(x) is torch.contiguous_format
            if ruled is not None and (isinstance(ruled.rule, CodeRule) or by_compiler):
                statistics = Statistics(self.means, self.variances, self.cell.momentum, self.cell.epsilon)
                compiled = by_compiler and ruled.rule.compiles
                return normalised(x, self.scales, self.biases, statistics, ruled, compiled)
        return self.activate(self._normalised(x if self.quantizer is None else widened(x)))

    def before(self, *inputs: Tensor) -> Tensor:
        return self._normalised(self._joined(inputs))

    def _by_batch(self, x: Tensor) -> Tensor:
        """Normalised by the statistics of the batch, which leave no trace."""
        return torch.batch_norm(
            widened(x), self.scales, self.biases, None, None, True, 0.0, self.cell.epsilon, torch.backends.cudnn.enabled
        )

    def _joined(self, inputs: Sequence[Tensor]) -> Tensor:
        x = joined(inputs)
        return x if self.cell.back_propagate else x.detach()

    def _takes_batch(self, x: Tensor) -> bool:
        # A single value has no variance: it is normalised by the running statistics.
        return self.training and self.cell.momentum > 0.0 and x.numel() > x.shape[1]

    def _normalised(self, x: Tensor) -> Tensor:
        of_batch = self._takes_batch(x)
        return self.normalise(
            x,
            self.scales,
            self.biases,
            self.means,
            self.variances,
            of_batch,
            self.cell.momentum,
            self.cell.epsilon,
            torch.backends.cudnn.enabled,
        )

    def normalisation(self) -> Normalisation:
        """Mean, factor = scale / sqrt(variance + epsilon) and bias of each channel, float64."""
        variance = self.variances.double() + self.cell.epsilon
        factor = self.scales.detach().double() / torch.sqrt(variance)
        return Normalisation(self.means.double(), factor, self.biases.detach().double())

    def step(self, grid: Grid | None, offset: Tensor | None = None) -> Step:
        return replace(super().step(grid, offset), normalisation=self.normalisation())

    def affine(self, grid: Grid, offset: Tensor | None) -> Affine:
        """Without a quantizer: the integers that normalise codes of ``grid`` whose bias is ``offset``.

        Raises OverflowError for statistics that are not finite.
        """
        normal = self.normalisation()
        shift = -normal.mean if offset is None else offset - normal.mean
        shape = (-1, *(1 for _ in self.node.output.shape[1:]))
        term = Term((normal.factor * grid.scale).view(shape), grid)
        return affine([term], (shift * normal.factor + normal.bias).view(shape))

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        x = joined_codes(inputs)
        if self.quantizer is not None:
            return self.activate_coded(x)
        if x.grid is None:
            return Coded(self(x.values))
        return self.activate_coded(self.affine(x.grid, x.offset).coded(x.values))

    def fill(self, generator: torch.Generator) -> None:
        with torch.no_grad():
            self.scales.fill_(1.0)
            self.biases.zero_()
            self.means.zero_()
            self.variances.fill_(1.0)
        super().fill(generator)

    def learned(self) -> list[Learned]:
        return [
            Learned("scales", self.scales, self.cell.scale_solver),
            Learned("biases", self.biases, self.cell.bias_solver),
            *super().learned(),
        ]

    def stored(self) -> list[Stored]:
        return [
            Stored("scales", self.scales),
            Stored("biases", self.biases),
            Stored("means", self.means),
            Stored("variances", self.variances),
            *super().stored(),
        ]
