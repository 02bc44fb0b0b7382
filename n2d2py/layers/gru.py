"""GRU: torch's, or quantized."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from n2d2py.graph.network import Node
from n2d2py.layers.recurrent import RecurrentLayer, repeated
from n2d2py.layers.sequences import Site, Value
from n2d2py.registry import register


@register("layer", "GRU")
class GRULayer(RecurrentLayer):
    """The memory is the output before its quantizer; ``initial_hidden`` is what both begin with."""

    def __init__(self, node: Node) -> None:
        super().__init__(node, nn.GRU)

    def before(self, batch: int) -> Tensor:
        return repeated(self.initial_hidden, batch)

    def steps(self, taken: Tensor, site: Site) -> list[Value]:
        taken = taken + site.input_biases
        h, state = site.take("output", site.begin[0]), site.take("state", site.begin[0]).real()
        found = []
        for at_step in taken:
            r, z, n = at_step.chunk(3, -1)
            r_inner, z_inner, n_inner = (site.recur(h) + site.recurrent_biases).chunk(3, -1)
            r = site.take("accumulator", r + r_inner, "reset").real()
            z = site.take("accumulator", z + z_inner, "update").real()
            r, z = site.take("sigmoid", torch.cat((r, z), -1).sigmoid()).real().chunk(2, -1)
            n, n_inner = (site.take("accumulator", one, "new").real() for one in (n, n_inner))
            n = site.take("accumulator", n + r * n_inner, "new").real()
            n = site.take("tanh", n.tanh()).real()
            added, kept = site.take("state", (1 - z) * n).real(), site.take("state", z * state).real()
            state = site.take("state", added + kept).real()
            h = site.take("output", state)
            found.append(h)
        return found
