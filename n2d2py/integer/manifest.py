"""The folder ``weights_quantized/``: all integers of the network, enough to write it again without n2d2py.

    <cell>_weights.syntxt   weight codes, one line per output (channels, rows, columns), as N2D2 lays weights out
    <cell>_biases.syntxt    wide integer bias of the cell's rescaling (or of the cell itself), one line per output
    manifest.json           how images become codes; operations in order with formula, inputs, scales, ranges,
                            multipliers, shifts, biases, thresholds, clips, accumulator ranges and widths; how outputs
                            become labels, with their names; version; hash of the INI file

Everything is first written into a sibling folder; then the files are moved one by one, the manifest last. So a
folder that has a manifest is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from n2d2py.cells.base import PROVIDER
from n2d2py.errors import WeightsError
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import (
    Concatenation,
    Convolution,
    Edge,
    Operation,
    Pooling,
    Requantization,
    Softmax,
    Weighted,
)
from n2d2py.integer.ranges import word_bits
from n2d2py.learn.names import file_of
from n2d2py.version import __version__

MANIFEST = "manifest.json"
FORMAT_VERSION = 1

CONVENTIONS = (
    "All numbers of an operation are integers unless it says real; sums and products need at most 64 bits.",
    "Tensors are (channels, height, width); pairs of a window are [x, y].",
    "The real value of a code is code * scale of its edge, plus the real offset of its channel if there is one: a bias "
    "that the integers of the next operation contain.",
    "The reachable low and high of an edge bound its codes for any stimulus, channel by channel.",
    "The levels of weights are low, low + step .. high, or those that uneven lists, if it is not empty.",
    "bits of weights number every code that the file may hold; signed_bits are those of a two's complement word.",
    "preprocessing makes the codes of the stimuli from images; targets make labels from the codes of outputs.",
    "JSON integers may exceed 2^53: read them as 64-bit integers, not as floats.",
)


def write(
    network: IntegerNetwork,
    folder: Path,
    ini: bytes | None = None,
    preprocessing: dict[str, Any] | None = None,
    targets: list[dict[str, Any]] | None = None,
) -> list[Path]:
    """Write the folder; returns the files' paths.

    ``ini`` is the text of the INI file, for its SHA-256. ``preprocessing`` and ``targets`` say as plain data how
    images become codes and how outputs become labels (:mod:`~n2d2py.integer.ends`); they stand in the manifest.

    Files of other names that are already there stay. Raises :class:`WeightsError` if the folder cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as name:
            fresh = Path(name)
            files = _write_files(network, fresh)
            manifest = describe(network, files, ini)
            manifest |= {"preprocessing": preprocessing, "targets": targets or []}
            (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
            return _move(fresh, folder)
    except OSError as error:
        raise WeightsError(
            f"cannot write {folder}: {error.strerror or error}", remedy="check the folder's rights and the free space"
        ) from error


def _move(fresh: Path, folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)  # from here on the folder is not whole, until the new one comes
    files = sorted(path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file())
    files.sort(key=lambda file: file == Path(MANIFEST))
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        os.replace(fresh / file, folder / file)
    return [folder / file for file in files]


def _write_files(network: IntegerNetwork, folder: Path) -> dict[str, dict[str, str]]:
    """Write the weights and biases; names of the files of each operation by what they hold."""
    files: dict[str, dict[str, str]] = {}
    for operation in network:
        if not isinstance(operation, Weighted):
            continue
        file = file_of(folder, operation.cell, "weights")
        files[operation.name] = {"weights": file.relative_to(folder).as_posix()}
        _write_rows(file, operation.weights.reshape(len(operation.weights), -1))
        takers = [taker for taker in network.consumers(operation.name) if isinstance(taker, Requantization)]
        biases, owner = operation.bias, operation.name
        if biases is None and len(takers) == 1:
            biases, owner = takers[0].rescaling.biases, takers[0].name
        if biases is not None:
            file = file_of(folder, operation.cell, "biases")
            files.setdefault(owner, {})["biases"] = file.relative_to(folder).as_posix()
            _write_rows(file, biases[:, None], end="")
    return files


def _write_rows(path: Path, values: np.ndarray, end: str = " ") -> None:
    """One line per output, each value followed by a blank: N2D2's layout."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(" ".join(map(str, row)) + end + "\n" for row in values.tolist())
    path.write_text(text, encoding="ascii")


def describe(network: IntegerNetwork, files: dict[str, dict[str, str]], ini: bytes | None = None) -> dict[str, Any]:
    """The manifest as plain data; ``files`` are the names of the text files by operation."""
    return {
        "format": "n2d2py integer network",
        "format_version": FORMAT_VERSION,
        "n2d2py_version": __version__,
        "network": network.name,
        "ini_sha256": None if ini is None else hashlib.sha256(ini).hexdigest(),
        "exact": network.exact,
        "conventions": list(CONVENTIONS),
        "stimuli": {"name": PROVIDER, **_edge(network.stimuli)},
        "operations": [_operation(network, operation, files.get(operation.name, {})) for operation in network],
        "outputs": dict(network.outputs),
    }


def _edge(edge: Edge) -> dict[str, Any]:
    dims = {"channels": edge.dims.channels, "height": edge.dims.height, "width": edge.dims.width}
    if edge.dims.depth > 1:
        dims["depth"] = edge.dims.depth
    if edge.grid is None:
        return {"dims": dims, "real": True}
    low, high = int(edge.low.min()), int(edge.high.max())
    record: dict[str, Any] = {
        "dims": dims,
        "scale": edge.grid.scale,
        "low": edge.grid.low,
        "high": edge.grid.high,
        "step": edge.grid.step,
        "signed_bits": word_bits(low, high),
        "reachable": {"low": edge.low.tolist(), "high": edge.high.tolist()},
    }
    if edge.offset is not None:
        record["offset"] = edge.offset.tolist()
    return record


def _operation(network: IntegerNetwork, operation: Operation, files: dict[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = {
        "name": operation.name,
        "cell": operation.cell,
        "type": type(operation).__name__,
        "inputs": list(operation.inputs),
        "formula": operation.words(),
    }
    if isinstance(operation, Weighted):
        record |= _weighted(operation, files)
    elif isinstance(operation, Requantization):
        record |= _rescaling(operation, files)
    elif isinstance(operation, Pooling):
        mapping = None if operation.mapping is None else operation.mapping.astype(int).tolist()
        record |= {"pool": operation.pool, "stride": operation.stride, "padding": operation.padding}
        record |= {"area": operation.area, "mapping": mapping}
    elif isinstance(operation, Concatenation):
        record |= {"flat": operation.flat}
    elif isinstance(operation, Softmax):
        record |= {"scale": operation.scale, "group_size": operation.group_size}
    else:
        record |= operation.record()
    return record | {"output": _edge(network.edges[operation.name])}


def _weighted(operation: Weighted, files: dict[str, str]) -> dict[str, Any]:
    grid = operation.weights_grid
    record: dict[str, Any] = {
        "weights": {
            "file": files.get("weights"),
            "shape": list(operation.weights.shape),
            "scale": grid.scale,
            "low": grid.low,
            "high": grid.high,
            "step": grid.step,
            "uneven": list(grid.uneven),
            "bits": operation.stored_bits,
            "signed_bits": word_bits(int(operation.weights.min()), int(operation.weights.max())),
        }
    }
    if operation.absent:
        record["weights"]["absent"] = {
            "connections": operation.absent,
            "code": 0,
            "is_level": not operation.zero_is_extra,
            "words": "the connection map leaves these connections out: their code is 0 in the file"
            + (f", which is no level of the grid; a weight alone has {operation.level_bits} bits"
               if operation.zero_is_extra else ""),
        }  # fmt: skip
    if operation.bias is not None:
        record |= {"bias_file": files.get("biases"), "bias_shift": operation.bias_shift}
    if isinstance(operation, Convolution):
        record |= {"stride": operation.stride, "padding": operation.padding, "dilation": operation.dilation}
        record |= {"sub_sample": operation.sub_sample, "groups": operation.groups}
    return record


def _rescaling(operation: Requantization, files: dict[str, str]) -> dict[str, Any]:
    rescaling = operation.rescaling
    return {
        "mode": operation.mode,
        "form": rescaling.form,
        "multipliers": rescaling.multipliers.tolist(),
        "multiplier_bits": rescaling.multiplier_bits,
        "biases": rescaling.biases.tolist(),
        "biases_file": files.get("biases"),
        "shift": rescaling.shift,
        "clip": [0, rescaling.highest],
        "levels": {"low": operation.low, "step": operation.step, "uneven": list(operation.levels)},
        "thresholds": {
            str(channel): {"sign": table.sign, "values": table.thresholds.tolist()}
            for channel, table in rescaling.tables.items()
        },
        "proof": {
            "exact": operation.proof.exact,
            "points": operation.proof.points,
            "reachable": operation.proof.reachable,
            "differing": operation.proof.differing.tolist(),
        },
    }
