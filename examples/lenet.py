"""The tutorial's LeNet from Python: weights clamped, then 4 bits, then integers that are proved equal.

    python examples/lenet.py [--epochs 5] [--digits] [--save FOLDER]

MNIST is looked for in $N2D2_DATA/mnist (``n2d2py -fetch mnist`` downloads it); ``--digits`` takes the digits that ship
with scikit-learn in its place. The quantizers are those of the tutorial: 8 bits in the first and in the last layer.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import n2d2py as n2
from n2d2py import console

MODELS = Path(__file__).resolve().parent.parent / "models"


def main(words: Sequence[str] | None = None) -> None:
    """Learn in two stages, fuse, test."""
    parser = argparse.ArgumentParser(description="The tutorial's LeNet from Python.")
    parser.add_argument("--epochs", type=int, default=5, help="epochs of each stage")
    parser.add_argument("--digits", action="store_true", help="the digits of scikit-learn")
    parser.add_argument("--save", type=Path, help="folder of the integer network")
    given = parser.parse_args(words)
    console.install()
    data = "Digits" if given.digits else "LeNet"

    clamped = n2.load(MODELS / f"{data}_clamp.ini", device="cpu")
    print(clamped)
    clamped.learn(given.epochs)

    net = n2.load(MODELS / f"{data}_4bit.ini", device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        clamped.save(folder)
        net.load_weights(folder, missing="notice")  # the clipping values are not learned yet
    net.learn(given.epochs)

    fused = net.fuse()
    print(fused)
    print(f"4 bits: {net.test().rate:.2%}, integers: {fused.test().rate:.2%}, exact: {fused.exact}")
    if given.save:
        fused.save(given.save)


if __name__ == "__main__":
    main()
