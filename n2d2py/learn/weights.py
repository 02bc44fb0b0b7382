"""Folders of weights: saving and loading a network in N2D2's files.

A file ``<folder>/<cell>_<tensor>.syntxt`` holds one tensor (:mod:`n2d2py.learn.syntxt`). Saving and loading are
each all or nothing: a save that fails leaves the old files whole, a load that fails leaves the network as it is.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from n2d2py import console
from n2d2py.errors import Place, WeightsError
from n2d2py.layers.base import Stored
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.learn.checkpoint import sync_folder, write_through
from n2d2py.learn.names import file_of
from n2d2py.learn.syntxt import assign, count_of, is_finite, read_values, text_of

NOTHING = "/dev/null"
"""As the folder of a load: load nothing."""

_REMEDY = "learn first, or give the folder with -w"

JOURNAL = "saving.list"
"""While files are renamed, the list of them."""
_PART = ".part"

Missing = Literal["error", "notice", "ignore"]
"""What a missing file means. ``notice``: a line, and the tensor stays (learning that starts from weights of an
earlier stage); a folder without any file of the network is an error still, and only ``ignore`` bears that too."""

_PARAMETERS = ("weights", "scales", "biases", "means", "variances")
"""The tensors of a cell, in the order of the single-file form; all others belong to quantizers."""
_ESSENTIAL = ("biases", "means", "variances")
"""What may not be missing if other files of the cell are there."""


_Shared = dict[int, tuple[str, Stored, NDArray[np.float64]]]
"""By the identity of a tensor, the first cell that has it, and what its file says."""


class Storing(Protocol):
    """What is asked of a network here."""

    def stored(self) -> Mapping[str, list[Stored]]:
        """The live tensors of each cell that files of weights hold."""
        ...


def save(network: Storing, folder: str | os.PathLike[str]) -> None:
    """Write every stored tensor of ``network``, and its quantized weights for the reader, into ``folder``.

    All files are written beside their final names first, and renamed when all are complete and a list of them is on
    the disk: should the process die in between, the next one that reads or writes the folder ends the work. Raises
    :class:`WeightsError` if a value is not finite (nothing is written) or two cells would share a file, and
    OSError if the disk does not take the files.
    """
    root = Path(folder)
    texts: dict[Path, str] = {}
    for cell, name, text in _texts(network):
        file = file_of(root, cell, name)
        if file in texts:
            raise WeightsError(
                f"two cells of the network would share a file of weights, one of them is {cell}",
                place=Place(file=str(file)),
                remedy='give the cells names that differ in more than the characters < > : " | ? *',
            )
        texts[file] = text
    _write(root, texts)
    for cell in network.stored():
        whole = file_of(root, cell, "")
        if whole.exists():
            aside = whole.with_name(whole.name + ".old")
            whole.replace(aside)
            console.notice(f"{whole} would be read in place of the files just written; it is {aside.name} now")


def _texts(network: Storing) -> Iterator[tuple[str, str, str]]:
    """(cell, name of the file, text) of all that is written."""
    for tensors in (network.stored(), quantized(network)):
        for cell, items in tensors.items():
            for item in items:
                if not is_finite(item.tensor):
                    raise WeightsError(
                        f"{item.name} of cell {cell} holds a value that is not finite; nothing was saved",
                        remedy="a lower LearningRate",
                    )
                yield cell, item.name, text_of(item)


def quantized(network: Storing) -> dict[str, list[Stored]]:
    """The quantized weights of each cell that has a weight quantizer, made from the weights as they are now.

    The names are N2D2's, which wrote those of fully connected cells with one more ``_quant``. With
    QWeight.Mode=Integer they are the integer codes. Never read back.
    """
    found: dict[str, list[Stored]] = {}
    for name, layer in getattr(network, "layers", {}).items():
        if isinstance(layer, WeightedLayer) and layer.weights_quantizer is not None:
            learning = layer.training
            layer.eval()  # in learning, reading the weights may normalise them
            with torch.no_grad():
                quantizer, full = layer.weights_quantizer, layer.full_weights()
                values = quantizer.split(full)[0] if quantizer.separate else quantizer(full)
            layer.train(learning)
            suffix = "" if values.dim() > 2 else "_quant"
            found[name] = [Stored(f"quant_weights{suffix}", values, layer.mask, layer.layout())]
    return found


def _write(root: Path, texts: Mapping[Path, str]) -> None:
    finish(root)
    parts = [(file.with_name(file.name + _PART), file) for file in texts]
    journal = root / JOURNAL
    try:
        for part, file in parts:
            file.parent.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="ascii") as stream:
                stream.write(texts[file])
                stream.flush()
                os.fsync(stream.fileno())
        if parts:
            names = "".join(f"{file.relative_to(root).as_posix()}\n" for _, file in parts)
            write_through(journal, names.encode())
            sync_folder(root)
    except BaseException:
        for part, _ in parts:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        raise
    _rename(parts)
    journal.unlink(missing_ok=True)


def finish(root: Path) -> None:
    """Bring a save to its end that was cut short after all of its files were written, if there is one."""
    journal = root / JOURNAL
    try:
        names = journal.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    _rename([(root / f"{name}{_PART}", root / name) for name in names])
    journal.unlink(missing_ok=True)


def _rename(parts: list[tuple[Path, Path]]) -> None:
    interrupted: KeyboardInterrupt | None = None
    while parts:
        try:
            part, file = parts[-1]
            if part.exists():
                part.replace(file)
            parts.pop()
        except KeyboardInterrupt as error:
            # Half of the new files among half of the old ones would be a network that never was.
            interrupted = error
    if interrupted is not None:
        raise interrupted


def load(network: Storing, folder: str | os.PathLike[str], missing: Missing = "error") -> None:
    """Read the tensors of ``network`` from a folder that N2D2 or n2d2py wrote; see :data:`Missing`.

    ``/dev/null`` reads nothing. Only the real-valued weights are read, never the quantized ones. Raises
    :class:`WeightsError`, and changes nothing, if a file is missing, unreadable, or of another network.
    """
    if os.fspath(folder) == NOTHING:
        return
    root = Path(folder)
    console.line(f"Importing weights from directory '{folder}'.")
    finish(root)
    cells = network.stored()
    check_folder(root, missing)
    _check_files(root, cells, missing)
    plan: list[tuple[Stored, NDArray[np.float64]]] = []
    absent: list[Path] = []
    first: _Shared = {}
    for cell, items in cells.items():
        for item, values in _read_cell(root, cell, items, missing, absent):
            _check_shared(root, cell, item, values, first)
            plan.append((item, values))
    for file in absent:
        console.notice(f"Could not open synaptic file: {file}")
    with torch.no_grad():
        for item, values in plan:
            assign(item, values)


def _check_shared(root: Path, cell: str, item: Stored, values: NDArray[np.float64], first: _Shared) -> None:
    """Raise :class:`WeightsError` if a cell before this one shares the tensor, and their files disagree about it."""
    owner, known, other = first.setdefault(id(item.tensor), (cell, item, values))
    if known.layout == item.layout and not np.array_equal(other, values):
        raise WeightsError(
            f"cells {owner} and {cell} share their {item.name}, and their files differ",
            place=Place(file=str(file_of(root, cell, item.name))),
            expected=f"the values of {file_of(root, owner, item.name)}",
            remedy="weights of a network in which the cells do not share them?",
        )


def check_folder(folder: str | os.PathLike[str], missing: Missing = "error") -> None:
    """Raise :class:`WeightsError` if there is no such folder to load from: before anything costs time."""
    root = Path(folder)
    if missing == "ignore" or os.fspath(folder) == NOTHING or root.is_dir():
        return
    what = f"{root} is a file, not a folder of weights" if root.exists() else f"there is no folder {root}"
    raise WeightsError(
        f"could not open the weights: {what}",
        place=Place(file=str(root)),
        expected="a folder with files such as conv1_weights.syntxt",
        remedy=_REMEDY,
    )


def _check_files(root: Path, cells: Mapping[str, list[Stored]], missing: Missing) -> None:
    files = [file_of(root, cell, item.name) for cell, items in cells.items() for item in items]
    files += [file_of(root, cell, "") for cell in cells]
    if missing != "ignore" and files and not any(file.exists() for file in files):
        found = sorted(file.name for file in root.glob("*.syntxt"))
        hint = f"it holds {len(found)} others, such as {found[0]}" if found else "it holds no .syntxt file at all"
        raise WeightsError(
            f"the folder {root} holds no file of weights of this network: {hint}",
            place=Place(file=str(root)),
            expected=f"files such as {files[0].name}",
            remedy="weights of another network? " + _REMEDY,
        )


def _read_cell(
    root: Path, cell: str, items: list[Stored], missing: Missing, absent: list[Path]
) -> Iterator[tuple[Stored, NDArray[np.float64]]]:
    """The tensors of one cell with their values; files that are missing and may be go to ``absent``."""
    whole = file_of(root, cell, "")
    separate = items
    if whole.exists():
        parameters = sorted(
            (item for item in items if item.name in _PARAMETERS), key=lambda item: _PARAMETERS.index(item.name)
        )
        separate = [item for item in items if item.name not in _PARAMETERS]
        yield from _split(whole, cell, parameters)
    present = {item.name for item in separate if file_of(root, cell, item.name).exists()}
    if missing != "error" and "weights" not in present and any(item.name == "weights" for item in separate):
        # Without its weights a cell keeps all of its parameters: biases alone would belong to other weights.
        absent.append(file_of(root, cell, "weights"))
        separate = [item for item in separate if item.name not in _PARAMETERS]
    for item in separate:
        file = file_of(root, cell, item.name)
        if item.name not in present:
            half = item.name in _ESSENTIAL and any(name in _PARAMETERS for name in present)
            if missing == "error" or half:
                raise _missing(file, cell, half)
            absent.append(file)
            continue
        yield item, _checked(item, read_values(file, cell), file, cell)


def _missing(file: Path, cell: str, half: bool) -> WeightsError:
    return WeightsError(
        f"Could not open synaptic file: {file}",
        place=Place(file=str(file)),
        expected=f"{'beside the other files of' if half else 'the file of'} cell {cell}",
        remedy="use a complete folder"
        + ("" if half else ", or -w-ignore to keep the initial values of what is missing"),
    )


def _checked(item: Stored, values: NDArray[np.float64], file: Path, cell: str) -> NDArray[np.float64]:
    _check_count(len(values), count_of(item), item.name, file, cell)
    if item.name == "variances" and (values < 0).any():
        line = int(np.argmax(values < 0)) + 1
        raise WeightsError(
            f"negative variance {values[line - 1]:g} of cell {cell}",
            place=Place(file=str(file), line=line),
            expected="variances of at least 0",
            remedy="use an undamaged copy of the folder, or learn again",
        )
    return values


def _check_count(found: int, expected: int, name: str, file: Path, cell: str) -> None:
    if found == expected:
        return
    first = "Synaptic file size larger than expected" if found > expected else "Synaptic file ends too early"
    raise WeightsError(
        f"{first}: {file} holds {found} values, {name} of cell {cell} are {expected}",
        place=Place(file=str(file)),
        expected=f"{expected} values",
        remedy="weights of another network, or a damaged file? Check -w, and NbOutputs and the inputs of the cell",
    )


def _split(file: Path, cell: str, items: list[Stored]) -> Iterator[tuple[Stored, NDArray[np.float64]]]:
    """The tensors of a single file: for each output its part of every tensor, one after the other.

    So the file is in the order of the outputs whatever WeightsExportFormat says.
    """
    values = read_values(file, cell)
    _check_count(len(values), sum(count_of(item) for item in items), "all parameters", file, cell)
    parts: dict[int, list[NDArray[np.float64]]] = {index: [] for index in range(len(items))}
    start = 0
    for output in range(items[0].tensor.shape[0] if items else 0):
        for index, item in enumerate(items):
            row = Stored(item.name, item.tensor[output], None if item.mask is None else item.mask[output])
            end = start + count_of(row)
            parts[index].append(values[start:end])
            start = end
    for index, item in enumerate(items):
        by_output = replace(item, layout=item.layout._replace(outputs_last=False, order=()))
        yield by_output, _checked(item, np.concatenate(parts[index]), file, cell)
