"""Resize and Upsample: Resize cells, where one computes the very same positions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.registry import register

# How ONNX finds the place of an output in the input, and how a Resize cell calls that.
_LINEAR = {
    "half_pixel": ("Bilinear", "0"),
    "pytorch_half_pixel": ("Bilinear", "0"),
    "align_corners": ("BilinearTF", "1"),
    "asymmetric": ("BilinearTF", "0"),
}


@register("operator", "Upsample")
def upsample(node: OnnxNode, importer: Importer) -> None:
    """Resize by scales, without half a pixel of shift."""
    scales = node.get("scales", None)
    if scales is None:
        scales = tuple(float(value) for value in np.ravel(importer.values(node, 1, "scales")))
    _resize(node, importer, scales, node.get("mode", "nearest"), "asymmetric", "floor")


@register("operator", "Resize")
def resize(node: OnnxNode, importer: Importer) -> None:
    """Nearest or linear, to constant sizes or by constant scales."""
    if node.opset < 11:
        scales = tuple(float(value) for value in np.ravel(importer.values(node, 1, "scales")))
        _resize(node, importer, scales, node.get("mode", "nearest"), "asymmetric", "floor")
        return
    if node.get("antialias", 0) or node.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise UnsupportedError("antialias and keep_aspect_ratio_policy are not supported")
    if node.get("axes", None) is not None:
        raise UnsupportedError("axes are not supported")
    transformation = node.get("coordinate_transformation_mode", "half_pixel")
    if transformation == "tf_crop_and_resize":
        raise UnsupportedError("a region of interest is not supported")
    scales = tuple(float(value) for value in np.ravel(importer.values(node, 2, "scales"))) if node.input(2) else ()
    sizes = importer.integers(node, 3, "sizes")
    if sizes:
        shape = importer.feature(node.input(0)).shape
        scales = tuple(size / length for size, length in zip(sizes, shape, strict=False))
    nearest = node.get("nearest_mode", "round_prefer_floor")
    _resize(node, importer, scales, node.get("mode", "nearest"), transformation, nearest)


def _resize(
    node: OnnxNode, importer: Importer, scales: Sequence[float], mode: str, transformation: str, nearest: str
) -> None:
    source = importer.source(node.input(0))
    shape = importer.feature(node.input(0)).shape
    if len(scales) != len(shape) or len(shape) != 4 or scales[0] != 1 or scales[1] != 1:
        raise UnsupportedError("only width and height of an image can be resized")
    wanted = importer.folding.shapes.get(node.outputs[0])
    if wanted is None:
        wanted = tuple(math.floor(length * scale) for length, scale in zip(shape, scales, strict=True))
    pairs = list(zip(shape[2:], wanted[2:], scales[2:], strict=True))
    if min(wanted) < 1:
        raise UnsupportedError("its output is empty")
    if mode == "nearest":
        for before, after, scale in pairs:
            places = _places(before, after, scale, transformation, nearest)
            if not np.array_equal(places, np.arange(after) * before // after):
                raise UnsupportedError(f"nearest, {transformation}, {nearest} takes other pixels than a Resize cell")
        cell_mode, corners = "NearestNeighbor", "0"
    elif mode == "linear" and transformation in _LINEAR:
        cell_mode, corners = _LINEAR[transformation]
        for before, after, scale in pairs:
            inexact = transformation != "align_corners" and abs(before * scale - after) > 1e-4 * after
            if inexact or (after == 1 and before > 1 and transformation != "half_pixel"):
                raise UnsupportedError(f"linear from {before} to {after} by {scale:g}, {transformation}, has no cell")
    else:
        raise UnsupportedError(f"mode {mode} with {transformation} is not supported")
    width, height = (3, 2) if not importer.transpose else (2, 3)
    keys = {
        "NbOutputs": str(importer.outputs[source].channels),
        "OutputWidth": str(wanted[width]),
        "OutputHeight": str(wanted[height]),
        "Mode": cell_mode,
        "AlignCorners": corners,
    }
    importer.give(node, importer.add("Resize", importer.fresh(node.name), node, (source,), keys))


def _places(before: int, after: int, scale: float, transformation: str, nearest: str) -> np.ndarray:
    """Which input each output takes."""
    outputs = np.arange(after, dtype=np.float64)
    if transformation in ("half_pixel", "pytorch_half_pixel"):
        places = (outputs + 0.5) / scale - 0.5
    elif transformation == "align_corners":
        places = outputs * (before - 1) / max(after - 1, 1)
    elif transformation == "asymmetric":
        places = outputs / scale
    else:
        raise UnsupportedError(f"coordinate_transformation_mode={transformation} is not supported")
    rounding: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "floor": np.floor,
        "ceil": np.ceil,
        "round_prefer_floor": lambda x: np.ceil(x - 0.5),
        "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    }
    return np.clip(rounding[nearest](places), 0, before - 1).astype(np.int64)
