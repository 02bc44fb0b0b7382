"""Unpool: what a maximum pooling took goes back to where it stood."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from n2d2py.errors import GraphError
from n2d2py.layers.base import Layer
from n2d2py.layers.moving import MovingLayer
from n2d2py.layers.pool import PoolLayer
from n2d2py.registry import register


@register("layer", "Unpool")
class UnpoolLayer(MovingLayer):
    """Values are written where the Pool layer of ``ArgMax`` found its maxima in its last pass.

    Of several values for one place the last counts; a place beyond the output is lost.
    """

    @property
    def inserts_zeros(self) -> bool:
        return True

    def refer(self, layers: Mapping[str, Layer]) -> None:
        (name,) = self.node.cell.refers_to
        source = layers[name]
        if not isinstance(source, PoolLayer) or not source.maximum or not source.unit:
            raise self._wrong(f"{name} is no Pool cell that takes the maximum of each channel alone")
        given = source.node.output
        wanted = self.node.inputs[0]._replace(channels=sum(dims.channels for dims in self.node.inputs))
        if given != wanted:
            raise self._wrong(f"{name} gives {given}, the input is {wanted}")
        source.keeps_places = True
        self.places = source.last_places

    def _wrong(self, why: str) -> GraphError:
        return GraphError(
            f"Unpool cell {self.node.name}: {why}",
            place=self.node.cell.place("arg_max"),
            expected="ArgMax, a Pool with Pooling=Max and Mapping.Size=1 whose output is as large as the input",
        )

    def move(self, x: Tensor) -> Tensor:
        shape = self.node.output.shape[1:]
        index = torch.zeros_like(x, dtype=torch.int64)
        inside = torch.ones_like(x, dtype=torch.bool)
        sizes = (1,) * (3 - len(shape)) + shape
        for place, size in zip(self.places(), sizes, strict=True):
            index = index * size + place.view(x.shape)
            inside &= (place.view(x.shape) >= 0) & (place.view(x.shape) < size)
        count = self.node.output.size // self.node.output.channels
        # What lies outside goes to one more place, which is cut off.
        index = torch.where(inside, index, count)
        flat = x.new_zeros(*x.shape[:2], count + 1).scatter(2, index.flatten(2), x.flatten(2))
        return flat[:, :, :count].unflatten(2, shape)
