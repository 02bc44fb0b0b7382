"""The weights of a cell as pictures: each kernel a square, outputs downward, channels across."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from n2d2py.graph.files import write
from n2d2py.learn.names import path_of
from n2d2py.report import style

_MOST = 32
"""Outputs and channels that are drawn; a picture of more says nothing."""


def write_kernels(folder: str | Path, weights: Mapping[str, np.ndarray]) -> list[Path]:
    """``<cell>.dat`` (a line an output) and ``<cell>.png`` for each cell.

    ``weights`` are (outputs, channels, [depth,] height, width), or (outputs, inputs), which are drawn as one matrix.
    """
    written = []
    for cell, values in weights.items():
        base = Path(folder) / path_of(cell)
        rows = values.reshape(len(values), -1)
        text = "".join(" ".join(f"{value:.9g}" for value in row) + "\n" for row in rows.tolist())
        written += [write(f"{base}.dat", text), _draw(Path(f"{base}.png"), cell, values)]
    return written


def _draw(path: Path, cell: str, values: np.ndarray) -> Path:
    image, drawn = tiles(values)
    # Kernels are shown with square pixels; a matrix fills the picture.
    aspect: Literal["auto", "equal"] = "auto" if values.ndim == 2 else "equal"
    bound = float(np.nanmax(np.abs(image))) if image.size else 1.0
    with style.picture(path, 7.0, min(max(7.0 * image.shape[0] / max(image.shape[1], 1), 2.4), 11.0)) as figure:
        axes = figure.subplots()
        axes.grid(visible=False)
        shown = axes.imshow(image, cmap="RdBu_r", vmin=-bound, vmax=bound, interpolation="nearest", aspect=aspect)
        axes.set_title(f"{cell}: weights" + (f" ({drawn})" if drawn else ""))
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel("input channel")
        axes.set_ylabel("output")
        figure.colorbar(shown, label="weight")
    return path


def tiles(values: np.ndarray) -> tuple[np.ndarray, str]:
    """One image of all kernels with a line of NaN between them, and what was left out, in words."""
    outputs, channels = values.shape[:2]
    if values.ndim == 2:
        return values.astype(np.float64), ""
    # The planes of a kernel with a depth stand one below the other.
    part = values.reshape(outputs, channels, -1, values.shape[-1])[:_MOST, :_MOST]
    rows, columns, height, width = part.shape
    image = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for row in range(rows):
        for column in range(columns):
            y, x = row * (height + 1), column * (width + 1)
            image[y : y + height, x : x + width] = part[row, column]
    left_out = outputs > _MOST or channels > _MOST
    return image, f"first {rows} of {outputs} outputs, {columns} of {channels} channels" if left_out else ""
