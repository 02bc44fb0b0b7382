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

from n2d2py.cells.base import BY_OUTPUT, Layout
from n2d2py.errors import Place, WeightsError
from n2d2py.layers.base import Stored
from n2d2py.signature import HEAD, identify


def text_of(stored: Stored) -> str:
    """The text of a tensor, line by line as :func:`_lines` has it, without what is not connected.

    Values on a line are each followed by a blank; a single number has no end of line.
    """
    tensor = stored.tensor.detach().cpu()
    write = ("%.17g" if tensor.dtype == torch.float64 else "%.9g").__mod__
    if tensor.numel() == 1 and tensor.dim() <= 1 and stored.name.startswith("QAct"):
        return write(tensor.item())
    if tensor.dim() <= 1:
        return "".join(f"{write(value)}\n" for value in _ordered(tensor.reshape(-1), stored.layout).tolist())
    rows = _lines(tensor, stored.layout)
    if stored.mask is None:
        lines = rows.tolist()
    else:
        connected = _lines(stored.mask.detach().cpu().expand(tensor.shape).bool(), stored.layout)
        lines = [row[mask].tolist() for row, mask in zip(rows, connected, strict=True)]
    return "".join("".join(f"{write(value)} " for value in line) + "\n" for line in lines)


def _lines(tensor: Tensor, layout: Layout) -> Tensor:
    """The values (outputs, channels, ...) as the lines of a file, (lines, values).

    By default a line is an output with its channels, each with its kernel row by row. With the outputs last a line
    is a position of the kernels (row by row) with its channels, each with its outputs; without kernels it is a
    channel. Channels are those of the cell's inputs: of several groups one group comes after the other.
    """
    tensor = _ordered(tensor, layout)
    if layout.flipped:
        tensor = tensor.flip(tuple(range(2, tensor.dim())))
    if not layout.outputs_last:
        return tensor.flatten(1)
    blocks = tensor.flatten(2).unflatten(0, (layout.groups, -1)) if tensor.dim() > 2 else tensor[None, :, None]
    return blocks.permute(3, 0, 2, 1).flatten(1)


def _ordered(tensor: Tensor, layout: Layout) -> Tensor:
    """The outputs in the order of the file; with the outputs last those of a group stay together."""
    if not layout.order:
        return tensor
    size = len(layout.order) // (layout.groups if layout.outputs_last else 1)
    return tensor[sorted(layout.order, key=lambda output: output // size)]


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
    if stored.mask is None and stored.layout == BY_OUTPUT:
        tensor.copy_(new.reshape(tensor.shape))
        return
    shape = tensor.shape if tensor.dim() > 1 else (tensor.numel(), 1)
    positions = _lines(torch.arange(tensor.numel(), device=tensor.device).reshape(shape), stored.layout).flatten()
    if stored.mask is not None:
        connected = stored.mask.to(tensor.device).expand(tensor.shape).bool().flatten()
        positions = positions[connected[positions]]
    flat = tensor.flatten()
    tensor.copy_(flat.index_copy(0, positions, new).reshape(tensor.shape))


def is_finite(tensor: Tensor) -> bool:
    """Whether every value of a tensor is finite."""
    return bool(torch.isfinite(tensor).all())
