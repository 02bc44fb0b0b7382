"""Conv, ConvInteger and ConvTranspose: Conv and Deconv cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.operators.biases import bias_of, give_biases
from n2d2py.onnx_import.operators.windows import Sides, axes_text, pad_cell, padded, paddings
from n2d2py.onnx_import.quantized import weight_settings
from n2d2py.onnx_import.sharing import WEIGHTED
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
    importer.sharing.note(node, cell, WEIGHTED, (kernel, groups, item.shape[1]))
    importer.give(node, cell)


@register("operator", "ConvTranspose")
def conv_transpose(node: OnnxNode, importer: Importer) -> None:
    """Deconv; what differs between the sides, output_padding too, is cropped by a Padding cell after it."""
    weights = _weights(node, importer)
    item = importer.feature(node.input(0))
    spatial, groups = weights.ndim - 2, int(node.get("group", 1))
    if len(item.shape) != weights.ndim or item.shape[1] != weights.shape[0]:
        raise UnsupportedError(f"weights of {weights.shape[0]} channels do not fit an input of {item.shape[1]}")
    if groups < 1 or weights.shape[0] % groups:
        raise UnsupportedError(f"{weights.shape[0]} channels are not {groups} groups")
    strides = node.integers("strides", spatial, 1)
    dilations = node.integers("dilations", spatial, 1)
    begins, ends = _cropped(node, item.shape[2:], weights.shape[2:], strides, dilations)
    common = begins if begins == ends else tuple(map(min, zip(begins, ends, strict=True)))
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
            "StrideDims": axes_text(importer, strides, 1),
            "DilationDims": axes_text(importer, dilations, 1),
            "PaddingDims": axes_text(importer, common, 0),
        },
        {"NoBias": "1" if biases is None else "0", **weight_settings(node, importer, 1)},
        category="Conv",
        groups=groups,
    )
    # ONNX has (channels, outputs of a group, ...), cells (outputs, channels of a group, ...).
    grouped = weights.reshape(groups, -1, *weights.shape[1:]).swapaxes(1, 2)
    importer.begin(cell, weights=_in_space(importer, grouped.reshape(outputs, -1, *weights.shape[2:])))
    give_biases(importer, cell, biases)
    importer.sharing.note(node, cell, WEIGHTED, (weights.shape, groups))
    if begins == ends:
        importer.give(node, cell)
        return
    crops = [tuple(less - side for less, side in zip(common, sides, strict=True)) for sides in (begins, ends)]
    cropped = pad_cell(node, importer, cell.name, crops[0], crops[1], f"{node.name}_crop")
    importer.give(node, importer.cells[cropped])


def _cropped(
    node: OnnxNode, sizes: Sequence[int], kernel: Sides, strides: Sides, dilations: Sides
) -> tuple[Sides, Sides]:
    """What of the spread input is left out at the begin and the end of each axis; below 0: places without a tap."""
    count = len(kernel)
    more = node.integers("output_padding", count, 0)
    auto, wanted = node.get("auto_pad", "NOTSET"), node.get("output_shape", None)
    if wanted is None and auto in ("NOTSET", "", "VALID"):
        pads = node.integers("pads", 2 * count, 0) if auto != "VALID" else (0,) * 2 * count
        return pads[:count], tuple(pad - extra for pad, extra in zip(pads[count:], more, strict=True))
    if wanted is None:
        wanted = [size * stride for size, stride in zip(sizes, strides, strict=True)]
    begins, ends = [], []
    for axis, size in enumerate(wanted[-count:]):
        spread = (sizes[axis] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1 + more[axis]
        total = max(spread - size, 0)
        begin = total - total // 2 if auto != "SAME_UPPER" else total // 2
        begins.append(begin)
        ends.append(spread - size - begin - more[axis])
    return tuple(begins), tuple(ends)


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
