"""Writes a small folder in the layout of ILSVRC2012, to try a network for ImageNet without ImageNet.

    python examples/make_imagenet_tree.py FOLDER [--classes 3] [--learn 40] [--test 8] [--seed 0]

``FOLDER/ILSVRC2012`` gets ``synsets.txt``, ``train/<class>/*.JPEG``, ``val/*.JPEG`` and ``val.txt``; set N2D2_DATA to
FOLDER. The images are made, not photographed: a soft background of many colours, an object in its class's colour and
texture at any place and size, and noise. As in ImageNet their sizes differ, and some are gray.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDES = (160, 400)
"""Bounds of the width and the height in pixels."""
_GRAY = 8
"""One image of so many is gray."""
_QUALITY = 90


def image(label: int, classes: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """An image of a class, (height, width, 3) or (height, width): blue, green, red."""
    width, height = (int(side) for side in random.integers(*_SIDES, 2))
    coarse = random.uniform(30, 200, (5, 5, 3)).astype(np.float32)
    pixels = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    radius = random.uniform(0.25, 0.4) * min(width, height)
    center = (random.uniform(0.35, 0.65) * width, random.uniform(0.35, 0.65) * height)
    distance = np.hypot(x - center[0], y - center[1])
    hue = np.uint8([[[180 * label // classes, 200, 220]]])
    colour = cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0].astype(np.float32)
    angle = np.pi * label / classes
    stripes = 0.75 + 0.25 * np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / (10 + 6 * label))
    inside = np.clip((radius - distance) / 4, 0, 1)[..., np.newaxis]
    pixels = pixels * (1 - inside) + colour * stripes[..., np.newaxis] * inside
    pixels += random.normal(0, 8, pixels.shape)
    made = np.clip(pixels, 0, 255).astype(np.uint8)
    return cv2.cvtColor(made, cv2.COLOR_BGR2GRAY) if random.integers(_GRAY) == 0 else made


def write(file: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a JPEG file; its name ends in .JPEG as those of ImageNet do."""
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise SystemExit(f"{file} cannot be written")
    file.write_bytes(data.tobytes())


def make_tree(folder: Path, classes: int = 3, learn: int = 40, test: int = 8, seed: int = 0) -> Path:
    """Write ``folder/ILSVRC2012`` with so many images a class; returns ``folder``, for N2D2_DATA."""
    random = np.random.default_rng(seed)
    root = folder / "ILSVRC2012"
    synsets = [f"n{1440764 + 13 * label:08d}" for label in range(classes)]
    (root / "val").mkdir(parents=True, exist_ok=True)
    for label, name in enumerate(synsets):
        (root / "train" / name).mkdir(parents=True, exist_ok=True)
        for number in range(learn):
            write(root / "train" / name / f"{name}_{number}.JPEG", image(label, classes, random))
    rows = []
    for number in range(classes * test):
        label = int(random.integers(classes))
        file = f"ILSVRC2012_val_{number + 1:08d}.JPEG"
        write(root / "val" / file, image(label, classes, random))
        rows.append(f"{file} {label}\n")
    (root / "val.txt").write_text("".join(rows), encoding="ascii")
    (root / "synsets.txt").write_text("".join(f"{name}\n" for name in synsets), encoding="ascii")
    return folder


def main(words: Sequence[str] | None = None) -> None:
    """Write the tree that the words of the command line ask for."""
    parser = argparse.ArgumentParser(description="Write a small folder in the layout of ILSVRC2012.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--learn", type=int, default=40, help="images a class to learn")
    parser.add_argument("--test", type=int, default=8, help="images a class to validate and test")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)
    make_tree(given.folder, given.classes, given.learn, given.test, given.seed)
    print(f"{given.folder}/ILSVRC2012: {given.classes} classes; export N2D2_DATA={given.folder}")


if __name__ == "__main__":
    main()
