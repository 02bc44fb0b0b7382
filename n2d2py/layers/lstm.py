"""LSTM: torch's, with a filler for each gate, or quantized."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from n2d2py.cells.lstm import GATES, LSTM
from n2d2py.graph.network import Node
from n2d2py.layers.recurrent import RecurrentLayer, repeated
from n2d2py.layers.sequences import Site, Value
from n2d2py.parts.fillers import Filler
from n2d2py.registry import register


@register("layer", "LSTM")
class LSTMLayer(RecurrentLayer):
    """``initial_hidden`` and ``initial_state`` (layers * directions, hidden) are filled and do not learn."""

    initial: ClassVar[tuple[str, ...]] = ("initial_hidden", "initial_state")

    initial_state: Tensor

    def __init__(self, node: Node) -> None:
        super().__init__(node, nn.LSTM)

    @property
    def initial_fillers(self) -> tuple[Filler, ...]:
        assert isinstance(self.cell, LSTM)
        return (self.cell.hidden_filler, self.cell.state_filler)

    def before(self, batch: int) -> tuple[Tensor, Tensor]:
        return repeated(self.initial_hidden, batch), repeated(self.initial_state, batch)

    def steps(self, taken: Tensor, site: Site) -> list[Value]:
        taken = taken + (site.input_biases + site.recurrent_biases)
        h, state = site.take("output", site.begin[0]), site.take("state", site.begin[1]).real()
        found = []
        for at_step in taken:
            sums = (at_step + site.recur(h)).chunk(len(GATES), -1)
            i, f, g, o = (site.take("accumulator", one, gate).real() for one, gate in zip(sums, GATES, strict=True))
            i, f, o = site.take("sigmoid", torch.cat((i, f, o), -1).sigmoid()).real().chunk(3, -1)
            g = site.take("tanh", g.tanh()).real()
            kept, added = site.take("state", f * state).real(), site.take("state", i * g).real()
            state = site.take("state", kept + added).real()
            h = site.take("output", o * site.take("tanh", state.tanh()).real())
            found.append(h)
        return found
