"""RandomAffineTransformation: random gain, bias and gamma, of all channels or of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.draws import Draws
from n2d2py.data.transformations.base import ImageTransformation
from n2d2py.data.transformations.depth import full_scale, saturated
from n2d2py.errors import DataError, Place
from n2d2py.kinds import boolean, list_of, real, real_between
from n2d2py.parameters import Declaration, Keys, declare, parameter
from n2d2py.registry import register

_CHANNELS = 4  # channels that can have a range of their own
_pair = list_of(real, 2)
_probabilities = list_of(real_between(0, 1))

Range = tuple[float, float]
Ranges = tuple[Range | None, ...]
"""One range for all channels, or one for each of the first channels; None: the channel is left as it is."""


@dataclass(frozen=True)
class _Ranges(Declaration):
    """A range as ``GainRange=0.8 1.2``, or one for each channel as ``GainRange[0]=0.8 1.2``."""

    @property
    def type_name(self) -> str:
        return f"{_pair.name}: lowest and highest; {self.key}[0], {self.key}[1], ... for each channel"

    def spelled(self, prefixes: Sequence[str]) -> list[str]:
        names = [self.key, *(f"{self.key}[{channel}]" for channel in range(_CHANNELS))]
        return [prefix + name for prefix in prefixes for name in names]

    def read(self, keys: Keys, prefixes: Sequence[str]) -> tuple[Ranges, Place | None]:
        whole = keys.find(*(prefix + self.key for prefix in prefixes))
        found = [keys.find(*(f"{prefix}{self.key}[{channel}]" for prefix in prefixes)) for channel in range(_CHANNELS)]
        if whole is not None:
            return (_pair.read(whole),), whole.place
        given = [value for value in found if value is not None]
        if not given:
            return self.default, None
        return tuple(None if value is None else _pair.read(value) for value in found), given[0].place

    def format(self, value: Any) -> str:
        if len(value) == 1:
            return _pair.format(value[0])
        return ", ".join(f"[{channel}] {_pair.format(item)}" for channel, item in enumerate(value) if item is not None)


@register("transformation", "RandomAffineTransformation")
@dataclass(frozen=True, kw_only=True)
class RandomAffineTransformation(ImageTransformation):
    """v becomes gain ((v/S)^gamma S) + bias S, rounded and clipped to the depth; S is its highest value, 1 for reals.

    A range is of all channels, which then share what is drawn, or of each channel. With one probability all
    channels change together or not; with several each has its own. Without a range nothing changes (gain 1, bias
    0, gamma 1), without a probability it always does.
    """

    gain_range: Ranges = declare(_Ranges(key="GainRange", default=(), meaning="range of the gain"))
    bias_range: Ranges = declare(_Ranges(key="BiasRange", default=(), meaning="range of the bias, in full scales"))
    gamma_range: Ranges = declare(_Ranges(key="GammaRange", default=(), meaning="range of the exponent"))
    gain_probability: tuple[float, ...] = parameter("GainVarProb", _probabilities, (), "probability of a gain")
    bias_probability: tuple[float, ...] = parameter("BiasVarProb", _probabilities, (), "probability of a bias")
    gamma_probability: tuple[float, ...] = parameter("GammaVarProb", _probabilities, (), "probability of an exponent")
    disjoint_gamma: bool = parameter("DisjointGamma", boolean, False, "1: no gain and no bias where there is a gamma")
    channels_mask: tuple[bool, ...] = parameter(
        "ChannelsMask", list_of(boolean), (), "1 for each channel that changes; none: all of them"
    )

    @property
    def drawn(self) -> bool:
        return True

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        channels = image.shape[2]
        gain, _ = _values(self.gain_range, self.gain_probability, 1.0, channels, draws)
        bias, _ = _values(self.bias_range, self.bias_probability, 0.0, channels, draws)
        gamma, fired = _values(self.gamma_range, self.gamma_probability, 1.0, channels, draws)
        if self.disjoint_gamma:
            gain, bias = np.where(fired, 1.0, gain), np.where(fired, 0.0, bias)
        scale, result = full_scale(image.dtype), image.copy()
        for channel in range(channels):
            if self.channels_mask and not (channel < len(self.channels_mask) and self.channels_mask[channel]):
                continue
            plane = image[..., channel]
            if gamma[channel] != 1 and plane.size and plane.min() < 0:
                raise DataError(
                    "a negative value has no power of a broken exponent",
                    place=self.place("gamma_range"),
                    expected="values of at least 0 where GammaRange is given",
                )
            parameters = (float(gain[channel]), float(bias[channel]), float(gamma[channel]), scale)
            if image.dtype == np.uint8:
                table = saturated(_curve(np.arange(256, dtype=np.float64), *parameters), image.dtype)
                result[..., channel] = table[plane]
            else:
                result[..., channel] = saturated(_curve(plane.astype(np.float64), *parameters), image.dtype)
        return result


def _curve(values: NDArray[np.float64], gain: float, bias: float, gamma: float, scale: float) -> NDArray[np.float64]:
    if gamma != 1:
        values = np.power(values / scale, gamma) * scale
    return gain * values + bias * scale


def _values(
    ranges: Ranges, probabilities: tuple[float, ...], neutral: float, channels: int, draws: Draws
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The value of each channel, and whether it was drawn rather than left neutral."""
    if not ranges:
        return np.full(channels, neutral), np.zeros(channels, np.bool_)
    if len(probabilities) > 1:
        chances = [*probabilities, *[0.0] * channels][:channels]
        fired = np.array([bool(draws.truth(chance)[0]) for chance in chances])
    else:
        fired = np.full(channels, bool(draws.truth(probabilities[0])[0]) if probabilities else True)
    if len(ranges) == 1 and len(probabilities) <= 1:
        assert ranges[0] is not None  # a range of all channels
        values = np.full(channels, draws.real(*ranges[0])[0])
    else:
        each = ranges * channels if len(ranges) == 1 else (*ranges, *[None] * channels)
        given = np.array([item is not None for item in each[:channels]])
        values = np.array([neutral if item is None else draws.real(*item)[0] for item in each[:channels]])
        fired = fired & given
    return np.where(fired, values, neutral), fired
