"""Write a classification set of the aeon package as arrays that Sequence_Database reads.

    pip download --no-deps aeon
    python examples/sequences.py aeon-1.6.0-py3-none-any.whl JapaneseVowels JapaneseVowels.npz

The wheel has the files ``<name>_TRAIN.ts`` and ``<name>_TEST.ts`` inside. A shorter sequence gets its first step as
often as it needs before its beginning, so that the last step of each is its own. Values stay as they are.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np

Sequences = list[np.ndarray]


def parsed(text: str) -> tuple[Sequences, list[str]]:
    """Sequences (steps, values) and labels of a .ts file: a line for each, values after the other, a colon between."""
    body = text.split("@data", 1)[1].strip().splitlines()
    sequences, labels = [], []
    for line in body:
        *values, label = line.strip().split(":")
        sequences.append(np.array([[float(number) for number in one.split(",")] for one in values], np.float32).T)
        labels.append(label)
    return sequences, labels


def padded(sequences: Sequences, steps: int) -> np.ndarray:
    """All of the same length."""
    return np.stack([np.concatenate([one[:1]] * (steps - len(one)) + [one]) for one in sequences])


def convert(wheel: Path, name: str, out: Path) -> None:
    """Write ``x_train``, ``y_train``, ``x_test`` and ``y_test``."""
    with zipfile.ZipFile(wheel) as archive:
        files = {part: f"aeon/datasets/data/{name}/{name}_{part}.ts" for part in ("TRAIN", "TEST")}
        found = {part: parsed(archive.read(file).decode()) for part, file in files.items()}
    steps = max(len(one) for sequences, _ in found.values() for one in sequences)
    arrays = {}
    for part, (sequences, labels) in found.items():
        arrays[f"x_{part.lower()}"] = padded(sequences, steps)
        arrays[f"y_{part.lower()}"] = np.array(labels)
    np.savez(out, **arrays)
    print(f"{out}: {', '.join(f'{key} {array.shape}' for key, array in arrays.items())}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    convert(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
