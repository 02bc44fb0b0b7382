"""Speed of the ONNX export beside ONNX Runtime's own static quantizer and the float network: ResNet-18, one thread.

    OMP_NUM_THREADS=1 python bench/export.py [--rounds 15] [--size 224] [--classes 1000] [--bits 4] [--narrow]

Batch 1. All files take turns in every round, so that whatever else the machine does falls on all alike; the ratio is
the median over rounds of (time of the file / time of the statically quantized file). "Every edge quantized" is the
network in which the second convolution of a block has its own quantizer; in the other one the sum of a block takes its
accumulators, which need wide integers in memory. Weights are random, BatchNorm statistics those of random images.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
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

BLOCKS = [(64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)]
"""Outputs and stride of each block."""


def text(size: int, classes: int, levels: int, every_edge: bool) -> str:
    """ResNet-18 as an INI file; the first and the last layer have 8-bit weights."""
    act = f"QAct=SAT\nQAct.Range={levels}\nQAct.Alpha=4.0"
    sections = [f"DefaultModel=Frame\n[env]\nSize={size} {size} 3\nBatchSize=1"]

    def add(name: str, inputs: str, kind: str, outputs: int, *lines: str) -> None:
        sections.append("\n".join([f"[{name}]", f"Input={inputs}", f"Type={kind}", f"NbOutputs={outputs}", *lines]))

    def conv(name: str, source: str, outputs: int, kernel: int, stride: int, weights: int, *activation: str) -> None:
        lines = [f"KernelSize={kernel}", f"Stride={stride}", f"Padding={kernel // 2}", "NoBias=1"]
        add(name, source, "Conv", outputs, *lines, "ActivationFunction=Linear", f"QWeight=SAT\nQWeight.Range={weights}")
        add(f"{name}.bn", name, "BatchNorm", outputs, *(activation or ("ActivationFunction=Linear",)))

    conv("conv1", "env", 64, 7, 2, 255, "ActivationFunction=Linear", act)
    pool = ["PoolSize=3", "Stride=2", "Padding=1", "Pooling=Max", "Mapping.ChannelsPerGroup=1"]
    add("pool1", "conv1.bn", "Pool", 64, *pool)
    source, channels = "pool1", 64
    for number, (outputs, stride) in enumerate(BLOCKS):
        name, short = f"res{number}", source
        last = ("ActivationFunction=Linear", act) if every_edge else ()
        conv(f"{name}.a", source, outputs, 3, stride, levels, "ActivationFunction=Linear", act)
        conv(f"{name}.b", f"{name}.a.bn", outputs, 3, 1, levels, *last)
        if (outputs, stride) != (channels, 1):
            conv(f"{name}.s", source, outputs, 1, stride, levels, *last)
            short = f"{name}.s.bn"
        inputs = f"{name}.b.bn,{short}"
        add(f"{name}.sum", inputs, "ElemWise", outputs, "Operation=Sum", "ActivationFunction=Linear", act)
        source, channels = f"{name}.sum", outputs
    rest = -(-size // (4 * math.prod(stride for _, stride in BLOCKS)))
    add("pool", source, "Pool", channels, f"PoolSize={rest}", "Pooling=Average", "Mapping.ChannelsPerGroup=1")
    quantized = "QWeight=SAT\nQWeight.Range=255\nQWeight.ApplyScaling=1"
    add("fc", "pool", "Fc", classes, "NoBias=1", "ActivationFunction=Linear", quantized)
    return "\n".join(sections)


def learned(source: str) -> TorchNetwork:
    """The network with random weights, its BatchNorm statistics measured on a random image."""
    network = TorchNetwork(build_graph(ini.loads(source, file="resnet18.ini"), "resnet18")).eval()
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


def plain(size: int, classes: int) -> onnx.ModelProto:
    """The same network in float32, BatchNorm folded into the convolutions, as an exporter of torch would write it."""
    random, nodes, tensors = np.random.default_rng(3), [], []

    def node(kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def conv(name: str, source: str, inputs: int, outputs: int, kernel: int, stride: int, relu: bool) -> str:
        weights = random.normal(0, (2 / (inputs * kernel**2)) ** 0.5, (outputs, inputs, kernel, kernel))
        for suffix, values in (("w", weights), ("b", random.normal(0, 0.1, outputs))):
            tensors.append(numpy_helper.from_array(values.astype(np.float32), f"{name}_{suffix}"))
        pads = [kernel // 2] * 4
        result = node("Conv", [source, f"{name}_w", f"{name}_b"], name, strides=[stride] * 2, pads=pads)
        return node("Relu", [result], f"{name}_relu") if relu else result

    first = conv("conv1", "env", 3, 64, 7, 2, True)
    source = node("MaxPool", [first], "pool1", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = 64
    for number, (outputs, stride) in enumerate(BLOCKS):
        a = conv(f"res{number}.a", source, channels, outputs, 3, stride, True)
        b = conv(f"res{number}.b", a, outputs, outputs, 3, 1, False)
        if (outputs, stride) != (channels, 1):
            source = conv(f"res{number}.s", source, channels, outputs, 1, stride, False)
        source = node("Relu", [node("Add", [b, source], f"res{number}.sum")], f"res{number}.out")
        channels = outputs
    flat = node("Flatten", [node("GlobalAveragePool", [source], "pool")], "flat")
    tensors.append(numpy_helper.from_array(random.normal(0, 0.05, (channels, classes)).astype(np.float32), "fc_w"))
    node("MatMul", [flat, "fc_w"], "fc")
    shapes = [helper.make_tensor_value_info("env", 1, [1, 3, size, size]),
              helper.make_tensor_value_info("fc", 1, [1, classes])]  # fmt: skip
    graph = helper.make_graph(nodes, "resnet18", shapes[:1], shapes[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


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


def contestants(size: int, classes: int, bits: int) -> dict[str, tuple[onnxruntime.InferenceSession, np.ndarray]]:
    """Sessions with their input, by name; the exports are compared with the interpreter first."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, size, size))
    real = (pixels / 255).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        float_file, static_file = str(Path(name) / "float.onnx"), str(Path(name) / "static.onnx")
        onnx.save(plain(size, classes), float_file)
        quantize_static(
            float_file, static_file, Random(size), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
        result = {"static quantizer, W8A8": (session(static_file), real), "float32": (session(float_file), real)}
    for every_edge, title in ((True, "every edge quantized"), (False, "sums of accumulators")):
        model, export = exported(text(size, classes, (1 << bits) - 1, every_edge), pixels)
        ours = session(model.proto.SerializeToString())
        wanted = interpreter.run(export.network, pixels, {"fc"})["fc"]
        (found,) = ours.run([model.outputs["fc"]], {"env": pixels.astype(np.uint8)})
        differing = int(np.count_nonzero(found != wanted))
        paths = Counter(model.paths[op.name] for op in export.operations if type(op).__name__ == "Requantization")
        print(f"W{bits}A{bits}, {title}: {differing} of {wanted.size} outputs differ from the interpreter; "
              + ", ".join(f"{count} {path}" for path, count in paths.items()))  # fmt: skip
        result[f"n2d2py W{bits}A{bits}, {title}"] = (ours, pixels.astype(np.uint8))
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rounds", 15), ("size", 224), ("classes", 1000), ("bits", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--narrow", action="store_true", help="two blocks alone, to see that all runs")
    words = parser.parse_args()
    if words.narrow:
        BLOCKS[:] = [(64, 1), (128, 2)]
    torch.set_num_threads(1)
    runs = contestants(words.size, words.classes, words.bits)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(words.rounds + 1):
        for name, (one, codes) in runs.items():
            start = time.perf_counter()
            one.run(None, {"env": codes})
            if number:
                times[name].append(time.perf_counter() - start)
    peer = times["static quantizer, W8A8"]
    print(f"{'batch 1, one thread':<40} {'ms':>8} {'ratio':>7}")
    for name, rows in times.items():
        ratio = statistics.median(row / other for row, other in zip(rows, peer, strict=True))
        print(f"{name:<40} {1e3 * statistics.median(rows):>8.2f} {ratio:>7.2f}")


if __name__ == "__main__":
    main()
