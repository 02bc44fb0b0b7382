"""What all layers have in common: the torch side of a node of the network.

A layer computes in two ways. ``forward`` is for learning: float32, with fake-quantized weights and
activations, or with their codes beside a scale (:class:`~n2d2py.quant.scaled.Scaled`) where
QWeight.Mode=Integer. ``evaluate`` is for testing: on a quantized network it carries exact integer codes
(:class:`~n2d2py.quant.grid.Coded`), and every activation code is computed from an exact integer accumulator
in float64; without quantizers it is ``forward`` in evaluation mode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from n2d2py.cells.base import BY_OUTPUT, Dims, Layout
from n2d2py.graph.network import Node
from n2d2py.parts.solvers import Solver
from n2d2py.quant.grid import Coded
from n2d2py.quant.scaled import Scaled, shared


@dataclass(frozen=True)
class Learned:
    """A tensor that learns: its name below the layer, the tensor, the solver that changes it."""

    name: str
    tensor: nn.Parameter
    solver: Solver


@dataclass(frozen=True)
class Stored:
    """A tensor that is kept in a weight file ``<cell>_<name>.syntxt``.

    ``tensor`` is the live tensor; the file holds one line per entry of its first axis unless ``layout`` says
    otherwise, ``mask`` (same shape, bool) leaves out what is not connected.
    """

    name: str
    tensor: Tensor
    mask: Tensor | None = None
    layout: Layout = BY_OUTPUT


Labels = Callable[[Tensor], Tensor]
"""From an output (batch, channels, ..) to the channels wanted there: int64 (batch,) or (batch, ..), -1 for none."""


Truth = Sequence[Tensor]
"""For each stimulus its labelled regions, float (regions, 5): x, y, width, height in pixels of the image, class."""


class Layer(nn.Module):
    """The torch module of one node."""

    gives_logits: bool = False
    """Whether learning gets the logits of an output with a loss of its own; the network sets it."""

    gives_codes: bool = False
    """Whether a weighted cell in Integer mode learns from its codes; the network sets it."""

    wants_labels: bool = False
    """Whether it learns in another way at the channel of the label."""

    truth: Truth | None = None
    """Where its cell learns alone, the regions of the batch; the network sets it."""

    own_loss: Tensor | None = None
    """What it asks for itself, of the batch that it saw last in learning: a scalar, summed over the batch."""

    labels: Labels | None = None
    """Where it wants labels, those of the batch; the network sets it."""

    stimuli: Dims
    """Dimensions of the stimuli, on which boxes lie; the network sets it."""

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
    def keeps_codes(self) -> bool:
        """Whether it only moves, selects or scales values, so that codes leave it as codes."""
        return False

    @property
    def takes_codes(self) -> bool:
        """Whether learning gives it codes beside their scale."""
        return self.keeps_codes and self.gives_codes

    @property
    def loss_form(self) -> str:
        """What a target right on this layer learns from: "square", "cross-entropy" or "logistic"."""
        return "square"

    @property
    def advances(self) -> bool:
        """Whether a quantizer of its weights changes with the progress of learning (:meth:`advance`)."""
        return False

    def advance(self, stimuli: int, log_period: int) -> None:
        """Learning has seen so many stimuli, and logs every ``log_period`` of them."""

    def refer(self, layers: Mapping[str, Layer]) -> None:
        """Meet the layers that the cell ``refers_to``; raises :class:`GraphError` if they do not suit it."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Float output (batch, channels, height, width) of float inputs, for learning."""
        raise NotImplementedError

    def forward_scaled(self, *inputs: Scaled) -> Scaled:
        """As :meth:`forward`, in a network in which a weighted cell learns from codes."""
        codes = shared(inputs) if self.takes_codes else None
        if codes is None:
            return self.forward_reals(*(x.real() for x in inputs))
        return self.forward_codes([x.values for x in inputs], *codes)

    def forward_reals(self, *inputs: Tensor) -> Scaled:
        """:meth:`forward_scaled` of real inputs."""
        return Scaled(self(*inputs))

    def forward_codes(self, inputs: Sequence[Tensor], scale: Tensor, high: int) -> Scaled:
        """:meth:`forward_scaled` of codes 0 .. ``high`` of one scale, where :attr:`takes_codes`."""
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
