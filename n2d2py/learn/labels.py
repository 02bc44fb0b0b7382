"""Files that map the labels of a database to the outputs of a target (``LabelsMapping``).

Each line is a label and the index of its output, ``speed limit 30  4``; a label may stand in quotes, ``#``
begins a comment. ``*`` and ``?`` in a label match several labels. ``default`` is every label that no line
names, and ``*`` alone is the label -1, which stimuli and pixels without a label have. Index -1 ignores a label.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from n2d2py import console
from n2d2py.data.paths import expand
from n2d2py.errors import ParameterError, Place, did_you_mean
from n2d2py.parts.targets import Target

_DEFAULT = "default"
_UNLABELLED = "*"
_ENTRY = tuple[str, int, int]  # label, index, line


def lookup(target: Target, names: Sequence[str]) -> NDArray[np.int64] | None:
    """The output index of each label id of a database with these label names; None if they are the same.

    The last entry is one more: that of label -1. Raises :class:`ParameterError` if the mapping file is missing, wrong
    or incomplete.
    """
    if not target.labels_mapping:
        return None
    return mapped(target.labels_mapping, target.place("labels_mapping"), names, target.create_missing_labels)


def mapped(path: str, place: Place | None, names: Sequence[str], creates: bool = False) -> NDArray[np.int64]:
    """As :func:`lookup`, by the file ``path`` that a key at ``place`` names; ``creates``: it may name other labels."""
    file = _find(path, place)
    outputs: dict[str, int] = {}
    for label, index, line in _entries(file):
        for name in _matches(creates, label, names, file, line):
            if name in outputs:
                raise ParameterError(
                    f"label {name!r} is mapped twice", place=Place(str(file), line), expected="one line a label"
                )
            outputs[name] = index
    default = outputs.pop(_DEFAULT, None) if _DEFAULT not in names else outputs.get(_DEFAULT)
    missing = [name for name in names if name not in outputs]
    if missing and default is None:
        raise ParameterError(
            f"incomplete class mapping: no output for label {missing[0]!r}"
            + (f" and {len(missing) - 1} others" if len(missing) > 1 else ""),
            place=Place(str(file)),
            remedy=f"add a line for it, or the line: {_DEFAULT} -1",
        )
    unlabelled = outputs.get(_UNLABELLED, -1) if _UNLABELLED not in names else -1
    return np.array([*(outputs.get(name, default) for name in names), unlabelled], np.int64)


def _matches(creates: bool, label: str, names: Sequence[str], file: Path, line: int) -> Sequence[str]:
    """The names that a line of the file is about, the special ones among them."""
    if label in (_DEFAULT, _UNLABELLED):
        return [label]
    matches = [name for name in names if name == label] or fnmatch.filter(names, _pattern(label))
    if not matches and not creates:
        hint = did_you_mean(label, names)
        console.warning(f"no label {label!r} in the database, {file}:{line}" + (f"; {hint}" if hint else ""))
    return matches


def _pattern(label: str) -> str:
    """``label`` as a pattern of fnmatch, to which ``[`` means nothing special here."""
    return label.replace("[", "[[]")


def _find(path: str, place: Place | None) -> Path:
    """The mapping file: from the working directory, else from the folder of the INI file."""
    written = expand(path, place)
    beside = Path(place.file).parent / written if place is not None and place.file else written
    for file in (written, beside):
        if file.is_file():
            return file
    raise ParameterError(
        f"there is no file {path} of labels",
        place=place,
        expected="a text file with a label and the index of its output on each line",
        remedy="the path counts from the working directory or from the folder of the INI file",
    )


def _entries(file: Path) -> list[_ENTRY]:
    entries = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        label = " ".join(words[:-1])
        if len(label) > 1 and label[0] == label[-1] == '"':
            label = label[1:-1]
        try:
            index = int(words[-1])
        except ValueError:
            index = -2
        if not label or index < -1:
            raise ParameterError(
                f"unreadable mapping of a label: {line.strip()!r}",
                place=Place(str(file), number),
                expected="a label, then the index of its output (at least -1)",
            )
        entries.append((label, index, number))
    return entries
