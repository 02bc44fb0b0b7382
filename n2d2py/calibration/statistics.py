"""What the cells of a float network give on the stimuli of the calibration, and the folder that keeps it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from n2d2py.calibration.histogram import BINS, Histogram
from n2d2py.errors import DataError, LearningError, Place
from n2d2py.graph.files import write
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn.progress import Bar
from n2d2py.learn.testing import device_of
from n2d2py.quant.grid import Coded

if TYPE_CHECKING:
    from n2d2py.data.stimuli import Batch

HISTOGRAMS = "outputs_histogram.safetensors"
RANGES = "outputs_range.csv"


@dataclass(frozen=True, eq=False)
class Statistics:
    """The histogram of each quantized cell's output, of how many stimuli of which set."""

    outputs: dict[str, Histogram]
    stimuli: int
    set: str


def collect(
    learned: TorchNetwork, cells: Sequence[str], batches: Iterable[Batch], stimuli: int, name: str
) -> Statistics:
    """Statistics of the outputs of ``cells`` on the first ``stimuli`` of the batches of a set.

    Raises :class:`LearningError` for an output that is not finite.
    """
    outputs = {cell: Histogram() for cell in cells}
    device, done = device_of(learned), 0
    with Bar("Calibration", stimuli) as bar:
        for batch in batches:
            values = learned.evaluate(Coded(batch.inputs[: stimuli - done].to(device)), cells)
            for cell, histogram in outputs.items():
                try:
                    histogram.add(values[cell].real())
                except ValueError as error:
                    raise LearningError(
                        f"cell {cell} gives {error} in the calibration",
                        place=learned.network[cell].cell.place(),
                        expected="finite numbers",
                        remedy="check the weights: -w, or learn again with a smaller learning rate",
                    ) from None
            done = min(stimuli, done + len(batch))
            bar.to(done)
            if done >= stimuli:
                break
    return Statistics(outputs, done, name)


def fingerprint(learned: TorchNetwork) -> str:
    """A word that changes with any weight, with the cells and with their geometry."""
    digest = hashlib.sha256()
    for cell, items in learned.stored().items():
        for item in items:
            digest.update(f"{cell} {item.name} {tuple(item.tensor.shape)}\n".encode())
            digest.update(item.tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def keep(statistics: Statistics, folder: Path, mark: str) -> None:
    """Write the histograms for :func:`reload` and the ranges for the reader; ``mark`` is the network's fingerprint."""
    scalars = {
        cell: {"width": item.width, "zeros": item.zeros, "low": item.low, "high": item.high}
        for cell, item in statistics.outputs.items()
    }
    metadata = {
        "network": mark,
        "stimuli": str(statistics.stimuli),
        "set": statistics.set,
        "cells": json.dumps(scalars),
    }
    arrays = {cell: item.counts for cell, item in statistics.outputs.items()}
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / HISTOGRAMS, save(arrays, metadata))
    text = io.StringIO()
    rows = [(cell, item.low, item.high, item.total, item.zeros) for cell, item in statistics.outputs.items()]
    csv.writer(text, lineterminator="\n").writerows([("cell", "min", "max", "values", "zeros"), *rows])
    write(folder / RANGES, text.getvalue())


def reload(folder: Path, mark: str, cells: Sequence[str]) -> Statistics:
    """What :func:`keep` wrote. Raises :class:`DataError` if nothing is there, or if it is of another network."""
    file = folder / HISTOGRAMS
    again = "leave -calib-reload out, and calibrate again"
    if not file.exists():
        raise DataError(
            f"-calib-reload: there is no calibration in {folder}",
            place=Place(file=str(file)),
            expected="the file that an earlier run with -calib left",
            remedy=again,
        )
    try:
        with safe_open(file, framework="numpy") as held:
            metadata = held.metadata() or {}
            arrays = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118 - it is no dict
        if metadata["network"] == mark:
            scalars = json.loads(metadata["cells"])
            outputs = {cell: Histogram(counts=_checked(arrays[cell]), **scalars[cell]) for cell in cells}
            return Statistics(outputs, int(metadata["stimuli"]), metadata["set"])
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(
            "-calib-reload: the calibration is damaged", place=Place(file=str(file)), remedy=again
        ) from error
    raise DataError(
        "-calib-reload: the calibration is of another network",
        place=Place(file=str(file)),
        expected="the same cells, the same weights and the same -no-cle as now",
        remedy=again,
    )


def _checked(counts: np.ndarray) -> np.ndarray:
    if counts.shape != (BINS,) or counts.dtype != np.int64:
        raise ValueError("no histogram")
    return counts
