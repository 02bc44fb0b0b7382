"""Conv, ConvInteger and ConvTranspose: Conv and Deconv cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.operators.biases import bias_of, give_biases
from n2d2py.onnx_import.operators.windows import axes_text, padded, paddings
from n2d2py.onnx_import.quantized import weight_settings
from n2d2py.registry import register


@register("operator", "Conv")
def conv(node: OnnxNode, importer: Importer) -> None:
    """Conv (1-D to 3-D): kernels are not flipped on either side; asymmetric padding is a Padding cell before it."""
    weights = _weights(node, importer)
    _convolve(node, importer, weights, bias_of(node, importer, 2, weights.shape[0]))


@register("operator", "ConvInteger")
def conv_integer(node: OnnxNode, importer: Importer) -> None:
    """Conv of integers without zero points."""
    if any(node.inputs[2:]):
        raise UnsupportedError("zero points are not supported")
    _convolve(node, importer, _weights(node, importer), None)


def _convolve(node: OnnxNode, importer: Importer, weights: np.ndarray, biases: np.ndarray | None) -> None:
    item = importer.feature(node.input(0))
    spatial = weights.ndim - 2
    groups = int(node.get("group", 1))
    _check(item.shape, weights, groups, item.shape[1] if len(item.shape) > 1 else 0)
    kernel = weights.shape[2:]
    strides = node.integers("strides", spatial, 1)
    dilations = node.integers("dilations", spatial, 1)
    begins, ends = paddings(node, item.shape[2:], kernel, strides, dilations)
    source, padding = padded(node, importer, begins, ends)
    cell = importer.add(
        "Conv",
        importer.fresh(node.name),
        node,
        (source,),
        {
            "NbOutputs": str(weights.shape[0]),
            "KernelDims": axes_text(importer, kernel, 1),
            "StrideDims": axes_text(importer, strides, 1),
            "DilationDims": axes_text(importer, dilations, 1),
            "PaddingDims": axes_text(importer, padding, 0),
        },
        {"NoBias": "1" if biases is None else "0", **weight_settings(node, importer, 1)},
        category="Conv",
        groups=groups,
    )
    importer.begin(cell, weights=_in_space(importer, weights))
    give_biases(importer, cell, biases)
    importer.give(node, cell)


@register("operator", "ConvTranspose")
def conv_transpose(node: OnnxNode, importer: Importer) -> None:
    """Deconv; output_padding and asymmetric pads have no cell."""
    weights = _weights(node, importer)
    item = importer.feature(node.input(0))
    spatial, groups = weights.ndim - 2, int(node.get("group", 1))
    if groups != 1 and (groups != weights.shape[0] or weights.shape[1] != 1):
        raise UnsupportedError(f"group={groups} of {weights.shape[0]} channels is not supported")
    if len(item.shape) != weights.ndim or item.shape[1] != weights.shape[0]:
        raise UnsupportedError(f"weights of {weights.shape[0]} channels do not fit an input of {item.shape[1]}")
    if any(node.integers("output_padding", spatial, 0)):
        raise UnsupportedError("output_padding is not supported")
    if node.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID") or "output_shape" in node.attributes:
        raise UnsupportedError("auto_pad and output_shape are not supported")
    pads = node.integers("pads", 2 * spatial, 0)
    if pads[:spatial] != pads[spatial:]:
        raise UnsupportedError(f"pads {' '.join(map(str, pads))} are not the same on both sides")
    outputs = weights.shape[1] * groups
    biases = bias_of(node, importer, 2, outputs)
    cell = importer.add(
        "Deconv",
        importer.fresh(node.name),
        node,
        (importer.source(node.input(0)),),
        {
            "NbOutputs": str(outputs),
            "KernelDims": axes_text(importer, weights.shape[2:], 1),
            "StrideDims": axes_text(importer, node.integers("strides", spatial, 1), 1),
            "DilationDims": axes_text(importer, node.integers("dilations", spatial, 1), 1),
            "PaddingDims": axes_text(importer, pads[:spatial], 0),
        },
        {"NoBias": "1" if biases is None else "0", **weight_settings(node, importer, 1)},
        category="Conv",
        groups=groups,
    )
    # ONNX has (channels, outputs, ...), cells (outputs, channels, ...); a depthwise one has one of either.
    turned = weights if groups > 1 else weights.swapaxes(0, 1)
    importer.begin(cell, weights=_in_space(importer, turned))
    give_biases(importer, cell, biases)
    importer.give(node, cell)


def _weights(node: OnnxNode, importer: Importer) -> np.ndarray:
    weights = importer.values(node, 1, "kernel")
    if not 3 <= weights.ndim <= 5:
        raise UnsupportedError(f"kernels of {max(weights.ndim - 2, 0)} axes are not supported, one to three are")
    given = node.get("kernel_shape", weights.shape[2:])
    if tuple(given) != weights.shape[2:]:
        raise UnsupportedError(f"kernel_shape is {given}, the weights have {weights.shape[2:]}")
    return weights


def _check(shape: Sequence[int], weights: np.ndarray, groups: int, channels: int) -> None:
    if len(shape) != weights.ndim:
        raise UnsupportedError(f"kernels of {weights.ndim - 2} axes do not fit an input of {len(shape) - 2}")
    if groups < 1 or weights.shape[0] % groups or weights.shape[1] * groups != channels:
        given = f"{weights.shape[1]} channels" + (f" in {groups} groups" if groups != 1 else "")
        raise UnsupportedError(f"weights of {given} do not fit an input of {channels} channels")


def _in_space(importer: Importer, weights: np.ndarray) -> np.ndarray:
    """Kernels as layers have them: (outputs, channels, [depth,] height, width); a 1-D kernel is one row."""
    if weights.ndim == 3:
        return weights[:, :, None, :]
    return weights.swapaxes(2, 3) if importer.transpose and weights.ndim == 4 else weights
