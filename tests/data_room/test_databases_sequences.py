"""Sequences: windows of FI-2010's text files, and arrays that are normalised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from n2d2py.errors import DataError

from .trees import labels, load, refused, sizes


def write_fold(folder: Path, name: str, events: int, seed: int) -> np.ndarray:
    """A file in the layout of FI-2010: 144 rows of features, 5 of labels; a column an event."""
    random = np.random.default_rng(seed)
    rows = np.concatenate([random.normal(size=(144, events)), random.integers(1, 4, (5, events))])
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / name, rows, fmt="%.7e")
    return rows


def section(path: Path, lines: str = "") -> str:
    return f"[database]\nType=FI2010_Database\nDataPath={path}\nWindowSize=10\n{lines}"


@pytest.fixture
def tree(tmp_path: Path) -> tuple[Path, dict[str, np.ndarray]]:
    rows = {}
    for variant in ("ZScore", "DecPre"):
        for part, fold in (("Train", 7), ("Test", 7), ("Test", 8), ("Test", 9)):
            name = f"{part}_Dst_NoAuction_{variant}_CF_{fold}.txt"
            seed = fold + (100 if part == "Train" else 0) + (50 if variant == "DecPre" else 0)
            events = 50 if part == "Train" else 20
            rows[name] = write_fold(tmp_path / variant / part, name, events, seed)
    return tmp_path, rows


def test_windows(tree: tuple[Path, dict[str, np.ndarray]]) -> None:
    path, rows = tree
    content = load(section(path))
    # 40 + 10 events to learn and to validate, 3 x 20 one behind the other to test: one less than a window each.
    assert sizes(content) == [31, 1, 51]
    assert content.label_names == ["0", "1", "2"]
    learned = rows["Train_Dst_NoAuction_ZScore_CF_7.txt"]
    stimulus = int(content.ids("Learn")[5])
    frame = content.frame(stimulus)
    assert frame.image.shape[:2] == (10, 40)
    assert np.allclose(frame.image.reshape(10, 40), learned[:40, 5:15].T, atol=1e-6)
    assert labels(content, "Learn")[5] == str(int(learned[148, 14]) - 1)
    tested = np.concatenate([rows[f"Test_Dst_NoAuction_ZScore_CF_{fold}.txt"] for fold in (7, 8, 9)], 1)
    last = content.frame(int(content.ids("Test")[-1])).image.reshape(10, 40)
    assert np.allclose(last, tested[:40, 50:].T, atol=1e-6)
    assert list(labels(content, "Test")) == (tested[148, 9:] - 1).astype(int).astype(str).tolist()


def test_horizon_variant_and_features(tree: tuple[Path, dict[str, np.ndarray]]) -> None:
    path, rows = tree
    content = load(section(path, "Normalization=DecPre\nHorizon=20\nFeatures=144\nTestFolds=8\nValidation=0\n"))
    assert sizes(content) == [41, 0, 11]
    found = rows["Test_Dst_NoAuction_DecPre_CF_8.txt"]
    assert list(labels(content, "Test")) == (found[145, 9:] - 1).astype(int).astype(str).tolist()
    first = content.frame(int(content.ids("Test")[0])).image.reshape(10, 144)
    assert np.allclose(first, found[:144, :10].T, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda lines: lines[:100], "too few rows"),
        (lambda lines: [*lines, lines[0]], "too many rows"),
        (lambda lines: ["<html>", *lines[1:]], "not a"),
        (lambda lines: [lines[0] + " 1", *lines[1:]], "columns"),
        (lambda lines: [*lines[:148], lines[148].replace("1.0", "7.0", 1)], "a label is none of 1, 2, 3"),
        (lambda lines: ["nan " + lines[0].split(" ", 1)[1], *lines[1:]], "not finite"),
    ],
)
def test_damaged_files(tree: tuple[Path, dict[str, np.ndarray]], change, what: str) -> None:
    path, _ = tree
    file = path / "ZScore" / "Train" / "Train_Dst_NoAuction_ZScore_CF_7.txt"
    file.write_text("\n".join(change(file.read_text().splitlines())) + "\n")
    with pytest.raises(DataError, match=what) as caught:
        load(section(path))
    assert str(file) in str(caught.value)


def test_what_is_missing(tmp_path: Path, tree: tuple[Path, dict[str, np.ndarray]]) -> None:
    path, _ = tree
    refused(section(path, "LearnFolds=3\n"), "there is no Train_Dst_NoAuction_ZScore_CF_3.txt")
    assert "does not exist" in refused(section(tmp_path / "nothing"))
    assert "fewer than a window" in refused(section(path, "Validation=0.1\n"))


def arrays(path: Path, normalization: str) -> str:
    return f"[database]\nType=Sequence_Database\nDataPath={path}\nNormalization={normalization}\nRandomPartitioning=0\n"


def test_normalized_sequences(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    learn = random.normal(size=(20, 5, 3)) * (1, 30, 0) + (0, 400, 7)
    test = learn[:4] * 2
    path = tmp_path / "data.npz"
    np.savez(path, x_train=learn, y_train=np.arange(20) % 2, x_test=test, y_test=np.zeros(4, int))

    def stimuli(normalization: str, name: str) -> np.ndarray:
        content = load(arrays(path, normalization))
        return np.stack([content.frame(one).image.reshape(5, 3) for one in content.ids(name).tolist()])

    assert np.allclose(stimuli("None", "Learn"), learn, rtol=1e-6)
    scaled = stimuli("ZScore", "Learn")
    assert np.allclose(scaled[..., :2].mean((0, 1)), 0, atol=1e-5)
    assert np.allclose(scaled[..., :2].std((0, 1)), 1, atol=1e-5)
    assert not scaled[..., 2].any()
    flat = learn.reshape(-1, 3)
    deviation = np.where(flat.std(0) > 0, flat.std(0), 1)
    assert np.allclose(stimuli("ZScore", "Test"), (test - flat.mean(0)) / deviation, atol=1e-4)
    powers = np.array([10.0, 1000.0, 10.0])
    assert np.abs(flat).max(0)[0] > 1
    assert np.allclose(stimuli("Decimal", "Test"), test / powers, rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "what"), [(np.zeros((4, 5)), "of shape"), (np.full((4, 5, 3), np.nan), "not finite")]
)
def test_what_is_no_sequence(tmp_path: Path, values: np.ndarray, what: str) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, x_train=values, y_train=np.zeros(4, int))
    assert what in refused(arrays(path, "ZScore"))
