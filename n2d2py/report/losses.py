"""Accuracy and loss of learning, validation and test against epochs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from n2d2py.report import style

_SERIES = (("train", style.BLUE, "-"), ("validation", style.ORANGE, "--"), ("test", style.GREEN, "-."))


def write_losses(path: str | Path, table: NDArray[np.void], title: str) -> Path:
    """``table`` has the fields epoch, and train_acc, train_loss and so on; NaN is not drawn."""
    with style.picture(path, 10, 4.5) as figure:
        left, right = figure.subplots(1, 2)
        for axes, ending, label, factor in ((left, "acc", "accuracy [%]", 100.0), (right, "loss", "loss", 1.0)):
            for name, colour, line in _SERIES:
                values = factor * table[f"{name}_{ending}"]
                known = np.isfinite(values)
                if known.any():
                    axes.plot(table["epoch"][known], values[known], line, color=colour, label=name)
            axes.set_ylabel(label)
            axes.set_xlabel("epoch")
            if axes.lines:
                axes.legend()
        left.set_title(title)
    return Path(path)
