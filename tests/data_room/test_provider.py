"""Sub-sections of the provider: order, channels, statistics, and documents whose data are not there."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from n2d2py import data, ini
from n2d2py.data.random import Generator
from n2d2py.data.statistics import Statistics, matrix_bytes, table
from n2d2py.data.stimuli import Stimuli
from n2d2py.errors import DataError, IniError, ParameterError
from n2d2py.graph.settings import read_provider

from .conftest import write_mnist
from .trees import image

Build = Callable[..., Stimuli]
DATABASE = "[database]\nType=MNIST_IDX_Database\nRandomPartitioning=0\n"
PROVIDER = "[sp]\nSizeX=4\nSizeY=4\nBatchSize=8\n"


def make(text: str) -> Stimuli:
    document = ini.loads(text, file="net.ini")
    return data.build(document, read_provider(document), Generator(1), workers=0)


def affine(name: str, operator: str, value: object, more: str = "") -> str:
    return f"[sp.{name}]\nType=RangeAffineTransformation\nFirstOperator={operator}\nFirstValue={value}\n{more}"


def planes(stimuli: Stimuli, stimulus: int = 3) -> list[float]:
    """One value of each channel of a stimulus."""
    values: list[float] = next(stimuli.passes("Learn")).inputs[stimulus, :, 0, 0].tolist()
    return values


# ----------------------------------------------------------------------------------------------- channels


def test_each_section_without_channel_makes_one(mnist: Path) -> None:
    text = (
        affine("ChannelTransformation-a", "Plus", 1)
        + affine("ChannelOnTheFlyTransformation", "Plus", 2)
        + affine("ChannelTransformation-b", "Multiplies", 10, "Channel=1\n")
        + affine("ChannelOnTheFlyTransformation-b", "Multiplies", 3, "Channel=0\n")
        + affine("ChannelsTransformation", "Multiplies", 2)
        + affine("Transformation", "Plus", 5)
    )
    stimuli = make(DATABASE + PROVIDER + text)
    assert stimuli.dims == (4, 4, 2)
    # The common one runs first; in channel 1 the cacheable ones come before the one that made it.
    assert planes(stimuli) == [(3 + 5 + 1) * 2 * 3, (3 + 5) * 10 * 2 + 2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (affine("ChannelTransformation", "Plus", 1, "Channel=0\n"), "there is no channel 0: 0 were made"),
        (affine("ChannelsTransformation", "Plus", 1), "for all channels, but none was made before it"),
        ("[sp.Adversarial]\nAttack=PGD\n", "no adversarial attacks"),
        (affine("MyTransformation", "Plus", 1), "[sp.MyTransformation] is of no known kind"),
        (affine("Transformation", "Plus", 1, "Channel=0\n"), "unknown parameter Channel"),
        ("[sp.StimuliData]\nApplyTo=LearnOnly\nMean=1\n", "unknown parameter Mean"),
    ],
)
def test_mistakes_in_sub_sections(mnist: Path, text: str, words: str) -> None:
    with pytest.raises(ParameterError) as error:
        make(DATABASE + PROVIDER + text)
    assert words in str(error.value)
    assert "net.ini:" in str(error.value)


def test_the_order_of_channels_on_the_fly(mnist: Path) -> None:
    text = (
        affine("ChannelOnTheFlyTransformation", "Plus", 2)
        + affine("ChannelTransformation-b", "Multiplies", 10)
        + affine("ChannelsOnTheFlyTransformation", "Multiplies", 3)
        + affine("ChannelsTransformation", "Plus", 1)
        + affine("OnTheFlyTransformation", "Multiplies", 2, "ApplyTo=LearnOnly\n")
    )
    stimuli = make(DATABASE + PROVIDER + text)
    # Whole images, those on the fly too, then in each channel what is cacheable, then what is on the fly.
    assert planes(stimuli) == [(3 * 2 + 1 + 2) * 3, (3 * 2 * 10 + 1) * 3]
    assert next(stimuli.passes("Test")).inputs[3, :, 0, 0].tolist() == [(3 + 1 + 2) * 3, (3 * 10 + 1) * 3]


def test_bytes_of_channels_are_scaled_in_the_end(mnist: Path) -> None:
    flip = "[sp.ChannelTransformation{}]\nType=FlipTransformation\nHorizontalFlip=1\n"
    stimuli = make(DATABASE + PROVIDER + flip.format("") + flip.format("-b"))
    assert planes(stimuli) == [float(np.float32(3) * np.float32(1 / 255))] * 2
    assert stimuli.scales_implicitly("Learn")


def test_each_channel_ends_as_one_plane(folder: Path) -> None:
    image(folder / "images" / "a" / "0.png", 7)
    text = f"[database]\nType=DIR_Database\nDataPath={folder}/images\nLearn=1\n[sp]\nSize=8 6 3\n"
    with pytest.raises(DataError, match="channel 0 has 3 planes after its transformations") as error:
        make(text + affine("ChannelTransformation", "Plus", 1))
    assert "ChannelExtractionTransformation" in str(error.value)
    extract = "[sp.ChannelTransformation{0}]\nType=ChannelExtractionTransformation\nCSChannel={0}\n"
    crop = "[sp.ChannelTransformation-crop]\nType=PadCropTransformation\nWidth=6\nHeight=6\nChannel=1\n"
    with pytest.raises(DataError, match="channels of 6x6 and 8x6 pixels cannot be one image"):
        make(text + extract.format("Red") + extract.format("Blue") + crop)


def test_other_sub_sections_are_left_alone(mnist: Path) -> None:
    assert planes(make(DATABASE + PROVIDER + "[sp.config]\nx=1\n")) == [float(np.float32(3) * np.float32(1 / 255))]


# --------------------------------------------------------------------------------------------- statistics


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


STATISTICS = "[sp.StimuliData-x]\nApplyTo=LearnOnly\nMeanData=1\nStdDevData=1\nLogValueRange=1\nLogSizeRange=1\n"


def test_statistics_of_raw_stimuli(mnist: Path, folder: Path, said: list[str]) -> None:
    values = np.repeat(np.arange(20.0), 16)
    mean, deviation = values.mean(), values.std(ddof=1)
    minus = affine("Transformation", "Minus", "[sp.StimuliData-x]_GlobalValue.mean")
    stimuli = make(DATABASE + PROVIDER + STATISTICS + minus)
    assert planes(stimuli) == [float(np.float32(3) - np.float32(9.5))]
    assert "INFO [sp.StimuliData-x] min 0, max 19, mean 9.5, stdDev 5.77531" in said
    assert f"{deviation:.6g}" == "5.77531"
    text = (folder / "sp.StimuliData-x" / "data.dat").read_text()
    assert "20 4 4 1\n" in text
    assert f"0.00000 19.0000 {mean:#.6g} 5.77531\n" in text
    assert "\n19 19 19\n" in text
    mean_image = (folder / "sp.StimuliData-x" / "meanData.bin").read_bytes()
    assert struct.unpack("<3i", mean_image[:12]) == (4, 4, 6)
    assert np.frombuffer(mean_image[12:]).tolist() == [9.5] * 16
    deviation_image = np.frombuffer((folder / "sp.StimuliData-x" / "stdDevData.bin").read_bytes()[12:])
    assert deviation_image == pytest.approx([np.arange(20.0).std(ddof=1)] * 16)


def test_published_numbers_have_six_digits(mnist: Path, folder: Path) -> None:
    divide = affine("Transformation", "Divides", "[sp.StimuliData-x]_GlobalValue.stdDev")
    assert planes(make(DATABASE + PROVIDER + STATISTICS + divide)) == [float(np.float32(3) * np.float32(1 / 5.77531))]


def test_after_a_transformation_integers_are_scaled_to_one(mnist: Path, folder: Path, said: list[str]) -> None:
    pad = "[sp.Transformation-a]\nType=PadCropTransformation\nWidth=2\nHeight=2\nApplyTo=NoTest\n"
    make(DATABASE + "[sp]\nSize=2 2 1\n" + pad + STATISTICS + pad.replace("-a", "-b").replace("NoTest", "All"))
    deviation = np.repeat(np.arange(20) / 255, 4).std(ddof=1)
    assert f"INFO [sp.StimuliData-x] min 0, max 0.0745098, mean 0.0372549, stdDev {deviation:.6g}" in said


def test_statistics_see_what_stands_above_them_only(mnist: Path, folder: Path, said: list[str]) -> None:
    plus = affine("Transformation-a", "Plus", 100)
    make(DATABASE + PROVIDER + plus + STATISTICS + affine("Transformation-b", "Plus", 1000))
    assert any("min 100, max 119, mean 109.5" in line for line in said)


def test_statistics_are_never_stale(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    results = []
    for count in (20, 10):
        write_mnist(tmp_path / "mnist", learn=count)
        make(DATABASE + PROVIDER + STATISTICS)
        results.append((tmp_path / "sp.StimuliData-x" / "data.dat").read_text())
    assert results[0] != results[1]


def test_images_of_several_sizes_have_no_mean_image() -> None:
    found = Statistics()
    found.add(np.zeros((2, 2, 1), np.uint8), 0, by_place=True)
    found.add(np.full((2, 3, 1), 6, np.uint8), 1, by_place=True)
    assert (found.mean_image(), found.deviation_image()) == (None, None)
    assert found.values[2] == pytest.approx(3.6)
    assert table(found).startswith("# minVal")
    assert table(found, sizes=True).startswith("# images width height channels\n1 2 2 1\n1 3 2 1\n")
    assert Statistics().values == (0, 0, 0, 0)


def test_what_is_logged_is_what_the_section_asks_for(mnist: Path, folder: Path) -> None:
    make(DATABASE + PROVIDER + "[sp.StimuliData]\nApplyTo=NoLearn\n")
    written = folder / "sp.StimuliData"
    lines = (written / "data.dat").read_text().splitlines()
    assert lines == ["# minVal maxVal mean stdDev", f"0.00000 9.00000 4.50000 {_deviation(10):#.6g}"]
    assert [path.name for path in written.iterdir()] == ["data.dat"]
    make(DATABASE + PROVIDER + "[sp.StimuliData]\nLogSizeRange=1\n")
    assert (written / "data.dat").read_text().splitlines()[:2] == ["# images width height channels", "30 4 4 1"]


def _deviation(count: int) -> float:
    return float(np.repeat(np.arange(float(count)), 16).std(ddof=1))


def test_the_mean_image_is_subtracted_by_a_section_below(mnist: Path, folder: Path) -> None:
    minus = "[sp.Transformation]\nType=AffineTransformation\nFirstOperator=Minus\n"
    minus += "FirstValue=[sp.StimuliData-x]_MeanData\n"
    minus += "SecondOperator=Divides\nSecondValue=[sp.StimuliData-x]_StdDevData\n"
    expected = (np.arange(8) - 9.5) / np.arange(20.0).std(ddof=1)
    batch = next(make(DATABASE + PROVIDER + STATISTICS + minus).passes("Learn"))
    assert batch.inputs[:, 0, 3, 2].tolist() == pytest.approx(expected.tolist())


def test_statistics_of_what_a_mean_image_was_subtracted_from(mnist: Path, folder: Path) -> None:
    minus = "[sp.Transformation]\nType=AffineTransformation\nFirstOperator=Minus\n"
    minus += "FirstValue=[sp.StimuliData-x]_MeanData\n"
    second = "[sp.StimuliData-y]\nApplyTo=LearnOnly\n"
    divide = affine("Transformation-2", "Divides", "[sp.StimuliData-y]_GlobalValue.stdDev")
    for count in (20, 16):
        write_mnist(mnist, learn=count)
        values = np.arange(float(count)) - np.arange(float(count)).mean()
        deviation = float(f"{np.repeat(values, 16).std(ddof=1):.6g}")
        batch = next(make(DATABASE + PROVIDER + STATISTICS + minus + second + divide).passes("Learn"))
        assert batch.inputs[:, 0, 0, 0].tolist() == pytest.approx((values[:8] / deviation).tolist())


def test_mean_images_of_several_sizes_are_left_out_with_a_warning(folder: Path, said: list[str]) -> None:
    for number in range(4):
        image(folder / "images" / "a" / f"{number}.png", number, width=3 + number % 2)
    text = f"[database]\nType=DIR_Database\nDataPath={folder}/images\nLearn=1\n[sp]\nSize=3 6 3\n"
    rescale = "[sp.Transformation]\nType=RescaleTransformation\nWidth=3\nHeight=6\n"
    make(text + STATISTICS + rescale)
    assert any("stimuli differ in size" in line for line in said if line.startswith("WARNING"))
    assert not list((folder / "sp.StimuliData-x").glob("*.bin"))


@pytest.mark.parametrize(
    ("dtype", "channels", "code"), [("uint8", 1, 0), ("uint8", 3, 16), ("int16", 2, 11), ("float64", 3, 22)]
)
def test_the_format_of_matrices(dtype: str, channels: int, code: int) -> None:
    image = np.arange(6 * channels).reshape(2, 3, channels).astype(dtype)
    content = matrix_bytes(image)
    assert struct.unpack("<3i", content[:12]) == (2, 3, code)
    assert content[12:] == image.tobytes()


# ------------------------------------------------------------------------------------ without their data


def test_a_tolerant_source_says_once_that_the_data_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path / "nothing"))
    text = DATABASE + PROVIDER + STATISTICS + affine("T", "Plus", 1).replace("sp.T", "other")
    text += "Size=[sp]_EpochSize\nLow=[sp.StimuliData-x]_GlobalValue.minVal\nMean=[sp.StimuliData-x]_GlobalValue.mean\n"
    document = ini.loads(text, file="net.ini")
    source = data.publish_epoch_size(document, Generator(1), tolerant=True)
    values = {key: value.text for key in ("Size", "Low", "Mean") if (value := document.value("other", key))}
    assert (values["Low"], values["Mean"]) == ("0.00000", "127.500")
    assert int(values["Size"]) == (source.database.nominal_size() or 1)  # type: ignore[union-attr]
    assert len([line for line in said if "the data are not there" in line]) == 1
    with pytest.raises(DataError):
        _ = source.content
    document = ini.loads(text, file="net.ini")
    data.publish_epoch_size(document, Generator(1))
    with pytest.raises((DataError, IniError)):
        document.value("other", "Size")


def test_the_size_of_an_epoch_can_be_read_by_transformations(mnist: Path) -> None:
    assert planes(make(DATABASE + PROVIDER + affine("Transformation", "Plus", "[sp]_EpochSize"))) == [23]


def test_a_section_of_attacks_that_asks_for_none_is_accepted(mnist: Path) -> None:
    text = DATABASE + PROVIDER + "[sp.Adversarial]\nAttack=None\nEps=0.1\nNbIterations=10\n"
    assert make(text).size("Learn") == make(DATABASE + PROVIDER).size("Learn")
