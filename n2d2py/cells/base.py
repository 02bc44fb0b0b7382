"""What all cells have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np

from n2d2py.errors import GraphError
from n2d2py.kinds import boolean, one_of, positive, unsigned
from n2d2py.parameters import REQUIRED, Record, choice, parameter
from n2d2py.parts.activations import Activation
from n2d2py.parts.fillers import Filler, NormalFiller
from n2d2py.parts.quantizers import ActivationQuantizer, WeightQuantizer
from n2d2py.parts.solvers import SGD, Solver
from n2d2py.parts.targets import Target
from n2d2py.registry import name_of

_DEFAULT_FILLER = NormalFiller(mean=0.0, std_dev=0.05)

PROVIDER = "env"
"""Name of the stimuli's provider among the inputs of a cell, whatever its section is called."""


class Dims(NamedTuple):
    """Dimensions of what flows between cells, in N2D2's order.

    A torch tensor is (batch, channels, height, width), or (batch, channels, depth, height, width) where the depth
    is more than 1.
    """

    width: int
    height: int
    channels: int
    depth: int = 1

    @property
    def size(self) -> int:
        """Number of values."""
        return self.width * self.height * self.channels * self.depth

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one stimulus as torch has it: channels, [depth,] height, width."""
        return (self.channels, *((self.depth,) if self.depth > 1 else ()), self.height, self.width)

    def __str__(self) -> str:
        return " ".join(map(str, (*reversed(self.shape[1:]), self.channels)))


class Cost(NamedTuple):
    """The numbers that N2D2 prints for a cell; they add up over the network."""

    neurons: int = 0
    nodes: int = 0
    synapses: int = 0
    virtual_synapses: int = 0
    connections: int = 0

    def __add__(self, other: object) -> Cost:
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class Parameters(NamedTuple):
    """How many values a cell learns: weights, which are multiplied by inputs, and all others (biases, scales)."""

    weights: int = 0
    others: int = 0


class BoxRows(NamedTuple):
    """The rows of an output of boxes: x, y, width and height are the first channels.

    There are ``rows`` for a stimulus; ``classes`` of boxes (1: they are not told apart); ``score`` and ``label`` are
    the channels of a box's score and class; with ``background`` class 0 is no object. Offsets t that the cell is given
    stand for t * ``factors`` + ``means``.
    """

    rows: int
    classes: int = 1
    score: int | None = None
    label: int | None = None
    background: bool = False
    means: tuple[float, ...] = (0.0,) * 4
    factors: tuple[float, ...] = (1.0,) * 4


class Layout(NamedTuple):
    """The order of the values in a file of weights; by default output by output, the channels of each, their kernels.

    ``outputs_last``: kernel position by kernel position, its channels, the outputs of each. ``flipped``: each kernel
    in reverse order. ``groups``: of how many blocks of outputs, each with channels of its own, the weights are.
    ``order``: the outputs as they stand in the file, which holds biases in that order too; empty: their own.
    """

    outputs_last: bool = False
    flipped: bool = False
    groups: int = 1
    order: tuple[int, ...] = ()


BY_OUTPUT = Layout()
"""The usual order."""


@dataclass(frozen=True, kw_only=True)
class Cell(Record):
    """A layer of the network: a frozen record, read from a section of the INI file or made from an ONNX node."""

    name: str
    inputs: tuple[str, ...]
    nb_outputs: int = parameter("NbOutputs", positive, REQUIRED, "channels of the output", unit="channels")

    strict: ClassVar[bool] = False
    """Whether an unknown key in the section is an error (as in N2D2) and not only a warning."""

    shares_weights: ClassVar[bool] = False
    """Whether one weight serves many positions, so that synapses and virtual synapses differ."""

    normalizes: ClassVar[bool] = False
    """Whether a network at rest scales and shifts each channel here, which weights before it could do as well."""

    own_meanings: ClassVar[tuple[str, ...]] = ()
    """Fields of keys that N2D2 does not document: their meaning is n2d2py's own, which is said if one is set."""

    changes_rows: ClassVar[bool] = False
    """Whether the rows of its output are not the stimuli of the batch, but boxes found in them."""

    @property
    def type_name(self) -> str:
        """The name that ``Type=`` gives it."""
        return name_of("cell", type(self))

    learns_alone: ClassVar[bool] = False
    """Whether it learns from the labelled regions of the stimuli, and not from what comes behind it."""

    def found_in(self, inputs: Sequence[Dims]) -> BoxRows | None:
        """What the rows of its output are if they are boxes with its ``inputs``; None for all other cells."""
        return None

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        """Dimensions of the output; raises :class:`GraphError` if the inputs do not fit.

        The default is for cells that keep dimensions: inputs are concatenated along the channels.
        """
        dims = concatenated(self, inputs)
        self.check_outputs(dims.channels)
        return dims

    def check_outputs(self, channels: int) -> None:
        """Raise :class:`GraphError` unless NbOutputs is the number of channels that result."""
        if self.nb_outputs != channels:
            raise GraphError(
                f"{self.type_name} cell {self.name} gives {channels} outputs, NbOutputs says {self.nb_outputs}",
                place=self.place("nb_outputs"),
                expected=f"NbOutputs={channels}",
            )

    def maps(self, inputs: Sequence[Dims]) -> Mapping[str, np.ndarray]:
        """For each input, which channel is connected to which output: bool (channels, outputs); {} means all."""
        return {}

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        """Neurons, nodes, synapses and connections as N2D2 counts them for this type."""
        return Cost(nodes=output.size)

    def parameters(self, inputs: Sequence[Dims], output: Dims) -> Parameters:
        """How many values the cell learns."""
        return Parameters()

    def macs(self, inputs: Sequence[Dims], output: Dims) -> int:
        """Multiplications of a weight by an input for one stimulus; products with padding count, as is usual."""
        return 0

    @property
    def selects(self) -> bool:
        """Whether every value of the output is one of the inputs or 0, so that codes stay the same codes."""
        return False

    @property
    def is_loss(self) -> bool:
        """Whether its gradient is that of its target alone, so that it must be the end of the network."""
        return False

    def doubts(self, target: Target) -> list[str]:
        """What is probably not meant about ``target``, a target of this cell; a sentence each."""
        return []

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        """Lines of the cell's box on the picture, below its name and type."""
        return ["x".join(map(str, output.shape))]

    @property
    def refers_to(self) -> tuple[str, ...]:
        """Names of cells before it, beside its inputs, whose last pass it needs to know."""
        return ()


@dataclass(frozen=True, kw_only=True)
class ActivatedCell(Cell):
    """A cell that ends in an activation function, which may be quantized."""

    activation: Activation | None = choice("ActivationFunction", "activation", None, "function applied to the output")
    activation_quantizer: ActivationQuantizer | None = choice(
        "QAct", "activation quantizer", None, "quantizer of the output"
    )
    activation_quantizer_solver: Solver = choice(
        ("QActSolver", "QAct.Solver"), "solver", SGD(), "solver of the quantizer's parameter", type_default="SGD"
    )

    def doubts(self, target: Target) -> list[str]:
        found = super().doubts(target)
        function = self.activation
        if function is not None and not function.reaches_below_zero and target.default_value < 0:
            wanted = f"target {target.name} wants {target.default_value:g}"
            found.append(f"{wanted}, and {self.name} gives nothing below 0 ({function.label()})")
        return found

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        if self.activation is not None:
            lines.append(f"ACT: {self.activation.label()}")
        if self.activation_quantizer is not None:
            lines.append(self.activation_quantizer.label())
        return lines


@dataclass(frozen=True, kw_only=True)
class WeightedCell(ActivatedCell):
    """A cell with weights, which may be quantized, and biases, which never are in learning."""

    weights_quantizer: WeightQuantizer | None = choice(
        "QWeight", "weight quantizer", None, "quantizer of the weights"
    )
    weights_quantizer_solver: Solver = choice(
        ("QWeightSolver", "QWeight.Solver"), "solver", SGD(), "solver of the quantizer's parameter", type_default="SGD"
    )
    weights_filler: Filler = choice("WeightsFiller", "filler", _DEFAULT_FILLER, "initial weights")
    bias_filler: Filler = choice("BiasFiller", "filler", _DEFAULT_FILLER, "initial biases")
    weights_solver: Solver = choice(
        ("WeightsSolver", "Solvers"), "solver", SGD(), "solver of the weights", type_default="SGD"
    )
    bias_solver: Solver = choice(("BiasSolver", "Solvers"), "solver", SGD(), "solver of the biases", type_default="SGD")
    accumulator_bits: int = parameter(
        "QAcc.Bits", unsigned, 0, "no sum of products may need more bits, of which one is the sign; 0: any", unit="bits"
    )
    accumulator_guarantee: str = parameter(
        "QAcc.Guarantee",
        one_of("None", "A2Q", "A2Q+"),
        "None",
        "how learning keeps the weights within QAcc.Bits; None: testing checks them",
    )
    no_bias: bool = parameter("NoBias", boolean, False, "1: no biases")
    back_propagate: bool = parameter("BackPropagate", boolean, True, "0: no gradient to the inputs")

    def with_plain_weights(self) -> WeightedCell:
        """The cell with a bias, and with weights of its own that nothing clamps or normalises."""
        return replace(self, no_bias=False, weights_quantizer=None)

    @property
    def layout(self) -> Layout:
        """The order of the values in the cell's files of weights."""
        return BY_OUTPUT

    def parameters(self, inputs: Sequence[Dims], output: Dims) -> Parameters:
        return Parameters(self.nb_weights(inputs, output), 0 if self.no_bias else output.channels)

    def macs(self, inputs: Sequence[Dims], output: Dims) -> int:
        # Every weight serves every position of the output once.
        return self.nb_weights(inputs, output) * (output.size // output.channels)

    def nb_weights(self, inputs: Sequence[Dims], output: Dims) -> int:
        """Number of weights, those that it has from another cell too."""
        return self.cost(inputs, output).synapses - (0 if self.no_bias else output.channels)

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        if self.weights_quantizer is not None:
            lines.append(self.weights_quantizer.label())
        return lines


def concatenated(cell: Cell, inputs: Sequence[Dims]) -> Dims:
    """Dimensions of all inputs one after the other along the channels; their other sizes must be equal.

    A width, height and depth of 1 beside larger ones are broadcast.
    """
    width, height, depth = (max(sizes) for sizes in zip(*((d.width, d.height, d.depth) for d in inputs), strict=True))
    for name, dims in zip(cell.inputs, inputs, strict=True):
        if (dims.width, dims.height, dims.depth) not in ((width, height, depth), (1, 1, 1)):
            raise GraphError(
                f"inputs of cell {cell.name} differ in size: {name} is {_sizes(dims)}, "
                f"another is {_sizes(Dims(width, height, 1, depth))}",
                place=cell.place(),
                expected="inputs of one width and height" + (" and depth" if depth > 1 else ""),
            )
    return Dims(width, height, sum(dims.channels for dims in inputs), depth)


def alone(cell: Cell, inputs: Sequence[Dims]) -> Dims:
    """Dimensions of the one input; raises :class:`GraphError` if the cell has several."""
    if len(inputs) != 1:
        raise GraphError(
            f"{cell.type_name} cell {cell.name} has {len(inputs)} inputs", place=cell.place(), expected="one"
        )
    return inputs[0]


def _sizes(dims: Dims) -> str:
    return f"{dims.width}x{dims.height}" + (f"x{dims.depth}" if dims.depth > 1 else "")
