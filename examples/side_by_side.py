"""Float, quantized after learning (PTQ) and learned quantized (QAT, LSQ) side by side, from one learned float network.

    python examples/side_by_side.py NET.ini WEIGHTS [--bits 8 4] [--epochs 1] [--stimuli 1000]

WEIGHTS is the folder of the float weights. Each quantized network is fused; its row is the rate of the integers, and
how many of its codes differ on the test set (none, or it is an error). Rates of QAT are those of the last epoch.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import n2d2py as n2
from n2d2py import console
from n2d2py.parts.lsq import LsqActivations, LsqWeights


def main(words: Sequence[str] | None = None) -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description="Float, PTQ and QAT side by side.")
    parser.add_argument("net", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--bits", type=int, nargs="+", default=[8, 4])
    parser.add_argument("--epochs", type=int, default=1, help="of QAT")
    parser.add_argument("--stimuli", type=int, default=1000, help="that PTQ looks at; -1: all")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    console.install()

    def load() -> n2.Net:
        net = n2.load(given.net, device="cpu", seed=given.seed)
        net.load_weights(given.weights)
        return net

    float_rate = load().test().rate
    rows = [("float", float_rate, "-")]
    for bits in given.bits:
        for per_output in (False, True):
            net = load()
            net.calibrate(given.stimuli, bits=bits, per_output=per_output)
            rows.append(_row(f"PTQ, {bits} bits, {'one step an output' if per_output else 'one step a cell'}", net))
        net = load()
        most = 2**bits - 1
        net.quantize("*", weights=LsqWeights(range=most), activations=LsqActivations(range=most))
        net.learn(given.epochs)
        rows.append(_row(f"QAT, {bits} bits, {given.epochs} epoch{'s' if given.epochs > 1 else ''} of LSQ", net))
    print("| network | rate of the integers | points from float | differing codes |")
    print("|---|---|---|---|")
    for name, rate, differing in rows:
        print(f"| {name} | {rate:.2%} | {100 * (rate - float_rate):+.2f} | {differing} |")


def _row(name: str, net: n2.Net) -> tuple[str, float, str]:
    fused = net.fuse()
    found = fused.verification
    return name, fused.test().rate, f"{found.differing} of {sum(cell.codes for cell in found.cells)}"


if __name__ == "__main__":
    main()
