"""Batches of stimuli that are files: workers, memory, faults, cache, labels a pixel, data of targets."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from n2d2py import data, ini
from n2d2py.data import held, sets
from n2d2py.data.draws import Draws
from n2d2py.data.faults import Faults
from n2d2py.data.pipeline import fingerprint
from n2d2py.data.random import Generator
from n2d2py.data.stimuli import Batch, Stimuli
from n2d2py.data.transformations.affine import AffineTransformation
from n2d2py.errors import DataError, ParameterError
from n2d2py.graph.settings import read_provider

DATABASE = "[database]\nType=DIR_Database\nDataPath={folder}\nLearn=0.75\nTest=0.25\nRandomPartitioning=0\n"
PROVIDER = "[sp]\nSize=6 5 3\nBatchSize=4\n"
RANDOM = """
[sp.Transformation-1]
Type=RangeAffineTransformation
FirstOperator=Minus
FirstValue=10 20 30
SecondOperator=Divides
SecondValue=3 7 11
[sp.Transformation-2]
Type=PadCropTransformation
Width=10
Height=9
ApplyTo=LearnOnly
[sp.Transformation-2b]
Type=PadCropTransformation
Width=6
Height=5
ApplyTo=NoLearn
[sp.OnTheFlyTransformation-3]
Type=SliceExtractionTransformation
Width=6
Height=5
RandomOffsetX=1
RandomOffsetY=1
ApplyTo=LearnOnly
[sp.OnTheFlyTransformation-4]
Type=FlipTransformation
RandomHorizontalFlip=1
RandomVerticalFlip=1
ApplyTo=LearnOnly
"""
CROP = """
[sp.Transformation]
Type=RandomResizeCropTransformation
Width=6
Height=5
ScaleMin=0.3
RatioMin=0.7
RatioMax=1.4
ApplyTo=LearnOnly
[sp.Transformation-b]
Type=RescaleTransformation
Width=6
Height=5
ApplyTo=NoLearn
"""
TUTORIAL = (
    """
[sp.Transformation-0]
Type=ColorSpaceTransformation
ColorSpace=RGB
[sp.Transformation-1]
Type=RangeAffineTransformation
FirstOperator=Divides
FirstValue=255.0
"""
    + CROP.replace("Transformation]", "Transformation-2]")
    + """
[sp.OnTheFlyTransformation]
Type=FlipTransformation
RandomHorizontalFlip=1
ApplyTo=LearnOnly
"""
)
FLIP = RANDOM.replace("RandomOffsetX=1\nRandomOffsetY=1\n", "OffsetX=2\n")
CONSTANT = RANDOM.replace("Height=9\n", "Height=9\nBorderType=ConstantBorder\nBorderValue=9 8 7\n")
CHAINS = [RANDOM, CROP, TUTORIAL, FLIP, CONSTANT]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two labels of eight images of 8x7 pixels each."""
    random = np.random.default_rng(1)
    for label in ("a", "b"):
        (tmp_path / "images" / label).mkdir(parents=True)
        for number in range(8):
            pixels = random.integers(0, 256, (7, 8, 3), np.uint8)
            assert cv2.imwrite(str(tmp_path / "images" / label / f"{number}.png"), pixels)
    return tmp_path / "images"


def make(text: str, folder: Path, **options: object) -> Stimuli:
    document = ini.loads(text.format(folder=folder), file="net.ini")
    return data.build(document, read_provider(document), Generator(7), **options)  # type: ignore[arg-type]


def learned(stimuli: Stimuli, epochs: int = 2) -> list[Batch]:
    generator = Generator(3)
    found = [batch for _ in range(epochs) for batch in stimuli.epoch(generator)]
    return [*found, *stimuli.draws(3, generator), *stimuli.passes("Test", 3), *stimuli.passes("Learn")]


def same(one: list[Batch], other: list[Batch]) -> bool:
    return len(one) == len(other) and all(
        mine.ids.tolist() == theirs.ids.tolist()
        and torch.equal(mine.inputs, theirs.inputs)
        and torch.equal(mine.labels, theirs.labels)
        for mine, theirs in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("memory", ["0", "100"])
def test_batches_are_the_same_for_any_number_of_workers(
    folder: Path, chain: str, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("N2D2_MEMORY", memory)
    expected = learned(make(DATABASE + PROVIDER + chain, folder, workers=0))
    assert expected[0].inputs.shape == (4, 3, 5, 6)
    assert expected[0].inputs.is_contiguous()
    for workers in (1, 2, 8):
        assert same(learned(make(DATABASE + PROVIDER + chain, folder, workers=workers)), expected)


@pytest.mark.parametrize("chain", CHAINS)
def test_memory_decides_nothing_but_the_time(folder: Path, chain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_MEMORY", "0")
    streamed = make(DATABASE + PROVIDER + chain, folder, workers=0)
    expected = learned(streamed)
    assert type(streamed._sets.chosen("Learn")) is sets.Streamed
    monkeypatch.delenv("N2D2_MEMORY")
    kept = make(DATABASE + PROVIDER + chain, folder, workers=0)
    assert same(learned(kept), expected)
    kept_set = kept._sets.chosen("Learn")
    assert type(kept_set) is held.Held
    assert (kept_set._moving is None) == (chain in (CROP, TUTORIAL))  # these are made step by step


def test_images_of_a_batch_are_those_made_one_by_one(folder: Path) -> None:
    stimuli = make(DATABASE + PROVIDER + RANDOM, folder, workers=0)
    generator, seed = Generator(3), Generator(3)
    order = np.arange(12)
    seed.shuffle(order)
    batches = list(range(3))
    seed.shuffle(batches)
    key = int(seed.words(1)[0])
    for batch, index in zip(stimuli.epoch(generator), batches, strict=True):
        for row, stimulus, found in zip(range(4 * index, 4 * index + 4), batch.ids, batch.inputs, strict=True):
            frame = stimuli.content.frame(int(stimulus))
            expected = stimuli.pipeline("Learn").transform(frame, Draws.of(key, 0, [row])).image
            assert np.array_equal(found.numpy(), expected.transpose(2, 0, 1))


def test_each_epoch_draws_anew_and_a_pass_does_not(folder: Path) -> None:
    stimuli = make(DATABASE + PROVIDER + RANDOM, folder, workers=0)
    generator = Generator(3)

    def by_id(batches: list[Batch]) -> torch.Tensor:
        ids = np.concatenate([batch.ids for batch in batches])
        return torch.cat([batch.inputs for batch in batches])[np.argsort(ids)]

    assert not torch.equal(by_id(list(stimuli.epoch(generator))), by_id(list(stimuli.epoch(generator))))
    assert same(list(stimuli.passes("Learn")), list(stimuli.passes("Learn")))


def test_an_epoch_that_is_left_early_leaves_no_work_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_MEMORY", "0")
    stimuli = make(DATABASE + PROVIDER + CROP, folder, workers=2)
    next(stimuli.epoch(Generator(1)))
    assert same(list(stimuli.passes("Test")), list(stimuli.passes("Test")))
    assert threading.active_count() < 10


# ------------------------------------------------------------------------------------------------- faults


def test_a_bad_stimulus_is_left_out_and_counted(folder: Path, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for memory in ("0", "100"):
        monkeypatch.setenv("N2D2_MEMORY", memory)
        bad = folder / "a" / "3.png"
        sound = bad.read_bytes()
        bad.write_bytes(sound[:-20])
        stimuli = make(DATABASE + PROVIDER + CROP, folder, workers=2)
        said.clear()
        for _ in range(2):
            batches = list(stimuli.epoch(Generator(1)))
            assert [len(batch) for batch in batches].count(3) == 1
            assert 3 not in np.concatenate([batch.ids for batch in batches])
        assert len([line for line in said if "is left out" in line]) == 1
        assert str(bad) in said[0]
        assert stimuli.faults.bad == {3: "the image is truncated: its end is missing"}
        stimuli.faults.report()
        assert said[-1] == "WARNING 1 stimuli were left out because they are bad: 3"
        bad.write_bytes(sound)


def test_a_bad_stimulus_at_the_start_is_an_error(folder: Path) -> None:
    (folder / "a" / "0.png").write_bytes(b"<html>")
    with pytest.raises(DataError, match="a web page"):
        make(DATABASE + PROVIDER + CROP, folder)
    stimuli = make(DATABASE + PROVIDER + CROP + "", folder, on_bad="skip", workers=0)
    assert sum(len(batch) for batch in stimuli.passes("Learn")) == 11


def test_a_bad_stimulus_ends_the_run_if_it_shall(folder: Path) -> None:
    (folder / "a" / "3.png").write_bytes(b"\1\2")
    for workers in (0, 2):
        stimuli = make(DATABASE + PROVIDER + CROP, folder, on_bad="fail", workers=workers)
        with pytest.raises(DataError, match="cannot be decoded"):
            list(stimuli.epoch(Generator(1)))


def test_when_most_are_bad_the_run_ends() -> None:
    faults = Faults()
    for stimulus in range(50):
        faults.add(stimulus, "x", DataError("damaged"), 100)
    with pytest.raises(DataError, match="51 stimuli are bad, the last of them: damaged"):
        faults.add(50, "x", DataError("damaged"), 100)
    with pytest.raises(ValueError, match="can fail or skip, not 'no'"):
        Faults("no")


def test_an_image_of_another_size_is_named(folder: Path) -> None:
    with pytest.raises(DataError) as error:
        make(DATABASE + PROVIDER, folder)
    assert "a/0.png (Learn) is 6x5x3, but its size after transformations is 8x7x3" in str(error.value)
    assert "net.ini:8" in str(error.value)


# -------------------------------------------------------------------------------------------------- cache


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_the_cache_follows_images_and_chain(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_MEMORY", "0")
    before = {path: path.stat().st_mtime_ns for path in files(folder)}
    text = DATABASE + PROVIDER + f"CachePath={tmp_path / 'cache'}\n" + RANDOM
    expected = learned(make(DATABASE + PROVIDER + RANDOM, folder, workers=0))
    assert same(learned(make(text, folder, workers=2)), expected)
    kept = files(tmp_path / "cache")
    assert len(kept) == 16
    assert same(learned(make(text, folder, workers=0)), expected)
    assert files(tmp_path / "cache") == kept
    changed = text.replace("FirstValue=10", "FirstValue=11")
    make(changed.replace("LearnOnly\n[sp.Transformation-2b", "LearnOnly\n[sp.Transformation-2b"), folder)
    kept[0].write_bytes(b"damaged")
    assert same(learned(make(text, folder, workers=0)), expected)
    assert {path: path.stat().st_mtime_ns for path in files(folder)} == before
    pixels = np.zeros((7, 8, 3), np.uint8)
    assert cv2.imwrite(str(folder / "a" / "0.png"), pixels)
    assert not same(learned(make(text, folder, workers=0)), expected)
    assert len(files(tmp_path / "cache")) == 17


def test_the_cache_follows_the_operand_of_an_affine(tmp_path: Path) -> None:
    operand = tmp_path / "operand.png"
    found = []
    for value in (1, 2):
        assert cv2.imwrite(str(operand), np.full((5, 6), value, np.uint8))
        step = AffineTransformation(first_operator="Plus", first_value=str(operand))
        found.append(fingerprint([step]))
        assert fingerprint([AffineTransformation(first_operator="Plus", first_value=str(operand))]) == found[-1]
    assert found[0] != found[1]


def test_a_cache_in_the_folder_of_the_data_is_refused(folder: Path) -> None:
    stimuli = make(DATABASE + PROVIDER + "CachePath={folder}/cache\n" + RANDOM, folder, workers=0)
    with pytest.raises(ParameterError, match="lies in the folder of the data"):
        list(stimuli.passes("Test"))


def test_random_transformations_are_not_frozen(
    folder: Path, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("N2D2_MEMORY", "0")
    text = DATABASE + PROVIDER + f"CachePath={tmp_path / 'cache'}\n" + CROP
    stimuli = make(text, folder, workers=0)
    assert any("draws are never frozen" in line for line in said)
    expected = learned(make(DATABASE + PROVIDER + CROP, folder, workers=0))
    assert same(learned(stimuli), expected)


# ------------------------------------------------------------------------- labels a pixel, depth, targets


@pytest.mark.parametrize("memory", ["0", "100"])
def test_a_label_a_pixel(folder: Path, memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_MEMORY", memory)
    flip = "[sp.OnTheFlyTransformation]\nType=FlipTransformation\nRandomHorizontalFlip=1\nApplyTo=LearnOnly\n"
    labels = "CompositeLabel=Default\nDefaultLabel=ground\nEquivLabelPartitioning=0\n"
    text = DATABASE + labels + "[sp]\nSize=8 7 3\nBatchSize=4\nCompositeStimuli=1\n"
    stimuli = make(text + flip, folder, workers=2)
    batch = next(stimuli.epoch(Generator(1)))
    assert batch.labels.shape == (4, 7, 8)
    assert batch.labels.dtype == torch.int64
    assert set(batch.labels.unique().tolist()) == {stimuli.label_names.index("ground")}
    with pytest.raises(DataError, match="has labels of 8x7, one label is wanted"):
        make(text.replace("CompositeStimuli=1\n", ""), folder)


def test_one_label_where_one_a_pixel_is_wanted(folder: Path) -> None:
    with pytest.raises(DataError, match="has labels of 1x1, one label a pixel is wanted"):
        make(DATABASE + "[sp]\nSize=8 7 3\nCompositeStimuli=1\n", folder)


def test_stimuli_with_a_depth(folder: Path) -> None:
    stimuli = make(DATABASE + "[sp]\nSize=8 7 3 1\nBatchSize=4\n", folder, workers=0)
    batch = next(stimuli.passes("Test"))
    assert batch.inputs.shape == (4, 1, 3, 7, 8)
    assert batch.codes is not None
    assert batch.codes.values.shape == (4, 1, 3, 7, 8)
    assert int(batch.codes.values[0, 0, 2, 1, 1]) == int(stimuli.content.frame(int(batch.ids[0])).image[1, 1, 2])


@pytest.fixture
def targets(tmp_path: Path) -> Path:
    """Target data of 3x2 pixels for each of the images."""
    (tmp_path / "targets").mkdir()
    for number in range(8):
        assert cv2.imwrite(str(tmp_path / "targets" / f"{number}.png"), np.full((2, 3), 51 * (number % 6), np.uint8))
    return tmp_path / "targets"


TARGETS = DATABASE + "TargetDataPath={targets}\n[sp]\nSize=8 7 3\nBatchSize=4\n"


def test_data_of_targets(folder: Path, targets: Path) -> None:
    text = TARGETS.replace("{targets}", str(targets)) + "TargetSize=3 2 1\n"
    stimuli = make(text, folder, workers=0)
    batch = next(stimuli.passes("Learn"))
    assert batch.target_data is not None
    assert (batch.target_data.shape, batch.target_data.dtype) == ((4, 1, 2, 3), torch.float32)
    assert batch.target_data[:, 0, 0, 0].tolist() == pytest.approx([0, 0.2, 0.4, 0.6])
    names = [int(Path(stimuli.name(int(one))).stem) % 6 for one in batch.ids]
    assert batch.target_data[:, 0, 1, 2].tolist() == pytest.approx([number / 5 for number in names])
    for number in range(8):
        image = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
        assert cv2.imwrite(str(targets / f"{number}.png"), image)
    deep = next(make(text.replace("=3 2 1", "=3 2 3 1"), folder, workers=0).passes("Learn"))
    assert deep.target_data is not None
    assert deep.target_data.shape == (4, 1, 3, 2, 3)
    assert deep.target_data[0, 0, :, 1, 0].tolist() == pytest.approx([9 / 255, 10 / 255, 11 / 255])


def test_data_of_targets_are_the_same_for_any_number_of_workers(folder: Path, targets: Path) -> None:
    text = TARGETS.replace("{targets}", str(targets)) + "TargetSizeX=3\nTargetSizeY=2\nTargetNbChannels=1\n"
    flip = "[sp.OnTheFlyTransformation]\nType=FlipTransformation\nRandomHorizontalFlip=1\nApplyTo=LearnOnly\n"
    one, other = (learned(make(text + flip, folder, workers=workers)) for workers in (0, 3))
    assert same(one, other)
    for mine, theirs in zip(one, other, strict=True):
        assert mine.target_data is not None
        assert theirs.target_data is not None
        assert torch.equal(mine.target_data, theirs.target_data)


def test_without_a_target_size_the_input_is_the_target(folder: Path, targets: Path, said: list[str]) -> None:
    stimuli = make(TARGETS.replace("{targets}", str(targets)), folder, workers=0)
    assert next(stimuli.passes("Learn")).target_data is None
    assert any("WARNING TargetDataPath has no effect without TargetSize" in line for line in said)


def test_bad_data_of_targets(folder: Path, targets: Path) -> None:
    text = TARGETS.replace("{targets}", str(targets))
    with pytest.raises(DataError, match=r"target data of stimulus .*0\.png is 2x2x1, but they are 3x2x1") as error:
        make(text + "TargetSize=2 2 1\n", folder, workers=0)
    assert "TargetSize" in str(error.value)
    assert "net.ini:" in str(error.value)
    (targets / "0.png").unlink()
    with pytest.raises(DataError, match=r"targets.0\.png"):
        make(text + "TargetSize=3 2 1\n", folder, workers=0)
    with pytest.raises(ParameterError, match="the database has no target data") as missing:
        make(DATABASE + "[sp]\nSize=8 7 3\nTargetSize=3 2 1\n", folder, workers=0)
    assert "TargetDataPath=" in str(missing.value)


def test_a_stimulus_of_bad_target_data_is_left_out(folder: Path, targets: Path, said: list[str]) -> None:
    stimuli = make(TARGETS.replace("{targets}", str(targets)) + "TargetSize=3 2 1\n", folder, workers=0)
    (targets / "3.png").write_bytes(b"no image")
    batch = next(stimuli.passes("Learn"))
    assert len(batch) == 3
    assert batch.target_data is not None
    assert batch.target_data[:, 0, 0, 0].tolist() == pytest.approx([0, 0.2, 0.4])
    assert any("3.png" in line for line in said if line.startswith("WARNING"))


def test_sixteen_bits_are_scaled_by_their_range(tmp_path: Path) -> None:
    (tmp_path / "images" / "a").mkdir(parents=True)
    values = [0, 32768, 65535, 1]
    for number, value in enumerate(values):
        image = np.full((2, 2), value, np.uint16)
        assert cv2.imwrite(str(tmp_path / "images" / "a" / f"{number}.png"), image)
    text = DATABASE.replace("0.75", "1").replace("0.25", "0") + "[sp]\nSize=2 2 1\nBatchSize=4\n"
    plain = next(make(text, tmp_path / "images", workers=0).passes("Learn"))
    assert plain.inputs[:, 0, 0, 0].tolist() == [float(np.float32(v) * np.float32(1 / 65535)) for v in values]
    assert plain.codes is not None
    assert plain.codes.values[:, 0, 0, 0].tolist() == values
    signed = next(make(text + "DataSignedMapping=1\n", tmp_path / "images", workers=0).passes("Learn"))
    assert signed.inputs[:, 0, 0, 0].tolist() == [(v - 32768) / 32768 for v in values]
