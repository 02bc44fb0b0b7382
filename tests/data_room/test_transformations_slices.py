"""Slices that are turned, scaled or reach beyond the image."""

from __future__ import annotations

import numpy as np
import pytest

from n2d2py.data.rois import Bitmap, Circle, Ellipse, Polygon, rectangle
from n2d2py.data.transformations.slice_extraction import SliceExtractionTransformation

from .transforming import changed, draws, noise, one, stimulus

cv2 = pytest.importorskip("cv2")


def cut(*keys: str) -> SliceExtractionTransformation:
    transformation = one("SliceExtraction", *keys, "ApplyTo=LearnOnly")
    assert isinstance(transformation, SliceExtractionTransformation)
    return transformation


def test_zero_is_the_size_of_the_image() -> None:
    whole = cut("Width=0", "Height=2", "OffsetY=1")
    assert whole.out_dims((5, 4, 3)) == (5, 2, 3)
    images = noise(2, 4, 5, 3)
    assert np.array_equal(whole.apply(images, draws(2)), images[:, 1:3])


def test_labels_and_regions_are_sliced() -> None:
    labels = np.arange(30).reshape(5, 6)
    frame = stimulus(noise(5, 6), labels, (rectangle(1, 2, 2, 4, 4), rectangle(2, 0, 0, 1, 1)))
    result = cut("Width=3", "Height=2", "OffsetX=2", "OffsetY=1").transform(frame, draws())
    assert np.array_equal(result.labels, labels[1:3, 2:5])
    assert result.rois == (rectangle(1, 0, 1, 2, 3),)


def test_what_reaches_beyond_the_image_is_padded() -> None:
    labels, image = np.arange(12).reshape(3, 4), noise(3, 4, 3)
    keys = ("Width=4", "Height=3", "OffsetX=2", "OffsetY=1", "AllowPadding=1")
    result = cut(*keys).transform(stimulus(image, labels), draws())
    assert np.array_equal(result.image, image[[1, 2, 1]][:, [2, 3, 2, 1]])
    assert result.labels.tolist() == [[6, 7, -1, -1], [10, 11, -1, -1], [-1] * 4]
    assert cut(*keys).out_dims((4, 3, 3)) == (4, 3, 3)
    filled = changed(cut(*keys, "BorderType=ConstantBorder", "BorderValue=5"), image)
    assert (filled[2] == [5, 0, 0]).all()


def test_a_random_slice_of_an_image_that_is_too_small_begins_at_0() -> None:
    keys = ("Width=6", "Height=2", "RandomOffsetX=1", "RandomOffsetY=1", "AllowPadding=1")
    offsets = cut(*keys).offsets((4, 5, 1), draws(200))
    assert set(offsets[:, 0].tolist()) == {0}
    assert set(offsets[:, 1].tolist()) == {0, 1, 2, 3}


def turn(degrees: float, *keys: str) -> SliceExtractionTransformation:
    return cut(*keys, "RandomRotation=1", f"RandomRotationRange={degrees} {degrees}")


@pytest.mark.parametrize("size", [(4, 4), (5, 4), (5, 5), (4, 7)])
def test_a_turn_of_0_degrees_is_none(size: tuple[int, int]) -> None:
    labels = np.arange(195).reshape(13, 15)
    frame = stimulus(noise(13, 15, 3), labels, (rectangle(1, 5, 5, 8, 8),))
    keys = (f"Width={size[0]}", f"Height={size[1]}", "OffsetX=4", "OffsetY=3")
    plain, turned = cut(*keys).transform(frame, draws()), turn(0, *keys).transform(frame, draws())
    assert np.array_equal(turned.image, plain.image)
    assert np.array_equal(turned.labels, plain.labels)
    assert turned.rois == plain.rois


@pytest.mark.parametrize(("degrees", "turns"), [(90, -1), (180, 2), (270, 1)])
def test_positive_degrees_turn_clockwise(degrees: int, turns: int) -> None:
    image = np.zeros((15, 15), np.uint8)
    image[5:8, 6:10] = np.arange(1, 13).reshape(3, 4) * 20
    labels = image.astype(np.int32)
    frame = stimulus(image, labels, (rectangle(1, 6, 5, 7, 6),))
    result = turn(degrees, "Width=8", "Height=8", "OffsetX=4", "OffsetY=3").transform(frame, draws())
    expected = np.rot90(image[5:8, 6:10], turns)
    ys, xs = np.nonzero(result.image[..., 0])
    assert np.array_equal(result.image[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1, 0], expected)
    assert np.array_equal(result.labels, result.image[..., 0])
    region = result.rois[0]
    assert isinstance(region, Polygon)
    x, y = region.points[0]
    assert result.image[y, x, 0] == 20  # the region still marks its pixel


def test_the_border_of_a_turned_slice_is_ignored() -> None:
    labels = np.ones((6, 6), np.int32)
    keys = ("Width=6", "Height=6", "BorderType=ConstantBorder")
    result = turn(45, *keys).transform(stimulus(np.full((6, 6), 9, np.uint8), labels), draws())
    assert result.labels[0, 0] == result.labels[5, 5] == -1
    assert result.labels[3, 3] == 1
    assert result.image[0, 0, 0] == 0
    assert result.image[3, 3, 0] == 9


def test_angles_are_drawn_from_their_range() -> None:
    transformation = cut(
        "Width=5", "Height=5", "OffsetX=5", "OffsetY=5", "RandomRotation=1", "RandomRotationRange=10 20"
    )
    angles = transformation._draw((15, 15, 1), draws(500))[4]
    assert 10 <= angles.min() < 10.2
    assert 19.8 < angles.max() < 20


def test_scaled_slices_are_rescaled_to_the_wanted_size() -> None:
    keys = ("Width=6", "Height=4", "OffsetX=1", "RandomScaling=1", "RandomScalingRange=1.5 1.5")
    image, labels = noise(12, 14, 3), np.arange(168).reshape(12, 14)
    result = cut(*keys).transform(stimulus(image, labels, (rectangle(1, 4, 3, 7, 6),)), draws())
    assert np.array_equal(result.image, cv2.resize(image[:6, 1:10], (6, 4)))
    nearest = cv2.resize(labels[:6, 1:10].astype(np.int32), (6, 4), interpolation=cv2.INTER_NEAREST)
    assert np.array_equal(result.labels, nearest)
    assert result.rois == (rectangle(1, 3, 3, 6, 6).rescaled(6 / 9, 4 / 6),)
    assert cut("Width=0", "Height=4", "RandomScaling=1").out_dims((14, 12, 3)) is None
    sizes = cut("Width=20", "Height=4", "RandomScaling=1")._draw((40, 40, 1), draws(400))[0]
    assert (sizes.min(), sizes.max()) == (16, 24)


def test_regions_are_turned_about_a_pixel() -> None:
    assert Polygon(1, ((3, 1), (5, 1))).rotated(3, 3, 90) == Polygon(1, ((5, 3), (5, 5)))
    assert Circle(1, 3, 1, 2).rotated(3, 3, 180) == Circle(1, 3, 5, 2)
    ellipse = Ellipse(1, 5, 3, 4, 2, 0.5).rotated(3, 3, 90)
    assert isinstance(ellipse, Ellipse)
    assert (ellipse.x, ellipse.y, ellipse.major) == (3, 5, 4)
    assert ellipse.angle == pytest.approx(0.5 + np.pi / 2)
    mask = np.array([[1, 1, 1], [0, 0, 1]], bool)
    bitmap = Bitmap(1, mask, 3, 3).rotated(3, 3, 90)
    assert isinstance(bitmap, Bitmap)
    assert np.array_equal(bitmap.mask, np.rot90(mask, -1))
    assert bitmap.box() == (2, 3, 4, 6)
