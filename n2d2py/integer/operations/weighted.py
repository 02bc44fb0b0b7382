"""Operations with weights: exact sums of weight times code."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from n2d2py.integer.operations.base import Along, Operation
from n2d2py.quant.grid import Grid


@dataclass(frozen=True, eq=False)
class Weighted(Operation):
    """An operation with integer weights: exact sums of weight * code, ``bias_shift`` F and integer bias.

    ``output = (sum << F) + bias``; without bias F is 0. Weight codes lie on ``weights_grid``. ``connected`` (bool,
    shape of the weights; None: all) says which connections there are; the code of an absent one is 0, which need
    not be a level of the grid.
    """

    weights: np.ndarray
    weights_grid: Grid
    bias: np.ndarray | None = None
    bias_shift: int = 0
    connected: np.ndarray | None = field(default=None, kw_only=True)

    @property
    def connected_weights(self) -> np.ndarray:
        """The codes of the connections that there are, int64 (count)."""
        return self.weights.ravel() if self.connected is None else self.weights[self.connected]

    @property
    def absent(self) -> int:
        """Number of absent connections among the weights."""
        return self.weights.size - self.connected_weights.size

    @property
    def zero_is_extra(self) -> bool:
        """Whether the 0 of absent connections is no level of the grid."""
        return self.absent > 0 and 0 not in self.weights_grid.codes

    @property
    def level_bits(self) -> int:
        """Bits that number the levels of the grid: those of a connection's weight."""
        return (self.weights_grid.levels - 1).bit_length()

    @property
    def stored_bits(self) -> int:
        """Bits that number every code that the weights may hold: the levels, and the 0 of absent connections."""
        return (self.weights_grid.levels - 1 + self.zero_is_extra).bit_length()

    @property
    def _bias_words(self) -> str:
        return "" if self.bias is None else f"; output = (sum << {self.bias_shift}) + bias[o]"


@dataclass(frozen=True, eq=False)
class Convolution(Weighted):
    """Cross-correlation; weights (outputs, channels / groups, [depth,] height, width).

    Absent connections have weight 0. Stride, padding and the like go along x, y and, with weights that have a depth, z.
    """

    stride: Along = (1, 1)
    padding: Along = (0, 0)
    dilation: Along = (1, 1)
    sub_sample: Along = (1, 1)
    groups: int = 1

    def words(self) -> str:
        return (
            "sum over c, j, i of weights[o][c][j][i] * input[g*C+c][y*strideY+j*dilationY-paddingY]"
            "[x*strideX+i*dilationX-paddingX], codes outside the input are 0, g = the group of output o, "
            "C = channels of a group; then every subSampleX-th column and subSampleY-th row" + self._bias_words
        )

    def detail(self) -> str:
        text = f"{'x'.join(map(str, self.weights.shape))} weights {_span(self.weights_grid)}"
        for name in ("stride", "padding", "dilation", "sub_sample"):
            along: Along = getattr(self, name)
            if set(along) != {0 if name == "padding" else 1}:
                text += f", {name} {','.join(map(str, along))}"
        return text + (f", groups {self.groups}" if self.groups != 1 else "") + _bias_detail(self)


@dataclass(frozen=True, eq=False)
class Deconvolution(Convolution):
    """Transposed convolution: each code spreads its kernel over the output; weights as those of a convolution."""

    def words(self) -> str:
        return (
            "sum over c, j, i of weights[o][c][j][i] * input[g*C+c][v][u] for all v, u with v*strideY+j*dilationY"
            "-paddingY = y and u*strideX+i*dilationX-paddingX = x, g = the group of output o, C = channels of a group"
            + self._bias_words
        )


@dataclass(frozen=True, eq=False)
class FullyConnected(Weighted):
    """Matrix times the input, flattened channel by channel, row by row; weights (outputs, inputs)."""

    def words(self) -> str:
        return "sum over k of weights[o][k] * input[k], k = x + width * (y + height * c)" + self._bias_words

    def detail(self) -> str:
        outputs, inputs = self.weights.shape
        return f"{outputs}x{inputs} weights {_span(self.weights_grid)}" + _bias_detail(self)


def _span(grid: Grid) -> str:
    return f"{grid.low}..{grid.high}" + (f" by {grid.step}" if grid.step != 1 else "")


def _bias_detail(operation: Weighted) -> str:
    return "" if operation.bias is None else f", bias, accumulator << {operation.bias_shift}"
