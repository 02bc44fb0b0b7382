"""APoT: level sets of sums of powers of two, on which a product is a few shifts and additions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean
from n2d2py.parameters import parameter
from n2d2py.parts.lsq import LsqActivations, LsqWeights
from n2d2py.parts.quantizers import steps
from n2d2py.registry import register

_MOST_BITS = 6
_RANGE = parameter("Range", steps, 15, "2^bits - 1 for levels of so many bits", unit="steps")


def additive_powers(bits: int) -> tuple[int, ...]:
    """The 2^bits levels of Li, Dong and Wang 2020 (arXiv:1909.13144, equation 5), as increasing integers.

    A level is a sum of terms of two bits, each of them 0 or one of three powers of two, with bits // 2 terms that
    take the powers in turn. An odd number of bits has a term of one bit, which takes its turn before the third power
    of the others. No power belongs to two terms, so that all sums differ.

    >>> additive_powers(2), additive_powers(3)
    ((0, 1, 2, 4), (0, 1, 2, 3, 4, 6, 8, 10))
    """
    pairs, odd = divmod(bits, 2)
    powers = 3 * pairs + odd
    terms: list[list[int]] = [[0] for _ in range(pairs)]
    single = [0]
    turn = iter(range(powers - 1, -1, -1))
    for lap in range(3):
        if lap == 2 and odd:
            single.append(1 << next(turn))
        for term in terms:
            term.append(1 << next(turn))
    return tuple(sorted({sum(levels) for levels in product(*terms, single)}))


def _signed_powers(bits: int) -> tuple[int, ...]:
    """Levels of ``bits`` bits with a sign: bits - 1 of them for the magnitude."""
    if bits == 1:
        return (-1, 1)
    magnitudes = additive_powers(bits - 1)
    return tuple(sorted({*magnitudes, *(-code for code in magnitudes)}))


def _check(record: LsqWeights | LsqActivations, most: int, what: str) -> None:
    bits = record.range.bit_length()
    if not record.levels and (record.range + 1 != 1 << bits or bits > most):
        raise ParameterError(
            f"Range={record.range} has no level set of additive powers of two",
            place=record.place("range"),
            expected=f"2^bits - 1, for {what} of at most {most} bits",
            remedy="15 for 4 bits, or Levels= for levels of your own",
        )


@register("weight quantizer", "APoT")
@dataclass(frozen=True, kw_only=True)
class ApotWeights(LsqWeights):
    """APoT (Li, Dong and Wang 2020, arXiv:1909.13144): weights, normalised to mean 0 and variance 1, on sums of
    powers of two with a sign. The clipping value learns as the step of LSQ does.
    """

    range: int = _RANGE

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self, _MOST_BITS + 1, "weights")

    @property
    def codes(self) -> Sequence[int]:
        """The levels in units of the step, the same on both sides of 0 whatever the QuantMode."""
        return self.levels or _signed_powers(self.range.bit_length())

    def label(self) -> str:
        return f"QWeights: APoT, {self.bits} bits"


@register("activation quantizer", "APoT")
@dataclass(frozen=True, kw_only=True)
class ApotActivations(LsqActivations):
    """APoT (Li, Dong and Wang 2020): activations on sums of powers of two, whose step is learned."""

    range: int = _RANGE
    signed: bool = parameter("Signed", boolean, False, "1: levels with a sign, one bit of them for it")

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self, _MOST_BITS + self.signed, "activations")

    @property
    def codes(self) -> Sequence[int]:
        """The levels in units of the step; with Signed=1 those of weights."""
        bits = self.range.bit_length()
        return self.levels or (_signed_powers(bits) if self.signed else additive_powers(bits))

    def label(self) -> str:
        return f"QAct: APoT, {self.bits} bits"
