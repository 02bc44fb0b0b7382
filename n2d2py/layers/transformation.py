"""Transformation: a transformation of stimuli inside the network; no gradient comes back."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from n2d2py.cells.transformation import Transformation
from n2d2py.graph.network import Node
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.quant.grid import Coded
from n2d2py.registry import register


@register("layer", "Transformation")
class TransformationLayer(ActivatedLayer):
    """Images are float32 and leave the device for it. In learning what is drawn at random is drawn anew each batch."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        assert isinstance(node.cell, Transformation)
        self.transformation = node.cell.transformation

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.activate(self.before(*inputs), own=False)  # what is not changed is still the parent's memory

    def before(self, *inputs: Tensor) -> Tensor:
        x = joined(inputs).detach()
        seed = int(torch.randint(1 << 31, ())) if self.training else 0
        images = np.ascontiguousarray(x.cpu().numpy().transpose(0, 2, 3, 1))
        made = self.transformation.on_images(images, seed)
        return torch.from_numpy(np.ascontiguousarray(made.transpose(0, 3, 1, 2), np.float32)).to(x.device)

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        return self.activate_coded(Coded(self.before(joined_codes(inputs).real())))
