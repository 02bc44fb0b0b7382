"""Learning speed of LeNet and ResNet-20 with each quantizer, beside plain torch in float and, if it is there, Brevitas.

    python bench/quantizers.py [--threads 2] [--rounds 9] [--steps 2] [--only LSQ SAT] [--network lenet]

All take turns (see contest.py). Random images in memory: this measures computing, not reading. Brevitas is an optional
extra: pip install n2d2py[bench]
"""

from __future__ import annotations

import argparse
import logging

import torch
from contest import CASES, CLOCKS, Case, Step, brevitas_step, ours, table, torch_step, turns

from n2d2py.parts.apot import ApotActivations, ApotWeights
from n2d2py.parts.binary import BinaryActivations, BinaryWeights, TernaryWeights
from n2d2py.parts.dorefa import DoReFaActivations, DoReFaWeights, PactActivations
from n2d2py.parts.fixed_point import FixedPointActivations, FixedPointWeights
from n2d2py.parts.lsq import LsqActivations, LsqWeights
from n2d2py.parts.prune import PrunedWeights
from n2d2py.parts.quantizers import ActivationQuantizer, SatActivations, SatWeights, WeightQuantizer

PLAIN = "plain torch, float"

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


def measure(case: Case, names: list[str], options: argparse.Namespace) -> None:
    """Measure one network and print its table."""
    batch = case.shape[0]
    images, labels = torch.rand(case.shape), torch.randint(0, case.classes, (batch,))
    steps: dict[str, Step] = {PLAIN: torch_step(case, case.plain())}
    steps |= {f"n2d2py, {name}": ours(case.network(*QUANTIZERS[name]), batch) for name in names}
    if (theirs := brevitas_step(case)) is not None:
        steps["Brevitas, 4 bits"] = theirs
    times = turns(steps, images, labels, options.rounds, options.steps, options.clock)
    rounds = f"{options.rounds} rounds of {options.steps} steps"
    print(f"{case.title}, batch {batch}, CPU, eager, {options.threads} thread(s), {rounds}")
    print("\n".join(table(times, batch * options.steps)))


def main() -> None:
    """Measure and print a table of each network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--only", nargs="*", choices=list(QUANTIZERS), default=list(QUANTIZERS))
    parser.add_argument("--network", nargs="*", choices=list(CASES), default=["lenet", "resnet20"])
    options = parser.parse_args()
    logging.getLogger("n2d2py").setLevel(logging.ERROR)
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    for name in options.network:
        measure(CASES[name], options.only, options)


if __name__ == "__main__":
    main()
