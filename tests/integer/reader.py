"""A second implementation of integer inference, written from the manifest's words alone: numpy and json only.

Plain loops where the package uses matrix products, so that the two share no idea.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from . import further_reading as further


def infer(folder: Path, stimuli: np.ndarray) -> dict[str, np.ndarray]:
    """Codes of all integer operations for stimuli codes (batch, channels, height, width)."""
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["format"] == "n2d2py integer network"
    values = {manifest["stimuli"]["name"]: stimuli.astype(np.int64)}
    for record in manifest["operations"]:
        if record["output"].get("real"):
            continue
        inputs = [values[name] for name in record["inputs"]]
        values[record["name"]] = OPERATIONS[record["type"]](folder, record, *inputs)
    del values[manifest["stimuli"]["name"]]
    return values


def codes_of(record: dict, pixels: np.ndarray) -> np.ndarray:
    """Codes of the pixels of transformed images, from what ``preprocessing`` says of codes."""
    if "lookup" in record:
        table = np.array(record["lookup"]["table"], dtype=np.int64)
        rows = [table[c if len(table) > 1 else 0][pixels[:, c]] for c in range(pixels.shape[1])]
        return np.stack(rows, axis=1)
    if "table" in record:
        return np.array(record["table"], dtype=np.int64)[pixels]
    return pixels.astype(np.int64) + record["offset"]


def numbers(folder: Path, record: dict) -> np.ndarray:
    text = (folder / record["file"]).read_text()
    rows = [[int(word) for word in line.split()] for line in text.splitlines()]
    return np.array(rows, dtype=np.int64).reshape(record["shape"])


def with_bias(folder: Path, record: dict, sums: np.ndarray) -> np.ndarray:
    if "bias_file" not in record:
        return sums
    bias = np.array([int(word) for word in (folder / record["bias_file"]).read_text().split()])
    return (sums << record["bias_shift"]) + bias.reshape(1, -1, 1, 1)


def convolution(folder: Path, record: dict, x: np.ndarray) -> np.ndarray:
    weights = numbers(folder, record["weights"])
    (sx, sy), (px, py), (dx, dy) = record["stride"], record["padding"], record["dilation"]
    ssx, ssy = record["sub_sample"]
    outputs, per_group, height, width = weights.shape
    dims = record["output"]["dims"]
    result = np.zeros((len(x), outputs, dims["height"], dims["width"]), dtype=np.int64)
    for o in range(outputs):
        group = o * record["groups"] // outputs
        for y in range(dims["height"]):
            for column in range(dims["width"]):
                for j in range(height):
                    for i in range(width):
                        row, col = y * ssy * sy + j * dy - py, column * ssx * sx + i * dx - px
                        if 0 <= row < x.shape[2] and 0 <= col < x.shape[3]:
                            taken = x[:, group * per_group : (group + 1) * per_group, row, col]
                            result[:, o, y, column] += (taken * weights[o, :, j, i]).sum(axis=1)
    return with_bias(folder, record, result)


def deconvolution(folder: Path, record: dict, x: np.ndarray) -> np.ndarray:
    weights = numbers(folder, record["weights"])
    (sx, sy), (px, py), (dx, dy) = record["stride"], record["padding"], record["dilation"]
    outputs, per_group, height, width = weights.shape
    dims = record["output"]["dims"]
    result = np.zeros((len(x), outputs, dims["height"], dims["width"]), dtype=np.int64)
    for o, v, u, j, i in np.ndindex(outputs, x.shape[2], x.shape[3], height, width):
        y, column = v * sy + j * dy - py, u * sx + i * dx - px
        if 0 <= y < dims["height"] and 0 <= column < dims["width"]:
            group = o * record["groups"] // outputs
            taken = x[:, group * per_group : (group + 1) * per_group, v, u]
            result[:, o, y, column] += (taken * weights[o, :, j, i]).sum(axis=1)
    return with_bias(folder, record, result)


def fully_connected(folder: Path, record: dict, x: np.ndarray) -> np.ndarray:
    weights = numbers(folder, record["weights"])
    sums = np.array([[int((row * stimulus.ravel()).sum()) for row in weights] for stimulus in x], dtype=np.int64)
    return with_bias(folder, record, sums[:, :, None, None])


def requantization(folder: Path, record: dict, x: np.ndarray) -> np.ndarray:
    result = np.empty_like(x)
    low, high = record["clip"]
    for c, (multiplier, bias) in enumerate(zip(record["multipliers"], record["biases"], strict=True)):
        table = record["thresholds"].get(str(c))
        if table is None:
            result[:, c] = np.clip((x[:, c] * multiplier + bias) >> record["shift"], low, high)
        else:
            reached = [table["sign"] * x[:, c] >= threshold for threshold in table["values"]]
            result[:, c] = np.sum(reached, axis=0)
    levels = record["levels"]
    if levels["uneven"]:
        return np.array(levels["uneven"], dtype=np.int64)[result]
    return levels["low"] + result * levels["step"]


def pooling(folder: Path, record: dict, x: np.ndarray) -> np.ndarray:
    (width, height), (sx, sy), (px, py) = record["pool"], record["stride"], record["padding"]
    dims, mapping = record["output"]["dims"], record["mapping"]
    result = np.zeros((len(x), dims["channels"], dims["height"], dims["width"]), dtype=np.int64)
    for o in range(dims["channels"]):
        channels = [o] if mapping is None else [c for c, row in enumerate(mapping) if row[o]]
        for y in range(dims["height"]):
            for column in range(dims["width"]):
                rows = slice(max(0, y * sy - py), y * sy - py + height)
                columns = slice(max(0, column * sx - px), column * sx - px + width)
                window = x[:, channels, rows, columns].reshape(len(x), -1)
                result[:, o, y, column] = (window.max if record["type"] == "MaxPool" else window.sum)(axis=1)
    return result


def concatenation(folder: Path, record: dict, *inputs: np.ndarray) -> np.ndarray:
    if record["flat"]:
        return np.concatenate([x.reshape(len(x), -1, 1, 1) for x in inputs], axis=1)
    dims = record["output"]["dims"]
    spread = [np.zeros((*x.shape[:2], dims["height"], dims["width"]), dtype=np.int64) + x for x in inputs]
    return np.concatenate(spread, axis=1)


OPERATIONS = {
    "Convolution": convolution,
    "Deconvolution": deconvolution,
    "FullyConnected": fully_connected,
    "Requantization": requantization,
    "MaxPool": pooling,
    "SumPool": pooling,
    "Concatenation": concatenation,
    **further.OPERATIONS,
    "Rectification": lambda folder, record, x: np.where(x > 0, x, 0),
    "Identity": lambda folder, record, x: x,
}
