"""The ResNet-18 tutorial from Python: an ONNX model learns with clamped weights, then at 4 bits.

    python examples/resnet18_onnx.py [--epochs 2] [--width 8] [--images 40] [--folder OUT]

Without ImageNet: the ONNX file is made by ``make_resnet18_onnx.py``, the images by ``make_imagenet_tree.py``. Both
INI files are those of the tutorial (``examples/resnet18``), unchanged; with the model zoo's ``resnet18v1.onnx`` and
ImageNet in $N2D2_DATA the same lines learn the real network.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx
from make_imagenet_tree import make_tree
from make_resnet18_onnx import resnet18

import n2d2py as n2
from n2d2py import console

STAGES = Path(__file__).resolve().parent / "resnet18"


def learn(folder: Path, epochs: int, batch_size: int) -> n2.Net:
    """Both stages, in a folder that holds resnet18v1.onnx; returns the network of 4 bits."""
    clamped = n2.load(STAGES / "resnet18-v1_clamp.ini", batch_size=batch_size, device="cpu")
    clamped.learn(epochs, metric="Precision")
    clamped.save(folder / "weights_clamped")

    net = n2.load(STAGES / "resnet18-v1_4bit.ini", batch_size=batch_size, device="cpu")
    net.load_weights(folder / "weights_clamped", missing="notice")  # the clipping values are not learned yet
    net.learn(epochs, metric="Precision")
    (folder / "network.txt").write_text(str(net), encoding="utf-8")
    net.draw(folder / "network")
    net.save(folder / "weights")
    return net


def main(words: Sequence[str] | None = None) -> None:
    """Make the model and the images, learn, test."""
    parser = argparse.ArgumentParser(description="The ResNet-18 tutorial from Python.")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--width", type=int, default=8, help="channels of the first stage; 64 in the published network")
    parser.add_argument("--images", type=int, default=40, help="images a class to learn")
    parser.add_argument("--batch", type=int, default=16, help="stimuli in a batch, in place of the tutorial's 128")
    parser.add_argument("--folder", type=Path, help="where all files are kept")
    given = parser.parse_args(words)
    console.install()
    with contextlib.ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        onnx.save(resnet18(width=given.width), folder / "resnet18v1.onnx")
        os.environ["N2D2_DATA"] = str(make_tree(folder, learn=given.images).resolve())
        stack.callback(os.chdir, Path.cwd())
        os.chdir(folder)  # File= of the INI files is looked for there
        net = learn(Path(), given.epochs, given.batch)
        console.line(f"recognition rate at 4 bits: {net.test().rate:.1%}")


if __name__ == "__main__":
    main()
