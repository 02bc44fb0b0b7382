"""``-log-db-stats``: how many stimuli each label has in each set, and how large they are, as picture and table."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.stimuli import Stimuli
from n2d2py.errors import N2d2Error
from n2d2py.graph.files import write
from n2d2py.report.style import BLUE, GREEN, ORANGE, picture, quoted

SETS = ("Learn", "Validation", "Test")
_COLOURS = (BLUE, GREEN, ORANGE)
_NAMED = 60  # labels whose names are still legible below the bars
_BINS = 40
_MOST_SIZES = 20_000  # files of a set whose size is looked up, evenly spread


def write_statistics(stimuli: Stimuli, folder: str | Path = "dbstats") -> list[Path]:
    """``labels.dat`` and ``.png`` for all sets, ``sizes_<set>.dat`` and ``sizes.png``; returns the files."""
    base = Path(folder)
    counts = np.stack([_counts(stimuli, name) for name in SETS], axis=1)
    sizes = {name: _sizes(stimuli, name) for name in SETS if stimuli.size(name)}
    written = [_write_labels(base / "labels.dat", stimuli.label_names, counts)]
    written.append(_draw_labels(base / "labels.png", stimuli.label_names, counts))
    for name, found in sizes.items():
        lines = [f"{width} {height} {count}" for (width, height), count in sorted(found.items())]
        written.append(write(base / f"sizes_{name}.dat", "\n".join(["width height stimuli", *lines, ""])))
    if sizes:
        written.append(_draw_sizes(base / "sizes.png", sizes))
    return written


def write_partition(stimuli: Stimuli, folder: str | Path = "db_partition") -> list[Path]:
    """``Learn.log`` and so on: the date in a comment, then the file of each stimulus in the order of the set."""
    date = time.strftime("# %Y-%m-%d %H:%M:%S")
    written = []
    for name in SETS:
        paths = (stimuli.name(stimulus) for stimulus in stimuli.ids(name).tolist())
        written.append(write(Path(folder) / f"{name}.log", "\n".join([date, *paths, ""])))
    return written


def _counts(stimuli: Stimuli, name: str) -> NDArray[np.int64]:
    """Stimuli of a set by label; the last entry counts those that have none."""
    labels = stimuli.labels(name)
    count = len(stimuli.label_names)
    return np.bincount(np.where(labels < 0, count, labels), minlength=count + 1)


def _sizes(stimuli: Stimuli, name: str) -> Counter[tuple[int, int]]:
    """Stimuli of a set by width and height, before any transformation."""
    ids = stimuli.ids(name)
    most = len(ids) if stimuli.content.plain() else min(len(ids), _MOST_SIZES)
    chosen = ids[np.unique(np.linspace(0, len(ids) - 1, most).astype(int))]
    found: Counter[tuple[int, int]] = Counter()
    for stimulus in chosen.tolist():
        try:
            found[stimuli.content.image_size(stimulus)] += 1
        except (N2d2Error, OSError):
            continue  # a bad stimulus is named where it is learned from or tested on
    return found


def _write_labels(path: Path, names: list[str], counts: NDArray[np.int64]) -> Path:
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    lines = ["label name Learn Validation Test Learn% Validation% Test%"]
    for label, row in enumerate(counts.tolist()):
        named = quoted(names[label]) if label < len(names) else "(none)"
        percents = " ".join(f"{100 * share:.2f}" for share in shares[label])
        if label < len(names) or any(row):
            lines.append(f"{label if label < len(names) else -1} {named} {' '.join(map(str, row))} {percents}")
    return write(path, "\n".join([*lines, ""]))


def _draw_labels(path: Path, names: list[str], counts: NDArray[np.int64]) -> Path:
    shown = [*names, "(none)"] if counts[-1].any() else list(names)
    counts = counts[: len(shown)]
    places = np.arange(len(shown))
    with picture(path, min(max(6.0, 0.22 * len(shown) + 2), 24.0), 4.2) as figure:
        axes = figure.subplots()
        bottom = np.zeros(len(shown), np.int64)
        for name, colour, column in zip(SETS, _COLOURS, counts.T, strict=True):
            if column.any():
                axes.bar(places, column, 0.8, bottom, color=colour, label=f"{name}: {column.sum()}")
                bottom = bottom + column
        axes.set_title("Stimuli of each label")
        axes.set_ylabel("stimuli")
        axes.grid(axis="x", visible=False)
        if len(shown) <= _NAMED:
            axes.set_xticks(places, shown, rotation=90 if max(map(len, shown), default=0) > 3 else 0, fontsize=8)
        else:
            axes.set_xlabel(f"id of the label, of {len(shown)}")
        if counts.any():
            axes.set_ylim(0, 1.18 * bottom.max())
            axes.legend(loc="upper right", ncols=3, fontsize=9)
    return path


def _draw_sizes(path: Path, sizes: dict[str, Counter[tuple[int, int]]]) -> Path:
    with picture(path, 9.0, 3.6) as figure:
        for place, (axis, word) in enumerate((("width", "Widths"), ("height", "Heights"))):
            axes = figure.add_subplot(1, 2, place + 1)
            values = {
                name: np.repeat([size[place] for size in found], list(found.values())) for name, found in sizes.items()
            }
            everything = np.concatenate(list(values.values()))
            low, high = int(everything.min()), int(everything.max())
            bins = np.linspace(low - 0.5, high + 0.5, min(high - low + 1, _BINS) + 1)
            colours = [_COLOURS[SETS.index(name)] for name in values]
            words = [f"{name}: {len(found)}" for name, found in values.items()]
            axes.hist(list(values.values()), bins.tolist(), color=colours, label=words, stacked=True)
            axes.set_ylim(0, axes.get_ylim()[1] * 1.4)
            if low == high:
                axes.set_xlim(low - 5, low + 5)
                axes.set_xticks([low])
            axes.set_title(f"{word} before transformations")
            axes.set_xlabel(f"{axis} (pixels)")
            axes.set_ylabel("stimuli looked at")
            if place:
                axes.legend(fontsize=9)
    return path
