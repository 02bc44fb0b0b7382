"""A small set for detectors: bright tall and dark wide rectangles on noise, with a file of their regions.

    python examples/make_rectangles.py rectangles [--images 240] [--seed 1]

``rectangles/0000.png`` and so on are gray images of 48 x 48 pixels with one or two rectangles that do not touch;
``rectangles/regions.csv`` has a line ``0000.png;x1;y1;x2;y2;label`` for each, the second corner lying outside of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

SIZE = 48
LONG, SHORT = (16, 22), (8, 12)
TRIES = 20

Corners = tuple[int, int, int, int]


def main(words: Sequence[str] | None = None) -> None:
    """Make the set."""
    parser = argparse.ArgumentParser(description="A small set for detectors.")
    parser.add_argument("folder", type=Path, help="where the files go")
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    make(given.folder, given.images, given.seed)
    print(f"{given.images} images in {given.folder}, their regions in {given.folder / 'regions.csv'}")


def make(folder: Path, images: int, seed: int) -> None:
    """Write the images and the file of their regions."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    lines = []
    for number in range(images):
        image = draw.integers(60, 120, (SIZE, SIZE)).astype(np.uint8)
        taken: list[Corners] = []
        for _ in range(draw.integers(1, 3)):
            tall = bool(draw.integers(2))
            corners = place(draw, tall, taken)
            if corners is None:
                continue
            taken.append(corners)
            left, top, right, bottom = corners
            image[top:bottom, left:right] = draw.integers(200, 250) if tall else draw.integers(0, 30)
            label = "tall" if tall else "wide"
            lines.append(f"{number:04d}.png;{left};{top};{right};{bottom};{label}\n")
        cv2.imwrite(str(folder / f"{number:04d}.png"), image)
    (folder / "regions.csv").write_text("".join(lines), encoding="utf-8")


def place(draw: np.random.Generator, tall: bool, taken: Sequence[Corners]) -> Corners | None:
    """A rectangle that touches none of those there are; None if none was found."""
    for _ in range(TRIES):
        sides = int(draw.integers(*LONG)), int(draw.integers(*SHORT))
        width, height = sides[::-1] if tall else sides
        left, top = int(draw.integers(0, SIZE - width)), int(draw.integers(0, SIZE - height))
        right, bottom = left + width, top + height
        if all(right <= x or u <= left or bottom <= y or v <= top for x, y, u, v in taken):
            return left, top, right, bottom
    return None


if __name__ == "__main__":
    main()
