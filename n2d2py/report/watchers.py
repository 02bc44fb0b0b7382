"""What is told of learning at its logs, beside curves: losses, and the weights of a layer."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from n2d2py import console
from n2d2py.errors import GraphError, did_you_mean
from n2d2py.graph.files import write
from n2d2py.layers.network import TorchNetwork
from n2d2py.layers.recurrent import RecurrentLayer
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.learn.history import Log, Watcher
from n2d2py.report.losses import write_losses

_MOST = 20
"""Distinct values that are printed one by one."""

COLUMNS = ("epoch", "train_acc", "validation_acc", "test_acc", "train_loss", "validation_loss", "test_loss")


class Watchers:
    """Several as one. What one of them cannot write is a warning, and learning goes on: the next log writes it anew."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = watchers

    def logged(self, log: Log) -> None:
        """Tell each of them."""
        for one in self._watchers:
            with _going_on():
                one.logged(log)

    def resumed(self, logs: list[Log]) -> None:
        """Tell each of them."""
        for one in self._watchers:
            with _going_on():
                one.resumed(logs)


@contextlib.contextmanager
def _going_on() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        what = f"{error.filename} could not be written" if error.filename else "a curve could not be written"
        console.warning(f"{what}: {error.strerror or error}; learning goes on")


class EpochLines:
    """A line with the losses of each epoch, and which one was the best."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._best = 0
        self._seconds = 0.0

    def resumed(self, logs: list[Log]) -> None:
        """Know the best epoch so far."""
        for log in logs:
            self._count(log)

    def logged(self, log: Log) -> None:
        """Print the line."""
        if log.epoch is None:
            return
        duration = timedelta(seconds=log.seconds - self._seconds)
        self._count(log)
        console.line(
            f"Epoch {log.epoch + 1}/{self._epochs}, Train Loss: {_four(log.loss)},           "
            f"Validation Loss: {_four(log.validation_loss)}, Duration: {duration}, Best Val Epoch: {self._best or '-'}"
        )

    def _count(self, log: Log) -> None:
        self._seconds = log.seconds
        if log.best and log.epoch is not None:
            self._best = log.epoch + 1


def _four(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


class NumbersFile:
    """``NAME.npy``: a row for each log with the fields of :data:`COLUMNS`; ``NAME.png``: their curves."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rows: list[tuple[float, ...]] = []

    def resumed(self, logs: list[Log]) -> None:
        """Have the rows of the logs before a checkpoint."""
        self._rows = [_row(log) for log in logs]

    def logged(self, log: Log) -> None:
        """Add a row and write the file."""
        self._rows.append(_row(log))
        self._write()

    def _write(self) -> None:
        stream = io.BytesIO()
        np.save(stream, self.table())
        write(f"{self._name}.npy", stream.getvalue())

    def table(self) -> NDArray[np.void]:
        """The rows, NaN where nothing is known."""
        return np.array(self._rows, [(name, np.float64) for name in COLUMNS])

    def draw(self) -> None:
        """Write the curves, and the file once more: the disk may not have taken it at a log."""
        if self._rows:
            self._write()
            write_losses(Path(f"{self._name}.png"), self.table(), self._name)
            console.line(f"[LOG] Accuracy and loss ({self._name}.npy, {self._name}.png)")


def _row(log: Log) -> tuple[float, ...]:
    place = log.epoch + 1 if log.epoch is not None else log.batches
    values = (
        log.learning[0].recent if log.learning else None,
        log.validation[0].rate if log.validation else None,
        log.test[0].rate if log.test else None,
        log.loss,
        log.validation_loss,
        log.test_loss,
    )
    return (float(place), *(math.nan if value is None else value for value in values))


class Levels:
    """The distinct quantized weights of a cell, at each log."""

    def __init__(self, network: TorchNetwork, cell: str) -> None:
        layer = network.layers.get(cell)
        if not isinstance(layer, WeightedLayer | RecurrentLayer):
            known = [name for name, one in network.layers.items() if isinstance(one, WeightedLayer | RecurrentLayer)]
            raise GraphError(
                f"-log-levels {cell}: there is no cell with weights of this name",
                expected="the name of a Conv, Deconv, Fc, LSTM or GRU cell",
                remedy=did_you_mean(cell, known),
            )
        self._layer, self._cell = layer, cell

    def resumed(self, logs: list[Log]) -> None:
        """Nothing is kept from log to log."""

    def logged(self, log: Log) -> None:
        """Print them."""
        for line in levels(self._cell, self._layer):
            console.line(line)


@torch.no_grad()
def levels(cell: str, layer: WeightedLayer | RecurrentLayer) -> list[str]:
    """A line with the distinct weights that a layer computes with, and the share of each.

    The weights of each gate of a recurrent cell have a line of their own.
    """
    if isinstance(layer, RecurrentLayer):
        found = layer.weight_codes()
        if not found:
            real = [tensor.flatten() for name, tensor in layer.tensors() if "weights" in name]
            return [_levels(cell, torch.cat(real), None)]
        gates = found.items()
        return [_levels(f"{cell} {name}", codes.double() * grid.scale, grid.levels) for name, (codes, grid) in gates]
    if layer.quantizes:
        codes, grid = layer.weight_codes()
        codes = codes if layer.mask is None else codes[layer.mask.expand_as(codes)]
        return [_levels(cell, codes.double() * grid.scale, grid.levels)]
    quantizer = layer.weights_quantizer
    weights = layer.full_weights()
    return [_levels(cell, weights if quantizer is None else quantizer(weights), None)]


def _levels(name: str, weights: torch.Tensor, most: int | None) -> str:
    values, counts = weights.flatten().unique(return_counts=True)
    total = weights.numel()
    if most is None:
        return f"Weights of {name}: {len(values)} distinct values of {total}, not quantized"
    head = f"Weights of {name}: {len(values)} of {most} levels"
    if len(values) > most:
        raise AssertionError(f"{head}: more values than levels")
    if len(values) > _MOST:
        return f"{head}, from {float(values[0]):.6g} to {float(values[-1]):.6g}"
    pairs = zip(values.tolist(), counts.tolist(), strict=True)
    return f"{head}: " + ", ".join(f"{value + 0.0:.6g} ({100 * count / total:.1f}%)" for value, count in pairs)
