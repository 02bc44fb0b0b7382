"""Writes resnet18v1.onnx: the architecture of ResNet-18 v1 with the node names of the ONNX model zoo's file.

    python examples/make_resnet18_onnx.py                          # 224x224, 1000 classes, width 64, random weights
    python examples/make_resnet18_onnx.py small.onnx --size 32 --width 8 --outputs 10

The network is that of He et al. 2016 (Deep residual learning for image recognition, table 1, 18 layers; strides stand
in the first convolution of a stage). Its names (``resnetv15_conv0_fwd``, ``resnetv15_stage1_activation0``, ...) are
those that an override section of an INI file uses. Weights are random (He et al. 2015), of a seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

_PREFIX = "resnetv15"
_BLOCKS = 2


class _Graph:
    """Nodes in order, each of one output that has its name, and their weights."""

    def __init__(self, seed: int) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}
        self._generator = np.random.default_rng(seed)

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name, **attributes))
        return name

    def weight(self, name: str, *shape: int) -> str:
        deviation = np.sqrt(2.0 / np.prod(shape[1:]))
        self.weights[name] = (self._generator.standard_normal(shape) * deviation).astype(np.float32)
        return name

    def conv(self, x: str, channels: tuple[int, int], kernel: int, stride: int, name: str) -> str:
        weight = self.weight(f"{name}_weight", channels[1], channels[0], kernel, kernel)
        pad = kernel // 2
        return self.node(
            "Conv",
            (x, weight),
            f"{name}_fwd",
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[pad] * 4,
            dilations=[1, 1],
            group=1,
        )

    def batchnorm(self, x: str, channels: int, name: str) -> str:
        given = {"gamma": 1.0, "beta": 0.0, "running_mean": 0.0, "running_var": 1.0}
        for key, value in given.items():
            self.weights[f"{name}_{key}"] = np.full(channels, value, np.float32)
        names = (x, *(f"{name}_{key}" for key in given))
        return self.node("BatchNormalization", names, f"{name}_fwd", epsilon=1e-5, momentum=0.9)


def _block(graph: _Graph, x: str, stage: str, block: int, first: int, channels: tuple[int, int], stride: int) -> str:
    """Two 3x3 convolutions and the way around them; ``first`` numbers the convolutions of the stage."""
    base = f"{_PREFIX}_{stage}"
    y = graph.conv(x, channels, 3, stride, f"{base}_conv{first}")
    y = graph.batchnorm(y, channels[1], f"{base}_batchnorm{first}")
    y = graph.node("Relu", (y,), f"{base}_relu{block}_fwd")
    y = graph.conv(y, (channels[1], channels[1]), 3, 1, f"{base}_conv{first + 1}")
    y = graph.batchnorm(y, channels[1], f"{base}_batchnorm{first + 1}")
    if channels[0] != channels[1]:
        x = graph.conv(x, channels, 1, stride, f"{base}_conv{first + 2}")
        x = graph.batchnorm(x, channels[1], f"{base}_batchnorm{first + 2}")
    y = graph.node("Add", (x, y), f"{base}__plus{block}")
    return graph.node("Relu", (y,), f"{base}_activation{block}")


def resnet18(size: int = 224, width: int = 64, outputs: int = 1000, seed: int = 0) -> onnx.ModelProto:
    """The model for RGB images of ``size``; ``width`` is the channels of the first stage."""
    graph = _Graph(seed)
    x = graph.conv("data", (3, width), 7, 2, f"{_PREFIX}_conv0")
    x = graph.batchnorm(x, width, f"{_PREFIX}_batchnorm0")
    x = graph.node("Relu", (x,), f"{_PREFIX}_relu0_fwd")
    x = graph.node("MaxPool", (x,), f"{_PREFIX}_pool0_fwd", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    before = width
    for stage in range(4):
        after, first = width * 2**stage, 0
        for block in range(_BLOCKS):
            stride = 2 if stage and not block else 1
            x = _block(graph, x, f"stage{stage + 1}", block, first, (before, after), stride)
            first += 2 if before == after else 3
            before = after
    x = graph.node("GlobalAveragePool", (x,), f"{_PREFIX}_pool1_fwd")
    x = graph.node("Flatten", (x,), "flatten_170")
    weight = graph.weight(f"{_PREFIX}_dense0_weight", outputs, before)
    graph.weights[f"{_PREFIX}_dense0_bias"] = np.zeros(outputs, np.float32)
    x = graph.node("Gemm", (x, weight, f"{_PREFIX}_dense0_bias"), f"{_PREFIX}_dense0_fwd", transB=1)
    made = helper.make_graph(
        graph.nodes,
        "resnet18_v1",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, ("N", 3, size, size))],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, ("N", outputs))],
        [numpy_helper.from_array(values, name) for name, values in graph.weights.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 8)], ir_version=4)


def main(words: Sequence[str] | None = None) -> None:
    """Write the file that the words of the command line ask for."""
    parser = argparse.ArgumentParser(description="Write a ResNet-18 v1 with random weights as an ONNX file.")
    parser.add_argument("file", nargs="?", default="resnet18v1.onnx")
    parser.add_argument("--size", type=int, default=224, help="width and height of the images")
    parser.add_argument("--width", type=int, default=64, help="channels of the first stage")
    parser.add_argument("--outputs", type=int, default=1000, help="classes")
    parser.add_argument("--seed", type=int, default=0, help="of the random weights")
    given = parser.parse_args(words)
    onnx.save(resnet18(given.size, given.width, given.outputs, given.seed), given.file)
    print(f"{given.file}: ResNet-18 v1, {given.size}x{given.size}, width {given.width}, {given.outputs} classes")


if __name__ == "__main__":
    main()
