"""What all layers have in common: the torch side of a node of the network.

A layer computes in two ways. ``forward`` is for learning: float32, with fake-quantized weights and
activations. ``evaluate`` is for testing: on a quantized network it carries exact integer codes
(:class:`~n2d2py.quant.grid.Coded`), and every activation code is computed from an exact integer accumulator
in float64; without quantizers it is ``forward`` in evaluation mode.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from n2d2py.graph.network import Node
from n2d2py.parts.solvers import Solver
from n2d2py.quant.grid import Coded


@dataclass(frozen=True)
class Learned:
    """A tensor that learns: its name below the layer, the tensor, the solver that changes it."""

    name: str
    tensor: nn.Parameter
    solver: Solver


@dataclass(frozen=True)
class Stored:
    """A tensor that is kept in a weight file ``<cell>_<name>.syntxt``.

    ``tensor`` is the live tensor; the file holds one line per entry of its first axis, ``mask`` (same shape,
    bool) leaves out what is not connected.
    """

    name: str
    tensor: Tensor
    mask: Tensor | None = None


class Layer(nn.Module):
    """The torch module of one node."""

    gives_logits: bool = False
    """Whether learning gets the logits of an output with a loss of its own; the network sets it."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node

    @property
    def quantized(self) -> bool:
        """Whether weights or activations are on a grid."""
        return False

    @property
    def takes_offset(self) -> bool:
        """Whether it adds the real bias of its one parent (:attr:`Coded.offset`) inside its own real computation."""
        return False

    @property
    def loss_form(self) -> str:
        """What a target right on this layer learns from: "square", "cross-entropy" or "logistic"."""
        return "square"

    def forward(self, *inputs: Tensor) -> Tensor:
        """Float output (batch, channels, height, width) of float inputs, for learning."""
        raise NotImplementedError

    def evaluate(self, *inputs: Coded) -> Coded:
        """Output of inputs that may be integer codes; exact on codes."""
        raise NotImplementedError

    def fill(self, generator: torch.Generator) -> None:
        """Give every learned tensor its initial values."""

    def learned(self) -> list[Learned]:
        """The tensors that learn."""
        return []

    def stored(self) -> list[Stored]:
        """The tensors that weight files hold, in the order of the files."""
        return []
