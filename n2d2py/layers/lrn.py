"""LRN: local response normalisation across channels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.cells.lrn import LRN
from n2d2py.graph.network import Node
from n2d2py.layers.base import Layer
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.quant.grid import Coded
from n2d2py.registry import register


@register("layer", "LRN")
class LRNLayer(Layer):
    """torch's, which divides Alpha by N; real values."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, LRN)
        self.cell = node.cell

    def forward(self, *inputs: Tensor) -> Tensor:
        cell = self.cell
        return functional.local_response_norm(joined(inputs), cell.size, cell.alpha, cell.beta, cell.k)

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        return Coded(self(joined_codes(inputs).real()))
