from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from n2d2py.data.content import Content
from n2d2py.errors import DataError

from .trees import HTML, labels, listing, load, nominal, refused, sizes, text

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SCRIPT = Path(__file__).parents[2] / "examples" / "cifar10_binary.py"


def record(*label: int, value: int = 0) -> bytes:
    """A record whose planes are value, value + 1, value + 2 in red, green, blue, its first pixel red 255."""
    planes = np.repeat(np.arange(value, value + 3, dtype=np.uint8), 1024)
    planes[0] = 255
    return bytes(label) + planes.tobytes()


@pytest.fixture
def cifar10(tmp_path: Path) -> Path:
    folder = tmp_path / "cifar-10-batches-bin"
    text(folder / "batches.meta.txt", "\n".join(NAMES) + "\n\n")
    raw = [[6, 9], [9, 4], [1, 1], [2, 7], [8, 3]]
    for number, batch in enumerate(raw, start=1):
        (folder / f"data_batch_{number}.bin").write_bytes(b"".join(record(label, value=label) for label in batch))
    (folder / "test_batch.bin").write_bytes(record(3) + record(0) + record(5))
    return folder


@pytest.fixture
def cifar100(tmp_path: Path) -> Path:
    folder = tmp_path / "cifar-100-binary"
    text(folder / "fine_label_names.txt", "apple\naquarium_fish\nbaby\n")
    text(folder / "coarse_label_names.txt", "fish\nfruit\n")
    (folder / "train.bin").write_bytes(record(1, 0) + record(0, 1))
    (folder / "test.bin").write_bytes(record(1, 2))
    return folder


def section(folder: Path, lines: str = "", kind: str = "CIFAR10_Database") -> str:
    return f"[database]\nType={kind}\nDataPath={folder}\nRandomPartitioning=0\n{lines}"


def test_labels_have_ids_in_the_order_of_their_first_stimulus(cifar10: Path) -> None:
    before = listing(cifar10)
    content = load(section(cifar10))
    assert content.label_names == [NAMES[number] for number in (6, 9, 4, 1, 2, 7, 8, 3, 0, 5)]
    assert labels(content, "Learn") == [NAMES[number] for number in (6, 9, 9, 4, 1, 1, 2, 7, 8, 3)]
    assert labels(content, "Test") == ["cat", "airplane", "dog"]
    assert content.name(3) == f"{cifar10}/data_batch_2.bin[00001].ppm"
    assert listing(cifar10) == before


def test_planes_become_blue_green_red(cifar10: Path) -> None:
    image = load(section(cifar10)).frame(0).image
    assert image.shape == (32, 32, 3)
    assert image.dtype == np.uint8
    assert image[0, 0].tolist() == [8, 7, 255]
    assert image[31, 31].tolist() == [8, 7, 6]


def test_validation_and_test(cifar10: Path) -> None:
    assert sizes(load(section(cifar10, "Validation=0.25\n"))) == [8, 2, 3]
    content = load(section(cifar10, "UseTestForValidation=1\n"))
    assert sizes(content) == [10, 3, 3]
    assert labels(content, "Validation") == labels(content, "Test") == ["cat", "airplane", "dog"]


def test_fine_and_coarse_labels(cifar100: Path) -> None:
    content = load(section(cifar100, kind="CIFAR100_Database"))
    assert (labels(content, "Learn"), labels(content, "Test")) == (["apple", "aquarium_fish"], ["baby"])
    content = load(section(cifar100, "UseCoarse=1\n", kind="CIFAR100_Database"))
    assert (labels(content, "Learn"), labels(content, "Test")) == (["fruit", "fish"], ["fruit"])
    refused(section(cifar100, "UseCoarse=1\n"), "unknown parameter UseCoarse")


def test_sizes_as_published() -> None:
    assert nominal("[database]\nType=CIFAR10_Database\nValidation=0.1\n") == 45000
    assert nominal("[database]\nType=CIFAR100_Database\nValidation=0.1\nUseTestForValidation=1\n") == 50000


def test_missing_files(cifar10: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cifar10 / "data_batch_3.bin").rename(cifar10 / "data_batch_3")
    refused(
        section(cifar10), "files are missing", "data_batch_3.bin", "version for Python", "net.ini:3", kind=DataError
    )
    monkeypatch.setenv("N2D2_DATA", str(cifar10 / "elsewhere"))
    words = ("elsewhere/cifar-10-batches-bin does not exist", "N2D2_DATA", "test_batch.bin", "net.ini:1")
    refused("[database]\nType=CIFAR10_Database\n", *words, kind=DataError)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (record(1)[:-1], ["truncated", "records of 3073 bytes; 3072 bytes"]),
        (b"", ["an empty file"]),
        (HTML.encode(), ["a web page"]),
        (record(1) + record(10), ["record 1 has the label 10, but there are 10 names"]),
    ],
)
def test_wrong_files_of_images(cifar10: Path, content: bytes, words: list[str]) -> None:
    (cifar10 / "data_batch_4.bin").write_bytes(content)
    refused(section(cifar10), *words, str(cifar10 / "data_batch_4.bin"), kind=DataError)


@pytest.mark.parametrize(("content", "words"), [("\n", "no names of labels"), (HTML, "a web page")])
def test_wrong_names_of_labels(cifar10: Path, content: str, words: str) -> None:
    text(cifar10 / "batches.meta.txt", content)
    refused(section(cifar10), words, "batches.meta.txt", kind=DataError)


def pairs(content: Content) -> Counter[tuple[str, bytes]]:
    frames = [content.frame(number) for number in range(len(content))]
    names = [content.label_names[label].lstrip("/") for label in content.labels.tolist()]
    return Counter((name, frame.image.tobytes()) for name, frame in zip(names, frames, strict=True))


def test_folders_of_images_and_the_binary_form_made_of_them_are_the_same(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    random = np.random.default_rng(1)
    for part, count in (("train", 7), ("test", 3)):
        for name in ("bird", "cat"):
            (tmp_path / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 256, (32, 32, 3), np.uint8)
                cv2.imwrite(str(tmp_path / part / name / f"{number:04d}.jpg"), pixels)
    out = tmp_path / "binary"
    subprocess.run([sys.executable, str(SCRIPT), str(tmp_path), str(out)], check=True, capture_output=True)
    binary = load(section(out))
    folders = load(
        f"[database]\nType=DIR_Database\nDataPath={tmp_path}/train\nLearn=1\nLoadMore=more\n"
        f"[more]\nDataPath={tmp_path}/test\nLearn=0\n"
    )
    assert sizes(binary) == sizes(folders) == [14, 0, 6]
    assert pairs(binary) == pairs(folders)
    refusal = subprocess.run([sys.executable, str(SCRIPT)], check=False, capture_output=True, text=True)
    assert "IMAGES OUT" in refusal.stderr
