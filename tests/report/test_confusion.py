"""Confusion matrices, their scores, single mistakes and the log of all classifications, in N2D2's formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from n2d2py.learn.metrics import Confusion
from n2d2py.learn.testing import Mistake
from n2d2py.report import confusion

COUNTS = Confusion(np.array([[8, 2, 0], [1, 9, 0], [0, 0, 0]], dtype=np.int64))


def test_matrix_lists_every_pair_with_its_share(tmp_path: Path) -> None:
    files = confusion.write_confusion(tmp_path, "test", COUNTS, ["cat", "big dog"])
    names = ["ConfusionMatrix_test.dat", "ConfusionMatrix_test_score.dat", "ConfusionMatrix_test.png"]
    assert [file.name for file in files] == names
    lines = files[0].read_text().splitlines()
    assert lines[:4] == ["target estimated # %", "0 0 8 0.8", "0 1 2 0.2", "0 2 0 0"]
    assert len(lines) == 1 + 9
    assert lines[-1] == "2 2 0 0"


def test_scores_average_over_the_classes_that_occur() -> None:
    lines = confusion.score_text(COUNTS, ["cat", "big dog", "2"]).splitlines()
    assert lines[0] == "Target TargetName Sensitivity Specificity Precision Accuracy F1-score Informedness IU"
    assert lines[1] == "0 cat 0.8 0.9 0.888889 0.85 0.842105 0.7 0.727273"
    assert lines[2].startswith('1 "big dog" 0.9 0.8 0.818182 ')
    assert lines[4] == ""
    assert lines[5].startswith("- AVG 0.85 0.85 ")
    assert len(lines) == 6


def test_what_a_mask_left_out_enters_no_average() -> None:
    names = confusion.class_names(["cat", "dog"], 3, masked=True)
    assert names == ["cat", "dog", "∅"]
    counts = Confusion(np.array([[5, 0, 0], [0, 5, 0], [3, 3, 0]], dtype=np.int64))
    assert confusion.score_text(counts, names, masked=True).splitlines()[-1].startswith("- AVG 1 ")


def test_classes_without_a_name_go_by_number() -> None:
    assert confusion.class_names(["a", ""], 3) == ["a", "1", "2"]


def test_row_shares_of_an_empty_row_are_zero() -> None:
    assert confusion.row_shares(COUNTS.matrix)[2].tolist() == [0.0, 0.0, 0.0]


def test_mistakes_name_the_stimulus(tmp_path: Path) -> None:
    found = [Mistake(7, 1, 0, 1), Mistake(9, 0, 1, 25)]
    file = confusion.write_mistakes(tmp_path, "test", found, lambda index: f'image "{index}".png', ["cat", "big dog"])
    assert file.name == "Misclassified_test.dat"
    assert file.read_text().splitlines() == [
        "# name target estimated count",
        '7 "image \\"7\\".png" "big dog" cat 1',
        '9 "image \\"9\\".png" cat "big dog" 25',
    ]


def test_mistakes_without_names_of_classes(tmp_path: Path) -> None:
    file = confusion.write_mistakes(tmp_path, "test", [Mistake(7, 1, 0, 1)], str)
    assert file.read_text().splitlines()[1] == '7 "7" 1 0 1'


def test_classifications_show_all_outputs(tmp_path: Path) -> None:
    outputs = np.array([[0.25, 0.75], [0.9, 0.1]])
    ids, labels, estimated = np.array([3, 4]), np.array([1, -1]), np.array([1, 0])
    file = confusion.write_classifications(tmp_path, "test", ids, labels, estimated, outputs, lambda index: f"s{index}")
    assert file == tmp_path / "test" / "classif.log"
    assert file.read_text() == '3 "s3" 1 1 0.75 0.25 0.75\n4 "s4" -1 0 0.9 0.9 0.1\n'


def test_one_output_has_the_value_of_its_only_neuron(tmp_path: Path) -> None:
    ids = np.array([0])
    file = confusion.write_classifications(tmp_path, "t", ids, np.array([1]), np.array([1]), np.array([[0.7]]), str)
    assert file.read_text() == '0 "0" 1 1 0.7 0.7\n'


def test_pictures_of_few_many_and_perfect_classes(tmp_path: Path) -> None:
    for size in (1, 2, 30, 60):
        matrix = np.eye(size, dtype=np.int64) * (3 if size != 30 else 0)
        names = [f"a rather long name of class {index}" for index in range(size)]
        files = confusion.write_confusion(tmp_path, str(size), Confusion(matrix), names)
        assert files[-1].read_bytes().startswith(b"\x89PNG")
