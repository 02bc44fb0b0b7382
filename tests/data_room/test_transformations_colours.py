"""Colours: the specification's pixel, and OpenCV."""

from __future__ import annotations

import numpy as np
import pytest

from .transforming import changed, draws, noise, one

cv2 = pytest.importorskip("cv2")

PIXEL = np.array([[[51, 102, 153]]], np.uint8)


def colours(space: str, image: np.ndarray) -> np.ndarray:
    return one("ColorSpace", f"ColorSpace={space}").apply(image[np.newaxis], draws())[0]


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        ("BGR", [51, 102, 153]),
        ("RGB", [153, 102, 51]),
        ("RGB_to_BGR", [153, 102, 51]),
        ("HSV", [15, 170, 153]),
        ("HLS", [15, 102, 127]),
        ("CIELuv", [121, 125, 171]),
        ("YCrCb", [111, 158, 94]),
        ("CIELab", [122, 143, 164]),
    ],
)
def test_the_pixel_of_the_specification(space: str, expected: list[int]) -> None:
    assert colours(space, PIXEL)[0, 0].tolist() == expected


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_plain_orders(dtype: type) -> None:
    image, alpha = noise(4, 5, 3, dtype=dtype), noise(4, 5, 4, dtype=dtype)
    gray = image[..., :1]
    for space in ("BGR", "RGB"):
        assert np.array_equal(colours(space, gray), np.repeat(gray, 3, axis=2))
    assert np.array_equal(colours("BGR", alpha), alpha[..., :3])
    assert np.array_equal(colours("RGB", alpha), alpha[..., [2, 1, 0]])
    assert np.array_equal(colours("RGB_to_BGR", alpha), alpha[..., [2, 1, 0]])
    assert np.array_equal(colours("RGB_to_BGR", gray), gray)
    assert np.array_equal(colours("RGB", colours("RGB", image)), image)
    assert np.array_equal(colours("RGB", image), cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


@pytest.mark.parametrize("name", ["HSV", "HLS", "YCrCb", "CIELab", "CIELuv"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_conversions_are_those_of_opencv(name: str, dtype: type) -> None:
    code = name.removeprefix("CIE")
    image, alpha = noise(6, 7, 3, dtype=dtype), noise(6, 7, 4, dtype=dtype)
    for space, way in (
        (name, f"BGR2{code}"),
        (f"RGB_to_{name}", f"RGB2{code}"),
        (f"{name}_to_BGR", f"{code}2BGR"),
        (f"{name}_to_RGB", f"{code}2RGB"),
    ):
        expected = cv2.cvtColor(image, getattr(cv2, f"COLOR_{way}"))
        assert np.array_equal(colours(space, image), expected, equal_nan=dtype == np.float32)
        assert np.array_equal(colours(space, image[..., :1]), image[..., :1])
    expected = cv2.cvtColor(np.ascontiguousarray(alpha[..., :3]), getattr(cv2, f"COLOR_BGR2{code}"))
    assert np.array_equal(colours(name, alpha), expected)


def test_ycrcb_has_16_bits() -> None:
    image = noise(4, 5, 3, dtype=np.uint16)
    assert np.array_equal(colours("YCrCb", image), cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb))


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("Blue", 51),
        ("Green", 102),
        ("Red", 153),
        ("Hue", 21),  # 15 of 180 is 21.25 of 255
        ("Saturation", 170),
        ("Value", 153),
        ("Gray", 111),
        ("Y", 111),
        ("Cr", 158),
        ("Cb", 94),
    ],
)
def test_channel_extraction(channel: str, expected: int) -> None:
    transformation = one("ChannelExtraction", f"CSChannel={channel}")
    assert changed(transformation, PIXEL).tolist() == [[expected]]
    with_alpha = np.concatenate([PIXEL, [[[7]]]], axis=2).astype(np.uint8)
    assert changed(transformation, with_alpha).tolist() == [[expected]]
    gray = noise(3, 4)
    assert np.array_equal(changed(transformation, gray), gray)
    assert transformation.out_dims((4, 3, 3)) == (4, 3, 1)


def test_hue_of_reals_is_in_degrees() -> None:
    image = (PIXEL / np.float32(255)).astype(np.float32)
    assert changed(one("ChannelExtraction", "CSChannel=Hue"), image)[0, 0] == pytest.approx(30, abs=1e-3)


def test_equalize_of_gray_and_of_lightness() -> None:
    gray, image = noise(20, 24) // 3, noise(20, 24, 3) // 3
    assert np.array_equal(changed(one("Equalize"), gray), cv2.equalizeHist(gray))
    adaptive = one("Equalize", "Method=CLAHE", "CLAHE_ClipLimit=3", "CLAHE_GridSize=4")
    assert np.array_equal(changed(adaptive, gray), cv2.createCLAHE(3, (4, 4)).apply(gray))
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2Lab)
    lab[..., 0] = cv2.equalizeHist(np.ascontiguousarray(lab[..., 0]))
    assert np.array_equal(changed(one("Equalize"), image), cv2.cvtColor(lab, cv2.COLOR_Lab2BGR))
