from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from n2d2py.data.random import Generator
from n2d2py.errors import DataError

from .conftest import write_mnist
from .trees import HTML, load, nominal, refused


def test_mnist_in_order(mnist: Path) -> None:
    content = load("[database]\nType=MNIST_IDX_Database\nRandomPartitioning=0\nValidation=0.2\n")
    assert content.ids("Learn").tolist() == list(range(16))
    assert content.ids("Validation").tolist() == [16, 17, 18, 19]
    assert content.ids("Test").tolist() == list(range(20, 30))
    assert content.label_names == list("0123456789")
    assert content.labels.tolist() == [i % 10 for i in range(20)] + list(range(10))
    assert content.name(3) == f"{mnist / 'train-images-idx3-ubyte'}[00003].pgm"
    assert content.name(29) == f"{mnist / 't10k-images-idx3-ubyte'}[00009].pgm"
    assert [block.images.shape for block in content.stock.blocks] == [(20, 4, 4, 1), (10, 4, 4, 1)]


def test_mnist_at_random_draws_learn_then_validation_then_test(mnist: Path) -> None:
    content = load("[database]\nType=MNIST_IDX_Database\nValidation=0.2\n")
    generator, left, drawn = Generator(42), list(range(20)), []
    while left:
        drawn.append(left.pop(generator.integer(0, len(left) - 1)))
    assert content.ids("Learn").tolist() == drawn[:16]
    assert content.ids("Validation").tolist() == drawn[16:]
    left, drawn = list(range(20, 30)), []
    while left:
        drawn.append(left.pop(generator.integer(0, len(left) - 1)))
    assert content.ids("Test").tolist() == drawn


def test_packed_files_give_the_same_and_nothing_is_written(mnist: Path, tmp_path: Path) -> None:
    plain = load("[database]\nType=MNIST_IDX_Database\n")
    packed = write_mnist(tmp_path / "packed", packed=True)
    before = sorted(packed.iterdir())
    content = load(f"[database]\nType=MNIST_IDX_Database\nDataPath={packed}\n")
    assert sorted(packed.iterdir()) == before
    assert content.ids("Learn").tolist() == plain.ids("Learn").tolist()
    assert content.stock.blocks[0].images.tolist() == plain.stock.blocks[0].images.tolist()
    assert content.name(0) == f"{packed / 'train-images-idx3-ubyte'}[00000].pgm"


def test_missing_files_are_named_with_folder_variable_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    text = refused("[database]\nType=MNIST_IDX_Database\n", kind=DataError)
    assert f"folder {tmp_path / 'mnist'} does not exist" in text
    assert "train-images-idx3-ubyte or train-images-idx3-ubyte.gz" in text
    assert "N2D2_DATA" in text
    assert "n2d2py -fetch mnist" in text
    assert "net.ini:1" in text
    monkeypatch.delenv("N2D2_DATA")
    text = refused("[database]\nType=MNIST_IDX_Database\n", kind=DataError)
    assert "set the environment variable N2D2_DATA" in text


@pytest.mark.parametrize("folder", ["fashion-mnist/data/fashion", "fashion-mnist"])
def test_fashion_mnist_in_both_of_its_folders(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    write_mnist(tmp_path / folder, packed=True)
    content = load("[database]\nType=Fashion_MNIST_IDX_Database\n")
    assert content.size("Learn") == 20
    assert content.label_names == list("0123456789")
    assert content.name(0).startswith(str(tmp_path / folder))


def test_data_path_reads_the_environment(mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", str(mnist.parent))
    assert load("[database]\nType=MNIST_IDX_Database\nDataPath=${ELSEWHERE}/mnist\n").size("Test") == 10
    monkeypatch.delenv("ELSEWHERE")
    text = refused("[database]\nType=MNIST_IDX_Database\nDataPath=${ELSEWHERE}/mnist\n")
    assert "environment variable ELSEWHERE is not set" in text
    assert "net.ini:3" in text


def test_digits() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    content = load("[database]\nType=Digits_Database\nValidation=0.2\n")
    assert [content.size(name) for name in ("Learn", "Validation", "Test")] == [1150, 287, 360]
    assert sorted(content.ids("Test").tolist()) == list(range(1437, 1797))
    digits = datasets.load_digits()
    images = np.concatenate([block.images[..., 0] for block in content.stock.blocks])
    assert images.dtype == np.uint8
    assert sorted(set(images.ravel().tolist())) == [round(k * 255 / 16) for k in range(17)]
    assert (images == np.rint(digits.images * 255 / 16)).all()
    assert content.labels.tolist() == digits.target.tolist()
    assert content.name(1437) == "digits-test[00000].pgm"


def test_real_mnist() -> None:
    folder = Path(__file__).parents[3] / "shared" / "data" / "mnist"
    if not folder.is_dir():
        pytest.skip("the real MNIST is not there")
    content = load(f"[database]\nType=MNIST_IDX_Database\nValidation=0.2\nDataPath={folder}\n")
    assert [content.size(name) for name in ("Learn", "Validation", "Test")] == [48000, 12000, 10000]
    assert content.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    images = content.stock.blocks[0].images
    assert round(float(images.mean()), 4) == 33.3184
    assert round(float(images.std(ddof=1)), 4) == 78.5675


def test_sizes_as_published() -> None:
    assert nominal("[database]\nType=MNIST_IDX_Database\nValidation=0.2\n") == 48000
    assert nominal("[database]\nType=Fashion_MNIST_IDX_Database\n") == 60000
    assert nominal("[database]\nType=Digits_Database\nValidation=0.2\n") == 1150


def test_a_page_in_place_of_a_file(mnist: Path) -> None:
    (mnist / "t10k-images-idx3-ubyte").write_text(HTML)
    refused("[database]\nType=MNIST_IDX_Database\n", "a web page", "t10k-images-idx3-ubyte", kind=DataError)
