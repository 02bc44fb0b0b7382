"""The reader's operations beyond those of a plain convolutional network, again from the manifest's words alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def alignment(folder: Path, record: dict, *inputs: np.ndarray) -> np.ndarray:
    total = np.array(record["biases"], dtype=np.int64)
    for x, multipliers, bits in zip(inputs, record["multipliers"], record["pre_shifts"], strict=True):
        total = total + ((x + (1 << bits >> 1)) >> bits) * np.array(multipliers, dtype=np.int64)
    return total >> record["shift"]


def maximum(folder: Path, record: dict, *inputs: np.ndarray) -> np.ndarray:
    result = inputs[0]
    for x in inputs[1:]:
        result = np.where(x > result, x, result)
    return result


def product(folder: Path, record: dict, *inputs: np.ndarray) -> np.ndarray:
    result = inputs[0]
    for x in inputs[1:]:
        result = result * x
    return result


def pieces(folder: Path, record: dict, x: np.ndarray) -> np.ndarray:
    result = np.where(x > 0, x << record["shift"], x * record["slope"])
    low, high = record["low"], record["high"]
    result = result if low is None else np.where(result < low, low, result)
    return result if high is None else np.where(result > high, high, result)


def comparison(folder: Path, record: dict, x: np.ndarray) -> np.ndarray:
    above = x >= record["first"]
    kind, zero = record["operation"], np.zeros_like(x)
    code = np.full_like(x, record["code"])
    chosen = {
        "Binary": (code, zero), "BinaryInverted": (zero, code), "ToZero": (x, zero), "ToZeroInverted": (zero, x)
    }[kind]  # fmt: skip
    return np.where(above, *chosen)


def pad(folder: Path, record: dict, x: np.ndarray) -> np.ndarray:
    dims = record["output"]["dims"]
    result = np.zeros((*x.shape[:2], dims["height"], dims["width"]), dtype=np.int64)
    for y in range(dims["height"]):
        for column in range(dims["width"]):
            row, col = y - record["top"], column - record["left"]
            if 0 <= row < x.shape[2] and 0 <= col < x.shape[3]:
                result[:, :, y, column] = x[:, :, row, col]
    return result


def nearest(folder: Path, record: dict, x: np.ndarray) -> np.ndarray:
    return np.stack([np.stack([x[:, :, v, u] for u in record["columns"]], -1) for v in record["rows"]], 2)


def interpolation(folder: Path, record: dict, x: np.ndarray) -> np.ndarray:
    for key, axis in (("columns", 3), ("rows", 2)):
        along, moved = record[key], np.moveaxis(x, axis, 0)
        x = np.moveaxis(
            np.stack(
                [
                    moved[low] * ((1 << along["bits"]) - share) + moved[high] * share
                    for low, high, share in zip(along["low"], along["high"], along["share"], strict=True)
                ]
            ),
            0,
            axis,
        )
    return x


def shaped(x: np.ndarray, record: dict) -> np.ndarray:
    dims = record["output"]["dims"]
    return x.reshape(len(x), dims["channels"], dims["height"], dims["width"])


def unpooling(folder: Path, record: dict, values: np.ndarray, source: np.ndarray) -> np.ndarray:
    (width, height), (sx, sy), (px, py) = record["pool"], record["stride"], record["padding"]
    dims = record["output"]["dims"]
    result = np.zeros((*values.shape[:2], dims["height"], dims["width"]), dtype=np.int64)
    for n, c, y, column in np.ndindex(*values.shape):
        best, place = None, (0, 0)
        for row in range(y * sy - py, y * sy - py + height):
            for col in range(column * sx - px, column * sx - px + width):
                if 0 <= row < source.shape[2] and 0 <= col < source.shape[3]:
                    code = source[n, c, row, col]
                    if best is None or code > best:
                        best, place = code, (row, col)
        if best is not None and place[0] < dims["height"] and place[1] < dims["width"]:
            result[n, c, place[0], place[1]] = values[n, c, y, column]
    return result


def region_maximum(folder: Path, record: dict, x: np.ndarray) -> np.ndarray:
    rows = [[x[:, :, a:b, l:r].max(axis=(2, 3)) for l, r in record["columns"]] for a, b in record["rows"]]  # noqa: E741
    return np.stack([np.stack(row, -1) for row in rows], 2)


OPERATIONS = {
    "Alignment": alignment,
    "Maximum": maximum,
    "Product": product,
    "Absolute": lambda folder, record, x: np.where(x < 0, -x, x),
    "Pieces": pieces,
    "Comparison": comparison,
    "Pad": pad,
    "Nearest": nearest,
    "Interpolation": interpolation,
    "Reshaping": lambda folder, record, x: shaped(x, record),
    "Transposition": lambda folder, record, x: shaped(x.transpose(record["axes"]), record),
    "Unpooling": unpooling,
    "RegionMaximum": region_maximum,
}
