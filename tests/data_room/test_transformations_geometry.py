"""Transformations that move pixels: against N2D2's numbers and OpenCV, with labels and regions."""

from __future__ import annotations

import numpy as np
import pytest

from n2d2py.data.rois import Circle, Polygon, rectangle
from n2d2py.data.transformations.random_resize_crop import RandomResizeCropTransformation
from n2d2py.errors import DataError, ParameterError

from .transforming import changed, draws, noise, one, stimulus

cv2 = pytest.importorskip("cv2")


def row(*values: int, dtype: type = np.uint8) -> np.ndarray:
    """An image of one row."""
    return np.array([values], dtype)


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
    transformation = one("PadCrop", f"Width={width}", "Height=1")
    assert changed(transformation, row(0, 1, 2, 3, 4)).ravel().tolist() == expected


@pytest.mark.parametrize(
    ("border", "mode"),
    [
        ("ReplicateBorder", cv2.BORDER_REPLICATE),
        ("ReflectBorder", cv2.BORDER_REFLECT),
        ("WrapBorder", cv2.BORDER_WRAP),
        ("MinusOneReflectBorder", cv2.BORDER_REFLECT_101),
    ],
)
@pytest.mark.parametrize("size", [(5, 4), (2, 3), (1, 1), (1, 6)])
def test_borders_are_those_of_opencv(border: str, mode: int, size: tuple[int, int]) -> None:
    image = noise(*size, 3)
    result = changed(one("PadCrop", "Width=13", "Height=12", f"BorderType={border}"), image)
    top, left = -((size[0] - 12) // 2), -((size[1] - 13) // 2)
    assert np.array_equal(result, cv2.copyMakeBorder(image, top, 12 - size[0] - top, left, 13 - size[1] - left, mode))


def test_constant_border_fills_missing_channels_with_0() -> None:
    keys = ("Width=3", "Height=3", "BorderType=ConstantBorder", "BorderValue=7 300")
    result = changed(one("PadCrop", *keys), np.full((2, 2, 3), 9, np.uint8))
    assert result[0].tolist() == [[7, 255, 0]] * 3
    assert result[:, 0].tolist() == [[7, 255, 0]] * 3
    assert (result[1:, 1:] == 9).all()


def test_mean_border_is_the_mean_of_each_image_and_channel() -> None:
    images = np.array([[[[0, 10], [3, 10]]], [[[8, 1], [9, 2]]]], np.uint8)
    transformation = one("PadCrop", "Width=3", "Height=1", "BorderType=MeanBorder")
    assert transformation.apply(images, draws(2))[:, 0, 0].tolist() == [[2, 10], [8, 2]]
    assert transformation.apply(images.astype(np.float32), draws(2))[0, 0, 0].tolist() == [1.5, 10]


def test_additive_sizes() -> None:
    transformation = one("PadCrop", "Width=2", "Height=0", "AdditiveWH=1")
    assert transformation.out_dims((5, 1, 1)) == (7, 1, 1)
    assert changed(transformation, row(0, 1, 2, 3, 4)).ravel().tolist() == [1, 0, 1, 2, 3, 4, 3]


def test_labels_and_regions_are_padded_and_cropped() -> None:
    labels = np.arange(20).reshape(4, 5)
    rois = (rectangle(1, 1, 1, 3, 3), rectangle(2, 0, 0, 1, 4))
    result = one("PadCrop", "Width=3", "Height=6").transform(stimulus(noise(4, 5), labels, rois), draws())
    assert result.labels.dtype == np.int32
    assert result.labels.tolist() == [[-1] * 3, *labels[:, 1:4].tolist(), [-1] * 3]
    # One column goes on the left and one row comes on top; what ends left of the image is dropped.
    assert result.rois == (rectangle(1, 0, 2, 2, 4),)
    assert result.stimulus == 12
    assert one("PadCrop", "Width=3", "Height=6").transform(stimulus(noise(4, 5)), draws()).labels.tolist() == [[3]]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    ("width", "values", "expected"),
    [
        (4, [0, 1, 2, 3, 4, 5, 6, 7], [0.5, 2.5, 4.5, 6.5]),
        (8, [0, 4, 8, 12], [0, 1, 3, 5, 7, 9, 11, 12]),
    ],
)
def test_rescale(dtype: type, width: int, values: list[int], expected: list[float]) -> None:
    result = changed(one("Rescale", f"Width={width}", "Height=1"), row(*values, dtype=dtype))
    assert result.dtype == dtype
    wanted = expected if dtype == np.float32 else [value + value % 1 for value in expected]
    assert result.ravel().tolist() == wanted  # halves of bytes are rounded up


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_rescale_is_that_of_opencv(dtype: type, channels: int) -> None:
    images = noise(3, 28, 20, channels, dtype=dtype)
    transformation = one("Rescale", "Width=32", "Height=31")
    for image, rescaled in zip(images, transformation.apply(images, draws(3)), strict=True):
        expected = cv2.resize(image, (32, 31), interpolation=cv2.INTER_LINEAR)
        assert np.array_equal(rescaled, expected.reshape(rescaled.shape))


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
    transformation = one("Rescale", "Width=256", "Height=256", "KeepAspectRatio=1", f"ResizeToFit={fit}")
    assert transformation.out_dims((*size, 3)) == (*expected, 3)


def test_rescale_to_nothing() -> None:
    transformation = one("Rescale", "Width=2", "Height=2", "KeepAspectRatio=1")
    with pytest.raises(ParameterError, match="of 100x3 pixels would be rescaled to 2x0"):
        transformation.out_dims((100, 3, 1))


@pytest.mark.parametrize(("size", "wanted", "indices"), [(5, 3, [0, 1, 3]), (3, 5, [0, 0, 1, 1, 2])])
def test_labels_are_rescaled_to_the_nearest(size: int, wanted: int, indices: list[int]) -> None:
    labels = np.arange(2 * size).reshape(2, size) * 70000  # more than 16 bits
    roi = rectangle(4, 1, 0, 3, 2)
    result = one("Rescale", f"Width={wanted}", "Height=2").transform(stimulus(noise(2, size), labels, (roi,)), draws())
    assert np.array_equal(result.labels, labels[:, indices])
    assert result.rois == (roi.rescaled(wanted / size, 1.0),)


def test_flip_of_everything() -> None:
    image, labels = noise(3, 4, 3), np.arange(12).reshape(3, 4)
    frame = stimulus(image, labels, (rectangle(1, 0, 0, 2, 1), Circle(2, 1, 1, 1)))
    for keys, rows, columns in (
        (("HorizontalFlip=1",), 1, -1),
        (("VerticalFlip=1",), -1, 1),
        (("HorizontalFlip=1", "VerticalFlip=1"), -1, -1),
    ):
        result = one("Flip", *keys).transform(frame, draws())
        assert np.array_equal(result.image, image[::rows, ::columns])
        assert np.array_equal(result.labels, labels[::rows, ::columns])
        assert result.rois == tuple(roi.flipped(4, 3, columns < 0, rows < 0) for roi in frame.rois)
    first = one("Flip", "HorizontalFlip=1").transform(frame, draws()).rois[0]
    assert isinstance(first, Polygon)
    assert first.points[0] == (3, 0)
    assert one("Flip").transform(frame, draws()) is frame


def test_random_flips_are_half_and_independent() -> None:
    transformation = one("Flip", "RandomHorizontalFlip=1", "RandomVerticalFlip=1", "ApplyTo=LearnOnly")
    image = np.array([[0, 1], [2, 3]], np.uint8).reshape(1, 2, 2, 1)
    result = transformation.apply(np.repeat(image, 800, axis=0), draws(800))
    counts = np.bincount(result[:, 0, 0, 0], minlength=4)  # the corner says which flips were done
    assert (counts > 150).all()
    assert (counts < 250).all()
    fixed = one("Flip", "HorizontalFlip=1", "RandomHorizontalFlip=1", "ApplyTo=LearnOnly")
    assert set(fixed.apply(np.repeat(image, 50, axis=0), draws(50))[:, 0, 0, 0].tolist()) == {0, 1}


def random_resize_crop(*keys: str) -> RandomResizeCropTransformation:
    transformation = one("RandomResizeCrop", "Width=6", "Height=5", *keys, "ApplyTo=LearnOnly")
    assert isinstance(transformation, RandomResizeCropTransformation)
    return transformation


def test_random_resize_crop_keeps_to_its_bounds() -> None:
    transformation = random_resize_crop("ScaleMin=.2", "ScaleMax=.6", "RatioMin=.75", "RatioMax=1.33")
    parts = transformation.parts((50, 40, 3), draws(2000))
    x, y, width, height = parts.T
    assert (x >= 0).all()
    assert (y >= 0).all()
    assert (x + width <= 50).all()
    assert (y + height <= 40).all()
    area, ratio = width * height / 2000, width / height
    assert 0.18 < area.min() < 0.22
    assert 0.58 < area.max() < 0.62
    assert 0.7 < ratio.min() < 0.8
    assert 1.28 < ratio.max() < 1.4
    # Uniform in the logarithm of the ratio, and of the area.
    assert abs(np.log(ratio).mean() - (np.log(0.75) + np.log(1.33)) / 2) < 0.02
    assert abs(area.mean() - 0.4) < 0.02


def test_random_resize_crop_is_a_part_resized_by_opencv() -> None:
    transformation = random_resize_crop("ScaleMin=.2", "RatioMin=.75", "RatioMax=1.33")
    for dtype in (np.uint8, np.float32):
        images = noise(4, 20, 30, 3, dtype=dtype)
        parts = transformation.parts((30, 20, 3), draws(4)).tolist()
        for image, result, (x, y, width, height) in zip(
            images, transformation.apply(images, draws(4)), parts, strict=True
        ):
            assert np.array_equal(result, cv2.resize(image[y : y + height, x : x + width], (6, 5)))


@pytest.mark.parametrize(
    ("dims", "keys", "expected"),
    [
        ((30, 20, 1), (), [0, 0, 20, 20]),
        ((20, 30, 1), (), [0, 0, 20, 20]),
        ((20, 20, 1), (), [0, 0, 20, 20]),
        ((30, 20, 1), ("ScaleMax=9", "ScaleMin=1", "RatioMin=1", "RatioMax=1.25"), [0, 0, 25, 20]),
        ((20, 20, 1), ("RatioMin=1.6", "RatioMax=2"), [0, 0, 20, 13]),
    ],
)
def test_without_a_part_that_fits_the_top_left_is_taken(
    dims: tuple[int, int, int], keys: tuple[str, ...], expected: list[int]
) -> None:
    assert random_resize_crop(*keys).parts(dims, draws(3)).tolist() == [expected] * 3


def test_random_resize_crop_leaves_labels_and_says_so_once(said: list[str]) -> None:
    transformation, labels = random_resize_crop(), np.arange(12).reshape(3, 4)
    for _ in range(3):
        assert np.array_equal(transformation.transform(stimulus(noise(3, 4), labels), draws()).labels, labels)
    assert len(said) == 1
    assert "labels of pixels do not move" in said[0]


def test_stripes_are_taken_out_of_what_is_left() -> None:
    image, labels = noise(3, 12), np.arange(36).reshape(3, 12)
    transformation = one("StripeRemove", "Offset=2", "Length=3", "NbIterations=2", "StepOffset=1")
    result = transformation.transform(stimulus(image, labels), draws())
    kept = [0, 1, 5, 9, 10, 11]
    assert np.array_equal(result.image[..., 0], image[:, kept])
    assert np.array_equal(result.labels, labels[:, kept])
    assert transformation.out_dims((12, 3, 1)) == (6, 3, 1)
    # Without StepOffset the step is the offset.
    assert changed(one("StripeRemove", "Offset=1", "Length=2", "NbIterations=2"), row(*range(9))).tolist() == [
        [0, 3, 6, 7, 8]
    ]
    # Rows are compared with the number of rows, however many columns there are.
    assert changed(one("StripeRemove", "Axis=1", "Offset=1", "Length=4"), noise(6, 2)).shape == (2, 2)


def test_reshape_keeps_the_order_of_values() -> None:
    image = noise(4, 6, 3)
    transformation = one("Reshape", "NbRows=8", "NbCols=9", "NbChannels=1")
    assert np.array_equal(changed(transformation, image), image.reshape(8, 9))
    result = one("Reshape", "NbRows=8").transform(stimulus(image, np.arange(24).reshape(4, 6)), draws())
    assert result.image.shape == (8, 3, 3)
    assert np.array_equal(result.labels, np.arange(24).reshape(8, 3))


def test_centroid_crop() -> None:
    image = np.zeros((6, 9), np.uint8)
    image[2, 3:6] = 10  # the centroid is at column 4, row 2
    labels = np.arange(54).reshape(6, 9)
    result = one("CentroidCrop").transform(stimulus(image, labels), draws())
    assert np.array_equal(result.image[..., 0], image[0:4, 0:8])
    assert np.array_equal(result.labels, labels[0:4, 0:8])
    assert changed(one("CentroidCrop", "Axis=0"), image).shape == (6, 8)
    assert changed(one("CentroidCrop", "Axis=1"), image).shape == (4, 9)
    assert changed(one("CentroidCrop"), np.zeros((4, 6), np.float32)).shape == (4, 6)
    assert one("CentroidCrop").out_dims((9, 6, 1)) is None
    image[...] = 0
    image[:, 0] = 1
    with pytest.raises(DataError, match="centroid of stimulus 12 lies on its border") as error:
        changed(one("CentroidCrop"), image)
    assert "[sp.Transformation]" in str(error.value)


@pytest.mark.parametrize("method", ["Discretize", "Reduce"])
@pytest.mark.parametrize(("border", "inside"), [(0, 200), (250, 30)])
def test_trim(method: str, border: int, inside: int) -> None:
    image = np.full((12, 16), border, np.uint8)
    image[2:9, 3:12] = inside
    image[0, 15] = inside  # a speck
    labels, rois = np.arange(192).reshape(12, 16), (rectangle(1, 5, 5, 8, 8),)
    result = one("Trim", "NbLevels=4", f"Method={method}").transform(stimulus(image, labels, rois), draws())
    # The border grows by a pixel on each side before it is cut.
    assert np.array_equal(result.image[..., 0], image[3:8, 4:11])
    assert np.array_equal(result.labels, labels[3:8, 4:11])
    assert result.rois == (rectangle(1, 1, 2, 4, 5),)
    colours = np.repeat(image[..., np.newaxis], 3, axis=2)
    assert changed(one("Trim", "NbLevels=4", f"Method={method}"), colours).shape == (5, 7, 3)
    flat = np.full((4, 5), 7, np.uint8)
    assert np.array_equal(changed(one("Trim", "NbLevels=4", f"Method={method}"), flat), flat)


def test_distortion_without_strength_keeps_the_inside() -> None:
    image = noise(7, 6)
    result = changed(one("Distortion", "ApplyTo=LearnOnly"), image)
    # Coordinates are clipped to [0, size - 2], so the last row and column repeat those before.
    index_y, index_x = [*range(6), 5], [*range(5), 4]
    assert np.array_equal(result, image[index_y][:, index_x])


def test_distortion_is_its_formula() -> None:
    keys = ("ElasticGaussianSize=5", "ElasticSigma=2", "ElasticScaling=3", "Scaling=15", "Rotation=20")
    transformation = one("Distortion", *keys, "ApplyTo=LearnOnly")
    height, width = 8, 9
    image, labels = noise(height, width), np.arange(72).reshape(height, width)
    result = transformation.transform(stimulus(image, labels), draws())
    stream = draws()
    field = np.array([stream.below_one()[0] for _ in range(2 * height * width)]).reshape(height, width, 2) * 2 - 1
    scale = [0.15 * (2 * stream.below_one()[0] - 1) for _ in range(2)]
    angle = np.radians(20 * (2 * stream.below_one()[0] - 1))
    padded = np.pad(field, [(2, 2), (2, 2), (0, 0)])
    weights = np.array([[np.exp(-(x * x + y * y) / 8) / (8 * np.pi) for x in range(-2, 3)] for y in range(-2, 3)])
    for y in range(height):
        for x in range(width):
            around = padded[y : y + 5, x : x + 5]
            dx, dy = (3 * (around[..., axis] * weights).sum() for axis in (0, 1))
            u, v = x - width // 2, y - height // 2
            dx += scale[0] * u + u * (np.cos(angle) - 1) + v * np.sin(angle)
            dy += scale[1] * v + v * (np.cos(angle) - 1) - u * np.sin(angle)
            sx, sy = min(max(x - dx, 0), width - 2), min(max(y - dy, 0), height - 2)
            x0, y0 = int(sx), int(sy)
            wx, wy = sx - x0, sy - y0
            upper = image[y0, x0] * (1 - wx) + image[y0, x0 + 1] * wx
            lower = image[y0 + 1, x0] * (1 - wx) + image[y0 + 1, x0 + 1] * wx
            assert abs(int(result.image[y, x, 0]) - int(upper * (1 - wy) + lower * wy)) <= 1
            missing = not (0 <= x - dx <= width - 2 and 0 <= y - dy <= height - 2)
            assert result.labels[y, x] == (-1 if missing else labels[y0 + (wy >= 0.5), x0 + (wx >= 0.5)])
    whole = one("Distortion", *keys, "IgnoreMissingData=0", "ApplyTo=LearnOnly")
    assert (whole.transform(stimulus(image, labels), draws()).labels >= 0).all()
