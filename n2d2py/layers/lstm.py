"""LSTM: torch's, with a filler for each gate, or quantized."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from n2d2py.cells.lstm import GATES, LSTM
from n2d2py.graph.network import Node
from n2d2py.layers.recurrent import RecurrentLayer, repeated
from n2d2py.layers.sequences import Site
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

    @staticmethod
    def biases(inputs: Sequence[Tensor], recurrent: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor] | None]:
        return [one + other for one, other in zip(inputs, recurrent, strict=True)], None

    def steps(self, taken: Sequence[Sequence[Any]], site: Site) -> list[Any]:
        h, state = site.take("output", site.begin[0]), site.take("state", site.begin[1])
        found = []
        for at_step in taken:
            sums = zip(at_step, site.recur(h), GATES, strict=True)
            i, f, g, o = (site.take("accumulator", site.plus(one, other), gate) for one, other, gate in sums)
            i, f, o = site.logistic(i, f, o)
            g = site.tanh(g)
            kept, added = site.take("state", site.times(f, state)), site.take("state", site.times(i, g))
            state = site.take("state", site.plus(kept, added))
            h = site.take("output", site.times(o, site.tanh(state)))
            found.append(h)
        return found
