"""Step functions of batch-normalised activations with random parameters, the awkward ones included."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from .rational import RealStep

RANGES = (1, 3, 7, 15, 31, 63, 127, 255)


@dataclass(frozen=True, eq=False)
class Layer:
    """Parameters float64 (channels,), the reachable range, the highest code."""

    scale: float
    gamma: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    bias: np.ndarray
    offset: np.ndarray
    alpha: float
    highest: int
    low: np.ndarray
    high: np.ndarray
    epsilon: float = 1e-5

    def step(self, accumulators: np.ndarray) -> np.ndarray:
        """The step function, operation by operation as the layers compute it."""
        factor = self.gamma / np.sqrt(self.variance + self.epsilon)
        x = accumulators.astype(np.float64) * self.scale + self.offset[:, None]
        y = (x - self.mean[:, None]) * factor[:, None] + self.bias[:, None]
        return np.rint(np.clip(y, 0, self.alpha) * (self.highest / self.alpha)).astype(np.int64)

    def real(self, channel: int) -> RealStep:
        """The same channel in rational arithmetic."""
        parameters = (self.gamma, self.mean, self.variance)
        gamma, mean, variance = (float(array[channel]) for array in parameters)
        return RealStep(
            self.scale,
            gamma,
            mean,
            variance,
            self.epsilon,
            float(self.bias[channel]),
            self.alpha,
            self.highest,
            float(self.offset[channel]),
        )

    def half(self, code: int) -> Fraction:
        """The edge below a code."""
        return Fraction(2 * code - 1, 2)

    def rounding(self, channel: int) -> Fraction:
        """A generous bound of float64's rounding errors on the scale of codes."""
        widest = max(abs(int(self.low[channel])), abs(int(self.high[channel])))
        x = widest * self.scale + abs(self.offset[channel]) + abs(self.mean[channel])
        factor = abs(self.gamma[channel]) / np.sqrt(self.variance[channel] + self.epsilon)
        y = x * factor + abs(self.bias[channel]) + self.alpha
        return Fraction(float(y)) * Fraction(self.highest) / Fraction(self.alpha) / (1 << 48)

    def __repr__(self) -> str:
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return (
            "Layer("
            + ", ".join(
                f"{name}={value.tolist() if isinstance(value, np.ndarray) else value!r}"
                for name, value in fields.items()
            )
            + ")"
        )


_reals = st.floats(-4, 4, allow_nan=False, width=32)
_gammas = st.one_of(_reals, st.sampled_from([0.0, -0.0, 1e-30, -1e-30, 1e-8, -1e-6, 1.0, -1.0]))
_variances = st.one_of(st.floats(0, 9, width=32), st.sampled_from([0.0, 1e-13, 1e-6, 1.0]))
_biases = st.one_of(_reals, st.sampled_from([0.0, 100.0, -100.0, 3.0, 1e6]))


@st.composite
def layers(draw: st.DrawFn, max_span: int = 100_000, max_channels: int = 3) -> Layer:
    """Layers of a few channels, some of them dead (one reachable accumulator)."""
    channels = draw(st.integers(1, max_channels))
    lows, highs = [], []
    for _ in range(channels):
        low = draw(st.integers(-max_span // 2, max_span // 2))
        lows.append(low)
        highs.append(low + draw(st.one_of(st.just(0), st.integers(0, max_span))))

    def column(values: st.SearchStrategy[float]) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=channels, max_size=channels)), dtype=np.float64)

    return Layer(
        scale=draw(st.sampled_from([1 / 255, 1 / 225, 1 / 15, 1.0, 0.5, 0.0123, 1e-5])),
        gamma=column(_gammas),
        mean=column(_reals),
        variance=column(_variances),
        bias=column(_biases),
        offset=column(st.one_of(st.just(0.0), _reals)),
        alpha=draw(st.one_of(st.sampled_from([1.0, 5.99403, 8.0]), st.floats(0.015625, 20, width=32))),
        highest=draw(st.sampled_from(RANGES)),
        low=np.array(lows, dtype=np.int64),
        high=np.array(highs, dtype=np.int64),
    )


def whole_range(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """All reachable accumulators as (channels, points), and which of the points belong to each channel."""
    points = np.arange(layer.low.min(), layer.high.max() + 1)
    grid = np.broadcast_to(points, (len(layer.low), len(points)))
    return grid, (grid >= layer.low[:, None]) & (grid <= layer.high[:, None])
