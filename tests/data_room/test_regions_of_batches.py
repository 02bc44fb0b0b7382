"""The labelled regions that come with batches: they lie where the transformations have moved the pixels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from n2d2py import data, ini
from n2d2py.data import held, rois, sets
from n2d2py.data.random import Generator
from n2d2py.data.rois import Circle, Polygon, rectangle
from n2d2py.data.stimuli import Batch, Stimuli
from n2d2py.graph.settings import read_provider

from .trees import text

DATABASE = """
[database]
Type=DIR_Database
DataPath={folder}
ROIFile={folder}/regions.csv
Depth=0
ValidExtensions=png
LabelDepth=-1
CompositeLabel=None
PerLabelPartitioning=0
RandomPartitioning=0
Learn=9
Test=3
[sp]
Size=12 10 1
BatchSize=4
"""
CROP = """
[sp.Transformation]
Type=PadCropTransformation
Width=12
Height=10
BorderType=ConstantBorder
"""
MOVES = """
[sp.Transformation-1]
Type=PadCropTransformation
Width=18
Height=14
BorderType=ConstantBorder
[sp.OnTheFlyTransformation-2]
Type=SliceExtractionTransformation
Width=12
Height=10
RandomOffsetX=1
RandomOffsetY=1
[sp.OnTheFlyTransformation-3]
Type=FlipTransformation
RandomHorizontalFlip=1
RandomVerticalFlip=1
"""
CHANNEL = "[sp.ChannelTransformation]\nType=ChannelExtractionTransformation\nCSChannel=Gray\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images of 16x12 pixels with one bright rectangle each, the last without any."""
    draw = np.random.default_rng(2)
    lines = []
    for number in range(12):
        image = np.zeros((12, 16), np.uint8)
        if number < 11:
            width, height = draw.integers(3, 7, 2)
            x, y = int(draw.integers(0, 16 - width)), int(draw.integers(0, 12 - height))
            image[y : y + height, x : x + width] = 200
            lines.append(f"{number:02d}.png;{x};{y};{x + width};{y + height};{'ab'[number % 2]}")
        assert cv2.imwrite(str(tmp_path / f"{number:02d}.png"), image)
    text(tmp_path / "regions.csv", "\n".join([*lines, ""]))
    return tmp_path


def make(chain: str, folder: Path, **options: object) -> Stimuli:
    document = ini.loads(DATABASE.format(folder=folder) + chain, file="net.ini")
    return data.build(document, read_provider(document), Generator(7), **options)  # type: ignore[arg-type]


def with_regions(chain: str, folder: Path, **options: object) -> Stimuli:
    stimuli = make(chain, folder, **options)
    stimuli.give_regions()
    return stimuli


def learned(stimuli: Stimuli) -> list[Batch]:
    generator = Generator(3)
    found = [batch for _ in range(2) for batch in stimuli.epoch(generator)]
    return [*found, *stimuli.draws(2, generator), *stimuli.passes("Test", 2)]


def bright(image: torch.Tensor) -> list[list[float]]:
    """The bounding box of what is bright in an image (1, height, width), none without any."""
    rows, columns = image[0].nonzero(as_tuple=True)
    if not len(rows):
        return []
    left, top = int(columns.min()), int(rows.min())
    return [[left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1]]


@pytest.mark.parametrize("chain", [CROP, MOVES])
@pytest.mark.parametrize("memory", ["0", "100"])
@pytest.mark.parametrize("workers", [0, 1, 4])
def test_regions_lie_where_the_pixels_are(
    folder: Path, chain: str, memory: str, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("N2D2_MEMORY", memory)
    stimuli = with_regions(chain, folder, workers=workers)
    batches = learned(stimuli)
    assert type(stimuli._sets.chosen("Learn")) is (sets.Streamed if memory == "0" else held.Held)
    seen = 0
    for batch in batches:
        assert batch.regions is not None
        assert len(batch.regions) == len(batch.ids)
        for stimulus, image, regions in zip(batch.ids.tolist(), batch.inputs, batch.regions, strict=True):
            assert regions.dtype == torch.float32
            assert regions.shape[1] == 5
            assert regions[:, :4].tolist() == bright(image)
            assert all(label == stimulus % 2 for label in regions[:, 4].tolist())
            seen += len(regions)
    assert seen > 20


@pytest.mark.parametrize("chain", [CROP, MOVES])
def test_images_are_the_same_with_regions_and_without(folder: Path, chain: str) -> None:
    plain, asked = (learned(one) for one in (make(chain, folder), with_regions(chain, folder)))
    for one, other in zip(plain, asked, strict=True):
        assert one.regions is None
        assert torch.equal(one.inputs, other.inputs)
        assert one.ids.tolist() == other.ids.tolist()


def test_they_may_be_asked_for_after_batches_were_made(folder: Path) -> None:
    stimuli = make(CROP, folder)
    first = list(stimuli.passes("Test"))
    memory = stimuli._sets.memory
    stimuli.give_regions()
    again = list(stimuli.passes("Test"))
    assert stimuli._sets.memory == memory
    assert torch.equal(first[0].inputs, again[0].inputs)
    assert again[0].regions is not None


def test_regions_survive_channels_of_their_own(folder: Path) -> None:
    (batch, *_) = with_regions(CROP + CHANNEL, folder).passes("Test")
    assert batch.regions is not None
    assert [regions[:, :4].tolist() for regions in batch.regions] == [bright(image) for image in batch.inputs]


def test_a_bad_stimulus_has_no_regions_either(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for memory in ("0", "100"):
        monkeypatch.setenv("N2D2_MEMORY", memory)
        stimuli = with_regions(CROP, folder, on_bad="skip")
        (folder / "03.png").write_bytes(b"no image")
        (batch, *_) = stimuli.passes("Learn", 9)
        assert batch.regions is not None
        assert (len(batch), len(batch.regions)) == (8, 8)
        assert [one[:, :4].tolist() for one in batch.regions] == [bright(image) for image in batch.inputs]
        cv2.imwrite(str(folder / "03.png"), np.zeros((12, 16), np.uint8))


def test_transformations_that_leave_regions_behind_are_told(folder: Path, said: list[str]) -> None:
    chain = "[sp.Transformation]\nType=RandomResizeCropTransformation\nWidth=12\nHeight=10\nScaleMin=0.5\n"
    stimuli = make(chain, folder)
    assert not [line for line in said if "RandomResizeCrop" in line and "regions" in line]
    stimuli.give_regions()
    stimuli.give_regions()
    (line,) = [line for line in said if "RandomResizeCrop" in line and "regions" in line]
    assert "moves pixels and not the regions of stimuli, at: net.ini:" in line


def test_labels_of_regions(folder: Path) -> None:
    stimuli = make(CROP, folder)
    assert stimuli.region_labels("Learn").tolist() == [0, 1] * 4 + [0]
    assert stimuli.region_labels("Test").tolist() == [1, 0]
    assert stimuli.default_label == -1


def test_stimuli_that_are_cropped_to_their_region_have_none(folder: Path) -> None:
    labelled = DATABASE.replace("LabelDepth=-1\nCompositeLabel=None\n", "")
    document = ini.loads(labelled.format(folder=folder), file="net.ini")
    database = data.publish_epoch_size(document, Generator(1)).content
    assert database.rois
    stimuli = Stimuli(database, {}, read_provider(document))
    assert stimuli.region_labels("Learn").tolist() == []


def test_boxes_are_cut_at_the_borders() -> None:
    regions = (
        rectangle(0, -4, 2, 3, 5),
        rectangle(1, 8, 8, 20, 20),
        rectangle(2, 20, 0, 24, 4),  # outside
        rectangle(-1, 0, 0, 4, 4),  # without a label
        Polygon(3),  # without a pixel
        Circle(4, 5, 5, 2),
    )
    assert rois.boxes(regions, 10, 12).tolist() == [[0, 2, 3, 3, 0], [8, 8, 2, 4, 1], [3, 3, 5, 5, 4]]
    assert rois.boxes((), 10, 12).shape == (0, 5)
