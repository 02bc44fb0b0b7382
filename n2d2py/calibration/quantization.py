"""The quantized network: LSQ quantizers whose steps are found, not learned.

Weights have the codes -(2^(n-1) - 1) .. 2^(n-1) - 1; outputs have 0 .. 2^n - 1, or -2^(n-1) .. 2^(n-1) - 1 where they
may be negative. At 8 bits biases become integers of the accumulator's unit, as int8 tools have them, so that kernels
such as QLinearConv compute the network as it is; at other bits they stay real, and the integer network makes them part
of its exact rescaling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from n2d2py.calibration import clipping, places
from n2d2py.calibration.histogram import Histogram, of_values
from n2d2py.calibration.statistics import Statistics
from n2d2py.cells.base import WeightedCell
from n2d2py.cells.batchnorm import BatchNorm
from n2d2py.errors import UsageError
from n2d2py.graph.editing import redirected
from n2d2py.graph.lint import lint
from n2d2py.graph.network import Network, Node
from n2d2py.layers.batchnorm import BatchNormLayer
from n2d2py.layers.network import TorchNetwork
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.learn.keeping import carry
from n2d2py.parts.activations import Activation, Linear
from n2d2py.parts.lsq import LsqActivations, LsqWeights

RESCALED = "_rescale_act"
"""Ending of the name of a cell that has the factors of the channels."""

MOST_BITS = 16
_BYTE = 8


@dataclass(frozen=True)
class Choices:
    """What the options say: bits, how ranges are clipped, which levels and scales there are."""

    bits: int = 8
    weights: str = "None"
    activations: str = "MSE"
    quantile: float = 0.9999
    signed_only: bool = False
    per_output: bool = False

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= MOST_BITS:
            raise UsageError(f"a calibration for {self.bits} bits", expected=f"2 to {MOST_BITS} bits")
        for word, known, of in (
            (self.weights, clipping.WEIGHT_MODES, "weights"),
            (self.activations, clipping.ACTIVATION_MODES, "activations"),
        ):
            if word not in known:
                raise UsageError(f"clipping {word!r} of {of}", expected=f"one of {', '.join(known)}")


@dataclass(frozen=True)
class Range:
    """What was chosen for one cell; ``weights`` are the smallest and the largest threshold of its channels.

    ``threshold`` is the magnitude of the highest code of the output, ``clipped`` the share of what was seen beyond it;
    both are None for an output that is not quantized.
    """

    cell: str
    weights: tuple[float, float] | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    clipped: float | None = None
    signed: bool = False


@dataclass(frozen=True, eq=False)
class Calibrated:
    """The quantized network and the ranges of its cells."""

    network: TorchNetwork
    ranges: tuple[Range, ...]


@dataclass(frozen=True)
class _Output:
    """Step and levels of an output."""

    step: float
    signed: bool


@torch.no_grad()
def quantized(plain: TorchNetwork, statistics: Statistics, choices: Choices) -> Calibrated:
    """The quantized form of a prepared float network, which stays as it is.

    With ``per_output`` each channel of a cell with weights has a step of its own, if its output is quantized: the
    weights are divided by it, and a BatchNorm cell ``<cell>_rescale_act`` behind them multiplies by it::

        conv1 (bias, Rectifier)      becomes      conv1 (codes * 1) -> conv1_rescale_act (steps, bias, Rectifier)
    """
    graph = plain.network
    outputs = _outputs(graph, statistics, choices)
    high = (1 << (choices.bits - 1)) - 1
    thresholds = {
        node.name: _weight_thresholds(plain, node, high, choices, node.name in outputs)
        for node in graph
        if isinstance(node.cell, WeightedCell)
    }
    split = {name for name, found in thresholds.items() if len(found) > 1}
    nodes: list[Node] = []
    for node in graph:
        current = redirected(node, {name: name + RESCALED for name in split})
        nodes += _with_quantizers(current, outputs.get(node.name), thresholds.get(node.name), high, choices)
    result = TorchNetwork(_finished(graph, nodes, split)).to(next(plain.parameters()).device)
    carry(plain, result)
    for name in split:
        _divide(plain, result, name, thresholds[name] / high)
    ranges = tuple(_range(node.name, thresholds, statistics, outputs, choices) for node in graph)
    return Calibrated(result.eval(), tuple(item for item in ranges if item is not None))


def _finished(graph: Network, nodes: list[Node], split: set[str]) -> Network:
    targets = tuple(
        replace(target, cell=target.cell + RESCALED) if target.cell in split else target for target in graph.targets
    )
    result = replace(graph, nodes=tuple(nodes), targets=targets, initial={})
    lint(result)
    return result


# ------------------------------------------------------------------------------------------------ steps


def _outputs(graph: Network, statistics: Statistics, choices: Choices) -> dict[str, _Output]:
    found: dict[str, _Output] = {}
    for name, histogram in statistics.outputs.items():
        signed = choices.signed_only or not places.is_unsigned(graph[name], histogram.low)
        levels = _highest(signed, choices.bits)
        threshold = clipping.clip(choices.activations, histogram, levels, choices.quantile)
        found[name] = _Output(_single(threshold / levels), signed)
    for group in places.groups(graph, list(found)):
        step = max(found[name].step for name in group)
        found |= {name: replace(found[name], step=step) for name in group}
    return found


def _highest(signed: bool, bits: int) -> int:
    return (1 << (bits - signed)) - 1


def _weight_thresholds(plain: TorchNetwork, node: Node, high: int, choices: Choices, quantized: bool) -> Tensor:
    """Threshold of all weights, or of those of each output; float64."""
    layer = plain.layers[node.name]
    assert isinstance(layer, WeightedLayer)
    weights = layer.connected(layer.weights)
    parts = list(weights) if choices.per_output and quantized and len(weights) > 1 else [weights]
    found = [clipping.clip(choices.weights, of_values(part), high) for part in parts]
    return torch.tensor(found, dtype=torch.float64)


def _single(value: float) -> float:
    """The nearest float32: a step is what its parameter can hold."""
    return float(np.float32(value))


# ------------------------------------------------------------------------------------------------ cells


def _with_quantizers(
    node: Node, output: _Output | None, thresholds: Tensor | None, high: int, choices: Choices
) -> list[Node]:
    """The node with its quantizers; two nodes where the factors of the channels get a cell of their own."""
    cell = node.cell
    changes: dict[str, Any] = {}
    if thresholds is not None:
        step = 1.0 if len(thresholds) > 1 else _single(float(thresholds) / high)
        changes["weights_quantizer"] = LsqWeights(range=2 * high, mode="Symmetric", init_step=False, step_size=step)
    last: dict[str, Any] = {}
    if output is not None:
        activation: Activation = getattr(cell, "activation", None) or Linear()
        last["activation"] = activation
        last["activation_quantizer"] = LsqActivations(
            range=(1 << choices.bits) - 1,
            signed=output.signed,
            init_step=False,
            step_size=output.step,
            integer_bias=choices.bits == _BYTE and activation.in_units(1.0) is not None,
        )
    if thresholds is None or len(thresholds) == 1:
        return [replace(node, cell=replace(cell, **changes, **last))] if changes or last else [node]
    changes |= {"activation": Linear(), "no_bias": True}
    name = node.name + RESCALED
    rescaling = BatchNorm(name=name, inputs=(node.name,), nb_outputs=cell.nb_outputs, epsilon=0.0, **last)
    return [replace(node, cell=replace(cell, **changes)), Node(rescaling, (node.output,), node.output)]


def _divide(plain: TorchNetwork, result: TorchNetwork, name: str, steps: Tensor) -> None:
    """Weights in units of the step of their output, the steps in the BatchNorm cell behind them."""
    before, layer, norm = plain.layers[name], result.layers[name], result.layers[name + RESCALED]
    assert isinstance(before, WeightedLayer)
    assert isinstance(layer, WeightedLayer)
    assert isinstance(norm, BatchNormLayer)
    steps = steps.float().double().to(before.weights.device)
    layer.weights.copy_(before.weights.double() / steps.view(-1, *[1] * (before.weights.dim() - 1)))
    norm.scales.copy_(steps)
    if before.biases is not None:
        norm.biases.copy_(before.biases)


# ------------------------------------------------------------------------------------------------ the table


def _range(
    name: str,
    thresholds: dict[str, Tensor],
    statistics: Statistics,
    outputs: dict[str, _Output],
    choices: Choices,
) -> Range | None:
    weights = thresholds.get(name)
    ends = None if weights is None else (float(weights.min()), float(weights.max()))
    if name not in outputs:
        return None if ends is None else Range(name, ends)
    histogram: Histogram = statistics.outputs[name]
    output = outputs[name]
    threshold = output.step * _highest(output.signed, choices.bits)
    beyond = histogram.beyond(threshold)
    return Range(name, ends, histogram.low, histogram.high, threshold, beyond, output.signed)
