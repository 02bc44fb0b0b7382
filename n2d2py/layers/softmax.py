"""Softmax over the channels, or groups of them, of each position."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from n2d2py.cells.softmax import Softmax
from n2d2py.graph.network import Node
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.functions import pass_gradient
from n2d2py.quant.grid import Coded
from n2d2py.registry import register


@register("layer", "Softmax")
class SoftmaxLayer(ActivatedLayer):
    """With WithLoss=1 the gradient passes as if the output were the input.

    Where a target stands right on it (``loss_form`` is "cross-entropy"), learning gets the logits in place of the
    probabilities, because the cross-entropy of logits has the same gradient and no rounding in between.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, Softmax)
        self.cell = node.cell

    @property
    def loss_form(self) -> str:
        plain = self.function is None and self.quantizer is None and not self._grouped
        return "cross-entropy" if self.cell.with_loss and plain else "square"

    @property
    def _grouped(self) -> bool:
        return self.cell.group_size not in (0, self.node.output.channels)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.activate(self.before(*inputs), own=False)  # torch keeps the probabilities for their gradient

    def before(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        if self.training and self.gives_logits:
            return x
        return pass_gradient(x, self.probabilities) if self.cell.with_loss else self.probabilities(x)

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        (x,) = inputs
        found = probabilities_of(x.exact().cpu().numpy(), self.cell.group_size)
        return self.activate_coded(Coded(torch.from_numpy(found).to(x.values.device)))

    def probabilities(self, x: Tensor) -> Tensor:
        """exp(x) over its sum over the channels of the group."""
        if not self._grouped:
            return x.softmax(1)
        return x.unflatten(1, (-1, self.cell.group_size)).softmax(2).flatten(1, 2)


def probabilities_of(values: np.ndarray, group_size: int) -> np.ndarray:
    """exp(x) over its sum over the channels, or groups of them (0: all), computed in float64; float32.

    The one computation of a network that is tested: the learned and the integer network both take it from here.
    """
    groups = values.shape[1] // group_size if group_size else 1
    grouped = values.astype(np.float64).reshape(len(values), groups, -1, *values.shape[2:])
    powers = np.exp(grouped - grouped.max(axis=2, keepdims=True))
    return (powers / powers.sum(axis=2, keepdims=True)).reshape(values.shape).astype(np.float32)
