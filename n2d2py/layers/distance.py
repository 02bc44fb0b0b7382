"""Distance: half the squared distance to a learned centre of each class, below 0 (Wan et al. 2018)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from n2d2py.cells.distance import Distance
from n2d2py.graph.network import Node
from n2d2py.layers.base import Layer, Learned, Stored
from n2d2py.layers.fillers import fill
from n2d2py.layers.joining import flattened
from n2d2py.layers.targetbias import of_labels
from n2d2py.quant.grid import Coded
from n2d2py.registry import register


@register("layer", "Distance")
class DistanceLayer(Layer):
    """``means`` (classes, values) are the centres.

    ``batches`` counts what it has learned from; the margin grows with it from 0 over the first EndRampIT batches.
    """

    wants_labels = True
    batches: Tensor

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, Distance)
        self.cell = node.cell
        self.means = nn.Parameter(torch.zeros(node.output.channels, sum(dims.size for dims in node.inputs)))
        self.register_buffer("batches", torch.tensor(0))

    @property
    def margin(self) -> float:
        """The margin of the present batch."""
        ramp = self.cell.end_ramp
        return self.cell.margin * (min(1.0, int(self.batches) / ramp) if ramp else 1.0)

    def forward(self, *inputs: Tensor) -> Tensor:
        x = flattened(inputs)
        distances = 0.5 * (x if self.cell.back_propagate else x.detach())[:, None].sub(self.means).square().sum(2)
        if not self.training or self.labels is None:
            return -distances[:, :, None, None]
        own = of_labels(self.labels(distances[:, :, None, None]), distances)
        center_loss = self.cell.center_coef * torch.where(own, distances, 0.0).sum()
        result = -torch.where(own, distances * (1.0 + self.margin), distances)
        self.batches += 1
        with_loss: Tensor = _WithLoss.apply(result, center_loss)
        return with_loss[:, :, None, None]

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        return Coded(self(*(x.real() for x in inputs)))

    def fill(self, generator: torch.Generator) -> None:
        fill(self.cell.weights_filler, self.means, generator)
        self.batches.zero_()

    def learned(self) -> list[Learned]:
        return [Learned("means", self.means, self.cell.weights_solver)]

    def stored(self) -> list[Stored]:
        return [Stored("means", self.means)]


class _WithLoss(torch.autograd.Function):
    """y, with ``loss`` (a scalar) added to whatever is minimised."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, loss: Tensor) -> Tensor:
        return y.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        return gradient, gradient.new_ones(())
