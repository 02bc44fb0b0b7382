"""The step function of a batch-normalised activation in exact rational arithmetic: what real numbers would give.

The learned step function is defined in float64 (see :mod:`n2d2py.integer.thresholds`). This module computes the
same formula without any rounding, to show how far the two lie apart: at most where a real value comes within the
rounding errors of float64 to a tie. The square root is squared out, so that only integers are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class RealStep:
    """code(acc) = rint(clamp((acc * scale + offset - mean) * gamma / sqrt(variance + epsilon) + bias, 0, alpha)
    * R / alpha), half to even; every parameter is the exact value of a float.

    With variance + epsilon = 0 the factor is taken as infinite: the sign of (x - mean) * gamma decides, as in
    floats; 0 * infinity is undefined and raises ValueError.
    """

    scale: float
    gamma: float
    mean: float
    variance: float
    epsilon: float
    bias: float
    alpha: float
    highest: int
    offset: float = 0.0

    def code(self, accumulator: int) -> int:
        """The code of an accumulator."""
        low, high = 0, self.highest  # largest code whose lower edge lies below the value, by bisection
        while low < high:
            middle = (low + high + 1) // 2
            side = self.compare(accumulator, Fraction(2 * middle - 1, 2))
            # A value on the edge between middle - 1 and middle goes to the even one of them.
            if side > 0 or (side == 0 and middle % 2 == 0):
                low = middle
            else:
                high = middle - 1
        return low

    def compare(self, accumulator: int, level: Fraction) -> int:
        """Sign of (normalised value * R / alpha - level), exact; the clamp left out."""
        centred = (Fraction(self.scale) * accumulator + Fraction(self.offset) - Fraction(self.mean)) * Fraction(
            self.gamma
        )
        needed = level * Fraction(self.alpha) / self.highest - Fraction(self.bias)
        power = Fraction(self.variance) + Fraction(self.epsilon)
        if power < 0 or (power == 0 and centred == 0):
            raise ValueError("the batch normalisation is undefined")
        if power == 0:
            return _sign(centred)
        # centred / sqrt(power) ? needed  <=>  centred ? needed * sqrt(power)  <=>  signed squares
        return _sign(centred * abs(centred) - needed * abs(needed) * power)


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)
