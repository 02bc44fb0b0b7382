"""``IntegerNetwork``: the operations of the integer graph, in order, and the edges between them.

All tensors are int64 numpy arrays. Each edge carries its own grid (scale and range of its codes); nothing global
runs along. What the operations compute is defined by :mod:`~n2d2py.integer.interpreter`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from n2d2py.cells.base import PROVIDER, Dims
from n2d2py.integer.proof import Proof
from n2d2py.integer.requantization import IntegerBias, Rescaling
from n2d2py.quant.grid import Grid

Pair = tuple[int, int]
"""(x, y), as everywhere in the INI file."""

Along = tuple[int, ...]
"""(x, y), or (x, y, z) where there is a depth to slide along."""


@dataclass(frozen=True, eq=False)
class Edge:
    """What flows between two operations: its dimensions, its grid, and the reachable codes of each channel.

    ``grid`` is None for the real values of a float island. ``low`` and ``high`` are int64 (channels,), exact bounds
    from range arithmetic: no stimulus can leave them. ``offset`` (float64, channels) is the real bias of a cell on
    its way to the rescaling that absorbs it: value = code * scale + offset.
    """

    name: str
    dims: Dims
    grid: Grid | None
    low: np.ndarray
    high: np.ndarray
    offset: np.ndarray | None = None

    @property
    def magnitude(self) -> int:
        """Largest |code| that can occur."""
        return max((abs(int(value)) for value in (*self.low.tolist(), *self.high.tolist())), default=0)

    @property
    def bits(self) -> int:
        """Bits of a word that holds every code that can occur: unsigned if none is negative."""
        return Grid(1.0, int(self.low.min()), int(self.high.max())).bits


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation: the name of what it gives, the cell it comes from, the names of what it takes."""

    name: str
    cell: str
    inputs: tuple[str, ...]

    def words(self) -> str:
        """The formula in words, enough to write the operation again."""
        raise NotImplementedError

    def detail(self) -> str:
        """Its parameters in a line of the text dump."""
        return ""

    def record(self) -> dict[str, Any]:
        """Its parameters as plain data, for the manifest."""
        return {}


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
        grid = self.weights_grid
        return self.absent > 0 and not (grid.low <= 0 <= grid.high and -grid.low % grid.step == 0)

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


@dataclass(frozen=True, eq=False)
class Requantization(Operation):
    """Accumulators to activation codes, with the proof that they are the learned ones.

    The rescaling numbers the levels of the output's grid from 0; the code is ``low + number * step``, or
    ``levels[number]`` where levels are given. Codes 0..R are their own numbers.
    """

    rescaling: Rescaling
    proof: Proof
    mode: str = "Floating-point"
    low: int = 0
    step: int = 1
    levels: tuple[int, ...] = ()
    line: IntegerBias | None = None
    """What the step function is where it has an integer bias (``QAct.IntegerBias``)."""
    straight: bool = False
    """Whether it could have one: codes go in, and all before the quantizer is made of straight lines."""

    @property
    def renumbers(self) -> bool:
        """Whether codes are not the numbers of their levels."""
        return bool(self.levels) or (self.low, self.step) != (0, 1)

    def codes(self, accumulators: np.ndarray, axis: int = 0) -> np.ndarray:
        """Codes int64 of accumulators int64; ``axis`` is that of the channels."""
        numbers = self.rescaling.codes(accumulators, axis)
        if self.levels:
            return np.array(self.levels, dtype=np.int64)[numbers]
        return numbers * self.step + self.low if self.renumbers else numbers

    def words(self) -> str:
        name = "number" if self.renumbers else "code"
        text = (
            f"{name} = clamp((input * multiplier[c] + bias[c]) >> {self.rescaling.shift}, 0, "
            f"{self.rescaling.highest}), 64-bit integers, >> rounds toward minus infinity"
        )
        if self.rescaling.tables:
            text += f"; in a channel with thresholds: {name} = number of thresholds <= sign * input"
        if self.levels:
            text += "; code = levels[number]"
        elif self.renumbers:
            text += f"; code = {self.low} + number * {self.step}"
        return text

    def detail(self) -> str:
        bits, rescaling = self.rescaling.multiplier_bits, self.rescaling
        to = f"0..{rescaling.highest}"
        if self.renumbers:
            codes = self.levels or (self.low, self.low + self.step, self.low + self.step * rescaling.highest)
            to = f"{rescaling.highest + 1} levels {codes[0]},{codes[1]}..{codes[-1]}"
        return f"to {to}, {bits} bit multiplier, shift {rescaling.shift}, {self.proof}"


@dataclass(frozen=True, eq=False)
class Pooling(Operation):
    """Windows of a map, and which input channels each output takes: bool (channels, outputs), None: its own."""

    pool: Along
    stride: Along
    padding: Along
    mapping: np.ndarray | None = None

    @property
    def area(self) -> int:
        """The largest number of codes that make one output, padding included."""
        channels = 1 if self.mapping is None else int(self.mapping.sum(axis=0).max(initial=0))
        return math.prod(self.pool) * channels

    def detail(self) -> str:
        text = f"{'x'.join(map(str, self.pool))}, stride {','.join(map(str, self.stride))}"
        text += f", padding {','.join(map(str, self.padding))}" if any(self.padding) else ""
        return text + ("" if self.mapping is None else ", over the channels of its map")


@dataclass(frozen=True, eq=False)
class MaxPool(Pooling):
    """The largest code of a window; padding never wins."""

    def words(self) -> str:
        return (
            "largest code of the window (of the connected channels), places outside the input left out; "
            "0 for an output without channels"
        )


@dataclass(frozen=True, eq=False)
class SumPool(Pooling):
    """The exact sum of a window: an average whose division by the area stands in the scale of its edge."""

    def words(self) -> str:
        return "sum of the codes of the window (of the connected channels), places outside the input count 0"


@dataclass(frozen=True, eq=False)
class Concatenation(Operation):
    """Inputs of one scale, one after the other along the channels, each flattened before if ``flat``.

    An input of one place beside larger ones stands at every place.
    """

    flat: bool = False

    def words(self) -> str:
        flat = ", each flattened first: x + width * (y + height * c)" if self.flat else ""
        repeated = "" if self.flat else "; an input of one place stands at every place"
        return f"the inputs one after the other along the channels{flat}{repeated}"


@dataclass(frozen=True, eq=False)
class Rectification(Operation):
    """Negative codes become 0."""

    def words(self) -> str:
        return "the larger of the input and 0"


@dataclass(frozen=True, eq=False)
class Identity(Operation):
    """The codes as they are."""

    def words(self) -> str:
        return "the input"


@dataclass(frozen=True, eq=False)
class Softmax(Operation):
    """A float island: probabilities of the real logits ``code * scale``, float64."""

    scale: float
    group_size: int = 0

    def words(self) -> str:
        over = f"each {self.group_size} neighbouring" if self.group_size else "the"
        return (
            f"exp(v) / sum of exp(v) over {over} channels, v = input * {self.scale!r}, in real numbers "
            "(no integers here)"
        )

    def detail(self) -> str:
        return "real numbers" + (f", groups of {self.group_size}" if self.group_size else "")


@dataclass(frozen=True, eq=False)
class Lookup(Operation):
    """The codes of the stimuli from bytes of a camera: ``table`` int64, a row of 256 codes a channel, or one for all.

    It stands before the first operation: normalising by mean and deviation, say, costs nothing more than a load.
    """

    table: np.ndarray

    def codes(self, pixels: np.ndarray) -> np.ndarray:
        """int64 codes of uint8 pixels (batch, channels, [depth,] height, width)."""
        rows = np.broadcast_to(self.table, (pixels.shape[1], 256))
        channels = np.arange(pixels.shape[1]).reshape(1, -1, *[1] * (pixels.ndim - 2))
        codes: np.ndarray = rows[channels, pixels]
        return codes

    def words(self) -> str:
        return "table[c][byte], c = the channel, or 0 if the table has one row"

    def detail(self) -> str:
        return f"{'x'.join(map(str, self.table.shape))} table"

    def record(self) -> dict[str, Any]:
        return {"table": self.table.tolist()}


@dataclass(frozen=True, eq=False)
class IntegerNetwork:
    """Operations in the order in which they are computed; ``edges`` holds the stimuli's and each operation's.

    ``outputs`` names, for each cell of the learned network, the operation that gives its output. ``lookup``, if there
    is one, makes the codes of the stimuli from bytes.
    """

    name: str
    operations: tuple[Operation, ...]
    edges: dict[str, Edge]
    outputs: dict[str, str]
    lookup: Lookup | None = None

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def __len__(self) -> int:
        return len(self.operations)

    def __getitem__(self, name: str) -> Operation:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Operation]:
        return {operation.name: operation for operation in self.operations}

    @property
    def stimuli(self) -> Edge:
        """The edge of the stimuli."""
        return self.edges[PROVIDER]

    @property
    def islands(self) -> list[str]:
        """Names of the operations on real numbers."""
        return [operation.name for operation in self if self.edges[operation.name].grid is None]

    @property
    def exact(self) -> bool:
        """Whether every rescaling is proved equal to the learned step function."""
        return all(operation.proof.exact for operation in self if isinstance(operation, Requantization))

    def sources(self, operation: Operation) -> list[Edge]:
        """The edges that come into an operation."""
        return [self.edges[name] for name in operation.inputs]

    def consumers(self, name: str) -> list[Operation]:
        """The operations that take what ``name`` gives."""
        return [operation for operation in self if name in operation.inputs]

    def text(self) -> str:
        """The text form: one line for the stimuli and for each operation."""
        first = f"{PROVIDER}: {_edge_text(self.stimuli)}" if self.lookup is None else self._line(self.lookup)
        return "\n".join([f"integer network {self.name}", first, *map(self._line, self)])

    def _line(self, operation: Operation) -> str:
        kind, detail = type(operation).__name__, operation.detail()
        call = f"{kind}({', '.join(operation.inputs)})" + (f" [{detail}]" if detail else "")
        return f"{operation.name} = {call}: {_edge_text(self.edges[operation.name])}"


def _edge_text(edge: Edge) -> str:
    shape = "x".join(map(str, edge.dims.shape))
    if edge.grid is None:
        return f"{shape} real"
    return f"{shape} codes {int(edge.low.min())}..{int(edge.high.max())}, scale {edge.grid.scale:.6g}"


def _span(grid: Grid) -> str:
    return f"{grid.low}..{grid.high}" + (f" by {grid.step}" if grid.step != 1 else "")


def _bias_detail(operation: Weighted) -> str:
    return "" if operation.bias is None else f", bias, accumulator << {operation.bias_shift}"
