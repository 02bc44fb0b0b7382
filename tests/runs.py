"""Small stimuli, small networks, and runs of the whole program in a folder of their own."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np

from n2d2py import cli

SIDE = 8
CLASSES = 3

CLAMP = "QWeight=SAT\nQWeight.ApplyQuantization=0"
FOUR_BITS = "QWeight=SAT\nQWeight.Range=15"
CODES = "ActivationFunction=Linear\nQAct=SAT\nQAct.Range=15\nQAct.Alpha=4.0"

NETWORK = """\
DefaultModel=Frame

[database]
Type=MNIST_IDX_Database
Validation={validation}

[env]
SizeX=8
SizeY=8
BatchSize=10
{env}

[common.config]
NoBias=1
Solvers.LearningRate={rate}
{fillers}

[conv1]
Input=env
Type=Conv
KernelSize=3
NbOutputs=4
ActivationFunction={conv_activation}
ConfigSection=common.config
{weights}

[bn1]
Input=conv1
Type=BatchNorm
NbOutputs=4
Solvers.LearningRate={rate}
{activation}

[pool1]
Input=bn1
Type=Pool
PoolSize=2
Stride=2
NbOutputs=4
Pooling=Max
Mapping.Size=1

[fc1]
Input=pool1
Type=Fc
NbOutputs=3
ActivationFunction=Linear
ConfigSection=common.config
{weights}
{scaling}

[softmax]
Input=fc1
Type=Softmax
NbOutputs=3
WithLoss=1

[softmax.Target]
"""


def network(
    weights: str = "",
    activation: str = "ActivationFunction=Rectifier",
    validation: float = 0.0,
    rate: float = 0.05,
    conv_activation: str = "Linear",
    env: str = "",
    fillers: str = "",
) -> str:
    """The text of an INI file: Conv, BatchNorm, Pool, Fc and Softmax on 8x8 pixels of three classes."""
    scaling = "QWeight.ApplyScaling=1" if weights else ""
    return NETWORK.format(
        weights=weights,
        activation=activation,
        validation=validation,
        rate=rate,
        conv_activation=conv_activation,
        env=env,
        fillers=fillers,
        scaling=scaling,
    )


def quantized(**keys: object) -> str:
    """The network with 4-bit weights and activations."""
    return network(weights=FOUR_BITS, activation=CODES, **keys)  # type: ignore[arg-type]


def images(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Bars that lie, bars that stand, and blobs, in noise: uint8 (count, 8, 8) and labels 0, 1, 2."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 60, (count, SIDE, SIDE))
    labels = np.arange(count) % CLASSES
    for image, label, (y, x) in zip(pixels, labels, random.integers(0, SIDE - 3, (count, 2)), strict=True):
        height, width = ((2, SIDE), (SIDE, 2), (3, 3))[label]
        row, column = (y, 0) if label == 0 else (0, x) if label == 1 else (y, x)
        image[row : row + height, column : column + width] += 150
    return pixels.astype(np.uint8), labels.astype(np.uint8)


def idx(array: np.ndarray) -> bytes:
    """Bytes as an IDX file."""
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_data(root: Path, learn: int = 240, test: int = 45) -> Path:
    """``root/mnist`` with the four files of MNIST; gives ``root``, for N2D2_DATA."""
    folder = root / "mnist"
    folder.mkdir(parents=True)
    for part, count, seed in (("train", learn, 1), ("t10k", test, 2)):
        pixels, labels = images(count, seed)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(pixels))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    return root


@contextlib.contextmanager
def inside(folder: Path, data: Path) -> Iterator[None]:
    """Work in ``folder`` with the data of ``data``."""
    before, root = Path.cwd(), os.environ.get("N2D2_DATA")
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    os.environ["N2D2_DATA"] = str(data)
    try:
        yield
    finally:
        os.chdir(before)
        if root is None:
            del os.environ["N2D2_DATA"]
        else:
            os.environ["N2D2_DATA"] = root


@contextlib.contextmanager
def undrawn() -> Iterator[None]:
    """Figures are composed and written, but as one word instead of pixels, which take most of a small run's time."""

    def save(_: object, stream: io.BytesIO, **__: object) -> None:
        stream.write(b"picture")

    with (
        mock.patch("matplotlib.figure.Figure.savefig", save),
        mock.patch("n2d2py.graph.drawing._render", return_value=b"picture"),
    ):
        yield


class Folder:
    """A working directory in which n2d2py is run; ``said`` is what its last run printed."""

    def __init__(self, path: Path, data: Path) -> None:
        self.path, self.data, self.said = path, data, ""
        path.mkdir(parents=True, exist_ok=True)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def write(self, text: str, name: str = "net.ini") -> Folder:
        """Write an INI file."""
        (self.path / name).write_text(text, encoding="utf-8")
        return self

    def run(self, line: str, seed: int | None = 1, drawn: bool = False, network: str = "net.ini") -> int:
        """``n2d2py net.ini -seed 1 <line>``; gives the exit status."""
        words = [*([network] if network else []), *([] if seed is None else ["-seed", str(seed)]), *line.split()]
        heard = io.StringIO()
        drawing = contextlib.nullcontext() if drawn else undrawn()
        with inside(self.path, self.data), drawing, contextlib.redirect_stdout(heard):
            status = cli.main(words)
        self.said = heard.getvalue()
        return status

    def files(self, folder: str = ".") -> set[str]:
        """Names of the files in a folder below."""
        return {path.name for path in (self.path / folder).iterdir() if path.is_file()}

    def weights(self, folder: str = "weights") -> dict[str, bytes]:
        """Names and content of the files of weights in a folder below."""
        return {path.name: path.read_bytes() for path in sorted((self.path / folder).glob("*.syntxt"))}

    def copy(self, path: Path) -> Folder:
        """The same files in another place."""
        shutil.copytree(self.path, path, dirs_exist_ok=True)
        copy = Folder(path, self.data)
        copy.said = self.said
        return copy
