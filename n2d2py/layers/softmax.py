"""Softmax over the channels, or groups of them, of each position."""

from __future__ import annotations

from torch import Tensor

from n2d2py.cells.softmax import Softmax
from n2d2py.graph.network import Node
from n2d2py.layers.base import Layer
from n2d2py.layers.functions import pass_gradient
from n2d2py.quant.grid import Coded
from n2d2py.registry import register


@register("layer", "Softmax")
class SoftmaxLayer(Layer):
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
        return "cross-entropy" if self.cell.with_loss and not self._grouped else "square"

    @property
    def _grouped(self) -> bool:
        return self.cell.group_size not in (0, self.node.output.channels)

    def forward(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        if self.training and self.gives_logits:
            return x
        return pass_gradient(x, self.probabilities) if self.cell.with_loss else self.probabilities(x)

    def evaluate(self, *inputs: Coded) -> Coded:
        (x,) = inputs
        return Coded(self.probabilities(x.exact()).float())

    def probabilities(self, x: Tensor) -> Tensor:
        """exp(x) over its sum over the channels of the group."""
        if not self._grouped:
            return x.softmax(1)
        return x.unflatten(1, (-1, self.cell.group_size)).softmax(2).flatten(1, 2)
