"""Learning speed of LeNet: float, clamp stage and 4-bit stage, beside the same network in plain torch.

    python bench/lenet.py [--threads 2] [--rounds 25] [--steps 8]

All four take turns (see contest.py). Random images in memory: this measures computing, not reading.
"""

from __future__ import annotations

import argparse

import torch
from contest import CASES, CLOCKS, MODELS, Step, ours, table, torch_step, turns

from n2d2py import ini
from n2d2py.graph.build import build

CASE = CASES["lenet"]
BATCH = CASE.shape[0]


def step_of(model: str) -> Step:
    """The step of an INI file of ``models/``."""
    return ours(build(ini.load(MODELS / model), model), BATCH)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    images, labels = torch.rand(CASE.shape), torch.randint(0, CASE.classes, (BATCH,))
    contestants = {
        "plain torch, float": torch_step(CASE, CASE.plain()),
        "n2d2py, float (LeNet.ini)": step_of("LeNet.ini"),
        "n2d2py, clamp stage (LeNet_clamp.ini)": step_of("LeNet_clamp.ini"),
        "n2d2py, 4 bits (LeNet_4bit.ini)": step_of("LeNet_4bit.ini"),
    }
    times = turns(contestants, images, labels, options.rounds, options.steps, options.clock, warm=2)
    rounds = f"{options.rounds} rounds of {options.steps} steps"
    print(f"LeNet, batch {BATCH}, CPU, eager, {options.threads} thread(s), {rounds}")
    print("\n".join(table(times, BATCH * options.steps)))


if __name__ == "__main__":
    main()
