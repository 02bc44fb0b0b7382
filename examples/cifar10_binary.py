"""Write CIFAR-10 that lies in folders of images as the binary files that CIFAR10_Database reads.

    python examples/cifar10_binary.py IMAGES OUT

``IMAGES`` holds ``train/<class>/*`` and ``test/<class>/*``: images of 32 x 32 pixels that OpenCV reads. ``OUT`` gets
``data_batch_1.bin`` to ``data_batch_5.bin``, ``test_batch.bin`` and ``batches.meta.txt``. A record is the number of
the label, then the planes red, green and blue. The images of the classes are mixed with a fixed seed, as those of
the published files are. Pixels are written as they are decoded: from JPEG images they are not those of the original.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np

SIDE = 32
BATCHES = 5
Entry = tuple[Path, int]


def listed(folder: Path, classes: list[str]) -> list[Entry]:
    """Each image of a folder of classes, with the number of its class."""
    return [(file, number) for number, name in enumerate(classes) for file in sorted((folder / name).iterdir())]


def record(entry: Entry) -> bytes:
    """The record of an image."""
    file, number = entry
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if image is None or image.shape != (SIDE, SIDE, 3):
        raise SystemExit(f"{file} is not an image of {SIDE}x{SIDE} pixels")
    return bytes([number]) + image[:, :, ::-1].transpose(2, 0, 1).tobytes()


def write(file: Path, entries: list[Entry]) -> None:
    """Write a file of records, under its name when it is whole."""
    part = file.with_suffix(".part")
    with part.open("wb") as stream:
        for entry in entries:
            stream.write(record(entry))
    os.replace(part, file)
    print(f"{file}: {len(entries)} records")


def convert(images: Path, out: Path) -> None:
    """Write all files of the binary version."""
    classes = sorted(item.name for item in (images / "train").iterdir() if item.is_dir())
    out.mkdir(parents=True, exist_ok=True)
    learn = listed(images / "train", classes)
    order = np.random.default_rng(10).permutation(len(learn))
    for number, chosen in enumerate(np.array_split(order, BATCHES), start=1):
        write(out / f"data_batch_{number}.bin", [learn[index] for index in chosen])
    write(out / "test_batch.bin", listed(images / "test", classes))
    (out / "batches.meta.txt").write_text("".join(f"{name}\n" for name in classes))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
