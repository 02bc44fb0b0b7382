"""What was taken for what: the confusion matrix as table and picture, the metrics of each class, single mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from n2d2py.graph.files import write
from n2d2py.learn.metrics import Confusion
from n2d2py.learn.testing import Mistake
from n2d2py.report import style

_SCORES = (
    ("Sensitivity", "Sensitivity"),
    ("Specificity", "Specificity"),
    ("Precision", "Precision"),
    ("Accuracy", "Accuracy"),
    ("F1-score", "F1Score"),
    ("Informedness", "Informedness"),
    ("IU", "IU"),
)
"""Columns of the score file, and the metrics in them."""

_NAMED, _NUMBERED = 24, 40
"""Up to how many classes the ticks of the picture have names, and its cells have numbers."""

UNMASKED = "∅"
"""Name of the class of what a mask left out."""


def write_confusion(
    folder: str | Path, name: str, counts: Confusion, labels: Sequence[str] = (), masked: bool = False
) -> list[Path]:
    """``ConfusionMatrix_<name>.dat``, ``_score.dat`` and ``.png``; returns the files.

    ``labels`` are names of the outputs, as many as there are; others go by their number. With ``masked`` the
    last class is what the mask left out, and enters no average.
    """
    base = Path(folder) / f"ConfusionMatrix_{name}"
    size = len(counts.matrix)
    names = class_names(labels, size, masked)
    rows = ["target estimated # %\n"]
    shares = row_shares(counts.matrix)
    for target in range(size):
        for estimated in range(size):
            rows.append(f"{target} {estimated} {counts.matrix[target, estimated]} {shares[target, estimated]:g}\n")
    return [
        write(f"{base}.dat", "".join(rows)),
        write(f"{base}_score.dat", score_text(counts, names, masked)),
        _draw(Path(f"{base}.png"), name, counts, names),
    ]


def class_names(labels: Sequence[str], size: int, masked: bool = False) -> list[str]:
    """A name for each of ``size`` classes."""
    names = [labels[index] if index < len(labels) and labels[index] else str(index) for index in range(size)]
    return [*names[:-1], UNMASKED] if masked else names


def row_shares(matrix: np.ndarray) -> np.ndarray:
    """Each count as a fraction of its row; rows without any are 0."""
    totals = matrix.sum(axis=1, keepdims=True)
    return np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)


def score_text(counts: Confusion, names: Sequence[str], masked: bool = False) -> str:
    """The metrics of each class as fractions, an empty line, and their averages over the classes that occur."""
    columns = [counts.metric(metric) for _, metric in _SCORES]
    lines = [" ".join(["Target", "TargetName", *(heading for heading, _ in _SCORES)])]
    for target, name in enumerate(names):
        lines.append(" ".join([str(target), style.quoted(name), *(f"{column[target]:g}" for column in columns)]))
    relevant = counts.relevant.copy()
    if masked:
        relevant[-1] = False
    averages = [float(column[relevant].mean()) if relevant.any() else 0.0 for column in columns]
    return "\n".join([*lines, "", " ".join(["-", "AVG", *(f"{value:g}" for value in averages)]), ""])


def write_mistakes(
    folder: str | Path,
    name: str,
    mistakes: Iterable[Mistake],
    stimuli: Callable[[int], str],
    labels: Sequence[str] | None = None,
) -> Path:
    """``Misclassified_<name>.dat``: a line a mistake. ``stimuli`` gives the name of a stimulus by its id.

    ``labels`` are names of the outputs; without them the classes are written as numbers.
    """
    lines = ["# name target estimated count\n"]
    for mistake in mistakes:
        target, estimated = (_class(index, labels) for index in (mistake.target, mistake.estimated))
        lines.append(f"{mistake.id} {style.in_quotes(stimuli(mistake.id))} {target} {estimated} {mistake.pixels}\n")
    return write(Path(folder) / f"Misclassified_{name}.dat", "".join(lines))


def write_classifications(
    folder: str | Path,
    name: str,
    ids: np.ndarray,
    labels: np.ndarray,
    estimated: np.ndarray,
    outputs: np.ndarray,
    stimuli: Callable[[int], str],
) -> Path:
    """``<name>/classif.log``: for each stimulus id, name, target, estimate, its value, and all outputs.

    ``ids``, ``labels``, ``estimated`` (stimuli,), ``outputs`` (stimuli, outputs); ``stimuli`` gives names by id.
    """
    lines = []
    rows = zip(ids.tolist(), labels.tolist(), estimated.tolist(), outputs.tolist(), strict=True)
    for stimulus, label, estimate, values in rows:
        value = values[estimate] if estimate < len(values) else values[0]
        shown = " ".join(f"{output:g}" for output in values)
        lines.append(f"{stimulus} {style.in_quotes(stimuli(stimulus))} {label} {estimate} {value:g} {shown}\n")
    return write(Path(folder) / name / "classif.log", "".join(lines))


def _class(index: int, labels: Sequence[str] | None) -> str:
    return style.quoted(labels[index]) if labels and 0 <= index < len(labels) else str(index)


def _draw(path: Path, name: str, counts: Confusion, names: Sequence[str]) -> Path:
    """Rows are targets, columns estimates. The diagonal is grey, so that the colours are left to the errors."""
    from matplotlib.colors import LinearSegmentedColormap

    matrix = counts.matrix
    size = len(matrix)
    shares = 100.0 * row_shares(matrix)
    errors = np.where(np.eye(size, dtype=bool), np.nan, shares)
    worst = max(float(np.nanmax(errors)) if size > 1 else 0.0, 0.05)
    side = min(max(0.46 * size + 2.4, 4.6), 14.0)
    colours = LinearSegmentedColormap.from_list("errors", ["#ffffff", "#f8d9c4", "#ee9a63", style.ORANGE, "#8a3a00"])
    with style.picture(path, side + 1.0, side) as figure:
        axes = figure.subplots()
        axes.grid(visible=False)
        image = axes.imshow(errors, cmap=colours, vmin=0.0, vmax=worst)
        diagonal = np.where(np.eye(size, dtype=bool), 1.0, np.nan)
        axes.imshow(diagonal, cmap="Greys", vmin=0.0, vmax=6.0)
        if size <= _NUMBERED:
            _number(axes, matrix, errors, worst)
        _ticks(axes, names)
        axes.set_xlabel("estimated")
        axes.set_ylabel("target")
        total, right = int(matrix.sum()), int(np.trace(matrix))
        rate = style.percent(100.0 * right / total) if total else "no stimuli"
        axes.set_title(f"Confusion, {name}: {rate}, {total - right:,} of {total:,} wrong")
        if total > right:
            bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=28, pad=0.02)
            bar.set_label("errors, share of the target's stimuli [%]")
            bar.outline.set_visible(False)
    return path


def _number(axes: Any, matrix: np.ndarray, errors: np.ndarray, worst: float) -> None:
    """Counts in the cells; a cell without any stays empty."""
    size = len(matrix)
    font = 9 if size <= 12 else max(4.5, 110 / size)
    for target, estimated in np.argwhere(matrix > 0).tolist():
        on_dark = target != estimated and errors[target, estimated] > 0.62 * worst
        axes.text(
            estimated, target, f"{matrix[target, estimated]}", ha="center", va="center", fontsize=font,
            color="white" if on_dark else style.INK, fontweight="bold" if target == estimated else "normal",
        )  # fmt: skip


def _ticks(axes: Any, names: Sequence[str]) -> None:
    size = len(names)
    if size <= _NAMED:
        short = [name if len(name) <= 14 else f"{name[:13]}…" for name in names]
        turned = max(len(name) for name in short) > 3 if short else False
        axes.set_xticks(range(size), short, rotation=45 if turned else 0, ha="right" if turned else "center")
        axes.set_yticks(range(size), short)
    axes.tick_params(length=0)
    if size <= _NUMBERED:
        axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="#e4e7eb", linewidth=0.6)
        axes.tick_params(which="minor", length=0)
