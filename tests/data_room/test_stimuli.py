from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from n2d2py.data.random import Generator
from n2d2py.data.stimuli import Stimuli
from n2d2py.errors import DataError, ParameterError
from n2d2py.quant.grid import Grid

from .conftest import write_mnist

Build = Callable[..., Stimuli]
DATABASE = "[database]\nType=MNIST_IDX_Database\nRandomPartitioning=0\n"
PROVIDER = "[sp]\nSizeX=4\nSizeY=4\nBatchSize=8\n"
DIVIDE = "[sp.Transformation]\nType=RangeAffineTransformation\nFirstOperator=Divides\nFirstValue=2\n"


def values(stimuli: Stimuli, name: str = "Learn") -> list[float]:
    """One value of each image of a set."""
    return torch.cat([batch.inputs[:, 0, 0, 0] for batch in stimuli.passes(name)]).tolist()


def expected_epoch(count: int, size: int, seed: int) -> list[list[int]]:
    """The batches of an epoch, by the words of the specification."""
    generator = Generator(seed)
    order = list(range(count))
    while len(order) % size:
        order.append(generator.integer(0, count - 1))
    generator.shuffle(order)
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    generator.shuffle(batches)
    return batches


def test_console(mnist: Path, build: Build, said: list[str]) -> None:
    build(DATABASE + "Validation=0.2\n" + PROVIDER)
    assert said == [
        "INFO Learning database size: 16 images",
        "INFO Validation database size: 4 images",
        "INFO Testing database size: 10 images",
        "NOTICE stimuli depth is 8U (according to database first stimulus)",
        "NOTICE normalizing the stimuli in the [0;1] range.",
    ]


def test_sizes_names_and_labels(mnist: Path, build: Build) -> None:
    stimuli = build(DATABASE + "Validation=0.2\n" + PROVIDER)
    assert (stimuli.size("Learn"), stimuli.size("Validation"), stimuli.size("Test")) == (16, 4, 10)
    assert (stimuli.dims, stimuli.batch_size) == ((4, 4, 1), 8)
    assert stimuli.label_names == list("0123456789")
    assert stimuli.name(17) == f"{mnist / 'train-images-idx3-ubyte'}[00017].pgm"
    assert stimuli.ids("Validation").tolist() == [16, 17, 18, 19]
    assert stimuli.labels("Validation").tolist() == [6, 7, 8, 9]


@pytest.mark.parametrize(("learn", "size"), [(10, 4), (12, 4), (3, 8), (1, 1), (20, 7)])
def test_an_epoch_is_that_of_the_specification(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Build, learn: int, size: int
) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    write_mnist(tmp_path / "mnist", learn=learn)
    stimuli = build(DATABASE + f"[sp]\nSizeX=4\nSizeY=4\nBatchSize={size}\n")
    generator = Generator(5)
    batches = list(stimuli.epoch(generator))
    assert [batch.ids.tolist() for batch in batches] == expected_epoch(learn, size, 5)
    assert set(np.concatenate([batch.ids for batch in batches]).tolist()) == set(range(learn))
    for batch in batches:
        assert len(batch) == size
        assert batch.inputs.shape == (size, 1, 4, 4)
        assert batch.inputs.dtype == torch.float32
        assert batch.labels.dtype == torch.int64
        assert batch.labels.tolist() == (batch.ids % 10).tolist()
        assert batch.codes is not None
        assert batch.codes.values[:, 0, 1, 2].tolist() == batch.ids.tolist()
    other = [batch.ids.tolist() for batch in stimuli.epoch(generator)]
    assert other != [batch.ids.tolist() for batch in batches] or learn == 1


def test_an_epoch_of_10_stimuli_in_batches_of_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Build) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    write_mnist(tmp_path / "mnist", learn=10, test=10)
    stimuli = build(DATABASE + "[sp]\nSizeX=4\nSizeY=4\nBatchSize=4\n")
    assert [len(batch) for batch in stimuli.epoch(Generator(1))] == [4, 4, 4]
    assert [batch.ids.tolist() for batch in stimuli.passes("Test")] == [[10, 11, 12, 13], [14, 15, 16, 17], [18, 19]]
    assert [len(batch) for batch in stimuli.passes("Test", 6)] == [6, 4]


def test_draws_are_independent_and_uniform(mnist: Path, build: Build) -> None:
    stimuli = build(DATABASE + PROVIDER)
    batches = list(stimuli.draws(3, Generator(42)))
    assert np.concatenate([batch.ids for batch in batches]).tolist() == Generator(42).integers(0, 19, 24).tolist()


def test_the_order_of_a_random_test_set(mnist: Path, build: Build) -> None:
    stimuli = build("[database]\nType=MNIST_IDX_Database\n" + PROVIDER)
    ids = np.concatenate([batch.ids for batch in stimuli.passes("Test")])
    assert ids.tolist() == stimuli.ids("Test").tolist() != sorted(ids.tolist())
    assert values(stimuli, "Test") == ((ids - 20).astype(np.float32) * np.float32(1 / 255)).tolist()


def test_implicit_scaling_of_all_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Build) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    write_mnist(tmp_path / "mnist", learn=256)
    bytes_ = np.arange(256, dtype=np.float32)
    stimuli = build(DATABASE + PROVIDER)
    assert values(stimuli) == (bytes_ * np.float32(1 / 255)).tolist()
    assert values(stimuli)[255] == 1
    assert stimuli.grid("Learn") == Grid(1 / 255, 0, 255)
    codes = torch.cat([batch.codes.values[:, 0, 0, 0] for batch in stimuli.passes("Learn") if batch.codes is not None])
    assert codes.tolist() == bytes_.tolist()


def test_signed_scaling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Build, said: list[str]) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    write_mnist(tmp_path / "mnist", learn=256)
    stimuli = build(DATABASE + PROVIDER + "DataSignedMapping=1\n")
    scaled = values(stimuli)
    assert (scaled[0], scaled[128], scaled[255]) == (-1.0, 0.0, 0.9921875)
    assert stimuli.grid("Learn") == Grid(1 / 128, -128, 127)
    assert "NOTICE normalizing the stimuli in the [-1;1] range." in said
    batch = next(stimuli.passes("Learn"))
    assert batch.codes is not None
    assert batch.codes.real().tolist() == batch.inputs.tolist()


def test_a_chain_that_gives_reals_is_not_scaled(mnist: Path, build: Build, said: list[str]) -> None:
    stimuli = build(DATABASE + PROVIDER + DIVIDE)
    assert values(stimuli) == [i / 2 for i in range(20)]
    assert stimuli.grid("Learn") is None
    assert next(stimuli.passes("Learn")).codes is None
    assert not any("normalizing" in line for line in said)


def test_scaling_is_decided_for_each_set(mnist: Path, build: Build, said: list[str]) -> None:
    stimuli = build(DATABASE + PROVIDER + DIVIDE + "ApplyTo=LearnOnly\n")
    assert values(stimuli) == [i / 2 for i in range(20)]
    assert values(stimuli, "Test") == (np.arange(10, dtype=np.float32) * np.float32(1 / 255)).tolist()
    assert (stimuli.scales_implicitly("Learn"), stimuli.scales_implicitly("Test")) == (False, True)
    assert said[-1] == "NOTICE normalizing the stimuli in the [0;1] range."


def test_reals_that_are_resized_afterwards_are_kept_as_reals(mnist: Path, build: Build) -> None:
    rescale = "[sp.Transformation-2]\nType=RescaleTransformation\nWidth=6\nHeight=6\n"
    stimuli = build(DATABASE + PROVIDER.replace("4", "6") + DIVIDE + rescale)
    assert values(stimuli) == [i / 2 for i in range(20)]
    assert next(stimuli.passes("Learn")).inputs.shape == (8, 1, 6, 6)


def test_on_the_fly_transformations_run_last(mnist: Path, build: Build) -> None:
    first = DIVIDE.replace("sp.Transformation", "sp.OnTheFlyTransformation")
    second = "[sp.Transformation]\nType=RangeAffineTransformation\nFirstOperator=Plus\nFirstValue=10\n"
    assert values(build(DATABASE + PROVIDER + first + second)) == [(i + 10) / 2 for i in range(20)]


def test_values_of_each_channel_survive_the_table(mnist: Path, build: Build) -> None:
    # One value of the chain in memory, one in the table: rows of the image differ after the padding.
    pad = "[sp.Transformation-1]\nType=PadCropTransformation\nWidth=6\nHeight=4\nBorderType=ConstantBorder\n"
    text = DATABASE + "[sp]\nSize=6 4 1\nBatchSize=8\n" + pad + DIVIDE
    batch = next(build(text).passes("Learn"))
    assert batch.inputs[3, 0, 0].tolist() == [0, 1.5, 1.5, 1.5, 1.5, 0]


def test_quantization_levels_are_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Build) -> None:
    monkeypatch.setenv("N2D2_DATA", str(tmp_path))
    write_mnist(tmp_path / "mnist", learn=256)
    stimuli = build(DATABASE + PROVIDER + "QuantizationLevels=256\n")
    assert values(stimuli) == (np.arange(256, dtype=np.float32) * np.float32(1 / 255)).tolist()
    stimuli = build(DATABASE + PROVIDER + "QuantizationLevels=16\n")
    assert stimuli.grid("Learn") == Grid(1 / 15, 0, 15)
    assert values(stimuli) == [float(np.float32(i * 15 // 255) * np.float32(1 / 15)) for i in range(256)]
    stimuli = build(DATABASE + PROVIDER + "DataSignedMapping=1\nQuantizationLevels=1\n")
    assert values(stimuli) == [-1.0] * 128 + [0.0] + [1.0] * 127
    config = "QuantizationLevels=5\nConfigSection=config\n[config]\nQuantizationMin=-1\nDataSignedMapping=1\n"
    stimuli = build(DATABASE + PROVIDER + config)
    assert stimuli.grid("Learn") == Grid(0.5, -2, 2)
    assert set(values(stimuli)) == {-1.0, -0.5, 0.0, 0.5}
    config = "QuantizationLevels=3\nQuantizationMin=0.1\nQuantizationMax=0.9\n"
    stimuli = build(DATABASE + PROVIDER + config)
    assert stimuli.grid("Learn") is None
    assert set(values(stimuli)) == {float(np.float32(value)) for value in (0.1, 0.5, 0.9)}


def test_quantization_of_reals(mnist: Path, build: Build) -> None:
    divide = DIVIDE.replace("FirstValue=2", "FirstValue=20")
    stimuli = build(DATABASE + PROVIDER + "QuantizationLevels=256\n" + divide)
    assert values(stimuli)[10] == float(np.float32(127) * np.float32(1 / 255))


def test_size_is_checked_and_the_stimulus_named(mnist: Path, build: Build) -> None:
    with pytest.raises(DataError) as error:
        build(DATABASE + PROVIDER.replace("SizeX=4", "SizeX=5"))
    text = str(error.value)
    assert "train-images-idx3-ubyte[00000].pgm (Learn) is 5x4x1, but its size after transformations is 4x4x1" in text
    assert "SizeX=4 SizeY=4 NbChannels=1" in text
    assert "net.ini:5, [sp], SizeX" in text
    rescale = "[sp.Transformation]\nType=RescaleTransformation\nWidth=5\nHeight=4\nApplyTo=NoTest\n"
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\[00000\].pgm \(Test\)"):
        build(DATABASE + PROVIDER.replace("SizeX=4", "SizeX=5") + rescale)
    with pytest.raises(DataError, match="is 4x4x3, but its size after transformations is 4x4x1"):
        build(DATABASE + PROVIDER + "NbChannels=3\n")


def test_learning_and_test_images_may_differ_in_size_before_transformation(mnist: Path, build: Build) -> None:
    other = write_mnist(mnist.parent / "other", size=6)
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (other / name).replace(mnist / name)
    pad_crop = "[sp.Transformation]\nType=PadCropTransformation\nWidth=4\nHeight=4\n"
    stimuli = build(DATABASE + PROVIDER + pad_crop)
    assert values(stimuli, "Test") == values(stimuli)[:10]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("BatchSiz=3\n", ["unknown parameter BatchSiz", "did you mean BatchSize?", "net.ini:8"]),
        ("CompositeStimuli=1\n", ["CompositeStimuli=1", "one label a stimulus", "net.ini:8"]),
        ("ConfigSection=c\n[c]\nDataSignedMaping=1\n", ["unknown parameter DataSignedMaping", "did you mean"]),
        ("QuantizationLevels=4\nQuantizationMin=2\n", ["QuantizationMin=2 is not below", "net.ini:9"]),
    ],
)
def test_mistakes_in_the_providers_section(mnist: Path, build: Build, lines: str, words: list[str]) -> None:
    with pytest.raises(ParameterError) as error:
        build(DATABASE + PROVIDER + lines)
    for word in words:
        assert word in str(error.value)


def test_a_label_of_a_stimulus_is_expanded_to_its_pixels(mnist: Path, build: Build) -> None:
    expand = "[sp.Transformation]\nType=ExpandLabelTransformation\n"
    stimuli = build(DATABASE + PROVIDER + "CompositeStimuli=1\n" + expand)
    batch = next(stimuli.passes("Learn"))
    assert batch.labels.shape == (8, 4, 4)
    assert batch.labels[3].unique().tolist() == [3]
    with pytest.raises(DataError, match="has labels of 4x4, one label is wanted") as error:
        build(DATABASE + PROVIDER + expand)
    assert "CompositeStimuli=1" in str(error.value)


def test_size_in_one_key_overrides_the_others(mnist: Path, build: Build) -> None:
    stimuli = build(DATABASE + "[sp]\nSize=4 4 1\nSizeX=9\nSizeY=9\nNbChannels=3\nBatchSize=8\n")
    assert next(stimuli.passes("Learn")).inputs.shape == (8, 1, 4, 4)


def test_keys_of_streams_have_no_effect(mnist: Path, build: Build) -> None:
    plain = next(build(DATABASE + PROVIDER).passes("Learn"))
    streamed = next(build(DATABASE + PROVIDER + "StreamTensor=1\nStreamLabel=1\n").passes("Learn"))
    assert torch.equal(plain.inputs, streamed.inputs)


def test_validation_is_in_the_order_of_the_set_with_a_shorter_last_batch(mnist: Path, build: Build) -> None:
    stimuli = build(DATABASE + "Validation=0.5\n" + PROVIDER.replace("BatchSize=8", "BatchSize=4"))
    batches = [batch.ids.tolist() for batch in stimuli.passes("Validation")]
    assert batches == [[10, 11, 12, 13], [14, 15, 16, 17], [18, 19]]


def test_spiking_keys_are_ignored_with_a_notice(mnist: Path, build: Build, said: list[str]) -> None:
    build(DATABASE + PROVIDER.replace("[sp]", "[env]") + "StimulusType=Poissonian\nPeriodMin=1\nCachePath=x\n")
    assert said[0] == "NOTICE StimulusType, PeriodMin in section [env]: only for spiking simulations, ignored"
    assert said[1].startswith("NOTICE CachePath is ignored")


def test_without_database_there_are_no_batches(build: Build, said: list[str]) -> None:
    stimuli = build(PROVIDER)
    assert list(stimuli.epoch(Generator(1))) == []
    assert list(stimuli.draws(3, Generator(1))) == []
    assert list(stimuli.passes("Test")) == []
    assert any(line.startswith("WARNING there is no section [database]") for line in said)


def test_the_same_seed_gives_the_same_stimuli(mnist: Path, build: Build) -> None:
    text = "[database]\nType=MNIST_IDX_Database\nValidation=0.5\n" + PROVIDER
    runs = []
    for seed in (1, 1, 2):
        stimuli = build(text, seed)
        runs.append([batch.ids.tolist() for batch in stimuli.epoch(Generator(seed))])
    assert runs[0] == runs[1] != runs[2]
