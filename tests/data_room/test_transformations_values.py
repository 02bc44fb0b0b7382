"""Transformations of values: against the specification's numbers, independent formulas and OpenCV."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from n2d2py.errors import DataError, ParameterError

from .transforming import changed, draws, noise, one, stimulus

cv2 = pytest.importorskip("cv2")


def row(*values: float, dtype: type = np.uint8) -> np.ndarray:
    return np.array([values], dtype)


def test_range_affine() -> None:
    keys = ("FirstOperator=Minus", "FirstValue=127.5", "SecondOperator=Divides", "SecondValue=127.5")
    transformation = one("RangeAffine", *keys)
    result = changed(transformation, row(0, 128, 255))
    assert result.dtype == np.float32
    assert result.ravel() == pytest.approx([-1, 0.00392157, 1], abs=1e-6)
    assert transformation.pointwise


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("FirstOperator=Plus", "FirstValue=0.0"), [3, 250]),
        (("FirstOperator=Multiplies", "FirstValue=2"), [6, 500]),
        (("FirstOperator=Divides", "FirstValue=4", "Truncate=1"), [0, 62]),
        (("FirstOperator=Minus", "FirstValue=1", "SecondValue=0.5"), [2.5, 249.5]),
        (("FirstOperator=Minus", "FirstValue=4.5", "Truncate=1"), [-1, 245]),
    ],
)
def test_range_affine_operators(lines: tuple[str, ...], expected: list[float]) -> None:
    assert changed(one("RangeAffine", *lines), row(3, 250)).ravel().tolist() == expected


def test_range_affine_divides_by_multiplying_with_the_inverse() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(1, -1)
    result = changed(one("RangeAffine", "FirstOperator=Divides", "FirstValue=255.0"), values)
    assert np.array_equal(result, values.astype(np.float32) * np.float32(1 / 255))


def test_range_affine_of_each_channel() -> None:
    keys = ("FirstOperator=Minus", "FirstValue=1 2 3", "SecondOperator=Divides", "SecondValue=2")
    transformation = one("RangeAffine", *keys)
    assert changed(transformation, np.full((1, 1, 3), 5, np.uint8)).ravel().tolist() == [2, 1.5, 1]
    with pytest.raises(ParameterError, match="FirstValue has 3 values for images of 1 channels") as error:
        transformation.out_dims((1, 1, 1))
    assert "net.ini:4" in str(error.value)


def random_affine(image: np.ndarray, *keys: str, count: int = 1) -> np.ndarray:
    """The results of many draws for one image."""
    transformation = one("RandomAffine", *keys, "ApplyTo=LearnOnly")
    return transformation.apply(np.repeat(image[np.newaxis], count, axis=0), draws(count))


def test_random_affine_is_neutral_without_ranges() -> None:
    for dtype in (np.uint8, np.uint16, np.float32):
        image = noise(3, 4, 3, dtype=dtype)
        assert np.array_equal(random_affine(image)[0], image)


@pytest.mark.parametrize(("dtype", "scale"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_random_affine_is_its_formula(dtype: type, scale: float) -> None:
    image = noise(4, 5, 3, dtype=dtype)
    result = random_affine(image, "GainRange=0.7 0.7", "BiasRange=0.1 0.1", "GammaRange=2 2")[0]
    expected = 0.7 * ((image / scale) ** 2 * scale) + 0.1 * scale
    if dtype == np.float32:
        assert np.abs(result - expected).max() < 1e-6
    else:
        assert np.abs(result.astype(np.float64) - expected).max() <= 0.5 + 1e-9
    bright = random_affine(image, "BiasRange=1 1")[0]
    assert (bright == scale).all() if dtype != np.float32 else np.allclose(bright, image + 1)


def test_random_affine_of_all_channels_or_of_each() -> None:
    image = np.full((1, 1, 3), 100, np.uint8)
    shared = random_affine(image, "GainRange=0.5 1.5", count=200)[:, 0, 0]
    assert (shared == shared[:, :1]).all()
    assert 50 <= shared.min() < 53
    assert 147 < shared.max() <= 150
    single = random_affine(image, "GainRange[0]=0.5 1.5", "GainRange[2]=2 2", count=200)[:, 0, 0]
    assert len(set(single[:, 0].tolist())) > 20
    assert set(single[:, 1].tolist()) == {100}
    assert set(single[:, 2].tolist()) == {200}
    masked = random_affine(image, "GainRange=2 2", "ChannelsMask=0 1")[0, 0, 0]
    assert masked.tolist() == [100, 200, 100]


def test_random_affine_probabilities() -> None:
    image = np.full((1, 1, 3), 100, np.uint8)
    one_chance = random_affine(image, "GainRange=2 2", "GainVarProb=0.25", count=800)[:, 0, 0]
    assert (one_chance == one_chance[:, :1]).all()
    assert 0.2 < (one_chance[:, 0] == 200).mean() < 0.3
    several = random_affine(image, "GainRange=2 2", "GainVarProb=0 1 0.5", count=400)[:, 0, 0]
    assert (several[:, 0] == 100).all()
    assert (several[:, 1] == 200).all()
    assert 0.4 < (several[:, 2] == 200).mean() < 0.6
    biased = random_affine(image, "BiasRange=0.2 0.2", "BiasVarProb=0 1 0", count=20)[:, 0, 0]
    assert set(map(tuple, biased.tolist())) == {(100, 151, 100)}


def test_disjoint_gamma_switches_gain_and_bias_off() -> None:
    image = np.full((1, 1, 1), 51, np.uint8)  # 0.2, of which the square is 0.04: 10.2
    keys = ("GainRange=2 2", "BiasRange=0.2 0.2", "GammaRange=2 2", "GammaVarProb=0.5", "DisjointGamma=1")
    assert set(random_affine(image, *keys, count=60).ravel().tolist()) == {10, 153}


def test_a_power_of_a_negative_value_is_an_error() -> None:
    with pytest.raises(DataError, match="negative value") as error:
        random_affine(np.full((1, 1, 1), -1, np.float32), "GammaRange=0.5 0.5")
    assert "net.ini:3" in str(error.value)


@pytest.mark.parametrize(
    ("lines", "values", "expected"),
    [
        ((), [10, 20, 60], [0, 51, 255]),
        (("RangeMin=20", "RangeMax=40"), [10, 30, 60], [0, 128, 255]),
        (("RangeMax=40",), [0, 10, 60], [0, 64, 255]),
        (("RangeMin=20",), [10, 30, 60], [0, 64, 255]),
        ((), [7, 7, 7], [0, 0, 0]),
    ],
)
def test_range_clipping(lines: tuple[str, ...], values: list[int], expected: list[int]) -> None:
    transformation = one("RangeClipping", *lines)
    assert changed(transformation, row(*values)).ravel().tolist() == expected
    reals = changed(transformation, row(*values, dtype=np.float32)).ravel()
    assert np.abs(reals - np.array(expected) / 255).max() < 0.003
    assert reals.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_normalize_to_a_range(dtype: type) -> None:
    image = noise(5, 6, 3, dtype=dtype)
    if dtype != np.float32:
        image //= 3
    scale = 1 if dtype == np.float32 else np.iinfo(dtype).max
    result = changed(one("Normalize", "NormMin=0.2", "NormMax=0.8"), image)
    low, high = float(image.min()), float(image.max())
    expected = (image - low) / (high - low) * 0.6 * scale + 0.2 * scale
    assert result.dtype == dtype
    assert np.abs(result - expected).max() <= (1e-5 if dtype == np.float32 else 0.51)
    by_channel = changed(one("Normalize", "PerChannel=1"), image)
    assert np.abs(by_channel.min(axis=(0, 1))).max() < 1e-6
    assert np.abs(by_channel.max(axis=(0, 1)) - float(scale)).max() < 1e-6


@pytest.mark.parametrize(("norm", "order"), [("L1", 1), ("L2", 2), ("Linf", np.inf)])
def test_normalize_to_a_norm(norm: str, order: float) -> None:
    image = noise(5, 6, 3)
    result = changed(one("Normalize", f"Norm={norm}", "NormValue=4"), image)
    assert result.dtype == np.float32
    assert np.linalg.norm(result.ravel().astype(np.float64), order) == pytest.approx(4, rel=1e-5)
    assert np.abs(result / result.max() - image / image.max()).max() < 1e-6
    each = changed(one("Normalize", f"Norm={norm}", "PerChannel=1"), image)
    for channel in range(3):
        assert np.linalg.norm(each[..., channel].ravel().astype(np.float64), order) == pytest.approx(1, rel=1e-5)
    assert (changed(one("Normalize", f"Norm={norm}"), np.zeros((2, 2), np.uint8)) == 0).all()


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("Binary", [0, 0, 9]),
        ("BinaryInverted", [9, 9, 0]),
        ("Truncate", [10, 50, 50]),
        ("ToZero", [0, 0, 200]),
        ("ToZeroInverted", [10, 50, 0]),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_threshold(operation: str, expected: list[int], dtype: type) -> None:
    keys = ("Threshold=50", "MaxValue=9", f"Operation={operation}")
    assert changed(one("Threshold", *keys), row(10, 50, 200, dtype=dtype)).ravel().tolist() == expected


def test_otsu_is_found_for_each_channel() -> None:
    image = noise(8, 9, 3)
    image[..., 1] //= 4
    result = changed(one("Threshold", "Threshold=0", "OtsuMethod=1", "MaxValue=255"), image)
    for channel in range(3):
        plane = np.ascontiguousarray(image[..., channel])
        expected = cv2.threshold(plane, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
        assert np.array_equal(result[..., channel], expected)


def test_wallis_filter_of_the_whole_image() -> None:
    image = noise(6, 7, 3)
    result = changed(one("WallisFilter", "Size=0"), image)
    assert result.dtype == np.float32
    assert result.mean() == pytest.approx(0, abs=1e-5)
    assert result.std() == pytest.approx(1, abs=1e-5)
    # The mean is shifted first, and then scaled too.
    values = image.astype(np.float64)
    expected = (values + 3 - values.mean()) * (2 / values.std())
    assert np.abs(changed(one("WallisFilter", "Size=0", "Mean=3", "StdDev=2"), image) - expected).max() < 1e-5
    each = changed(one("WallisFilter", "Size=0", "PerChannel=1"), image)
    assert np.abs(each.mean(axis=(0, 1))).max() < 1e-5
    assert (changed(one("WallisFilter", "Size=0"), np.full((3, 3), 7, np.uint8)) == 0).all()


def test_wallis_filter_around_each_pixel(said: list[str]) -> None:
    image = noise(6, 7)
    padded = np.pad(image.astype(np.float64), 1, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    mean, variance = around.mean(axis=(2, 3)), around.var(axis=(2, 3))
    expected = (image - mean) / np.sqrt(np.maximum(variance, 1e-6))
    assert np.abs(changed(one("WallisFilter", "Size=3"), image) - expected).max() < 1e-5
    assert said == []
    one("WallisFilter", "Size=3", "Mean=1")
    assert "Mean and StdDev have no effect" in said[0]


def matrix_file(folder: Path, values: np.ndarray, code: int) -> Path:
    """A ``.bin`` file as the statistics of stimuli write it."""
    rows, columns, channels = values.shape
    file = folder / "mean.bin"
    file.write_bytes(struct.pack("<3i", rows, columns, code + 8 * (channels - 1)) + values.tobytes())
    return file


def test_affine_with_a_matrix_of_reals(tmp_path: Path) -> None:
    mean = noise(3, 4, 3, dtype=np.float64) * 100
    file = matrix_file(tmp_path, mean, 6)
    image = noise(3, 4, 3)
    transformation = one("Affine", "FirstOperator=Minus", f"FirstValue={file}")
    assert transformation.out_dtype(np.dtype(np.uint8)) == np.float64
    assert np.array_equal(changed(transformation, image), image.astype(np.float64) - mean)
    assert changed(transformation, image.astype(np.float32)).dtype == np.float32
    both = one("Affine", "FirstOperator=Minus", f"FirstValue={file}", "SecondOperator=Divides", f"SecondValue={file}")
    assert np.array_equal(changed(both, image), (image.astype(np.float64) - mean) / mean)
    with pytest.raises(ParameterError, match=r"images of 5x3x3 meet an operand of 4x3x3") as error:
        transformation.out_dims((5, 3, 3))
    assert "net.ini:4" in str(error.value)


def test_affine_with_a_picture(tmp_path: Path, said: list[str]) -> None:
    picture = np.array([[0, 2, 100]], np.uint8)
    file = tmp_path / "picture.png"
    cv2.imwrite(str(file), picture)
    image = row(7, 7, 200)
    for operator, expected in (
        ("Plus", [7, 9, 255]),
        ("Minus", [7, 5, 100]),
        ("Multiplies", [0, 14, 255]),
        ("Divides", [0, 4, 2]),  # 3.5 is rounded to the even 4
    ):
        transformation = one("Affine", f"FirstOperator={operator}", f"FirstValue={file}")
        assert transformation.out_dtype(np.dtype(np.uint8)) == np.uint8
        assert changed(transformation, image).ravel().tolist() == expected
    assert len(said) == 1
    assert "divided by 0 becomes 0" in said[0]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (None, "mean.bin", "cannot read the image"),
        (b"12345", "mean.bin", "has 5 bytes, too few for a header"),
        (struct.pack("<3i", 2, 3, 7), "mean.bin", "does not begin with the header of an image"),
        (struct.pack("<3i", 2, 3, 6), "mean.bin", "has 12 bytes, but an image of 3x2x1 needs 60"),
        (b"<html>", "mean.png", "is not an image"),
        (b"", "mean.png", "is not an image"),
    ],
)
def test_affine_with_a_damaged_file(tmp_path: Path, content: bytes | None, name: str, words: str) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError) as error:
        changed(one("Affine", "FirstOperator=Plus", f"FirstValue={file}"), noise(2, 3))
    assert words in str(error.value)
    assert str(file) in str(error.value)
    assert "net.ini:4" in str(error.value)


N = 9
PART = np.arange(N) / (N - 1)


@pytest.mark.parametrize(
    ("keys", "window"),
    [
        ((), np.ones(N)),
        (("WindowName=Hann",), np.hanning(N)),
        (("WindowName=Hamming",), np.hamming(N)),
        (("WindowName=Cosine",), np.sin(np.pi * PART)),
        (("WindowName=Gaussian",), np.exp(-(((2 * PART - 1) / 0.4) ** 2) / 2)),
        (("WindowName=Gaussian", "WindowName.Sigma=0.5"), np.exp(-(((2 * PART - 1) / 0.5) ** 2) / 2)),
        (("WindowName=Blackman",), np.blackman(N)),
        (
            ("WindowName=Blackman", "WindowName.Alpha=0.1"),
            0.45 - 0.5 * np.cos(2 * np.pi * PART) + 0.05 * np.cos(4 * np.pi * PART),
        ),
        (("WindowName=Kaiser",), np.kaiser(N, 5)),
        (("WindowName=Kaiser", "WindowName.Beta=2"), np.kaiser(N, 2)),
    ],
)
def test_apodization(keys: tuple[str, ...], window: np.ndarray) -> None:
    transformation = one("Apodization", f"Size={N}", *keys)
    image = noise(3, N, 3, dtype=np.float32)
    assert np.abs(changed(transformation, image) - image * window[:, np.newaxis]).max() < 1e-6
    bytes_ = noise(3, N)
    assert np.abs(changed(transformation, bytes_) - bytes_ * window).max() <= 0.5 + 1e-9
    assert changed(one("Apodization", "Size=1", *keys), noise(2, 1)).shape == (2, 1)


def test_compression_noise_is_jpeg_at_the_drawn_quality() -> None:
    for image in (noise(16, 24, 3), noise(16, 24)):
        result = changed(one("CompressionNoise", "CompressionRange=30 30", "ApplyTo=LearnOnly"), image)
        content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
        assert np.array_equal(result, cv2.imdecode(content, cv2.IMREAD_UNCHANGED))
    transformation = one("CompressionNoise", "CompressionRange=0 100", "ApplyTo=LearnOnly")
    image = noise(8, 8)
    found = {transformation.transform(stimulus(image), draws(seed=seed)).image.tobytes() for seed in range(20)}
    assert len(found) > 5


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("values", [(3.5,), (3.5, -1.25, 0.3)])
@pytest.mark.parametrize("operator", ["Plus", "Minus", "Multiplies", "Divides"])
def test_range_affine_of_images_that_lie_anyhow(dtype, values, operator) -> None:
    """Windows, mirrored and transposed images too: each value alone, first made float32, then with its operand."""
    given = " ".join(map(str, values))
    lines = (f"FirstOperator={operator}", f"FirstValue={given}", "SecondOperator=Minus", "SecondValue=0.1 0.2 0.7")
    step = one("RangeAffine", *lines)
    whole = np.random.default_rng(1).integers(0, 100, (2, 9, 8, 3)).astype(dtype)
    right, divisor = np.array(values, np.float64), operator == "Divides"
    first = (1 / right if divisor else right).astype(np.float32)
    function = {"Plus": np.add, "Minus": np.subtract}.get(operator, np.multiply)
    for images in (whole, whole[:, 2:7, 1:4], whole[:, :, ::-1], whole.transpose(0, 2, 1, 3), whole[:, :0]):
        before = images.copy()
        found = step.apply(images, draws(2))
        expected = function(images.astype(np.float32), first) - np.array((0.1, 0.2, 0.7), np.float32)
        assert found.dtype == np.float32
        assert np.array_equal(found, expected)
        assert np.array_equal(images, before)
