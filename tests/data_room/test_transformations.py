from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from n2d2py import ini
from n2d2py.data.chain import read_chains
from n2d2py.data.transformations.base import Transformation
from n2d2py.errors import ParameterError


def one(lines: str) -> Transformation:
    """The transformation of a section with these lines."""
    document = ini.loads(f"[sp]\nSizeX=1\n[sp.Transformation]\n{lines}\n", file="net.ini")
    return read_chains(document, "sp")["Learn"][0]


def refused(lines: str, section: str = "sp.Transformation", provider: str = "sp") -> str:
    document = ini.loads(f"[{provider}]\nSizeX=1\n[{section}]\n{lines}\n", file="net.ini")
    with pytest.raises(ParameterError) as error:
        read_chains(document, provider)
    return str(error.value)


def row(values: list[int], dtype: type = np.uint8) -> np.ndarray:
    """One image of one row, one channel."""
    return np.array(values, dtype).reshape(1, 1, -1, 1)


def pad_crop(width: int, height: int, extra: str = "") -> Transformation:
    return one(f"Type=PadCropTransformation\nWidth={width}\nHeight={height}\n{extra}")


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (2, [1, 2]),
        (3, [1, 2, 3]),
        (4, [0, 1, 2, 3]),
        (5, [0, 1, 2, 3, 4]),
        (7, [1, 0, 1, 2, 3, 4, 3]),
        (8, [2, 1, 0, 1, 2, 3, 4, 3]),
    ],
)
def test_pad_crop(width: int, expected: list[int]) -> None:
    transformation = pad_crop(width, 1)
    assert transformation.apply(row([0, 1, 2, 3, 4])).ravel().tolist() == expected
    assert transformation.out_dims((5, 1, 3)) == (width, 1, 3)


def test_pad_crop_of_both_axes_and_all_images() -> None:
    images = np.arange(2 * 5 * 5 * 3, dtype=np.uint8).reshape(2, 5, 5, 3)
    result = pad_crop(3, 7).apply(images)
    assert result.shape == (2, 7, 3, 3)
    assert (result == images[:, [1, 0, 1, 2, 3, 4, 3]][:, :, [1, 2, 3]]).all()


@pytest.mark.parametrize(
    ("border", "mode"),
    [
        ("ReplicateBorder", "BORDER_REPLICATE"),
        ("ReflectBorder", "BORDER_REFLECT"),
        ("WrapBorder", "BORDER_WRAP"),
        ("MinusOneReflectBorder", "BORDER_REFLECT_101"),
    ],
)
@pytest.mark.parametrize("size", [(5, 4), (2, 3), (1, 1), (1, 6)])
def test_borders_are_those_of_opencv(border: str, mode: str, size: tuple[int, int]) -> None:
    cv2 = pytest.importorskip("cv2")
    image = np.random.default_rng(1).integers(0, 256, (*size, 3)).astype(np.uint8)
    result = pad_crop(13, 12, f"BorderType={border}").apply(image[np.newaxis])[0]
    top, left = -((size[0] - 12) // 2), -((size[1] - 13) // 2)
    expected = cv2.copyMakeBorder(image, top, 12 - size[0] - top, left, 13 - size[1] - left, getattr(cv2, mode))
    assert (result == expected).all()


def test_constant_border_fills_missing_channels_with_0() -> None:
    images = np.full((1, 2, 2, 3), 9, np.uint8)
    result = pad_crop(3, 3, "BorderType=ConstantBorder\nBorderValue=7 300").apply(images)
    assert result[0, 0].tolist() == [[7, 255, 0]] * 3
    assert result[0, :, 0].tolist() == [[7, 255, 0]] * 3
    assert (result[0, 1:, 1:] == 9).all()


def test_mean_border_is_the_mean_of_each_image_and_channel() -> None:
    images = np.array([[[[0, 10], [3, 10]]], [[[8, 1], [9, 2]]]], np.uint8)
    result = pad_crop(3, 1, "BorderType=MeanBorder").apply(images)
    assert result[:, 0, 0].tolist() == [[2, 10], [8, 2]]
    assert pad_crop(3, 1, "BorderType=MeanBorder").apply(images.astype(np.float32))[0, 0, 0].tolist() == [1.5, 10]


def test_additive_sizes() -> None:
    transformation = pad_crop(2, 0, "AdditiveWH=1")
    assert transformation.out_dims((5, 1, 1)) == (7, 1, 1)
    assert transformation.apply(row([0, 1, 2, 3, 4])).ravel().tolist() == [1, 0, 1, 2, 3, 4, 3]


def test_pad_crop_to_nothing() -> None:
    with pytest.raises(ParameterError, match="cropped to 3x0 pixels"):
        pad_crop(3, 0).out_dims((5, 5, 1))
    assert "an integer of at least 0" in refused("Type=PadCropTransformation\nWidth=-1\nHeight=3")


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    ("width", "values", "expected"),
    [
        (4, [0, 1, 2, 3, 4, 5, 6, 7], [0.5, 2.5, 4.5, 6.5]),
        (8, [0, 4, 8, 12], [0, 1, 3, 5, 7, 9, 11, 12]),
    ],
)
def test_rescale(dtype: type, width: int, values: list[int], expected: list[float]) -> None:
    result = one(f"Type=RescaleTransformation\nWidth={width}\nHeight=1").apply(row(values, dtype))
    assert result.dtype == dtype
    assert result.shape == (1, 1, width, 1)
    wanted = expected if dtype == np.float32 else [value + value % 1 for value in expected]
    assert result.ravel().tolist() == wanted  # halves of bytes are rounded up


def test_rescale_is_that_of_opencv_for_every_image_and_channel() -> None:
    cv2 = pytest.importorskip("cv2")
    images = np.random.default_rng(2).integers(0, 256, (5, 28, 20, 3)).astype(np.uint8)
    transformation = one("Type=RescaleTransformation\nWidth=32\nHeight=31")
    result = transformation.apply(images)
    for image, rescaled in zip(images, result, strict=True):
        assert (rescaled == cv2.resize(image, (32, 31), interpolation=cv2.INTER_LINEAR)).all()
    assert transformation.apply(result) is result


@pytest.mark.parametrize(
    ("size", "fit", "expected"),
    [
        ((500, 375), 0, (341, 256)),
        ((500, 374), 0, (342, 255)),
        ((640, 480), 0, (341, 256)),
        ((375, 500), 0, (256, 341)),
        ((500, 375), 1, (256, 192)),
    ],
)
def test_rescale_with_aspect_ratio_truncates(size: tuple[int, int], fit: int, expected: tuple[int, int]) -> None:
    lines = f"Type=RescaleTransformation\nWidth=256\nHeight=256\nKeepAspectRatio=1\nResizeToFit={fit}"
    assert one(lines).out_dims((*size, 3)) == (*expected, 3)


def test_rescale_to_nothing() -> None:
    transformation = one("Type=RescaleTransformation\nWidth=2\nHeight=2\nKeepAspectRatio=1")
    with pytest.raises(ParameterError, match="of 100x3 pixels would be rescaled to 2x0"):
        transformation.out_dims((100, 3, 1))


def affine(lines: str) -> Transformation:
    return one(f"Type=RangeAffineTransformation\n{lines}")


def test_range_affine() -> None:
    transformation = affine("FirstOperator=Minus\nFirstValue=127.5\nSecondOperator=Divides\nSecondValue=127.5")
    result = transformation.apply(row([0, 128, 255]))
    assert result.dtype == np.float32
    assert result.ravel() == pytest.approx([-1, 0.00392157, 1], abs=1e-6)
    assert transformation.out_dtype(np.dtype(np.uint8)) == np.float32


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("FirstOperator=Plus\nFirstValue=0.0", [3, 250]),
        ("FirstOperator=Multiplies\nFirstValue=2", [6, 500]),
        ("FirstOperator=Divides\nFirstValue=4\nTruncate=1", [0, 62]),
        ("FirstOperator=Minus\nFirstValue=1\nSecondValue=0.5", [2.5, 249.5]),
        ("FirstOperator=Minus\nFirstValue=4.5\nTruncate=1", [-1, 245]),
    ],
)
def test_range_affine_operators(lines: str, expected: list[float]) -> None:
    assert affine(lines).apply(row([3, 250])).ravel().tolist() == expected


def test_range_affine_divides_by_multiplying_with_the_inverse() -> None:
    values = np.arange(256, dtype=np.uint8)
    result = affine("FirstOperator=Divides\nFirstValue=255.0").apply(row(values.tolist())).ravel()
    assert (result == values.astype(np.float32) * np.float32(1 / 255)).all()


def test_range_affine_of_each_channel() -> None:
    transformation = affine("FirstOperator=Minus\nFirstValue=1 2 3\nSecondOperator=Divides\nSecondValue=2")
    result = transformation.apply(np.full((1, 1, 1, 3), 5, np.uint8))
    assert result.ravel().tolist() == [2, 1.5, 1]
    assert transformation.out_dims((1, 1, 3)) == (1, 1, 3)
    with pytest.raises(ParameterError, match="FirstValue has 3 values for images of 1 channels") as error:
        transformation.out_dims((1, 1, 1))
    assert "net.ini:6" in str(error.value)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("Type=RescaleTransformation\nWidth=3", ["missing key Height", "net.ini:3"]),
        ("Type=RescaleTransformation\nWidth=3\nHeight=3\nWith=3", ["unknown parameter With", "did you mean Width?"]),
        ("Type=Rescale\nWidth=3", ["did you mean RescaleTransformation?", "one of PadCropTransformation"]),
        ("Type=FlipTransformation", ["FlipTransformation is not available", "RescaleTransformation", "net.ini:4"]),
        ("Type=Foo", ["unknown transformation 'Foo'", "RangeAffineTransformation, RescaleTransformation"]),
        ("Width=3", ["missing key Type", "RescaleTransformation"]),
        ("Type=PadCropTransformation\nWidth=1\nHeight=1\nBorderType=Mirror", ["one of ConstantBorder", "net.ini:7"]),
        ("Type=RangeAffineTransformation\nFirstOperator=Divides\nFirstValue=0", ["division by 0", "net.ini:6"]),
        ("Type=RangeAffineTransformation\nFirstOperator=Divides\nFirstValue=", ["FirstValue is empty"]),
        ("Type=RescaleTransformation\nWidth=1\nHeight=1\nApplyTo=learnOnly", ["did you mean LearnOnly?"]),
    ],
)
def test_mistakes(lines: str, words: list[str]) -> None:
    text = refused(lines)
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    "section", ["sp.StimuliData-1", "sp.ChannelTransformation", "sp.ChannelsOnTheFlyTransformation", "sp.Adversarial"]
)
def test_kinds_of_later_versions_are_not_silently_left_out(section: str) -> None:
    assert f"[{section}] is not available" in refused("Type=RescaleTransformation", section)


def test_unknown_kind() -> None:
    assert "of no known kind" in refused("Type=RescaleTransformation", "sp.MyTransformation")


def affine_by(values: dict[str, str], apply_to: str = "All") -> str:
    lines = [
        f"[{name}]\nType=RangeAffineTransformation\nFirstOperator=Plus\nFirstValue={value}\nApplyTo={apply_to}"
        for name, value in values.items()
    ]
    return "\n".join(lines)


def order(chain: tuple[Transformation, ...]) -> list[Any]:
    return [transformation.first_value[0] for transformation in chain]  # type: ignore[attr-defined]


def test_order_is_that_of_the_file_within_each_kind_and_on_the_fly_comes_last() -> None:
    names = {
        "env.Transformation-10": "1",
        "env.OnTheFlyTransformation": "4",
        "env.Transformation-2": "2",
        "env.OnTheFlyTransformation-0": "5",
        "env.Transformation": "3",
    }
    document = ini.loads(f"[env]\nSizeX=1\n[env.config]\nX=1\n{affine_by(names)}\n", file="net.ini")
    for chain in read_chains(document, "env").values():
        assert order(chain) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("apply_to", "sets"),
    [
        ("LearnOnly", {"Learn"}),
        ("ValidationOnly", {"Validation"}),
        ("TestOnly", {"Test"}),
        ("NoLearn", {"Validation", "Test"}),
        ("NoValidation", {"Learn", "Test"}),
        ("NoTest", {"Learn", "Validation"}),
        ("All", {"Learn", "Validation", "Test"}),
    ],
)
def test_apply_to(apply_to: str, sets: set[str]) -> None:
    document = ini.loads(f"[sp]\nSizeX=1\n{affine_by({'sp.Transformation': '1'}, apply_to)}\n", file="net.ini")
    assert {name for name, chain in read_chains(document, "sp").items() if chain} == sets


def test_a_section_of_another_provider_is_a_warning(said: list[str]) -> None:
    document = ini.loads(f"[env]\nSizeX=1\n{affine_by({'sp.Transformation-1': '1'})}\n", file="net.ini")
    assert read_chains(document, "env")["Learn"] == ()
    assert len(said) == 1
    assert said[0].startswith(
        "WARNING section [sp.Transformation-1] has no effect, because the stimuli come from [env]"
    )
    assert "name it [env.Transformation-1]" in said[0]
