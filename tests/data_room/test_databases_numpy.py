from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from n2d2py.errors import DataError, ParameterError

from .trees import HTML, labels, load, refused, sizes, text

IMAGES = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3)


def section(path: Path, lines: str = "") -> str:
    return f"[database]\nType=Numpy_Database\nDataPath={path}\nRandomPartitioning=0\n{lines}"


def arrays(**changed: np.ndarray) -> dict[str, np.ndarray]:
    usual = {"x_train": IMAGES, "y_train": np.array([7, 2, 7, -1]), "x_test": IMAGES[:1], "y_test": np.array([[2]])}
    return {**usual, **changed}


@pytest.fixture(params=["npz", "packed", "folder"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "folder":
        for name, array in arrays().items():
            np.save(tmp_path / f"{name}.npy", array)
        return tmp_path
    save = np.savez if request.param == "npz" else np.savez_compressed
    save(tmp_path / "data.npz", **arrays())
    return tmp_path / "data.npz"


def test_images_and_labels(data: Path) -> None:
    content = load(section(data, "Validation=0.25\nTest=0.25\n"))
    assert sizes(content) == [2, 1, 2]
    assert content.label_names == ["7", "2"]
    assert [labels(content, name) for name in ("Learn", "Validation", "Test")] == [["7", "2"], ["7"], [None, "2"]]
    assert content.frame(1).image[..., 0].tolist() == IMAGES[1].tolist()
    assert content.name(2) == f"{data}/x_train[00002]"


def test_what_is_not_packed_is_mapped(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **arrays())
    content = load(section(tmp_path / "data.npz"))
    base = content.stock.blocks[0].images
    while not isinstance(base, np.memmap) and base.base is not None:
        base = base.base
    assert isinstance(base, np.memmap)


def test_reals_colours_names_and_other_arrays(tmp_path: Path) -> None:
    file = tmp_path / "data.npz"
    np.savez(
        file, a=np.asfortranarray(np.random.default_rng(1).random((3, 2, 2, 3))), b=np.array(["cat", "ant", "cat"])
    )
    content = load(section(file, "LearnImages=a\nLearnLabels=b\n"))
    assert content.label_names == ["cat", "ant"]
    assert content.frame(0).image.dtype == np.float64
    assert content.frame(2).image.tolist() == np.load(file)["a"][2].tolist()
    names = text(tmp_path / "names.txt", "zero\none two\n")
    np.savez(file, **arrays(y_train=np.array([1, 0, 1, 1]), y_test=np.array([0])))
    content = load(section(file, f"LabelPath={names}\n"))
    assert content.label_names == ["zero", "one two"]
    assert labels(content, "Learn") == ["one two", "zero", "one two", "one two"]
    np.savez(file, **arrays())
    refused(section(file, f"LabelPath={names}\n"), "labels from -1 to 7", "from -1 to 1", "2 names", kind=DataError)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x_train": IMAGES[0]}, ["array x_train is uint8 of shape (2, 3)", "(count, height, width)"]),
        ({"x_train": IMAGES.astype(np.complex64)}, ["complex64", "float32"]),
        ({"y_train": np.zeros(3, np.int64)}, ["4 images in x_train and 3 labels in y_train"]),
        ({"y_train": np.zeros((4, 2), np.int64)}, ["array y_train is int64 of shape (4, 2)"]),
        ({"y_train": np.zeros(4)}, ["float64", "integers or texts"]),
        ({"y_train": np.array([0, -2, 0, 0])}, ["labels from -2 to 0"]),
        ({"y_train": np.array([0, {}, 0, 0], object)}, ["Python objects", "could run any program"]),
    ],
)
def test_wrong_arrays(tmp_path: Path, changed: dict[str, np.ndarray], words: list[str]) -> None:
    np.savez(tmp_path / "data.npz", **arrays(**changed))  # type: ignore[arg-type]
    refused(section(tmp_path / "data.npz"), *words, "data.npz", kind=DataError)


def test_missing_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", images=IMAGES)
    refused(
        section(tmp_path / "data.npz"), "no array x_train", "one of images", "LearnImages", "net.ini:3", kind=DataError
    )
    refused(section(tmp_path / "no.npz"), "no.npz does not exist", "net.ini:3", kind=DataError)
    refused("[database]\nType=Numpy_Database\n", "missing key DataPath", kind=ParameterError)


def test_damaged_files(tmp_path: Path) -> None:
    file = tmp_path / "data.npz"
    file.write_text(HTML)
    refused(section(file), "not a .npz file", "a web page", kind=DataError)
    np.save(tmp_path / "x_train.npy", IMAGES)
    refused(section(tmp_path / "x_train.npy"), "names the folder of such files", kind=DataError)
    np.save(tmp_path / "y_train.npy", np.zeros(4, np.int64))
    (tmp_path / "x_train.npy").write_bytes((tmp_path / "x_train.npy").read_bytes()[:-1])
    refused(section(tmp_path), "23 of 24 bytes are there", "x_train.npy", kind=DataError)
    (tmp_path / "x_train.npy").write_text(HTML)
    refused(section(tmp_path), "not a .npy file", "a web page", kind=DataError)
    np.savez(file, **arrays())
    file.write_bytes(file.read_bytes()[:-40])
    refused(section(file), "damaged or truncated", "data.npz", kind=DataError)


def test_a_small_file_cannot_fill_the_memory(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (1 << 40, 8, 8)})
    with zipfile.ZipFile(tmp_path / "data.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", header.getvalue() + bytes(1000))
        archive.writestr("y_train.npy", b"")
    refused(
        section(tmp_path / "data.npz"), "promises 70368744177664 bytes, more than the file can hold", kind=DataError
    )
