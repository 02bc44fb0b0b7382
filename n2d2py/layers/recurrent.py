"""Layers with a memory: torch's own where everything is real, and quantized step by step where something is not.

The equations stand in :mod:`n2d2py.cells.recurrent`, :mod:`n2d2py.cells.lstm` and :mod:`n2d2py.cells.gru`; their
steps are written once (``RecurrentLayer.steps``), for learning, for codes and for the integer network alike:
:mod:`n2d2py.layers.sequences` says what a quantizer and a product are. The structure is that of Brevitas's quantized
LSTM.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from n2d2py.cells.recurrent import ROLES, Recurrent
from n2d2py.graph.network import Node
from n2d2py.layers.base import Layer, Learned, Stored
from n2d2py.layers.fillers import fill
from n2d2py.layers.sequence_codes import Exact
from n2d2py.layers.sequences import Arithmetic, Collecting, Site, Value
from n2d2py.parameters import declarations
from n2d2py.parts.fillers import Filler
from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.activations import make as make_quantizer
from n2d2py.quant.grid import Coded, Grid, exact_dtype
from n2d2py.quant.weights import WeightQuantization
from n2d2py.quant.weights import make as make_weight_quantizer

_NAMES = {
    "weight_ih": "weights_input",
    "weight_hh": "weights_recurrent",
    "bias_ih": "biases_input",
    "bias_hh": "biases_recurrent",
}
_DIRECTIONS = (("", ""), ("_reverse", "_backward"))
"""Torch's suffix and ours."""

_BY_GATE = "accumulator"


class RecurrentLayer(Layer):
    """Tensors of layer l: ``weights_input_l`` (gates x hidden, inputs), ``weights_recurrent_l`` (gates x hidden,
    hidden) and the ``biases_`` of both (gates x hidden); ``_backward`` behind them for the other direction. Rows: the
    gates of the cell, one after the other.

    ``initial_hidden`` (layers * directions, hidden) is filled and does not learn.
    """

    initial: ClassVar[tuple[str, ...]] = ("initial_hidden",)
    """Names of the tensors that hold what comes before the first step."""

    initial_hidden: Tensor
    core: nn.RNNBase

    def __init__(self, node: Node, core: type[nn.LSTM] | type[nn.GRU]) -> None:
        super().__init__(node)
        cell = node.cell
        assert isinstance(cell, Recurrent)
        self.cell = cell
        self.core = core(
            cell.input_dim,
            cell.hidden_size,
            cell.nb_layers,
            dropout=cell.dropout if cell.nb_layers > 1 else 0.0,
            bidirectional=cell.bidirectional,
        )
        for name in self.initial:
            zeros = torch.zeros(cell.nb_layers * cell.directions, cell.hidden_size)
            self.register_buffer(name, zeros, persistent=False)
        if cell.skips_input:
            # Each gate takes the input itself.
            for suffix, _ in _DIRECTIONS[: cell.directions]:
                weights = getattr(self.core, f"weight_ih_l0{suffix}")
                weights.requires_grad_(False).copy_(torch.eye(cell.hidden_size).repeat(len(cell.gates), 1))
        self.weight_quantizers = nn.ModuleDict(dict(self._weight_quantizers()))
        self.quantizers = nn.ModuleDict(dict(self._quantizers()))

    def _weight_quantizers(self) -> Iterator[tuple[str, WeightQuantization]]:
        """One for each gate of each direction of each layer."""
        cell = self.cell
        if cell.weights_quantizer is None:
            return
        for layer, _, called in self._directions():
            inputs = cell.input_dim if layer == 0 else cell.hidden_size * cell.directions
            for gate in cell.gates:
                shape = (cell.hidden_size, inputs + cell.hidden_size)
                yield f"{gate}_{layer}{called}", make_weight_quantizer(cell.weights_quantizer, shape)

    def _quantizers(self) -> Iterator[tuple[str, ActivationQuantization]]:
        """The input's; then those of each layer, of which the two directions share that of the output."""
        records = self.cell.quantizers
        if "input" in records:
            yield "input", make_quantizer(records["input"])
        for layer, _, called in self._directions():
            for role, record in records.items():
                if role == _BY_GATE:
                    yield from ((f"{role}_{gate}_{layer}{called}", make_quantizer(record)) for gate in self.cell.gates)
                elif role == "output" and not called:
                    yield f"{role}_{layer}", make_quantizer(record)
                elif role not in ("input", "output"):
                    yield f"{role}_{layer}{called}", make_quantizer(record)

    def _directions(self) -> Iterator[tuple[int, str, str]]:
        """(layer, torch's suffix, ours)."""
        for layer in range(self.cell.nb_layers):
            for suffix, called in _DIRECTIONS[: self.cell.directions]:
                yield layer, suffix, called

    def _activations(self) -> Mapping[str, ActivationQuantization]:
        return dict(self.quantizers.items())  # type: ignore[arg-type]  # a ModuleDict holds Module

    def _weights(self) -> Mapping[str, WeightQuantization]:
        return dict(self.weight_quantizers.items())  # type: ignore[arg-type]

    @property
    def quantized(self) -> bool:
        return bool(self.quantizers) or any(one.quantizes for one in self._weights().values())

    # ------------------------------------------------------------------------------------------ what a type gives

    def before(self, batch: int) -> object:
        """What torch's module takes beside the input."""
        raise NotImplementedError

    def steps(self, taken: Sequence[Sequence[Any]], site: Site) -> list[Any]:
        """The outputs h of all steps; ``taken`` has the products of each gate with the input, biases added, by step."""
        raise NotImplementedError

    @staticmethod
    def biases(inputs: Sequence[Tensor], recurrent: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor] | None]:
        """The biases of each gate that the products with the input get, and those with h, if they get any."""
        raise NotImplementedError

    @property
    def initial_fillers(self) -> tuple[Filler, ...]:
        """Those of the tensors of :attr:`initial`."""
        return (self.cell.hidden_filler,)

    # ------------------------------------------------------------------------------------------ computing

    def forward(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        steps = sequence(x)
        if not self.cell.back_propagate:
            steps = steps.detach()
        if not self.cell.is_quantized:
            hidden, _ = self.core(steps, self.before(len(x)))
            return self._shaped(hidden)
        self.prepare(steps)
        return self._shaped(self.run(Value(steps), Arithmetic()).values)

    @torch.no_grad()
    def prepare(self, steps: Tensor) -> None:
        """Take from a batch of sequences, computed with reals, what the first batch decides about the quantizers."""
        waiting = {name: one for name, one in self._activations().items() if not one.ready}
        if not waiting:
            return
        learning = self.training
        self.train(False)
        numbers = Collecting()
        self.run(Value(steps), numbers)
        self.train(learning)
        for name, quantizer in waiting.items():
            quantizer.prepare(torch.cat([one.flatten() for one in numbers.found[name]]))

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        (x,) = inputs
        if not self.cell.is_quantized:
            return Coded(self(x.real()))
        result, _ = self._evaluated(x)
        if result.grid is None:
            return Coded(self._shaped(result.values.float()))
        return Coded(self._shaped(result.values.to(exact_dtype(result.grid.magnitude))), result.grid)

    @torch.no_grad()
    def codes(self, x: Coded) -> dict[str, tuple[Tensor, Grid]]:
        """The codes of every quantized tensor beside the weights, float64 (values of time, ...), and their grid.

        ``accumulator_forget_0`` are the sums of the forget gate of layer 0, one tensor for all calls of its quantizer.
        """
        _, numbers = self._evaluated(x)
        quantizers = self._activations()
        return {name: (torch.stack(found), quantizers[name].grid()) for name, found in numbers.found.items()}

    @torch.no_grad()
    def weight_codes(self) -> dict[str, tuple[Tensor, Grid]]:
        """Integer codes of the weights of each gate, (hidden, inputs + hidden), and their grid; {} without QWeight."""
        found = {}
        for layer, suffix, called in self._directions():
            for gate, both in zip(self.cell.gates, self._both(layer, suffix), strict=True):
                name = f"{gate}_{layer}{called}"
                quantizer = self._weights().get(name)
                if quantizer is not None and quantizer.quantizes:
                    found[name] = quantizer.codes(both)
        return found

    def grids(self) -> dict[str, Grid]:
        """The grid of every tensor that is on one and ready, by its name."""
        found = {f"weights_{name}": grid for name, (_, grid) in self.weight_codes().items()}
        return found | {name: one.grid() for name, one in self._activations().items() if one.ready}

    def _evaluated(self, x: Coded) -> tuple[Value, Exact]:
        given = x if x.offset is None else Coded(x.exact())
        self.prepare(sequence(x.real()))
        numbers = Exact()
        values = given.values.double()
        return self.run(Value(sequence(values), given.grid), numbers), numbers

    def run(self, x: Any, numbers: Arithmetic) -> Any:
        """The outputs of the last layer, (time, batch, channels), for the sequence ``x``."""
        quantizers, cell = self._activations(), self.cell
        if "input" in quantizers:
            x = numbers.take("input", quantizers["input"], x)
        found: list[Any] = []
        for index, (layer, suffix, called) in enumerate(self._directions()):
            mine = [self._weights().get(f"{gate}_{layer}{called}") for gate in cell.gates]
            rows = numbers.weights(mine, self._both(layer, suffix))
            inputs = cell.input_dim if layer == 0 else cell.hidden_size * cell.directions
            to_inputs, to_outputs = self.biases(*self._biases(layer, suffix))
            products = numbers.product(numbers.flipped(x) if called else x, rows.columns(0, inputs))
            biased = [numbers.steps(numbers.biased(one, b)) for one, b in zip(products, to_inputs, strict=True)]
            begin = [numbers.before(getattr(self, name)[index], x) for name in self.initial]
            site = Site(numbers, quantizers, layer, called, rows.columns(inputs, None), to_outputs, begin)
            outputs = numbers.stacked(self.steps(list(zip(*biased, strict=True)), site))
            found.append(numbers.flipped(outputs) if called else outputs)
            if len(found) == cell.directions:
                x = numbers.joined(found)
                found = []
                if layer + 1 < cell.nb_layers and cell.dropout and self.training:
                    x = Value(functional.dropout(x.values, cell.dropout))
        return x

    def _biases(self, layer: int, suffix: str) -> list[list[Tensor]]:
        """Those of the input and of the recurrence, gate by gate."""
        both = [getattr(self.core, f"bias_{part}_l{layer}{suffix}") for part in ("ih", "hh")]
        return [list(one.chunk(len(self.cell.gates))) for one in both]

    def _both(self, layer: int, suffix: str) -> list[Tensor]:
        """The weights of each gate: (hidden, inputs + hidden)."""
        parts = [getattr(self.core, f"weight_{part}_l{layer}{suffix}") for part in ("ih", "hh")]
        return list(torch.cat(parts, 1).chunk(len(self.cell.gates)))

    def _shaped(self, hidden: Tensor) -> Tensor:
        """Outputs (time, batch, channels) as those of a cell."""
        if self.cell.last_step_only:
            return hidden[-1, :, :, None, None]
        return hidden.permute(1, 2, 0)[..., None]

    # ------------------------------------------------------------------------------------------ parameters

    @property
    def advances(self) -> bool:
        return any(one.advances for one in self._weights().values())

    def advance(self, stimuli: int, log_period: int) -> None:
        for layer, suffix, called in self._directions():
            for gate, both in zip(self.cell.gates, self._both(layer, suffix), strict=True):
                self._weights()[f"{gate}_{layer}{called}"].advance(both.detach(), stimuli, log_period)

    def tensors(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Name and tensor of all weights and biases that learn, layer by layer."""
        for layer, suffix, called in self._directions():
            for torch_name, name in _NAMES.items():
                if layer == 0 and torch_name == "weight_ih" and self.cell.skips_input:
                    continue
                yield f"{name}_{layer}{called}", getattr(self.core, f"{torch_name}_l{layer}{suffix}")

    @torch.no_grad()
    def fill(self, generator: torch.Generator) -> None:
        gates = self.cell.gates
        for name, tensor in self.tensors():
            bias, recurrent = name.startswith("biases"), "recurrent" in name
            for gate, rows in zip(gates, tensor.chunk(len(gates)), strict=True):
                fill(self.cell.filler_of(gate, bias, recurrent), rows, generator)
        for name, filler in zip(self.initial, self.initial_fillers, strict=True):
            fill(filler, getattr(self, name), generator)
        for weights in self._weights().values():
            weights.fill()
        for outputs in self._activations().values():
            outputs.fill()

    def learned(self) -> list[Learned]:
        cell = self.cell
        solvers = {True: cell.bias_solver, False: cell.weights_solver}
        found = [Learned(name, tensor, solvers[name.startswith("biases")]) for name, tensor in self.tensors()]
        for name, quantizer in self._weights().items():
            solver = cell.weights_quantizer_solver
            found += [Learned(f"{item}_{name}", tensor, solver) for item, tensor in quantizer.learned()]
        for name, one in self._activations().items():
            solver = cell.activation_quantizer_solver
            found += [Learned(self._file(name, item), tensor, solver) for item, tensor in one.learned()]
        return found

    def stored(self) -> list[Stored]:
        found = [Stored(name, tensor) for name, tensor in self.tensors()]
        found += [Stored(name, getattr(self, name)) for name in self.initial]
        for name, quantizer in self._weights().items():
            found += [Stored(f"{item}_{name}", tensor) for item, tensor in quantizer.stored()]
        for name, one in self._activations().items():
            found += [Stored(self._file(name, item), tensor) for item, tensor in one.stored()]
        return found

    def _file(self, name: str, item: str) -> str:
        """``QAct_LSQ_StepSize`` of ``state_0`` is ``QState_LSQ_StepSize_0``."""
        role, _, rest = name.partition("_")
        key = declarations(type(self.cell))[ROLES[role]].key
        return item.replace("QAct", key, 1) + (f"_{rest}" if rest else "")


def sequence(x: Tensor) -> Tensor:
    """(batch, channels, time, width) as (time, batch, channels * width)."""
    return x.permute(2, 0, 1, 3).flatten(2)


def repeated(state: Tensor, batch: int) -> Tensor:
    """One state for each stimulus of a batch: (layers * directions, batch, hidden)."""
    return state[:, None].expand(-1, batch, -1).contiguous()
