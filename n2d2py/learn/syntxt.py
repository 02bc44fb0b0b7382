"""The text of N2D2's ``.syntxt`` files: decimal numbers between white space.

Written are 9 significant digits for float32 (17 for float64), which is enough for every value to come back
exactly. Files of 6 or 10 digits, which N2D2 writes, are read as well.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.data.signature import HEAD, identify
from n2d2py.errors import Place, WeightsError
from n2d2py.layers.base import Stored


def text_of(stored: Stored) -> str:
    """The text of a tensor: one line for each entry of its first axis, without what is not connected.

    Values on a line are each followed by a blank; a single number has no end of line.
    """
    tensor = stored.tensor.detach().cpu()
    write = ("%.17g" if tensor.dtype == torch.float64 else "%.9g").__mod__
    if tensor.numel() == 1 and tensor.dim() <= 1 and stored.name.startswith("QAct"):
        return write(tensor.item())
    if tensor.dim() <= 1:
        return "".join(f"{write(value)}\n" for value in tensor.reshape(-1).tolist())
    rows = tensor.flatten(1)
    if stored.mask is None:
        lines = rows.tolist()
    else:
        connected = stored.mask.detach().cpu().expand(tensor.shape).flatten(1).bool()
        lines = [row[mask].tolist() for row, mask in zip(rows, connected, strict=True)]
    return "".join("".join(f"{write(value)} " for value in line) + "\n" for line in lines)


def read_values(file: Path, cell: str) -> NDArray[np.float64]:
    """The numbers of a file. Raises :class:`WeightsError`, with the line, for anything that is no finite number."""
    data = file.read_bytes()
    with contextlib.suppress(ValueError), np.errstate(over="ignore"):
        values = np.fromiter(map(float, data.split()), np.float64)
        if np.isfinite(values.astype(np.float32)).all():
            return values
    raise _unreadable(file, data, cell)


def _unreadable(file: Path, data: bytes, cell: str) -> WeightsError:
    known = identify(data[:HEAD])
    place = Place(file=str(file))
    what = f"the file of weights of cell {cell} is {known}" if known else None
    if what is None:
        for number, line in enumerate(data.decode("ascii", "replace").splitlines(), start=1):
            for token in line.split():
                if not _is_number(token):
                    shown = token if len(token) <= 24 else token[:24] + "..."
                    what = f"{shown!r} among the weights of cell {cell} is not a finite number"
                    place = Place(file=str(file), line=number)
                    break
            if what is not None:
                break
    return WeightsError(
        what or f"the file of weights of cell {cell} cannot be read",
        place=place,
        expected="decimal numbers between white space, as N2D2 and n2d2py write them",
        remedy="use an undamaged copy of the folder, or learn again",
    )


def _is_number(token: str) -> bool:
    try:
        with np.errstate(over="ignore"):
            return bool(np.isfinite(np.float32(float(token))))
    except ValueError:
        return False


def count_of(stored: Stored) -> int:
    """How many values the file of a tensor holds."""
    if stored.mask is None:
        return stored.tensor.numel()
    return int(stored.mask.expand(stored.tensor.shape).sum())


def assign(stored: Stored, values: NDArray[np.float64]) -> None:
    """Give a live tensor the values of its file; what is not connected stays."""
    tensor = stored.tensor.detach()
    new = torch.from_numpy(np.ascontiguousarray(values)).to(device=tensor.device, dtype=tensor.dtype)
    if stored.mask is None:
        tensor.copy_(new.reshape(tensor.shape))
    else:
        tensor[stored.mask.to(tensor.device).expand(tensor.shape).bool()] = new


def is_finite(tensor: Tensor) -> bool:
    """Whether every value of a tensor is finite."""
    return bool(torch.isfinite(tensor).all())
