"""Weight quantizers: what each of them can do, and how one is made from its record."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from n2d2py.parts.quantizers import WeightQuantizer
from n2d2py.quant.grid import Grid
from n2d2py.registry import find, name_of


class WeightQuantization(nn.Module):
    """The quantizer of one weight tensor (outputs, channels, ...)."""

    def __init__(self, record: WeightQuantizer, shape: Sequence[int]) -> None:
        super().__init__()
        self.record = record
        self.shape = tuple(shape)

    @property
    def quantizes(self) -> bool:
        """Whether the weights are on a grid, so that they have codes."""
        return True

    @property
    def separate(self) -> bool:
        """Whether learning computes with codes and a separate scale (:meth:`split`)."""
        return False

    def forward(self, weights: Tensor) -> Tensor:
        """The weights that the network computes with, of the same shape, with the quantizer's gradient."""
        raise NotImplementedError

    def split(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """(codes, scale): integers with the quantizer's gradient, and a scalar tensor without one.

        ``codes * scale`` is bit for bit what ``forward`` gives.
        """
        raise NotImplementedError

    def codes(self, weights: Tensor) -> tuple[Tensor, Grid]:
        """Integer codes (float32, same shape) and their grid; raises ValueError if ``quantizes`` is not so."""
        raise NotImplementedError


def make(record: WeightQuantizer, shape: Sequence[int]) -> WeightQuantization:
    """The torch module of a weight quantizer, for a weight tensor of the given shape (outputs, channels, ...)."""
    module: WeightQuantization = find("weight quantization", name_of("weight quantizer", type(record)))(record, shape)
    return module
