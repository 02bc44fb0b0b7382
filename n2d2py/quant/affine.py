"""Wide codes: the one place that says which integers a linear function of codes gives.

Sums of values of several scales, a BatchNorm without a quantizer, factors that are real numbers: all of them are

    y[c] = sum over k of a_k[c] * code_k + b[c]

with real numbers a and b. By definition y is on a fine grid whose scale g is a power of two, and its codes are

    code = (sum over k of round_shift(code_k, p_k) * M_k[c] + B[c]) >> n
    M_k[c] = rint(a_k[c] 2^(p_k + n) / g),  B[c] = rint(b[c] 2^n / g) + 2^(n-1) (the half that rounds; 0 for n = 0)
    round_shift(code, p) = (code + 2^(p-1)) >> p,  >> rounding toward minus infinity

g is the smallest power of two that keeps every code below 2^27, so that a value is off by about 2^-27 of the largest
one, as in float32, and sums of sixteen of them still fit a word of 32 bits. The learned network is evaluated so, and
the integer network is built so, hence they agree; all that comes after is again a function of an integer.

Sums before a quantizer with an integer bias are the exception: they lie on a fraction of its step (:func:`affine_on`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from n2d2py.quant.grid import Coded, Grid, exact_dtype

WIDE_BITS = 27
"""Wide codes stay below 2^27 in magnitude."""

PARTS = range(1025, 2048, 2)
"""Parts of a step of a quantizer in :func:`affine_on`: odd, so that no sum lies half-way between two codes."""

_FEW = 1 << 9
"""Up to this sum of |code|, a multiplier that is rounded to an integer is near enough without a shift."""
_MOST_SHIFT = 62 - WIDE_BITS
_MOST_BITS = 36
"""Codes of more bits are shortened first, so that products fit 62 bits."""


@dataclass(frozen=True)
class Term:
    """One input: codes on ``grid`` and what each is worth, a float64 tensor (channels, 1, 1) or of any shape that
    broadcasts with a stimulus."""

    factors: Tensor
    grid: Grid


@dataclass(frozen=True)
class Affine:
    """The integers above: ``multipliers`` and ``biases`` are int64, shaped as the factors were."""

    multipliers: tuple[Tensor, ...]
    biases: Tensor
    pre_shifts: tuple[int, ...]
    shift: int
    grid: Grid

    def __call__(self, *codes: Tensor) -> Tensor:
        """Codes of the result in the narrowest exact float type, from integers in tensors of any type."""
        total = self.biases.to(codes[0].device)
        for values, multipliers, bits in zip(codes, self.multipliers, self.pre_shifts, strict=True):
            total = total + shortened(values.long(), bits) * multipliers.to(values.device)
        return (total >> self.shift).to(exact_dtype(self.grid.magnitude))

    def coded(self, *codes: Tensor) -> Coded:
        """As a call, with the grid."""
        return Coded(self(*codes), self.grid)


def shortened(codes: Tensor, bits: int) -> Tensor:
    """int64 codes / 2^bits, rounded; a half upward."""
    return codes if bits == 0 else (codes + (1 << (bits - 1))) >> bits


def affine(terms: Sequence[Term], bias: Tensor | None = None, bits: int = WIDE_BITS) -> Affine:
    """The integer form of sum of factors * codes + ``bias`` (float64), with codes of at most ``bits`` bits.

    Raises OverflowError for factors or biases that are not finite, or so large or small that no float64 has them.
    """
    factors = [term.factors.detach().double().cpu() for term in terms]
    shift_in = tuple(max(0, term.grid.magnitude.bit_length() - _MOST_BITS) for term in terms)
    magnitudes = [(term.grid.magnitude >> k) + 1 for term, k in zip(terms, shift_in, strict=True)]
    factors = [factor * float(1 << k) for factor, k in zip(factors, shift_in, strict=True)]
    constant = torch.zeros(()).double() if bias is None else bias.detach().double().cpu()
    reach = constant.abs()
    for factor, magnitude in zip(factors, magnitudes, strict=True):
        reach = reach + factor.abs() * magnitude
    exponent = _exponent(float(reach.max()), bits)
    total = sum(magnitudes)
    shift = 0 if total <= _FEW else min(_MOST_SHIFT, max(0, total.bit_length() - 2))
    scale = math.ldexp(1.0, -exponent)
    exact = [factor * scale for factor in (*factors, constant)]
    while shift and all(bool((numbers * 2.0 ** (shift - 1)).frac().abs().max() == 0) for numbers in exact):
        shift -= 1  # nothing is lost: the factors are powers of two, say
    unit = scale * 2.0**shift
    multipliers = tuple(torch.round(factor * unit).long() for factor in factors)
    half = 1 << (shift - 1) if shift else 0
    biases = torch.round(constant * unit).long() + half
    grids = [term.grid for term in terms]
    low, high = reachable(multipliers, biases, shift_in, shift, [g.low for g in grids], [g.high for g in grids])
    grid = Grid(math.ldexp(1.0, exponent), int(low.min()), int(high.max()))
    return Affine(multipliers, biases, shift_in, shift, grid)


def affine_on(terms: Sequence[Term], bias: Tensor, unit: float) -> Affine | None:
    """As :func:`affine`, on the grid of ``unit`` / q for an odd q up to 2047, for codes of few bits; None for others.

    ``unit`` is the step of the quantizer that takes the sum. Since q is odd, each sum lies 1/4094 of a step or more
    from where the code changes: more than float32 loses on the way. It is the q with which sums are off the least, by
    sum over k of |M_k / q - a_k / unit| * max |code_k| steps: some thousandths for two inputs.
    """
    magnitudes = [max(term.grid.magnitude, 1) for term in terms]
    if sum(magnitudes) > _FEW:
        return None
    factors = [term.factors.detach().double().cpu() / unit for term in terms]
    constant = bias.detach().double().cpu() / unit
    reach = constant.abs().max() + sum(f.abs().max() * m for f, m in zip(factors, magnitudes, strict=True))
    if not float(reach) * PARTS[-1] < (1 << WIDE_BITS) - 1:  # nor for what is not a number
        return None
    parts = torch.tensor(PARTS, dtype=torch.float64)
    off = torch.zeros_like(parts)
    for factor, magnitude in zip(factors, magnitudes, strict=True):
        scaled = factor.reshape(-1, 1) * parts
        off = off + ((scaled.round() - scaled).abs() / parts).amax(0) * magnitude
    best = int(parts[off.argmin()])
    multipliers = tuple(torch.round(factor * best).long() for factor in factors)
    biases = torch.round(constant * best).long()
    none, grids = (0,) * len(terms), [term.grid for term in terms]
    low, high = reachable(multipliers, biases, none, 0, [g.low for g in grids], [g.high for g in grids])
    return Affine(multipliers, biases, none, 0, Grid(unit / best, int(low.min()), int(high.max())))


def reachable(
    multipliers: Sequence[Tensor],
    biases: Tensor,
    pre_shifts: Sequence[int],
    shift: int,
    lows: Sequence[Tensor | int],
    highs: Sequence[Tensor | int],
) -> tuple[Tensor, Tensor]:
    """Smallest and largest code of the result for inputs from ``lows`` to ``highs``, int64, exactly."""
    low, high = biases, biases
    for multiplier, bits, least, most in zip(multipliers, pre_shifts, lows, highs, strict=True):
        ends = [shortened(torch.as_tensor(end, dtype=torch.int64), bits) * multiplier for end in (least, most)]
        low = low + torch.minimum(*ends)
        high = high + torch.maximum(*ends)
    return low >> shift, high >> shift


def aligned(grids: Sequence[Grid], bits: int = WIDE_BITS) -> list[Affine]:
    """For inputs of different scales, what brings each to one grid."""
    unit = torch.ones(()).double()
    reach = max(grid.scale * grid.magnitude for grid in grids)
    # The largest decides the grid of all: a bias of 0 that stands for it is part of every reach.
    forms = [affine([Term(unit * grid.scale, grid)], bits=bits) for grid in grids]
    coarsest = max(form.grid.scale for form in forms)
    if reach == 0 or all(form.grid.scale == coarsest for form in forms):
        return forms
    return [_on(grid, coarsest) for grid in grids]


def _on(grid: Grid, scale: float) -> Affine:
    """Codes of ``grid`` on the grid of a power of two that is coarse enough for them."""
    pre_shift = max(0, grid.magnitude.bit_length() - _MOST_BITS)
    ratio = torch.tensor(grid.scale * float(1 << pre_shift) / scale).double()
    bits = (grid.magnitude >> pre_shift).bit_length()
    shift = min(_MOST_SHIFT, max(0, bits - 2))
    while shift and float(ratio * 2.0 ** (shift - 1)).is_integer():
        shift -= 1
    multiplier = torch.round(ratio * 2.0**shift).long()
    biases = torch.tensor(1 << (shift - 1) if shift else 0)
    low, high = reachable([multiplier], biases, [pre_shift], shift, [grid.low], [grid.high])
    return Affine((multiplier,), biases, (pre_shift,), shift, Grid(scale, int(low), int(high)))


def narrowed(grid: Grid, bits: int) -> Affine | None:
    """What shortens codes of ``grid`` to at most ``bits`` bits, rounding them; None if they have no more."""
    excess = grid.magnitude.bit_length() - bits
    if excess <= 0:
        return None
    excess += 1  # rounding up must not need one bit more
    one, zero = torch.ones((), dtype=torch.int64), torch.zeros((), dtype=torch.int64)
    low, high = reachable([one], zero, [excess], 0, [grid.low], [grid.high])
    return Affine((one,), zero, (excess,), 0, Grid(grid.scale * 2.0**excess, int(low), int(high)))


def _exponent(reach: float, bits: int) -> int:
    """The smallest e with reach / 2^e below 2^bits, with room for what rounding adds."""
    if not math.isfinite(reach):
        raise OverflowError("a factor or a bias is not a finite number")
    if reach == 0:
        return 0
    exponent = math.frexp(reach * (1 + 2.0**-14))[1] - bits
    if abs(exponent) > 900:
        raise OverflowError(f"values up to {reach:g} have no grid")
    return exponent
