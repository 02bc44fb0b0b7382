"""Learning speed of LeNet: float, clamp stage and 4-bit stage, beside the same network in plain torch.

    python bench/lenet.py [--threads 2] [--rounds 25] [--steps 8]

All four take turns in every round, so that whatever else the machine does falls on all alike; the ratio is the
median over rounds of (time of the steps / time of as many plain torch steps). Random images in memory: this
measures computing, not reading.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from n2d2py import ini
from n2d2py.graph.build import build
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import losses, solving

MODELS = Path(__file__).resolve().parent.parent / "models"
BATCH, RATE = 256, 0.05
Step = Callable[[Tensor, Tensor], None]


def plain() -> Step:
    """One learning step of the tutorial's LeNet in float, as anybody writes it in torch."""
    network = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 120, 5, bias=False), nn.BatchNorm2d(120), nn.ReLU(), nn.Dropout(), nn.Flatten()),
        *(nn.Linear(120, 84, bias=False), nn.Dropout(), nn.Linear(84, 10, bias=False)),
    )
    solver = torch.optim.SGD(network.parameters(), lr=RATE)

    def step(images: Tensor, labels: Tensor) -> None:
        loss = nn.functional.cross_entropy(network(images), labels)
        solver.zero_grad()
        loss.backward()
        solver.step()

    return step


def ours(model: str) -> Step:
    """One learning step of an INI file of ``models/``: forward, loss, backward, update with the package's solvers.

    What the learning loop does beside is left out, as it is for plain torch: fetching the batch, watching the loss
    for values that are not finite, and counting success and confusion.
    """
    network = TorchNetwork(build(ini.load(MODELS / model), model))
    network.fill(1)
    network.train()
    solver = solving.build(network.learned(), BATCH)
    (target,) = network.network.targets

    def step(images: Tensor, labels: Tensor) -> None:
        output = network(images)[target.cell]
        losses.error(network.loss_form(target.cell), target, output, labels).backward()
        solver.step()

    return step


def seconds(step: Step, steps: int, images: Tensor, labels: Tensor) -> float:
    """Wall-clock time of ``steps`` steps."""
    start = time.perf_counter()
    for _ in range(steps):
        step(images, labels)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--steps", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    images, labels = torch.rand(BATCH, 1, 32, 32), torch.randint(0, 10, (BATCH,))
    contestants = {
        "plain torch, float": plain(),
        "n2d2py, float (LeNet.ini)": ours("LeNet.ini"),
        "n2d2py, clamp stage (LeNet_clamp.ini)": ours("LeNet_clamp.ini"),
        "n2d2py, 4 bits (LeNet_4bit.ini)": ours("LeNet_4bit.ini"),
    }
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for round_ in range(options.rounds + 2):
        for name, step in contestants.items():
            elapsed = seconds(step, options.steps, images, labels)
            if round_ >= 2:  # the first rounds fill caches and choose algorithms
                times[name].append(elapsed)
    base = times["plain torch, float"]
    rounds = f"{options.rounds} rounds of {options.steps} steps"
    print(f"LeNet, batch {BATCH}, CPU, eager, {options.threads} thread(s), {rounds}")
    print(f"{'':38}  images/s  step/plain step")
    for name, values in times.items():
        speed = BATCH * options.steps / statistics.median(values)
        ratio = statistics.median(mine / theirs for mine, theirs in zip(values, base, strict=True))
        print(f"{name:38}  {speed:8.0f}  {ratio:15.2f}")


if __name__ == "__main__":
    main()
