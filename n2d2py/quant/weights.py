"""Weight quantizers: what each of them can do, and how one is made from its record."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from n2d2py.parts.quantizers import WeightQuantizer
from n2d2py.quant.budgets import Budget
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

    def still(self, weights: Tensor) -> Tensor | None:
        """Which weights lie where no gradient reaches them, beyond the outermost level or Clip; None if none can."""
        return None

    @property
    def stirred_by(self) -> str:
        """The key, with its value, that brings a gradient to weights that are ``still``."""
        raise NotImplementedError

    @property
    def bounds_sums(self) -> bool:
        """Whether :meth:`bound` has an effect."""
        return False

    def bound(self, budget: Budget) -> None:
        """From now on keep the sum of the |code| of each output within a budget; only where ``bounds_sums``."""
        raise NotImplementedError

    @property
    def advances(self) -> bool:
        """Whether learning changes more than what the solvers change: it must tell of its progress."""
        return False

    def advance(self, weights: Tensor, stimuli: int, log_period: int) -> None:
        """Learning has seen so many stimuli, and logs every ``log_period`` of them."""

    def fill(self) -> None:
        """Give what is learned its initial value."""

    def learned(self) -> list[tuple[str, nn.Parameter]]:
        """(name, tensor) of what is learned, the names as they stand in weight files."""
        return []

    def stored(self) -> list[tuple[str, Tensor]]:
        """(name, tensor) of what weight files hold."""
        return [(name, tensor) for name, tensor in self.learned()]


def make(record: WeightQuantizer, shape: Sequence[int]) -> WeightQuantization:
    """The torch module of a weight quantizer, for a weight tensor of the given shape (outputs, channels, ...)."""
    module: WeightQuantization = find("weight quantization", name_of("weight quantizer", type(record)))(record, shape)
    return module
