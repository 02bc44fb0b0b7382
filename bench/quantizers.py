"""Learning speed of LeNet and ResNet-20 with each quantizer, beside plain torch in float and, if it is there, Brevitas.

    python bench/quantizers.py [--threads 2] [--rounds 9] [--steps 2] [--only LSQ SAT] [--network lenet]

All take turns in every round, so that whatever else the machine does falls on all alike; the ratio is the median over
rounds of (time of the steps / time of as many plain torch steps). Random images in memory: this measures computing, not
reading. Brevitas is an optional extra: pip install n2d2py[bench]
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from n2d2py import ini
from n2d2py.cells.base import ActivatedCell, Cell, WeightedCell
from n2d2py.graph.build import build, provider_section
from n2d2py.graph.floating import without_quantizers
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import losses, solving
from n2d2py.parts.activations import Linear, Rectifier
from n2d2py.parts.apot import ApotActivations, ApotWeights
from n2d2py.parts.binary import BinaryActivations, BinaryWeights, TernaryWeights
from n2d2py.parts.dorefa import DoReFaActivations, DoReFaWeights, PactActivations
from n2d2py.parts.fixed_point import FixedPointActivations, FixedPointWeights
from n2d2py.parts.lsq import LsqActivations, LsqWeights
from n2d2py.parts.prune import PrunedWeights
from n2d2py.parts.quantizers import ActivationQuantizer, SatActivations, SatWeights, WeightQuantizer

MODELS = Path(__file__).resolve().parent.parent / "models"
RATE, PLAIN = 0.01, "plain torch, float"
Step = Callable[[Tensor, Tensor], None]

QUANTIZERS: dict[str, tuple[WeightQuantizer | None, ActivationQuantizer | None]] = {
    "float": (None, None),
    "SAT": (SatWeights(range=15), SatActivations(range=15)),
    "SAT Integer": (SatWeights(range=15, mode="Integer"), SatActivations(range=15)),
    "SAT PowerOfTwo": (SatWeights(range=15, power_of_two=True), SatActivations(range=15, power_of_two=True)),
    "LSQ": (LsqWeights(range=15), LsqActivations(range=15)),
    "LSQ Integer": (LsqWeights(range=15, mode="Integer"), LsqActivations(range=15)),
    "LSQ+": (LsqWeights(range=15), LsqActivations(range=15, offset=True)),
    "LSQ levels": (LsqWeights(levels=(-1, 0, 1)), LsqActivations(levels=(0, 1, 2, 3))),
    "DoReFa": (DoReFaWeights(range=15), DoReFaActivations(range=15)),
    "DoReFa, PACT": (DoReFaWeights(range=15), PactActivations(range=15)),
    "APoT": (ApotWeights(range=15), ApotActivations(range=15)),
    "FixedPoint": (FixedPointWeights(range=15), FixedPointActivations(range=15)),
    "Binary": (BinaryWeights(), BinaryActivations()),
    "Ternary": (TernaryWeights(), LsqActivations(range=255)),
    "Prune, LSQ": (PrunedWeights(mode="Static", quantizer=LsqWeights(range=15)), LsqActivations(range=15)),
}
"""Of weights and of activations; 4 bits where a range can be chosen."""


@dataclass(frozen=True)
class Case:
    """A network: its file, the batch (images, channels, height, width), and the same in torch."""

    title: str
    model: str
    shape: tuple[int, int, int, int]
    make: Callable[[Callable[..., nn.Module], Callable[..., nn.Module], Callable[[], nn.Module]], nn.Module]


def lenet(conv: Callable[..., nn.Module], linear: Callable[..., nn.Module], act: Callable[[], nn.Module]) -> nn.Module:
    """The tutorial's LeNet."""
    return nn.Sequential(
        *(conv(1, 6, 5, bias=False), nn.BatchNorm2d(6), act(), nn.MaxPool2d(2)),
        *(conv(6, 16, 5, bias=False), nn.BatchNorm2d(16), act(), nn.MaxPool2d(2)),
        *(conv(16, 120, 5, bias=False), nn.BatchNorm2d(120), act(), nn.Dropout(), nn.Flatten()),
        *(linear(120, 84, bias=False), nn.Dropout(), linear(84, 10, bias=False)),
    )


class Block(nn.Module):
    """Two convolutions beside a shortcut; where the size changes, one of 1x1."""

    def __init__(self, channels: int, outputs: int, conv: Callable[..., nn.Module], act: Callable[[], nn.Module]):
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


def resnet20(
    conv: Callable[..., nn.Module], linear: Callable[..., nn.Module], act: Callable[[], nn.Module]
) -> nn.Module:
    """ResNet-20 (He et al. 2016, section 4.2)."""
    widths = [16, *[16] * 3, *[32] * 3, *[64] * 3]
    blocks = [Block(before, after, conv, act) for before, after in pairwise(widths)]
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear(64, 10))
    return nn.Sequential(conv(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), act(), *blocks, *head)


CASES = {
    "lenet": Case("LeNet", "LeNet.ini", (256, 1, 32, 32), lenet),
    "resnet20": Case("ResNet-20", "ResNet-20_CIFAR10.ini", (128, 3, 32, 32), resnet20),
}


def torch_step(network: nn.Module) -> Step:
    """One learning step as anybody writes it in torch."""
    solver = torch.optim.SGD(network.parameters(), lr=RATE)

    def step(images: Tensor, labels: Tensor) -> None:
        loss = nn.functional.cross_entropy(network(images), labels)
        solver.zero_grad()
        loss.backward()
        solver.step()

    return step


def brevitas_step(case: Case) -> Step | None:
    """The same with Brevitas' layers of 4 bits (their usual quantizers); None if it is not installed."""
    try:
        import brevitas.nn as layers
    except ImportError:
        return None

    def conv(*sizes: int, bias: bool = True) -> nn.Module:
        return layers.QuantConv2d(*sizes, bias=bias, weight_bit_width=4)

    def linear(*sizes: int, bias: bool = True) -> nn.Module:
        return layers.QuantLinear(*sizes, bias=bias, weight_bit_width=4)

    return torch_step(case.make(conv, linear, lambda: layers.QuantReLU(bit_width=4)))


def our_step(case: Case, weights: WeightQuantizer | None, activations: ActivationQuantizer | None) -> Step:
    """One learning step of the model with these quantizers, with the package's losses and solvers.

    What the learning loop does beside is left out, as it is for plain torch.
    """
    document = ini.load(MODELS / case.model)
    document.publish(provider_section(document), "_EpochSize", 50000)
    graph = without_quantizers(build(document, case.model))
    nodes = tuple(replace(node, cell=quantized(node.cell, weights, activations)) for node in graph)
    network = TorchNetwork(replace(graph, nodes=nodes))
    network.fill(1)
    network.train()
    solver = solving.build(network.learned(), case.shape[0])
    (target,) = network.network.targets

    def step(images: Tensor, labels: Tensor) -> None:
        output = network(images)[target.cell]
        losses.error(network.loss_form(target.cell), target, output, labels).backward()
        solver.step()

    return step


def quantized(cell: Cell, weights: WeightQuantizer | None, activations: ActivationQuantizer | None) -> Cell:
    """A cell with the quantizers; one of activations takes the place of a rectifier."""
    if weights is not None and isinstance(cell, WeightedCell):
        cell = replace(cell, weights_quantizer=weights)
    if activations is not None and isinstance(cell, ActivatedCell) and isinstance(cell.activation, Rectifier):
        cell = replace(cell, activation=Linear(), activation_quantizer=activations)
    return cell


def seconds(step: Step, steps: int, images: Tensor, labels: Tensor) -> float:
    """Wall-clock time of ``steps`` steps."""
    start = time.perf_counter()
    for _ in range(steps):
        step(images, labels)
    return time.perf_counter() - start


def measure(case: Case, names: list[str], options: argparse.Namespace) -> None:
    """Measure one network and print its table."""
    images, labels = torch.rand(case.shape), torch.randint(0, 10, case.shape[:1])
    steps = {PLAIN: torch_step(case.make(nn.Conv2d, nn.Linear, nn.ReLU))}
    steps |= {f"n2d2py, {name}": our_step(case, *QUANTIZERS[name]) for name in names}
    if (theirs := brevitas_step(case)) is not None:
        steps["Brevitas, 4 bits"] = theirs
    times: dict[str, list[float]] = {name: [] for name in steps}
    for round_ in range(options.rounds + 1):
        for name, step in steps.items():
            elapsed = seconds(step, options.steps, images, labels)
            if round_:  # the first round fills caches and chooses algorithms
                times[name].append(elapsed)
    rounds = f"{options.rounds} rounds of {options.steps} steps"
    print(f"{case.title}, batch {case.shape[0]}, CPU, eager, {options.threads} thread(s), {rounds}")
    print(f"{'':26}  images/s  step/plain step")
    for name, values in times.items():
        speed = case.shape[0] * options.steps / statistics.median(values)
        ratio = statistics.median(mine / base for mine, base in zip(values, times[PLAIN], strict=True))
        print(f"{name:26}  {speed:8.0f}  {ratio:15.2f}")


def main() -> None:
    """Measure and print a table of each network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=list(QUANTIZERS), default=list(QUANTIZERS))
    parser.add_argument("--network", nargs="*", choices=list(CASES), default=list(CASES))
    options = parser.parse_args()
    logging.getLogger("n2d2py").setLevel(logging.ERROR)
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    for name in options.network:
        measure(CASES[name], options.only, options)


if __name__ == "__main__":
    main()
