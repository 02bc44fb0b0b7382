"""Activation quantizers: what each of them can do, and how one is made from its record."""

from __future__ import annotations

from torch import Tensor, nn

from n2d2py.parts.quantizers import ActivationQuantizer
from n2d2py.quant.grid import Grid
from n2d2py.quant.rules import Ruled
from n2d2py.quant.scaled import Scaled
from n2d2py.registry import find, name_of


class ActivationQuantization(nn.Module):
    """The quantizer of the output of one cell."""

    def __init__(self, record: ActivationQuantizer) -> None:
        super().__init__()
        self.record = record

    def forward(self, values: Tensor) -> Tensor:
        """``values`` rounded to the grid, with the quantizer's gradient."""
        raise NotImplementedError

    def ruled(self, count: int) -> Ruled | None:
        """The same as a rule for ``count`` values, once it is :attr:`ready`; None if there is no such rule."""
        return None

    @property
    def ready(self) -> bool:
        """Whether all is known that the first batch decides."""
        return True

    def prepare(self, values: Tensor) -> None:
        """Take from ``values`` what the first batch decides, unless that is known."""

    def split(self, values: Tensor) -> Scaled:
        """``values`` as codes with the quantizer's gradient, and their scale.

        ``codes * scale`` is bit for bit what ``forward`` gives.
        """
        raise NotImplementedError

    @property
    def span(self) -> tuple[int, int] | None:
        """The lowest and the highest code, as far as that is known before learning."""
        return None

    def grid(self) -> Grid:
        """The grid of the output as it is now."""
        raise NotImplementedError

    def codes(self, real: Tensor) -> Tensor:
        """Codes of float64 values, float64, monotone in each value: every operation is correctly rounded."""
        raise NotImplementedError

    def nearest(self, scaled: Tensor) -> Tensor:
        """Codes of float64 values in units of the grid's scale: each is rounded once, half-way to even."""
        raise NotImplementedError

    def fill(self) -> None:
        """Give what is learned its initial value."""

    def learned(self) -> list[tuple[str, nn.Parameter]]:
        """(name, tensor) of what is learned, the names as they stand in weight files."""
        return []

    def stored(self) -> list[tuple[str, Tensor]]:
        """(name, tensor) of what weight files hold."""
        return [(name, tensor) for name, tensor in self.learned()]


def make(record: ActivationQuantizer) -> ActivationQuantization:
    """The torch module of an activation quantizer."""
    module: ActivationQuantization = find("activation quantization", name_of("activation quantizer", type(record)))(
        record
    )
    return module
