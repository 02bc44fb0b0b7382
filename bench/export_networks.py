"""ResNet-18 and MobileNet-v2 for ``bench/export.py``: a list of layers, as an INI file and as a float ONNX file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper, numpy_helper

SIZES = {"ResNet-18": ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)),
         "MobileNet-v2": ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                          (6, 320, 1, 1))}  # fmt: skip
"""Outputs and stride of each block; expansion, outputs, repetitions and stride (Sandler et al. 2018, table 2)."""


@dataclass(frozen=True)
class Layer:
    """A convolution with BatchNorm, a sum, a pool or the classifier; ``rectified`` False is a linear bottleneck."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: int
    kernel: int = 1
    stride: int = 1
    depthwise: bool = False
    rectified: bool = True


def layers(network: str, size: int, classes: int, narrow: bool = False) -> list[Layer]:
    """The layers in order; ``narrow`` leaves two blocks."""
    made = list(_resnet(narrow) if network == "ResNet-18" else _mobilenet(narrow))
    rest = size
    for layer in made:
        # Shortcuts and sums are beside the way down.
        if not layer.name.endswith(".s"):
            rest = -(-rest // layer.stride)
    made.append(Layer("average", "pool", (made[-1].name,), made[-1].outputs, rest))
    return [*made, Layer("fc", "fc", ("pool",), classes)]


def _resnet(narrow: bool) -> Iterator[Layer]:
    yield Layer("conv", "conv1", ("env",), 64, 7, 2)
    yield Layer("max", "pool1", ("conv1",), 64, 3, 2)
    source, channels = "pool1", 64
    for number, (outputs, stride) in enumerate(SIZES["ResNet-18"][: 2 if narrow else None]):
        name, short = f"res{number}", source
        yield Layer("conv", f"{name}.a", (source,), outputs, 3, stride)
        yield Layer("conv", f"{name}.b", (f"{name}.a",), outputs, 3, rectified=False)
        if (outputs, stride) != (channels, 1):
            short = f"{name}.s"
            yield Layer("conv", short, (source,), outputs, 1, stride, rectified=False)
        yield Layer("sum", f"{name}.sum", (f"{name}.b", short), outputs)
        source, channels = f"{name}.sum", outputs


def _mobilenet(narrow: bool) -> Iterator[Layer]:
    yield Layer("conv", "conv1", ("env",), 32, 3, 2)
    source, channels = "conv1", 32
    for number, (expansion, outputs, count, first) in enumerate(SIZES["MobileNet-v2"][: 2 if narrow else None]):
        for repeat in range(count):
            name, stride = f"block{number}.{repeat}", first if repeat == 0 else 1
            inner, wide = source, channels * expansion
            if expansion > 1:
                inner = f"{name}.e"
                yield Layer("conv", inner, (source,), wide)
            yield Layer("conv", f"{name}.d", (inner,), wide, 3, stride, depthwise=True)
            yield Layer("conv", f"{name}.p", (f"{name}.d",), outputs, rectified=False)
            last = f"{name}.p"
            if (stride, channels) == (1, outputs):
                last = f"{name}.sum"
                yield Layer("sum", last, (f"{name}.p", source), outputs, rectified=False)
            source, channels = last, outputs
    yield Layer("conv", "last", (source,), 64 if narrow else 1280)


@dataclass(frozen=True)
class Quantization:
    """``SAT``, or ``LSQ`` with signed levels for what is not rectified; first and last layer have 8-bit weights.

    Without ``every_edge`` a sum takes the accumulators of its convolutions, and linear bottlenecks have no levels.
    ``integer_bias``: biases are whole accumulators, weights -127 .. 127.
    """

    kind: str
    bits: int
    every_edge: bool = True
    integer_bias: bool = False

    @property
    def levels(self) -> int:
        """The highest level."""
        return (1 << self.bits) - 1

    def weights(self, first: bool) -> str:
        """The lines of a layer's weights."""
        if self.integer_bias:  # weights that take all of -127 .. 127
            return "QWeight=SAT\nQWeight.Range=255\nQWeight.QuantMode=Symmetric"
        return f"QWeight={self.kind}\nQWeight.Range={255 if first else self.levels}"

    def activation(self, layer: Layer) -> str:
        """The lines of a cell's output."""
        bias = "\nQAct.IntegerBias=1" if self.integer_bias else ""
        if not (layer.rectified or self.every_edge):
            return "ActivationFunction=Linear"
        if self.kind == "SAT":
            return f"ActivationFunction=Linear\nQAct=SAT\nQAct.Range={self.levels}\nQAct.Alpha=4.0{bias}"
        function, signed = ("Rectifier", "") if layer.rectified else ("Linear", "\nQAct.Signed=1")
        step = (4 if layer.rectified else 6) / self.levels
        return f"ActivationFunction={function}\nQAct=LSQ\nQAct.Range={self.levels}\nQAct.StepSize={step}{signed}{bias}"


def text(made: list[Layer], size: int, quantization: Quantization) -> str:
    """The layers as an INI file."""
    sections = [f"DefaultModel=Frame\n[env]\nSize={size} {size} 3\nBatchSize=1"]
    given = {"env": "env"}
    for layer in made:
        act, name = quantization.activation(layer), layer.name
        head = f"Input={','.join(given[source] for source in layer.inputs)}\nNbOutputs={layer.outputs}"
        given[name] = name
        window = f"PoolSize={layer.kernel}\nStride={layer.stride}\nMapping.ChannelsPerGroup=1"
        if layer.kind == "conv":
            groups = "\nMapping.ChannelsPerGroup=1" if layer.depthwise else ""
            weights = quantization.weights(layer.inputs == ("env",))
            sections.append(
                f"[{name}]\nType=Conv\n{head}\nKernelSize={layer.kernel}\nStride={layer.stride}\n"
                f"Padding={layer.kernel // 2}\nNoBias=1\nActivationFunction=Linear\n{weights}{groups}"
            )
            given[name] = f"{name}.bn"
            sections.append(f"[{name}.bn]\nInput={name}\nType=BatchNorm\nNbOutputs={layer.outputs}\n{act}")
        elif layer.kind == "sum":
            sections.append(f"[{name}]\nType=ElemWise\n{head}\nOperation=Sum\n{act}")
        elif layer.kind == "fc":
            scaled = "\nQWeight.ApplyScaling=1" if quantization.kind == "SAT" else ""
            weights = f"{quantization.weights(True)}{scaled}"
            sections.append(f"[{name}]\nType=Fc\n{head}\nNoBias=1\nActivationFunction=Linear\n{weights}")
        else:
            kind = "Average" if layer.kind == "average" else f"Max\nPadding={layer.kernel // 2}"
            sections.append(f"[{name}]\nType=Pool\n{head}\nPooling={kind}\n{window}")
    return "\n".join(sections)


def plain(made: list[Layer], size: int, clipped: bool) -> onnx.ModelProto:
    """The layers in float32, BatchNorm folded into the convolutions, as an exporter of torch would write them.

    ``clipped``: rectifiers end at 6.
    """
    random, nodes, tensors, channels = np.random.default_rng(3), [], [], {"env": 3}

    def node(kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def tensor(name: str, values: object) -> str:
        tensors.append(numpy_helper.from_array(np.asarray(values, dtype=np.float32), name))
        return name

    bounds = [tensor("zero", 0), tensor("six", 6)] if clipped else []
    given = {"env": "env"}
    for layer in made:
        sources, name = [given[source] for source in layer.inputs], layer.name
        inputs, channels[name] = channels[layer.inputs[0]], layer.outputs
        if layer.kind == "conv":
            groups = inputs if layer.depthwise else 1
            shape = (layer.outputs, inputs // groups, layer.kernel, layer.kernel)
            weights = random.normal(0, (2 / (shape[1] * layer.kernel**2)) ** 0.5, shape)
            terms = [tensor(f"{name}_w", weights), tensor(f"{name}_b", random.normal(0, 0.1, layer.outputs))]
            pads = [layer.kernel // 2] * 4
            last = node("Conv", [*sources, *terms], name, strides=[layer.stride] * 2, pads=pads, group=groups)
        elif layer.kind == "sum":
            last = node("Add", sources, name)
        elif layer.kind == "max":
            last = node("MaxPool", sources, name, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
        elif layer.kind == "average":
            last = node("Flatten", [node("GlobalAveragePool", sources, "average")], name)
        else:
            weights = tensor("fc_w", random.normal(0, 0.05, (inputs, layer.outputs)))
            last = node("MatMul", [*sources, weights], name)
        if layer.rectified and layer.kind in ("conv", "sum"):
            last = node("Clip" if clipped else "Relu", [last, *bounds], f"{name}_relu")
        given[name] = last
    shapes = [helper.make_tensor_value_info("env", 1, [1, 3, size, size]),
              helper.make_tensor_value_info("fc", 1, [1, made[-1].outputs])]  # fmt: skip
    graph = helper.make_graph(nodes, "network", shapes[:1], shapes[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
