"""Images per second of three chains, beside plain loops over Pillow and NumPy, and over OpenCV, image by image.

    OMP_NUM_THREADS=1 python bench/data.py [--rounds 3] [--workers 0 2] [--clock cpu]

(a) MNIST rescaled to 32x32, (b) CIFAR-10 normalized, padded, cropped and flipped at random, (c) the learning and the
test chain of the ImageNet tutorial on JPEG files of 500x375 pixels. All contestants take turns in every round, so
that whatever else the machine does falls on all alike. Each gives float32 batches (count, channels, height, width).
The first pass, which fills the memory where a set fits, is not measured, nor is the decoding of files that are read
once; loops over images do the same work as the chain on arrays that are in memory as well.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from n2d2py import data, ini
from n2d2py.data.random import Generator
from n2d2py.data.stimuli import Stimuli
from n2d2py.graph.settings import read_provider

MEAN, DEVIATION = np.float32([125.3, 123.0, 113.9]), np.float32([63.0, 62.1, 66.7])
Run = Callable[[], int]

MNIST = """
[database]
Type=MNIST_IDX_Database
DataPath={folder}
[sp]
Size=32 32 1
BatchSize=256
[sp.Transformation]
Type=RescaleTransformation
Width=32
Height=32
"""

CIFAR = """
[database]
Type=CIFAR10_Database
DataPath={folder}
[sp]
Size=32 32 3
BatchSize=256
[sp.Transformation-1]
Type=RangeAffineTransformation
FirstOperator=Minus
FirstValue=125.3 123.0 113.9
SecondOperator=Divides
SecondValue=63.0 62.1 66.7
[sp.Transformation-2]
Type=PadCropTransformation
Width=40
Height=40
ApplyTo=LearnOnly
[sp.OnTheFlyTransformation-3]
Type=SliceExtractionTransformation
Width=32
Height=32
RandomOffsetX=1
RandomOffsetY=1
ApplyTo=LearnOnly
[sp.OnTheFlyTransformation-4]
Type=FlipTransformation
RandomHorizontalFlip=1
ApplyTo=LearnOnly
"""

IMAGENET = """
[database]
Type=DIR_Database
DataPath={folder}
Learn=0.5
Test=0.5
[sp]
Size=224 224 3
BatchSize=32
[sp.Transformation-1]
Type=ColorSpaceTransformation
ColorSpace=RGB
[sp.Transformation-2]
Type=RangeAffineTransformation
FirstOperator=Divides
FirstValue=255.0
[sp.Transformation-3]
Type=RandomResizeCropTransformation
Width=224
Height=224
ScaleMin=0.2
ScaleMax=1.0
RatioMin=0.75
RatioMax=1.33
ApplyTo=LearnOnly
[sp.Transformation-4]
Type=RescaleTransformation
Width=256
Height=256
KeepAspectRatio=1
ResizeToFit=0
ApplyTo=NoLearn
[sp.Transformation-5]
Type=PadCropTransformation
Width=256
Height=256
ApplyTo=NoLearn
[sp.Transformation-6]
Type=SliceExtractionTransformation
Width=224
Height=224
OffsetX=16
OffsetY=16
ApplyTo=NoLearn
[sp.OnTheFlyTransformation-7]
Type=FlipTransformation
RandomHorizontalFlip=1
ApplyTo=LearnOnly
"""


# --------------------------------------------------------------------------------------------------- the data


def write_mnist(folder: Path, count: int) -> np.ndarray:
    """MNIST's four files with images of noise; returns those to learn."""
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (count, 28, 28), np.uint8)
    for part in ("train", "t10k"):
        head = bytes((0, 0, 8, 3)) + struct.pack(">3I", count, 28, 28)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        labels = (np.arange(count) % 10).astype(np.uint8)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(
            bytes((0, 0, 8, 1)) + struct.pack(">I", count) + labels.tobytes()
        )
    return images


def write_cifar(folder: Path, count: int) -> np.ndarray:
    """CIFAR-10's binary files with images of noise; returns those to learn, blue first."""
    random = np.random.default_rng(2)
    parts = []
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        planes = random.integers(0, 256, (count // 5, 3, 32, 32), np.uint8)
        labels = (np.arange(count // 5) % 10).astype(np.uint8)
        (folder / f"{name}.bin").write_bytes(
            np.concatenate([labels[:, None], planes.reshape(len(planes), -1)], axis=1).tobytes()
        )
        parts.append(planes[:, ::-1].transpose(0, 2, 3, 1))
    (folder / "batches.meta.txt").write_text("\n".join(f"label{number}" for number in range(10)) + "\n")
    return np.ascontiguousarray(np.concatenate(parts[:5]))


def write_jpegs(folder: Path, count: int) -> list[str]:
    """JPEG files of 500x375 pixels with as much detail as photographs have (about 100 kB)."""
    random = np.random.default_rng(3)
    paths = []
    for number in range(count):
        image = np.zeros((375, 500, 3), np.float32)
        for side in (4, 16, 64, 250):
            coarse = random.normal(0, 1, (side, side, 3)).astype(np.float32)
            image += cv2.resize(coarse, (500, 375), interpolation=cv2.INTER_CUBIC) * (60 / side**0.5)
        path = folder / f"label{number % 4}" / f"{number:04d}.jpg"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.clip(image + 128, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 92])
        paths.append(str(path))
    return paths


# -------------------------------------------------------------------------------------------- plain loops


def batches(images: Iterator[np.ndarray], size: int) -> int:
    """Stack images to batches (count, channels, height, width), as one does for torch; returns their number."""
    done, batch = 0, []
    for image in images:
        batch.append(image)
        if len(batch) == size:
            done += len(torch.from_numpy(np.stack(batch)))
            batch = []
    return done + (len(torch.from_numpy(np.stack(batch))) if batch else 0)


def planes(image: np.ndarray) -> np.ndarray:
    """Channels first."""
    return np.ascontiguousarray(image.transpose(2, 0, 1))


def order(images: np.ndarray) -> list[int]:
    """A random order of the images."""
    return torch.randperm(len(images)).tolist()


def mnist_opencv(images: np.ndarray) -> Run:
    def one(image: np.ndarray) -> np.ndarray:
        return cv2.resize(image, (32, 32), interpolation=cv2.INTER_LINEAR).astype(np.float32)[None] * (1 / 255)

    return lambda: batches((one(images[place]) for place in order(images)), 256)


def mnist_pillow(images: np.ndarray) -> Run:
    def one(image: np.ndarray) -> np.ndarray:
        resized = Image.fromarray(image).resize((32, 32), Image.Resampling.BILINEAR)
        return np.asarray(resized, np.float32)[None] * np.float32(1 / 255)

    return lambda: batches((one(images[place]) for place in order(images)), 256)


def cifar_opencv(images: np.ndarray) -> Run:
    random = np.random.default_rng(1)

    def one(image: np.ndarray) -> np.ndarray:
        reals = (image.astype(np.float32) - MEAN) / DEVIATION
        padded = cv2.copyMakeBorder(reals, 4, 4, 4, 4, cv2.BORDER_REFLECT_101)
        x, y = random.integers(0, 9, 2)
        slice_ = padded[y : y + 32, x : x + 32]
        return planes(cv2.flip(slice_, 1) if random.random() < 0.5 else slice_)

    return lambda: batches((one(images[place]) for place in order(images)), 256)


def cifar_pillow(images: np.ndarray) -> Run:
    random = np.random.default_rng(1)

    def one(image: np.ndarray) -> np.ndarray:
        picture = Image.fromarray(np.pad(image, ((4, 4), (4, 4), (0, 0)), mode="reflect"))
        x, y = random.integers(0, 9, 2)
        picture = picture.crop((x, y, x + 32, y + 32))
        if random.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return planes((np.asarray(picture, np.float32) - MEAN) / DEVIATION)

    return lambda: batches((one(images[place]) for place in order(images)), 256)


def window(random: np.random.Generator, width: int, height: int) -> tuple[int, int, int, int]:
    """A random part of an image: left, top, width, height."""
    while True:
        area, ratio = width * height * random.uniform(0.2, 1), np.exp(random.uniform(np.log(0.75), np.log(1.33)))
        w, h = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
        if w <= width and h <= height:
            return int(random.integers(0, width - w + 1)), int(random.integers(0, height - h + 1)), w, h


def imagenet_learn_opencv(paths: list[str]) -> Run:
    random = np.random.default_rng(1)

    def one(path: str) -> np.ndarray:
        image = cv2.cvtColor(cv2.imread(path, cv2.IMREAD_UNCHANGED), cv2.COLOR_BGR2RGB)
        reals = image.astype(np.float32) * np.float32(1 / 255)
        x, y, w, h = window(random, 500, 375)
        resized = cv2.resize(reals[y : y + h, x : x + w], (224, 224), interpolation=cv2.INTER_LINEAR)
        return planes(cv2.flip(resized, 1) if random.random() < 0.5 else resized)

    return lambda: batches((one(path) for path in paths), 32)


def imagenet_test_opencv(paths: list[str]) -> Run:
    def one(path: str) -> np.ndarray:
        image = cv2.cvtColor(cv2.imread(path, cv2.IMREAD_UNCHANGED), cv2.COLOR_BGR2RGB)
        reals = image.astype(np.float32) * np.float32(1 / 255)
        resized = cv2.resize(reals, (341, 256), interpolation=cv2.INTER_LINEAR)
        return planes(resized[16:240, 58:282])

    return lambda: batches((one(path) for path in paths), 32)


def imagenet_learn_pillow(paths: list[str]) -> Run:
    random = np.random.default_rng(1)

    def one(path: str) -> np.ndarray:
        x, y, w, h = window(random, 500, 375)
        picture = Image.open(path).resize((224, 224), Image.Resampling.BILINEAR, (x, y, x + w, y + h))
        if random.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return planes(np.asarray(picture, np.float32) * np.float32(1 / 255))

    return lambda: batches((one(path) for path in paths), 32)


def imagenet_test_pillow(paths: list[str]) -> Run:
    def one(path: str) -> np.ndarray:
        picture = Image.open(path).resize((341, 256), Image.Resampling.BILINEAR).crop((58, 16, 282, 240))
        return planes(np.asarray(picture, np.float32) * np.float32(1 / 255))

    return lambda: batches((one(path) for path in paths), 32)


# --------------------------------------------------------------------------------------------------- ours


def stimuli_of(text: str, folder: Path, workers: int) -> Stimuli:
    """The stimuli of an INI file's text."""
    if text is IMAGENET:
        os.environ["N2D2_MEMORY"] = "1"  # MiB: the files are read each time, as those of ImageNet are
    document = ini.loads(text.format(folder=folder), file="bench.ini")
    return data.build(document, read_provider(document), Generator(1), workers=workers)


def epoch(stimuli: Stimuli) -> Run:
    generator = Generator(1)
    return lambda: sum(len(batch) for batch in stimuli.epoch(generator))


def test(stimuli: Stimuli) -> Run:
    return lambda: sum(len(batch) for batch in stimuli.passes("Test"))


def copies(shape: tuple[int, ...], count: int) -> Run:
    """Batches of ``shape`` copied from one place in memory to another, ``count`` images of them."""
    source, target = torch.rand(shape), torch.empty(shape)

    def run() -> int:
        for _ in range(count // shape[0]):
            target.copy_(source)
        return count // shape[0] * shape[0]

    return run


def measure(title: str, contestants: dict[str, Run], rounds: int, clock: Callable[[], float]) -> None:
    """Print a row for each contestant; the ratio is the median over rounds to the OpenCV loop of the round."""
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, run in contestants.items():
            start = clock()
            count = run()
            if number:  # the first round fills memory and caches
                rates[name].append(count / (clock() - start))
    base = rates["OpenCV loop"]
    for name, values in rates.items():
        ratio = statistics.median(mine / theirs for mine, theirs in zip(values, base, strict=True))
        print(f"{title:26}  {name:24}  {statistics.median(values):10.0f}  {ratio:7.2f}", flush=True)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--small", type=int, default=20000, help="images of (a) and (b)")
    parser.add_argument("--large", type=int, default=128, help="files of (c)")
    parser.add_argument("--chains", default="abc", help="letters of the chains that are measured")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    options = parser.parse_args()
    clock = time.process_time if options.clock == "cpu" else time.perf_counter
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    logging.getLogger("n2d2py").setLevel(logging.ERROR)
    print(f"{'chain':26}  {'':24}  {'images/s':>10}  {'/OpenCV':>7}   load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name, part) for part in ("mnist", "cifar", "jpeg")]
        for folder in folders:
            folder.mkdir()
        digits, tiny = write_mnist(folders[0], options.small), write_cifar(folders[1], options.small)
        files = write_jpegs(folders[2], options.large)
        half = files[::2]

        def ours(text: str, folder: Path, make: Callable[[Stimuli], Run]) -> dict[str, Run]:
            return {f"n2d2py, {w} workers": make(stimuli_of(text, folder, w)) for w in options.workers}

        rows = (
            ("(a) MNIST, 32x32", mnist_opencv(digits), mnist_pillow(digits), (MNIST, folders[0], epoch)),
            ("(b) CIFAR, crop and flip", cifar_opencv(tiny), cifar_pillow(tiny), (CIFAR, folders[1], epoch)),
            *(
                ("(c) ImageNet, learning", imagenet_learn_opencv(half), imagenet_learn_pillow(half), item)
                for item in ((IMAGENET, folders[2], epoch),)
            ),
            *(
                ("(c) ImageNet, test", imagenet_test_opencv(half), imagenet_test_pillow(half), item)
                for item in ((IMAGENET, folders[2], test),)
            ),
        )
        shapes = ((256, 1, 32, 32), (256, 3, 32, 32), *2 * ((32, 3, 224, 224),))
        for (title, opencv, pillow, given), shape in zip(rows, shapes, strict=True):
            if title[1] in options.chains:
                contestants = {"OpenCV loop": opencv, "Pillow and NumPy loop": pillow, **ours(*given)}
                contestants["a copy of each batch"] = copies(shape, options.small)
                measure(title, contestants, options.rounds, clock)


if __name__ == "__main__":
    main()
