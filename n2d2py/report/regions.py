"""``Regions_<name>.csv``: every box that a test found, of which class, with what score, and whether it is right."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from n2d2py.graph.files import write

HEADER = ("stimulus", "name", "x", "y", "width", "height", "class", "score", "overlap")


def write_regions(
    folder: str | Path, name: str, found: NDArray[np.float64], classes: Sequence[str], stimuli: Callable[[int], str]
) -> Path:
    """A row for each of ``found`` (boxes, 8), as a result has them; ``stimuli`` gives names by id.

    Coordinates are pixels of the inputs; ``overlap`` is that with the region that the box has found, 0 if it is wrong.
    A score is empty where the cell gives none.
    """
    text = io.StringIO()
    rows = csv.writer(text, delimiter=";", lineterminator="\n")
    rows.writerow(HEADER)
    for stimulus, *box, label, score, overlap in found.tolist():
        index = int(label)
        named = classes[index] if 0 <= index < len(classes) else str(index)
        shown = "" if np.isnan(score) else f"{score:g}"
        corners = (f"{value:g}" for value in box)
        rows.writerow([int(stimulus), stimuli(int(stimulus)), *corners, named, shown, f"{overlap:g}"])
    return write(Path(folder) / f"Regions_{name}.csv", text.getvalue())
