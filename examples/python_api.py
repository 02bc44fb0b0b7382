"""The tutorial's last two stages from Python, on the digits that ship with scikit-learn.

    python examples/python_api.py [epochs]

An INI file becomes a network, the network learns at 4 bits, and its integer form is proved and compared.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch

from n2d2py import console, data, ini
from n2d2py.graph.build import build, read_provider
from n2d2py.integer.lower import lower
from n2d2py.integer.verify import verify
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import loop, testing

MODEL = Path(__file__).resolve().parent.parent / "models" / "Digits_4bit.ini"


def main(epochs: int) -> None:
    """Learn, lower, verify; prints what happens."""
    console.install()
    torch.manual_seed(1)
    document = ini.load(MODEL)
    generator = data.random.Generator(1)
    source = data.publish_epoch_size(document, generator)
    network = TorchNetwork(build(document, MODEL.name))
    stimuli = data.build(document, read_provider(document), generator, source)
    network.fill(1)

    with tempfile.TemporaryDirectory() as folder:
        loop.learn(network, stimuli, loop.Plan(epochs=epochs, folder=Path(folder)), generator)
    testing.test(network, stimuli)

    integer = lower(network, stimuli.grid("Test"))
    for operation in integer:
        console.line(f"{operation.name}: {operation.detail()}")
    verification = verify(network, integer, stimuli.passes("Test"))
    console.line("\n".join(verification.lines()))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
