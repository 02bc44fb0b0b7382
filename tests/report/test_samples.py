"""Sheets of stimuli, samples, statistics of the database, and the graph of transformations."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from n2d2py import data, ini
from n2d2py.data.random import Generator
from n2d2py.data.stimuli import Stimuli
from n2d2py.errors import UsageError
from n2d2py.graph.settings import read_provider
from n2d2py.report import dataset, samples, transformations

NETWORK = """
[database]
Type=DIR_Database
DataPath={folder}
Learn=0.5
Test=0.5
RandomPartitioning=0
[sp]
Size=6 6 3
BatchSize=4
[sp.Transformation-1]
Type=ColorSpaceTransformation
ColorSpace=RGB
[sp.Transformation-2]
Type=RescaleTransformation
Width=8
Height=8
[sp.OnTheFlyTransformation-3]
Type=SliceExtractionTransformation
Width=6
Height=6
RandomOffsetX=1
RandomOffsetY=1
ApplyTo=LearnOnly
[sp.Transformation-4]
Type=PadCropTransformation
Width=6
Height=6
ApplyTo=NoLearn
"""


@pytest.fixture
def stimuli(tmp_path: Path) -> Stimuli:
    random = np.random.default_rng(1)
    for label in ("cat", "a dog"):
        (tmp_path / "images" / label).mkdir(parents=True)
        for number in range(4):
            side = 10 + number % 2
            pixels = np.zeros((side, 12, 3), np.uint8)
            pixels[..., 0] = random.integers(100, 200)  # blue
            assert cv2.imwrite(str(tmp_path / "images" / label / f"{number}.png"), pixels)
    document = ini.loads(NETWORK.format(folder=tmp_path / "images"), file="net.ini")
    return data.build(document, read_provider(document), Generator(1), workers=0)


def test_a_sheet_of_each_set_that_has_stimuli(stimuli: Stimuli, tmp_path: Path) -> None:
    files = samples.write_sheets(stimuli, tmp_path)
    assert [path.name for path in files] == ["stimuli.Learn.png", "stimuli.Test.png"]
    sheet = cv2.imread(str(files[0]))
    blue, green, red = (sheet[..., channel].astype(int) for channel in range(3))
    assert ((blue > 90) & (red < 20) & (green < 20)).sum() > 1000  # blue is shown as blue, although it is last
    assert samples.is_rgb(stimuli, "Learn")


def test_samples_of_one_stimulus(stimuli: Stimuli, tmp_path: Path) -> None:
    folder = samples.write_samples(stimuli, 1, tmp_path)
    files = sorted(folder.iterdir())
    assert folder.name == "pre_samples_1"
    assert [files[0].name, files[-1].name, len(files)] == ["sample_00.jpg", "sample_99.jpg", 100]
    assert cv2.imread(str(files[0])).shape == (6, 6, 3)
    with pytest.raises(UsageError, match="-pre-samples 4: the learning set has 4 stimuli"):
        samples.write_samples(stimuli, 4, tmp_path)


def test_statistics_of_the_database(stimuli: Stimuli, tmp_path: Path) -> None:
    files = dataset.write_statistics(stimuli, tmp_path / "dbstats")
    names = {path.name for path in files}
    assert names == {"labels.dat", "labels.png", "sizes_Learn.dat", "sizes_Test.dat", "sizes.png"}
    lines = (tmp_path / "dbstats" / "labels.dat").read_text().splitlines()
    assert lines == [
        "label name Learn Validation Test Learn% Validation% Test%",
        '0 "/a dog" 2 0 2 50.00 0.00 50.00',
        "1 /cat 2 0 2 50.00 0.00 50.00",
    ]
    assert (tmp_path / "dbstats" / "sizes_Learn.dat").read_text() == "width height stimuli\n12 10 2\n12 11 2\n"
    assert cv2.imread(str(tmp_path / "dbstats" / "labels.png")) is not None


def test_the_graph_of_transformations(stimuli: Stimuli) -> None:
    source = transformations.graph_of(stimuli).source
    assert "cluster_Learn" in source
    assert "cluster_Validation" not in source
    assert "Learn: 4 stimuli" in source
    for words in ("ColorSpace = RGB", "?x? 8U", "8x8x3 8U", "6x6x3 8U", "RandomOffsetX = 1", "implicit scaling"):
        assert words in source
    learn = source[source.index("cluster_Learn") : source.index("cluster_Test")]
    assert "SliceExtraction" in learn
    assert "PadCrop" not in learn
    assert transformations.graph_of(stimuli).source == source


def test_the_files_of_each_set_are_listed(stimuli: Stimuli, tmp_path: Path) -> None:
    files = dataset.write_partition(stimuli, tmp_path / "db_partition")
    assert [file.name for file in files] == ["Learn.log", "Validation.log", "Test.log"]
    for file, name in zip(files, ("Learn", "Validation", "Test"), strict=True):
        date, *paths = file.read_text().splitlines()
        assert date.startswith("# 20")
        assert paths == [stimuli.name(stimulus) for stimulus in stimuli.ids(name).tolist()]
