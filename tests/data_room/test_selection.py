from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from n2d2py.data.content import Content
from n2d2py.data.partition import Partition, counts_of_label
from n2d2py.data.random import Generator
from n2d2py.data.rois import rectangle
from n2d2py.data.selection import FilterRois, Slicing, SortAndDropLabels
from n2d2py.data.stimuli import Stimuli
from n2d2py.errors import ParameterError

from .trees import images, text

Build = Callable[..., Stimuli]


def content(count: int = 4, size: int = 6) -> Content:
    found = Content(Generator(1), False)
    images = np.arange(count * size * size, dtype=np.uint8).reshape(count, size, size)
    found.append(images, np.arange(count) % 3, "x")
    found.partition.split(1, 0, 0)
    return found


@pytest.mark.parametrize(("ascending", "kept"), [(True, ["1", "2"]), (False, ["0", "1"])])
def test_labels_are_sorted_and_dropped(ascending: bool, kept: list[str]) -> None:
    found = content()
    SortAndDropLabels(keep=2, ascending=ascending).change(found, Generator(1))
    assert found.label_names == kept


def test_the_sections_of_the_document_are_read(mnist: Path, build: Build) -> None:
    text = "[database]\nType=MNIST_IDX_Database\nRandomPartitioning=0\n[sp]\nSize=2 4 1\nBatchSize=4\n"
    stimuli = build(
        text
        + "[database.sortAndDropLabels]\nNbKeep=3\n"
        + "[database.slicing]\nWidth=2\nHeight=4\nStrideX=2\nStrideY=4\nApplyTo=All\nRandomShuffle=0\n"
    )
    assert stimuli.label_names == ["0", "1", "2"]
    assert stimuli.size("Learn") == 2 * 6
    assert next(stimuli.passes("Learn")).inputs.shape == (4, 1, 4, 2)
    with pytest.raises(ParameterError, match="unknown parameter NbKep"):
        build(text + "[database.sortAndDropLabels]\nNbKeep=3\nNbKep=3\n")


def test_slices_are_columns_from_left_to_right() -> None:
    found = content(1)
    slicing = Slicing(width=4, height=4, stride_x=4, stride_y=4, apply_to="LearnOnly", random_shuffle=False)
    slicing.change(found, Generator(1))
    assert found.partition.sets["Learn"] == [0, 1, 2, 3]
    assert [found.slices[index] for index in range(4)] == [(0, 0, 4, 4), (0, 4, 4, 2), (4, 0, 2, 4), (4, 4, 2, 2)]
    assert found.frame(3).image[..., 0].tolist() == [[28, 29], [34, 35]]
    assert found.name(3) == found.name(0)
    assert found.labels.tolist() == [0] * 4


def test_overlapping_slices_ignore_what_is_seen_twice() -> None:
    found = content(1)
    found.labels[:] = -1
    found.rois[0] = (rectangle(1, 0, 0, 6, 6),)
    slicing = Slicing(width=4, height=4, stride_x=4, stride_y=4, apply_to="All", random_shuffle=False, overlapping=True)
    slicing.change(found, Generator(1))
    assert found.slices[2] == (2, 0, 4, 4)
    assert found.frame(2).labels.tolist() == [[-1, -1, 1, 1]] * 4
    assert found.frame(1).labels.tolist() == [[-1] * 4] * 2 + [[1] * 4] * 2


def test_slices_are_shuffled_with_the_generator() -> None:
    found = content(2)
    Slicing(width=3, height=3, stride_x=3, stride_y=3, apply_to="All").change(found, Generator(5))
    expected = list(range(8))
    Generator(5).shuffle(expected)
    assert found.partition.sets["Learn"] == expected


@pytest.mark.parametrize(("keep", "left"), [(True, [0]), (False, [0, 1])])
def test_regions_are_filtered(keep: bool, left: list[int]) -> None:
    found = content()
    found.rois = {0: (rectangle(0, 0, 0, 1, 1), rectangle(1, 0, 0, 2, 2)), 1: (rectangle(1, 0, 0, 1, 1),)}
    FilterRois(labels=("0",), keep=keep).change(found, Generator(1))
    assert found.partition.sets["Learn"] == left
    assert [roi.label for roi in found.rois[0]] == [0 if keep else 1]
    with pytest.raises(ParameterError, match="no label 'zero'"):
        FilterRois(labels=("zero",)).change(found, Generator(1))


def test_stimuli_without_regions_can_be_kept() -> None:
    found = content()
    found.rois = {0: (rectangle(0, 0, 0, 1, 1),), 1: (rectangle(1, 0, 0, 1, 1),)}
    FilterRois(labels=("0",), remove_stimuli=False).change(found, Generator(1))
    assert found.partition.sets["Learn"] == [0, 1, 2, 3]
    assert set(found.rois) == {0}


def test_sections_of_regions_and_slices_come_in_their_order(tmp_path: Path, build: Build) -> None:
    root = images(tmp_path / "tree", ["1.png", "2.png", "3.png"])
    rois = text(tmp_path / "rois.csv", "1.png;0;0;2;6;x\n2.png;0;0;8;6;y\n3.png;6;0;8;6;x\n")
    database = (
        f"[database]\nType=DIR_Database\nDataPath={root}\nROIFile={rois}\nLabelDepth=-1\nDefaultLabel=none\n"
        "Learn=0\nPerLabelPartitioning=0\nTest=3\nRandomPartitioning=0\n"
    )
    # The sections stand in another order in the file; slices are cut of what the filter leaves.
    slicing = "[database.slicing]\nWidth=4\nHeight=6\nStrideX=4\nStrideY=6\nApplyTo=NoLearn\nRandomShuffle=0\n"
    regions = "[database.filterROIs]\nLabels=x\n"
    stimuli = build(database + slicing + regions + "[sp]\nSize=4 6 3\nCompositeStimuli=1\nBatchSize=4\n")
    batch = next(stimuli.passes("Test"))
    assert batch.ids.tolist() == [0, 2, 3, 4]
    x = stimuli.label_names.index("x")
    assert batch.labels[:, 0].tolist() == [[x, x, 0, 0], [0] * 4, [0] * 4, [0, 0, x, x]]


@pytest.mark.parametrize("key", ["Width", "Height", "StrideX", "StrideY", "ApplyTo"])
def test_every_key_of_slices_must_be_there(mnist: Path, build: Build, key: str) -> None:
    lines = ["Width=2", "Height=4", "StrideX=2", "StrideY=4", "ApplyTo=All"]
    given = "\n".join(line for line in lines if not line.startswith(f"{key}="))
    with pytest.raises(ParameterError, match=f"missing key {key}"):
        build(f"[database]\nType=MNIST_IDX_Database\n[sp]\nSize=2 4 1\n[database.slicing]\n{given}\n")


def test_the_example_of_four_folders() -> None:
    labels = np.repeat(np.arange(4), [800, 123, 435, 798])
    partition = Partition(Generator(1), random=False)
    partition.add(range(len(labels)))
    partition.split_per_label(0.4, 0.2, 0.4, True, labels)
    partition.split_per_label(0, 0, 0, False, labels)
    learn = labels[partition.sets["Learn"]]
    assert np.bincount(learn).tolist() == [49] * 4
    assert learn.tolist()[:49] == [1] * 49  # the smallest label has changed places with the first one
    assert np.bincount(labels[partition.sets["Validation"]]).tolist() == [25] * 4
    assert counts_of_label(123, 0.4, 0.2, 0.4) == (49, 25, 49)


def test_labels_are_drawn_one_after_the_other() -> None:
    labels = np.array([0, 1, 0, 1, -1, 0])
    partition = Partition(Generator(42))
    partition.add(range(6))
    partition.split_per_label(0.5, 0, 0.5, False, labels)
    generator, expected = Generator(42), {"Learn": [], "Test": []}
    for label, learn in ((0, 2), (1, 1)):
        left = np.flatnonzero(labels == label).tolist()
        for number in range(len(left)):
            expected["Learn" if number < learn else "Test"].append(left.pop(generator.integer(0, len(left) - 1)))
    assert {name: partition.sets[name] for name in expected} == expected
    assert partition.unpartitioned == [4]


def test_a_label_without_stimuli_caps_all(said: list[str]) -> None:
    partition = Partition(Generator(1))
    partition.add(range(4))
    partition.split_per_label(0.5, 0, 0.5, True, np.array([1, 2, 1, 2]), 3)
    assert partition.sets["Learn"] == []
    assert said == ["WARNING no stimulus was partitioned, because label 0 has no stimuli and all labels give as many"]
