"""Small data sets in MNIST's format, and documents that read them."""

from __future__ import annotations

import gzip
import logging
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from n2d2py import console, data, ini, parameters
from n2d2py.data.stimuli import Stimuli
from n2d2py.parts.provider import Provider


def idx_bytes(array: np.ndarray) -> bytes:
    """An array of bytes as an IDX file."""
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_mnist(folder: Path, learn: int = 20, test: int = 10, size: int = 4, packed: bool = False) -> Path:
    """Write the four files; image i of a file is filled with the value i (modulo 256), its label is i modulo 10."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", learn), ("t10k", test)):
        values = np.arange(count, dtype=np.uint8)
        images = np.broadcast_to(values[:, None, None], (count, size, size)).copy()
        for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", values % 10)):
            content = idx_bytes(array.astype(np.uint8))
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a small MNIST, with N2D2_DATA set to its parent."""
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    return write_mnist(tmp_path / "mnist")


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What is said on the console: ``NOTICE ...``, ``WARNING ...``, ``INFO ...``."""
    lines: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.levelname} {record.getMessage()}")

    listener, level = Listener(), console.logger.level
    console.logger.addHandler(listener)
    console.logger.setLevel(logging.INFO)
    yield lines
    console.logger.removeHandler(listener)
    console.logger.setLevel(level)


@pytest.fixture
def build() -> Callable[..., Stimuli]:
    """Build the stimuli of the text of an INI file."""

    def build_text(text: str, seed: int = 42) -> Stimuli:
        document = ini.loads(text, file="net.ini")
        section = next(name for name in ("cenv", "env", "sp") if name in document.sections)
        keys = [value.text] if (value := document.value(section, "ConfigSection")) else []
        provider = parameters.read(Provider, document.scope(section, *keys))
        return data.build(document, provider, data.random.Generator(seed))

    return build_text
