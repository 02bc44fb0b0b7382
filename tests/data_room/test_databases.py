from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from n2d2py import ini, registry
from n2d2py.data.content import Content
from n2d2py.data.databases import tree
from n2d2py.data.paths import data_root
from n2d2py.data.random import Generator
from n2d2py.data.source import publish_epoch_size, read_database
from n2d2py.errors import DataError, ParameterError
from n2d2py.parameters import declarations

from .trees import load, refused


def test_the_folder_of_all_data_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_DATA", "data")
    assert data_root() == Path("data")
    monkeypatch.delenv("N2D2_DATA")
    monkeypatch.setenv("USER", "ada")
    assert data_root().as_posix() == "/local/ada/n2d2_data"
    monkeypatch.delenv("USER")
    assert data_root().as_posix() == "/local/n2d2_data"


def test_labels_beyond_nine_are_named_at_first_use(tmp_path: Path) -> None:
    content = Content(Generator(1), label_names=["0", "1"])
    content.append(np.zeros((4, 2, 2), np.uint8), np.array([7, 1, 5, 7]), "x")
    assert content.label_names == ["0", "1", "7", "5"]
    assert content.labels.tolist() == [2, 1, 3, 2]


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
    refused(f"[database]\nLabelPath={tmp_path}/labels.txt\n", "no names of labels", kind=DataError)
    refused("[database]\nLabelPath=nowhere.txt\n", "nowhere.txt", "net.ini:2", kind=DataError)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("Typ=MNIST_IDX_Database", ["missing key Type", "MNIST_IDX_Database", "LabelPath"]),
        ("Type=MNIST_IDX_Databas", ["unknown database", "did you mean MNIST_IDX_Database?", "net.ini:2"]),
        ("Type=ILSVRC2012", ["unknown database", "did you mean ILSVRC2012_Database?", "net.ini:2"]),
        ("Type=MNIST_IDX_Database\nLearn=0.5", ["unknown parameter Learn", "net.ini:3"]),
        ("Type=MNIST_IDX_Database\nValidatoin=0.5", ["unknown parameter", "did you mean Validation?"]),
        ("Type=MNIST_IDX_Database\nValidation=1.5", ["unreadable value '1.5'", "[0, 1]", "net.ini:3"]),
        ("Type=MNIST_IDX_Database\nCompositeLabel=Combine", ["CompositeLabel=Combine is not possible"]),
        ("Type=MNIST_IDX_Database\nTargetDataPath=x", ["TargetDataPath is not possible"]),
    ],
)
def test_mistakes(mnist: Path, lines: str, words: list[str]) -> None:
    refused(f"[database]\n{lines}\n", *words, kind=ParameterError)


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
    with pytest.raises(DataError, match="ELSEWHERE is not set"):
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


def test_every_database_of_n2d2_is_there_and_says_what_its_keys_mean() -> None:
    types = (
        "Actitracker CIFAR10 CIFAR100 CKP CSV Caltech101_DIR Caltech256_DIR CaltechPedestrian CelebA Cityscapes DIR "
        "DOTA Daimler FDDB Fashion_MNIST_IDX GTSDB_DIR GTSRB_DIR ILSVRC2012 IMDBWIKI KITTI KITTI_Object KITTI_Road "
        "LITISRouen MNIST_IDX N_MNIST"
    )
    known = registry.names("database")
    assert {*(f"{name}_Database" for name in types.split()), "CompositeDatabase", "Numpy_Database"} <= set(known)
    for name in known:
        found = declarations(registry.find("database", name))
        assert "random_partitioning" in found
        assert all(declaration.meaning for declaration in found.values())


def test_a_folder_of_very_many_files_is_listed_in_byte_order(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "\N{LATIN SMALL LETTER E WITH ACUTE}.png", "B.png", "a.txt", "noending"):
        (tmp_path / name).touch()
    files = tree.files_in(tmp_path, ("png",))
    assert [Path(file).name for file in files] == ["B.png", "a.png", "b.png", "\N{LATIN SMALL LETTER E WITH ACUTE}.png"]
    with pytest.raises(DataError, match="is a file, not a folder"):
        tree.files_in(tmp_path / "a.png", ("png",))
