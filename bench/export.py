"""Speed of the ONNX export beside ONNX Runtime's own static quantizer and the float network, one thread.

    OMP_NUM_THREADS=1 python bench/export.py [--network ResNet-18] [--rounds 15] [--size 224] [--narrow]

Batch 1. All files take turns in every round, so that whatever else the machine does falls on all alike; the ratio is
the median over rounds of (time of the file / time of the statically quantized file), of that with s8 weights and of
that with u8 weights. Time is that of the thread, so that other processes count as little as possible; ``--wall`` takes
the clock's instead. "Every edge quantized" is the network in which all that a sum takes has its own quantizer; in the
other one it takes accumulators, which need wide integers in memory. "Integer biases" is QAct.IntegerBias=1. Weights are
random, BatchNorm statistics those of random images.

On processors without VNNI the static quantizer's file with s8 weights adds products in 16 bits with saturation: its
sums may be wrong. The one with u8 weights is what is exact there.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from export_networks import Layer, Quantization, layers, plain, text
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from n2d2py import ini
from n2d2py.export.base import Export
from n2d2py.export.qlinear.model import Model, build
from n2d2py.graph.build import build as build_graph
from n2d2py.integer import interpreter
from n2d2py.integer.lower import lower
from n2d2py.layers.batchnorm import BatchNormLayer
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Grid

ROWS = {
    "ResNet-18": {
        "W4A4, every edge quantized": Quantization("SAT", 4),
        "W4A4, sums of accumulators": Quantization("SAT", 4, False),
        "W8A8, every edge quantized": Quantization("SAT", 8),
        "W8A8, integer biases": Quantization("LSQ", 8, integer_bias=True),
    },
    "MobileNet-v2": {
        "W4A4, every edge quantized": Quantization("LSQ", 4),
        "W8A8, every edge quantized": Quantization("LSQ", 8),
        "W8A8, integer biases": Quantization("LSQ", 8, integer_bias=True),
    },
}


def learned(source: str) -> TorchNetwork:
    """The network with random weights, its BatchNorm statistics measured on a random image."""
    network = TorchNetwork(build_graph(ini.loads(source, file="network.ini"), "network")).eval()
    network.fill(torch.Generator().manual_seed(1))
    channels, height, width = network.network.stimuli.shape
    values = {"env": torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(2))}
    with torch.no_grad():
        for name, layer in network.layers.items():
            inputs = [values[parent] for parent in layer.node.parents]
            if isinstance(layer, BatchNormLayer):
                layer.means.copy_(inputs[0].mean((0, 2, 3)))
                layer.variances.copy_(inputs[0].var((0, 2, 3)).nan_to_num() + 1e-3)
                layer.biases.fill_(0.5)
            values[name] = layer(*inputs)
    return network


def exported(source: str, stimuli: np.ndarray) -> tuple[Model, Export]:
    """The ONNX export of the integer network."""
    network = lower(learned(source), Grid(1 / 255, 0, 255))
    export = Export(network, source.encode(), stimuli)
    return build(export), export


class Random(CalibrationDataReader):
    """Four random images for the static quantizer."""

    def __init__(self, size: int) -> None:
        random = np.random.default_rng(4)
        self._rows = iter([{"env": random.random((1, 3, size, size), dtype=np.float32)} for _ in range(4)])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next image."""
        return next(self._rows, None)


def session(model: str | bytes) -> onnxruntime.InferenceSession:
    """One thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


Contestants = dict[str, tuple[onnxruntime.InferenceSession, np.ndarray]]
PEER = "static quantizer, W8A8"
EXACT_PEER = f"{PEER}, u8 weights"


def peers(made: list[Layer], size: int, clipped: bool, real: np.ndarray) -> Contestants:
    """The float network, and what the static quantizer makes of it."""
    with tempfile.TemporaryDirectory() as name:
        path = str(Path(name) / "float.onnx")
        onnx.save(plain(made, size, clipped), path)
        result = {"float32": (session(path), real)}
        for title, kind in ((PEER, QuantType.QInt8), (EXACT_PEER, QuantType.QUInt8)):
            quantized = str(Path(name) / "static.onnx")
            quantize_static(
                path, quantized, Random(size), quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=kind,
            )  # fmt: skip
            result[title] = (session(quantized), real)
    return result


def contestants(network: str, size: int, classes: int, narrow: bool) -> tuple[Contestants, dict[str, int]]:
    """Sessions with their input, by name; and for the exports the outputs that differ from the interpreter's."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, size, size))
    made = layers(network, size, classes, narrow)
    result = peers(made, size, network == "MobileNet-v2", (pixels / 255).astype(np.float32))
    differing = {}
    for title, quantization in ROWS[network].items():
        model, export = exported(text(made, size, quantization), pixels)
        ours = session(model.proto.SerializeToString())
        wanted = interpreter.run(export.network, pixels, {"fc"})["fc"]
        (found,) = ours.run([model.outputs["fc"]], {"env": pixels.astype(np.uint8)})
        differing[title] = int(np.count_nonzero(found != wanted))
        paths = Counter(model.paths[op.name] for op in export.operations if type(op).__name__ == "Requantization")
        print(f"{network} {title}: {differing[title]} of {wanted.size} outputs differ from the interpreter; "
              + ", ".join(f"{count} {path}" for path, count in paths.items()))  # fmt: skip
        result[title] = (ours, pixels.astype(np.uint8))
    return result, differing


def measured(runs: Contestants, rounds: int, clock: str) -> dict[str, list[float]]:
    """Seconds of each in each round; the first round is not counted."""
    now = getattr(time, clock)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, (one, values) in runs.items():
            start = now()
            one.run(None, {"env": values})
            if number:
                times[name].append(now() - start)
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rounds", 15), ("size", 224), ("classes", 1000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--network", choices=ROWS, action="append", help="one of them alone")
    parser.add_argument("--narrow", action="store_true", help="two blocks alone, to see that all runs")
    parser.add_argument("--wall", action="store_true", help="the clock's time, for a machine that does nothing else")
    words = parser.parse_args()
    torch.set_num_threads(1)
    for network in words.network or ROWS:
        runs, differing = contestants(network, words.size, words.classes, words.narrow)
        times = measured(runs, words.rounds, "perf_counter" if words.wall else "thread_time")
        head = f"{network + ', batch 1, one thread':<40} {'ms':>8} {'/ s8':>7} {'/ u8':>7} {'codes that differ':>18}"
        print(head)
        for name, rows in times.items():
            ratios = [
                statistics.median(row / other for row, other in zip(rows, times[peer], strict=True))
                for peer in (PEER, EXACT_PEER)
            ]
            columns = f"{1e3 * statistics.median(rows):>8.2f} {ratios[0]:>7.2f} {ratios[1]:>7.2f}"
            print(f"{name:<40} {columns} {differing.get(name, '-'):>18}")


if __name__ == "__main__":
    main()
