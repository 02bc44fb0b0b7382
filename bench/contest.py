"""What the benchmarks of learning have in common: networks, their steps in torch, here and in Brevitas, and turns.

All contestants take turns in every round, so that whatever else the machine does falls on all alike; a ratio is the
median over the rounds of (time of a contestant / time of the first one in the same round).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from torch import Tensor, compile, nn, optim
from torch.profiler import record_function

from n2d2py import ini
from n2d2py.cells.base import ActivatedCell, Cell, WeightedCell
from n2d2py.graph.build import build, provider_section
from n2d2py.graph.floating import without_quantizers
from n2d2py.graph.network import Network
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import losses, solving
from n2d2py.learn.precision import FULL, Precision, prepared
from n2d2py.learn.solving import Solving
from n2d2py.parts.activations import Linear, Rectifier
from n2d2py.parts.quantizers import ActivationQuantizer, WeightQuantizer
from n2d2py.quant.layouts import widened

MODELS = Path(__file__).resolve().parent.parent / "models"
RATE = 0.01
Step = Callable[[Tensor, Tensor], None]
Make = Callable[..., nn.Module]
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
"""Seconds that pass, or that the process computes: on a machine that others use too, with one thread."""


@dataclass(frozen=True)
class Case:
    """A network: its file, the batch (images, channels, height, width), and the same in torch.

    ``given`` is what stands in the file, and what stands there here. ``make`` takes what makes a convolution, a fully
    connected layer and an activation.
    """

    title: str
    model: str
    shape: tuple[int, int, int, int]
    make: Callable[[Make, Make, Callable[[], nn.Module]], nn.Module]
    given: tuple[tuple[str, str], ...] = ()
    classes: int = 10
    solver: tuple[float, float] = (0.0, 0.0)
    """Momentum and decay, as in the file."""
    precision: Precision = FULL
    """How precise the products of a step are."""

    def plain(self) -> nn.Module:
        """The float network in plain torch."""
        return self.make(nn.Conv2d, nn.Linear, nn.ReLU)

    def network(self, weights: WeightQuantizer | None, activations: ActivationQuantizer | None) -> Network:
        """The network of the file with these quantizers, and no others."""
        text = (MODELS / self.model).read_text(encoding="utf-8")
        for old, new in self.given:
            text = text.replace(old, new)
        document = ini.loads(text, str(MODELS / self.model))
        document.publish(provider_section(document), "_EpochSize", 50000)
        graph = without_quantizers(build(document, self.model))
        nodes = tuple(replace(node, cell=quantized(node.cell, weights, activations)) for node in graph)
        return replace(graph, nodes=nodes)


def quantized(cell: Cell, weights: WeightQuantizer | None, activations: ActivationQuantizer | None) -> Cell:
    """A cell with the quantizers; one of activations takes the place of a rectifier."""
    if weights is not None and isinstance(cell, WeightedCell):
        cell = replace(cell, weights_quantizer=weights)
    if activations is not None and isinstance(cell, ActivatedCell) and isinstance(cell.activation, Rectifier):
        cell = replace(cell, activation=Linear(), activation_quantizer=activations)
    return cell


# ------------------------------------------------------------------------------------------------- networks in torch


def lenet(conv: Make, linear: Make, act: Callable[[], nn.Module]) -> nn.Module:
    """The tutorial's LeNet."""
    return nn.Sequential(
        *(conv(1, 6, 5, bias=False), nn.BatchNorm2d(6), act(), nn.MaxPool2d(2)),
        *(conv(6, 16, 5, bias=False), nn.BatchNorm2d(16), act(), nn.MaxPool2d(2)),
        *(conv(16, 120, 5, bias=False), nn.BatchNorm2d(120), act(), nn.Dropout(), nn.Flatten()),
        *(linear(120, 84, bias=False), nn.Dropout(), linear(84, 10, bias=False)),
    )


class Block(nn.Module):
    """Two convolutions beside a shortcut; where the size changes, one of 1x1."""

    def __init__(self, channels: int, outputs: int, conv: Make, act: Callable[[], nn.Module]) -> None:
        super().__init__()
        stride = outputs // channels
        self.body = nn.Sequential(
            *(conv(channels, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), act()),
            *(conv(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)),
        )
        self.short = nn.Identity()
        if stride > 1:
            self.short = nn.Sequential(conv(channels, outputs, 1, stride, 0, bias=False), nn.BatchNorm2d(outputs))
        self.act = act()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.body(x) + self.short(x))


def resnet20(conv: Make, linear: Make, act: Callable[[], nn.Module]) -> nn.Module:
    """ResNet-20 (He et al. 2016, section 4.2)."""
    widths = [16, *[16] * 3, *[32] * 3, *[64] * 3]
    blocks = [Block(before, after, conv, act) for before, after in pairwise(widths)]
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear(64, 10))
    return nn.Sequential(conv(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), act(), *blocks, *head)


def mobilenet(conv: Make, linear: Make, act: Callable[[], nn.Module]) -> nn.Module:
    """MobileNet v1 of width 0.25 (Howard et al. 2017, table 1)."""
    widths = [8, 16, 32, 32, 64, 64, *[128] * 6, 256, 256]
    layers = [conv(3, widths[0], 3, 2, 1, bias=False), nn.BatchNorm2d(widths[0]), act()]
    for before, after, place in zip(widths, widths[1:], range(2, 15), strict=False):
        stride = 2 if place in (3, 5, 7, 13) else 1
        layers += [conv(before, before, 3, stride, 1, 1, before, bias=False), nn.BatchNorm2d(before), act()]
        layers += [conv(before, after, 1, bias=False), nn.BatchNorm2d(after), act()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear(widths[-1], 1000))


_SMALL = (("$ALPHA=1.0", "$ALPHA=0.25"), ("SIZE=224", "SIZE=128"))

CASES = {
    "lenet": Case("LeNet", "LeNet.ini", (256, 1, 32, 32), lenet),
    "resnet20": Case("ResNet-20", "ResNet-20_CIFAR10.ini", (128, 3, 32, 32), resnet20, solver=(0.9, 1e-4)),
    "mobilenet": Case("MobileNet v1 0.25", "MobileNet_v1.ini", (32, 3, 128, 128), mobilenet, _SMALL, 1000, (0.9, 4e-5)),
}
"""MobileNet sees 128x128, so that a round of all contestants takes seconds."""


# --------------------------------------------------------------------------------------------------------------- steps


def part(name: str) -> record_function:
    """A part of a step, for the profiler."""
    return record_function(f"part: {name}")


def torch_step(case: Case, network: nn.Module, compiled: bool = False) -> Step:
    """One learning step as anybody writes it in torch."""
    momentum, decay = case.solver
    solver = optim.SGD(network.parameters(), lr=RATE, momentum=momentum, weight_decay=decay)
    compute = compile(network, dynamic=False) if compiled else network

    def step(images: Tensor, labels: Tensor) -> None:
        with case.precision.forward(images.device):
            output = compute(images)
        with part("loss"):
            loss = nn.functional.cross_entropy(widened(output), labels)
        solver.zero_grad()
        loss.backward()
        with part("solver"):
            solver.step()

    return step


def brevitas_step(case: Case) -> Step | None:
    """The same with Brevitas' layers of 4 bits (their usual quantizers); None if it is not installed."""
    try:
        import brevitas.nn as layers
    except ImportError:
        return None

    def conv(*sizes: int, bias: bool = True) -> nn.Module:
        keys = dict(zip(("stride", "padding", "dilation", "groups"), sizes[3:], strict=False))
        return layers.QuantConv2d(*sizes[:3], **keys, bias=bias, weight_bit_width=4)

    def linear(*sizes: int, bias: bool = True) -> nn.Module:
        return layers.QuantLinear(*sizes, bias=bias, weight_bit_width=4)

    return torch_step(case, case.make(conv, linear, lambda: layers.QuantReLU(bit_width=4)))


def our_step(network: TorchNetwork, solver: Solving, precision: Precision = FULL) -> Step:
    """One learning step with the package's losses and solvers.

    What the learning loop does beside is left out, as it is for plain torch: fetching the batch, watching the loss for
    values that are not finite, and counting success and confusion.
    """
    (target,) = network.network.targets
    precision, _ = prepared(precision, network)

    def step(images: Tensor, labels: Tensor) -> None:
        with precision.forward(images.device):
            output = widened(network(images)[target.cell])
        with part("loss"):
            loss = losses.error(network.loss_form(target.cell), target, output, labels)
        loss.backward()
        with part("solver"):
            solver.step()

    return step


def ours(graph: Network, batch: int, compiled: bool = False) -> Step:
    """The step of a network that is filled and ready to learn."""
    network = TorchNetwork(graph)
    network.fill(1)
    network.train()
    network.compile_passes(compiled)
    return our_step(network, solving.build(network.learned(), batch))


# --------------------------------------------------------------------------------------------------------------- turns


def turns(
    steps: Mapping[str, Step], images: Tensor, labels: Tensor, rounds: int, count: int, clock: str, warm: int = 1
) -> dict[str, list[float]]:
    """Seconds of ``count`` steps of each contestant in each round, after ``warm`` rounds that fill caches."""
    now = CLOCKS[clock]
    times: dict[str, list[float]] = {name: [] for name in steps}
    for round_ in range(rounds + warm):
        for name, step in steps.items():
            start = now()
            for _ in range(count):
                step(images, labels)
            if round_ >= warm:
                times[name].append(now() - start)
    return times


def ratio(mine: list[float], theirs: list[float]) -> float:
    """The median over the rounds."""
    return statistics.median(a / b for a, b in zip(mine, theirs, strict=True))


def table(times: Mapping[str, list[float]], images: int) -> list[str]:
    """A row for each contestant, the first one being the measure; ``images`` are those of a round."""
    base = next(iter(times.values()))
    width = max(map(len, times)) + 2
    rows = [f"{'':{width}}  images/s  step/plain step"]
    for name, values in times.items():
        speed = images / max(statistics.median(values), 1e-9)
        rows.append(f"{name:{width}}  {speed:8.0f}  {ratio(values, base):15.2f}")
    return rows
