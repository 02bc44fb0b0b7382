"""Fixed point: scales that are powers of two, from the largest weight and from a learned threshold."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, real_between
from n2d2py.parameters import Record, parameter
from n2d2py.parts.quantizers import ActivationQuantizer, WeightQuantizer, steps
from n2d2py.registry import register


@dataclass(frozen=True, kw_only=True)
class _Words(Record):
    """Values of a word of so many bits."""

    range: int = parameter("Range", steps, 255, "2^bits - 1: 255 for 8 bits, 65535 for 16", unit="steps")
    power_of_two: bool = parameter("PowerOfTwo", boolean, True, "0: the scale is any real number, not a power of two")

    def __post_init__(self) -> None:
        if self.range < 3 or self.range & (self.range + 1) or self.bits > 24:
            raise ParameterError(
                f"Range={self.range} is no range of a fixed-point word",
                place=self.place("range"),
                expected="2^bits - 1, for 2 to 24 bits: 3, 7, 15, 31, 63, 127, 255, ..",
            )

    @property
    def bits(self) -> int:
        """Bits of a word."""
        return self.range.bit_length()

    @property
    def _form(self) -> str:
        return f"{self.bits} bits" + ("" if self.power_of_two else ", scale of any size")


@register("weight quantizer", "FixedPoint")
@dataclass(frozen=True, kw_only=True)
class FixedPointWeights(_Words, WeightQuantizer):
    """Two's complement without its lowest code; the scale is 2^ceil(log2 max|w|) / 2^(bits - 1) at any time."""

    @property
    def codes(self) -> tuple[int, int]:
        """The lowest and the highest code."""
        highest = (1 << (self.bits - 1)) - 1
        return -highest, highest

    def label(self) -> str:
        return f"QWeights: fixed point, {self._form}"


@register("activation quantizer", "FixedPoint")
@dataclass(frozen=True, kw_only=True)
class FixedPointActivations(_Words, ActivationQuantizer):
    """Codes of ``bits`` bits times a power of two, which follows from a learned threshold."""

    signed: bool = parameter("Signed", boolean, False, "1: two's complement, for outputs that are negative too")
    percentile: float = parameter(
        "Percentile",
        real_between(0, 100, low_open=True),
        99.999,
        "the threshold begins where so many of the magnitudes of the first batch lie below",
        unit="%",
    )

    @property
    def codes(self) -> tuple[int, int]:
        """The lowest and the highest code."""
        half = 1 << (self.bits - 1)
        return (-half, half - 1) if self.signed else (0, self.range)

    def label(self) -> str:
        return f"QAct: fixed point{' signed' if self.signed else ''}, {self._form}"
