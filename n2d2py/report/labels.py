"""``labels_mapping.log.dat``: which output stands for which label, and how many stimuli each set has of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from n2d2py.graph.files import write
from n2d2py.report.style import quoted

SETS = ("Learn", "Validation", "Test")
HEADER = "label name output " + " ".join(f"nb.{what}({name})" for what in ("stimuli", "ROIs") for name in SETS)


def write_labels_mapping(
    folder: str | Path,
    names: Sequence[str],
    outputs: Sequence[int],
    stimuli: Mapping[str, np.ndarray],
    regions: Mapping[str, np.ndarray] | None = None,
) -> Path:
    """A line for each label: id, name, output (-1: ignored), and its numbers of stimuli and of regions in each set.

    ``stimuli`` and ``regions`` hold label ids by set (``Learn``, ``Validation``, ``Test``), of any shape; ids
    below 0 have no label and are left out.
    """
    counts = [_counts(kind.get(name), len(names)) for kind in (stimuli, regions or {}) for name in SETS]
    lines = [HEADER]
    for label, (name, output) in enumerate(zip(names, outputs, strict=True)):
        numbers = " ".join(str(column[label]) for column in counts)
        lines.append(f"{label} {quoted(name)} {output} {numbers}")
    return write(Path(folder) / "labels_mapping.log.dat", "\n".join([*lines, ""]))


def _counts(labels: np.ndarray | None, size: int) -> list[int]:
    flat = np.asarray([] if labels is None else labels, np.int64).ravel()
    counted: list[int] = np.bincount(flat[(flat >= 0) & (flat < size)], minlength=size).tolist()
    return counted
