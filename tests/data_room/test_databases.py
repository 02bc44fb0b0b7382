from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from n2d2py import ini
from n2d2py.data.content import Content
from n2d2py.data.paths import data_root
from n2d2py.data.random import Generator
from n2d2py.data.source import Source, publish_epoch_size, read_database
from n2d2py.errors import DataError, ParameterError

from .conftest import write_mnist


def load(text: str, seed: int = 42) -> Content:
    return Source(ini.loads(f"{text}[sp]\nSizeX=1\nSizeY=1\n", file="net.ini"), Generator(seed)).content


def refused(text: str, kind: type[Exception] = ParameterError) -> str:
    with pytest.raises(kind) as error:
        load(text)
    return str(error.value)


def test_mnist_in_order(mnist: Path) -> None:
    content = load("[database]\nType=MNIST_IDX_Database\nRandomPartitioning=0\nValidation=0.2\n")
    assert content.ids("Learn").tolist() == list(range(16))
    assert content.ids("Validation").tolist() == [16, 17, 18, 19]
    assert content.ids("Test").tolist() == list(range(20, 30))
    assert content.label_names == list("0123456789")
    assert content.labels.tolist() == [i % 10 for i in range(20)] + list(range(10))
    assert content.name(3) == f"{mnist / 'train-images-idx3-ubyte'}[00003].pgm"
    assert content.name(29) == f"{mnist / 't10k-images-idx3-ubyte'}[00009].pgm"
    assert [block.images.shape for block in content.blocks] == [(20, 4, 4, 1), (10, 4, 4, 1)]


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
    assert content.blocks[0].images.tolist() == plain.blocks[0].images.tolist()
    assert content.name(0) == f"{packed / 'train-images-idx3-ubyte'}[00000].pgm"


def test_missing_files_are_named_with_folder_variable_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    text = refused("[database]\nType=MNIST_IDX_Database\n", DataError)
    assert f"folder {tmp_path / 'mnist'} does not exist" in text
    assert "train-images-idx3-ubyte or train-images-idx3-ubyte.gz" in text
    assert "N2D2_DATA" in text
    assert "n2d2py -fetch mnist" in text
    assert "net.ini:1" in text
    monkeypatch.delenv("N2D2_DATA")
    text = refused("[database]\nType=MNIST_IDX_Database\n", DataError)
    assert "set the environment variable N2D2_DATA" in text


def test_the_folder_of_all_data_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_DATA", "data")
    assert data_root() == Path("data")
    monkeypatch.delenv("N2D2_DATA")
    monkeypatch.setenv("USER", "ada")
    assert data_root().as_posix() == "/local/ada/n2d2_data"
    monkeypatch.delenv("USER")
    assert data_root().as_posix() == "/local/n2d2_data"


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


def test_labels_beyond_nine_are_named_at_first_use(tmp_path: Path) -> None:
    content = Content(Generator(1), label_names=["0", "1"])
    content.append(np.zeros((4, 2, 2), np.uint8), np.array([7, 1, 5, 7]), "x")
    assert content.label_names == ["0", "1", "7", "5"]
    assert content.labels.tolist() == [2, 1, 3, 2]


def test_digits() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    content = load("[database]\nType=Digits_Database\nValidation=0.2\n")
    assert [content.size(name) for name in ("Learn", "Validation", "Test")] == [1150, 287, 360]
    assert sorted(content.ids("Test").tolist()) == list(range(1437, 1797))
    digits = datasets.load_digits()
    images = np.concatenate([block.images[..., 0] for block in content.blocks])
    assert images.dtype == np.uint8
    assert sorted(set(images.ravel().tolist())) == [round(k * 255 / 16) for k in range(17)]
    assert (images == np.rint(digits.images * 255 / 16)).all()
    assert content.labels.tolist() == digits.target.tolist()
    assert content.name(1437) == "digits-test[00000].pgm"


def test_no_database_is_a_warning(said: list[str]) -> None:
    content = load("")
    assert content.size("Learn") == 0
    assert said == ["WARNING there is no section [database] in net.ini: there are no stimuli"]


def test_names_of_labels_without_stimuli(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat, striped\ndog\n")
    content = load(f"[database]\nLabelPath={tmp_path}/labels.txt\n")
    assert content.label_names == ["cat, striped", "dog"]
    assert content.size("Test") == 0
    (tmp_path / "labels.txt").write_text("")
    assert "no names of labels" in refused(f"[database]\nLabelPath={tmp_path}/labels.txt\n", DataError)
    text = refused("[database]\nLabelPath=nowhere.txt\n", DataError)
    assert "nowhere.txt" in text
    assert "net.ini:2" in text


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("Typ=MNIST_IDX_Database", ["missing key Type", "MNIST_IDX_Database", "LabelPath"]),
        ("Type=MNIST_IDX_Databas", ["unknown database", "did you mean MNIST_IDX_Database?", "net.ini:2"]),
        ("Type=ILSVRC2012_Database", ["ILSVRC2012_Database is not available in this version", "Digits_Database"]),
        ("Type=MNIST_IDX_Database\nLearn=0.5", ["unknown parameter Learn", "net.ini:3"]),
        ("Type=MNIST_IDX_Database\nValidatoin=0.5", ["unknown parameter", "did you mean Validation?"]),
        ("Type=MNIST_IDX_Database\nValidation=1.5", ["unreadable value '1.5'", "[0, 1]", "net.ini:3"]),
        ("Type=MNIST_IDX_Database\nCompositeLabel=Combine", ["CompositeLabel=Combine is not possible"]),
        ("Type=MNIST_IDX_Database\nTargetDataPath=x", ["TargetDataPath is not possible"]),
        ("Type=MNIST_IDX_Database\n[database.slicing]\nWidth=3", ["[database.slicing] is not available", "net.ini:3"]),
    ],
)
def test_mistakes(mnist: Path, lines: str, words: list[str]) -> None:
    text = refused(f"[database]\n{lines}\n")
    for word in words:
        assert word in text


DATABASE = "[database]\nType=MNIST_IDX_Database\nValidation=0.2\n"


def test_the_epoch_size_is_computed_when_it_is_read_and_the_partition_is_drawn_once(mnist: Path) -> None:
    text = "X=$([sp]_EpochSize * 2)\n" + DATABASE + "[sp]\nSizeX=4\nSizeY=4\n"
    document = ini.loads(text, file="net.ini")
    source = publish_epoch_size(document, Generator(42))
    assert "content" not in vars(source)
    value = document.value("", "X")
    assert value is not None
    assert value.text == "32"
    assert source.content.ids("Learn").tolist() == load(DATABASE).ids("Learn").tolist()


def test_what_is_said_of_stimuli_is_read_without_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELSEWHERE", raising=False)
    rescale = "[sp.Transformation]\nType=RescaleTransformation\nWidth=3\nHeight=3\n"
    text = DATABASE + "DataPath=${ELSEWHERE}\n[sp]\nSizeX=3\nSizeY=3\n" + rescale
    document = ini.loads(text, file="net.ini")
    source = publish_epoch_size(document, Generator(42))
    assert document.unused() == []
    with pytest.raises(ParameterError, match="ELSEWHERE is not set"):
        _ = source.content


def test_declarations_import_neither_torch_nor_opencv() -> None:
    modules = "n2d2py.options, n2d2py.data.databases, n2d2py.data.transformations, n2d2py.data.chain"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules or 'cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_all_base_options_are_read(mnist: Path) -> None:
    database = read_database(
        ini.loads(
            "[database]\nType=MNIST_IDX_Database\nDefaultLabel=\nROIsMargin=2\nDataFileLabel=0\n"
            "CompositeLabel=None\nTargetDataPath=\nMultiChannelMatch=\nMultiChannelReplace=\n",
            file="net.ini",
        )
    )
    assert database is not None
    assert (database.default_label, database.rois_margin, database.data_file_label) == ("", 2, False)


def test_labels_of_regions_are_refused_where_there_are_none(mnist: Path) -> None:
    with pytest.raises(ParameterError, match="DefaultLabel=none is not possible with this database") as error:
        load("[database]\nType=MNIST_IDX_Database\nDefaultLabel=none\n")
    assert ":3, [database], DefaultLabel" in str(error.value)


def test_real_mnist() -> None:
    folder = Path(__file__).parents[3] / "shared" / "data" / "mnist"
    if not folder.is_dir():
        pytest.skip("the real MNIST is not there")
    content = load(f"[database]\nType=MNIST_IDX_Database\nValidation=0.2\nDataPath={folder}\n")
    assert [content.size(name) for name in ("Learn", "Validation", "Test")] == [48000, 12000, 10000]
    assert content.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    images = content.blocks[0].images
    assert round(float(images.mean()), 4) == 33.3184
    assert round(float(images.std(ddof=1)), 4) == 78.5675
