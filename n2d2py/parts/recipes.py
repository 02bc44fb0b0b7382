"""The recipes that ``-recipe`` names: a method and a number of bits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from n2d2py.errors import UsageError

METHODS = {
    "sat": "clamp weights, then weights and activations by SAT, then fuse (Jin, Yang and Liao 2019, arXiv:1912.10207)",
    "lsq": "learn in floating point, then weights and activations by LSQ, then fuse (Esser et al. 2020, "
    "arXiv:1902.08153)",
}
"""What the stages of each method do."""

BITS = range(1, 9)


@dataclass(frozen=True)
class Recipe:
    """What ``-recipe`` names: the method and the bits."""

    method: str
    bits: int

    @property
    def steps(self) -> int:
        """The range of weights and activations."""
        return (1 << self.bits) - 1

    @property
    def doc(self) -> str:
        """What it does."""
        bits = "1 bit" if self.bits == 1 else f"{self.bits} bits"
        return f"{bits}: {METHODS[self.method]}\n\nThe first and the last cell with weights have weights of 8 bits."


def names() -> list[str]:
    """All recipes."""
    return [f"{method}{bits}" for method in METHODS for bits in BITS]


def parse(name: str) -> Recipe:
    """The recipe of that name. Raises :class:`UsageError` if there is none."""
    match = re.fullmatch(rf"({'|'.join(METHODS)})([1-8])", name)
    if match is None:
        raise UsageError(f"-recipe {name}: there is no such recipe", expected=f"one of {', '.join(names())}")
    return Recipe(match[1], int(match[2]))
