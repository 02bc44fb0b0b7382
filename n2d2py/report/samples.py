"""Stimuli as the network sees them: a sheet of each set, and what random transformations make of one stimulus."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.frame import Frame
from n2d2py.data.stimuli import Stimuli
from n2d2py.errors import DataError, N2d2Error, UsageError
from n2d2py.graph.files import write
from n2d2py.report.style import picture

SETS = ("Learn", "Validation", "Test")
SAMPLES = 100
"""How many samples ``-pre-samples`` writes."""

_COLUMNS, _ROWS = 10, 4
_CELL = 1.15  # inches
_LONGEST = 14  # letters of a name that fit below an image
_RGB = ("RGB", "HSV_to_RGB", "HLS_to_RGB", "YCrCb_to_RGB", "CIELab_to_RGB", "CIELuv_to_RGB")


def write_sheets(stimuli: Stimuli, folder: str | Path = ".") -> list[Path]:
    """``stimuli.Learn.png`` and so on: stimuli from all over each set, transformed, with the names of their labels."""
    return [
        path for name in SETS if stimuli.size(name) and (path := _write_sheet(stimuli, name, Path(folder))) is not None
    ]


def _write_sheet(stimuli: Stimuli, name: str, folder: Path) -> Path | None:
    frames = []
    for position in np.unique(np.linspace(0, stimuli.size(name) - 1, _COLUMNS * _ROWS).astype(int)).tolist():
        try:
            frames.append(stimuli.frame(name, position))
        except N2d2Error:
            continue  # a bad stimulus is named where it is learned from or tested on
    if not frames:
        return None
    low, high = _range(frames)
    rows = -(-len(frames) // _COLUMNS)
    path = folder / f"stimuli.{name}.png"
    shown = "" if frames[0].image.dtype == np.uint8 else f", {low:.3g} shown as black and {high:.3g} as white"
    height, width, channels = frames[0].image.shape
    with picture(path, _COLUMNS * _CELL, rows * (_CELL + 0.25) + 0.6) as figure:
        figure.suptitle(
            f"{name}: {len(frames)} of {stimuli.size(name)} stimuli as the network gets them, "
            f"{width}x{height}x{channels} {frames[0].image.dtype}{shown}",
            x=0.01, ha="left", fontsize=10, fontweight="bold",
        )  # fmt: skip
        axes: Any = figure.subplots(rows, _COLUMNS, squeeze=False)
        for place, one in enumerate(axes.ravel().tolist()):
            one.set_axis_off()
            if place < len(frames):
                _show(one, frames[place], stimuli, name, (low, high))
    return path


def _show(axes: Any, frame: Frame, stimuli: Stimuli, name: str, bounds: tuple[float, float]) -> None:
    axes.imshow(_picture(frame.image, bounds, is_rgb(stimuli, name)), interpolation="nearest")
    if frame.labelled_by_pixel:
        hidden = np.ma.masked_less(frame.labels, 0)
        axes.imshow(hidden, cmap="tab20", vmin=0, vmax=19, alpha=0.45, interpolation="nearest")
        text = f"{len(np.unique(frame.labels[frame.labels >= 0]))} labels"
    else:
        text = label_text(int(frame.labels[0, 0]), stimuli.label_names)
    axes.set_title(text, fontsize=7, fontweight="normal", loc="center", pad=2)


def label_text(label: int, names: Sequence[str]) -> str:
    """The name of a label, shortened to fit below an image; "ignored" for -1.

    >>> label_text(1, ["cat", "a very long name of a dog"]), label_text(-1, [])
    ('a very long n…', 'ignored')
    """
    if not 0 <= label < len(names):
        return "ignored"
    return names[label] if len(names[label]) <= _LONGEST else f"{names[label][: _LONGEST - 1]}…"


def is_rgb(stimuli: Stimuli, name: str) -> bool:
    """Whether the transformations of a set leave red in the first channel, and not blue."""
    spaces = [getattr(step, "color_space", None) for step in stimuli.pipeline(name).steps]
    last = next((space for space in reversed(spaces) if space is not None), None)
    return last in _RGB


def _range(frames: Sequence[Frame]) -> tuple[float, float]:
    """The values that are shown as black and as white."""
    if frames[0].image.dtype == np.uint8:
        return 0.0, 255.0
    low = min(float(frame.image.min()) for frame in frames)
    high = max(float(frame.image.max()) for frame in frames)
    return low, high if high > low else low + 1.0


def _picture(image: NDArray[Any], bounds: tuple[float, float], rgb: bool) -> NDArray[np.uint8]:
    """An image for the eye: three channels as colours, else the first channel in gray."""
    low, high = bounds
    values = np.clip((image.astype(np.float64) - low) * (255 / (high - low)), 0, 255)
    scaled: NDArray[np.uint8] = np.rint(values).astype(np.uint8)
    if image.shape[2] == 3:
        return scaled if rgb else scaled[..., ::-1]
    return np.repeat(scaled[..., :1], 3, axis=2)


def write_samples(stimuli: Stimuli, index: int, folder: str | Path = ".") -> Path:
    """``-pre-samples``: what the transformations make of stimulus ``index`` of the learning set, 100 times.

    Files ``pre_samples_<index>/sample_00.jpg`` and so on. Raises :class:`UsageError` for an index beyond the set.
    """
    if not 0 <= index < stimuli.size("Learn"):
        raise UsageError(
            f"-pre-samples {index}: the learning set has {stimuli.size('Learn')} stimuli",
            expected="the index of a stimulus of the learning set, from 0",
        )
    from PIL import Image

    frames = [stimuli.frame("Learn", index, number) for number in range(SAMPLES)]
    bounds, rgb = _range(frames), is_rgb(stimuli, "Learn")
    target = Path(folder) / f"pre_samples_{index}"
    for number, frame in enumerate(frames):
        stream = io.BytesIO()
        try:
            Image.fromarray(_picture(frame.image, bounds, rgb)).save(stream, "JPEG", quality=95)
        except OSError as error:
            raise DataError(f"cannot write a sample of stimulus {frame.stimulus}: {error}") from None
        write(target / f"sample_{number:02d}.jpg", stream.getvalue())
    return target
