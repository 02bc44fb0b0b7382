"""GRU: torch's, or quantized."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from n2d2py.graph.network import Node
from n2d2py.layers.recurrent import RecurrentLayer, repeated
from n2d2py.layers.sequences import Site
from n2d2py.registry import register


@register("layer", "GRU")
class GRULayer(RecurrentLayer):
    """The memory is the output before its quantizer; ``initial_hidden`` is what both begin with."""

    def __init__(self, node: Node) -> None:
        super().__init__(node, nn.GRU)

    def before(self, batch: int) -> Tensor:
        return repeated(self.initial_hidden, batch)

    @staticmethod
    def biases(inputs: Sequence[Tensor], recurrent: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor] | None]:
        return list(inputs), list(recurrent)

    def steps(self, taken: Sequence[Sequence[Any]], site: Site) -> list[Any]:
        h, state = site.take("output", site.begin[0]), site.take("state", site.begin[0])
        found = []
        for r, z, n in taken:
            r_inner, z_inner, n_inner = site.recur(h)
            r = site.take("accumulator", site.plus(r, r_inner), "reset")
            z = site.take("accumulator", site.plus(z, z_inner), "update")
            r, z = site.logistic(r, z)
            n, n_inner = (site.take("accumulator", one, "new") for one in (n, n_inner))
            n = site.tanh(site.take("accumulator", site.plus(n, site.times(r, n_inner)), "new"))
            added = site.take("state", site.times(site.complement(z), n))
            kept = site.take("state", site.times(z, state))
            state = site.take("state", site.plus(added, kept))
            h = site.take("output", state)
            found.append(h)
        return found
