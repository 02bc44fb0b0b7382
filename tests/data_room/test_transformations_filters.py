"""Filters, gradients, morphology and spectra: against formulas written out, and OpenCV."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from n2d2py.data.transformations.filter import FilterTransformation
from n2d2py.data.transformations.spectrum import fast_size

from .transforming import changed, draws, noise, one, stimulus

cv2 = pytest.importorskip("cv2")


def kernel(*keys: str) -> np.ndarray:
    transformation = one("Filter", *keys)
    assert isinstance(transformation, FilterTransformation)
    return transformation.kernel.matrix()


def sized(name: str, *keys: str, columns: int = 5, rows: int = 3) -> np.ndarray:
    return kernel(f"Kernel={name}", f"Kernel.SizeX={columns}", f"Kernel.SizeY={rows}", *keys)


def balanced(values: np.ndarray) -> np.ndarray:
    positive = values[values > 0].sum()
    negative = abs(values[values <= 0].sum())
    return np.where(values > 0, values / (positive or 1), values / (negative or 1))


def by_formula(formula: Any, columns: int = 5, rows: int = 3) -> np.ndarray:
    return np.array([[formula(x - (columns - 1) / 2, y - (rows - 1) / 2) for x in range(columns)] for y in range(rows)])


def test_gaussian_is_not_of_sum_1() -> None:
    expected = by_formula(lambda x, y: math.exp(-(x * x + y * y) / 4) / (4 * math.pi))
    assert np.allclose(sized("Gaussian"), expected, atol=1e-15)
    assert np.allclose(sized("Gaussian", "Kernel.Positive=0"), -expected, atol=1e-15)
    assert sized("Gaussian", "Kernel.Sigma=6", columns=15, rows=15).sum() == pytest.approx(0.62, abs=0.005)
    assert sized("Gaussian", "Kernel.Sigma=6", columns=21, rows=21).sum() == pytest.approx(0.85, abs=0.005)


@pytest.mark.parametrize("name", ["LoG", "LaplacianOfGaussian"])
def test_laplacian_of_gaussian(name: str) -> None:
    def formula(x: float, y: float) -> float:
        ratio = (x * x + y * y) / 4
        return -(1 - ratio) * math.exp(-ratio) / (math.pi * 4)

    assert np.allclose(sized(name), balanced(by_formula(formula)), atol=1e-12)
    assert abs(sized(name, columns=7, rows=7).sum()) < 1e-12


@pytest.mark.parametrize("name", ["DoG", "DifferenceOfGaussian"])
def test_difference_of_gaussian(name: str) -> None:
    def formula(x: float, y: float) -> float:
        square = x * x + y * y
        return (math.exp(-square / 8) / 2 - math.exp(-square / 2)) / math.sqrt(2 * math.pi)

    assert np.allclose(sized(name), balanced(by_formula(formula)), atol=1e-12)


def test_gabor_and_its_phase_in_degrees(said: list[str]) -> None:
    def formula(x: float, y: float, psi: float) -> float:
        theta, sigma, gamma = math.radians(30), math.sqrt(2), 0.5
        u, v = x * math.cos(theta) + y * math.sin(theta), -x * math.sin(theta) + y * math.cos(theta)
        bell = math.exp(-(u * u / sigma**2 + v * v / (sigma / gamma) ** 2) / 2) / (2 * math.pi * sigma * sigma / gamma)
        return bell * math.cos(2 * math.pi * u / 10 + psi)

    default = sized("Gabor", "Kernel.Theta=30")
    assert np.allclose(default, balanced(by_formula(lambda x, y: formula(x, y, 0.0274156))), atol=1e-6)
    assert "1.5708 degrees" in said[0]
    quarter = sized("Gabor", "Kernel.Theta=30", "Kernel.Psi=90")
    assert np.allclose(quarter, balanced(by_formula(lambda x, y: formula(x, y, math.pi / 2))), atol=1e-12)
    assert len(said) == 1


def test_a_written_kernel() -> None:
    assert kernel("Kernel=*", "Kernel.Mat=1 2 3 4").tolist() == [[1, 2], [3, 4]]
    keys = ("Kernel=*", "Kernel.Mat=1 2 3 4 5 6", "Kernel.SizeX=3", "Kernel.SizeY=2")
    assert kernel(*keys).tolist() == [[1, 2, 3], [4, 5, 6]]
    values = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.float32)
    result = changed(one("Filter", "Kernel=*", "Kernel.Mat=0 0 0 0 0 1 0 0 0", "Orientation=45"), values)
    assert result.tolist() == [[2, 3, 2], [5, 6, 5], [8, 9, 8]]  # not mirrored; outside stands cb|abc|ba
    assert changed(one("Filter", "Kernel=*", "Kernel.Mat=90"), np.array([[2, 3]], np.uint8)).tolist() == [[180, 255]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_filters_are_those_of_opencv(dtype: type, channels: int) -> None:
    image = noise(7, 8, channels, dtype=dtype)
    weights = sized("DoG")
    result = changed(one("Filter", "Kernel=DoG", "Kernel.SizeX=5", "Kernel.SizeY=3"), image)
    expected = cv2.filter2D(image, -1, weights, borderType=cv2.BORDER_REFLECT_101)
    assert np.array_equal(result, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_gradients(dtype: type) -> None:
    image = noise(6, 7, 3, dtype=dtype)
    unit = image.astype(np.float64) / (1 if dtype == np.float32 else np.iinfo(dtype).max)
    for name, weights in (("Sobel", (1, 2, 1)), ("Scharr", (3, 10, 3))):
        across = np.outer(weights, (-1, 0, 1)).astype(np.float64)
        dx, dy = (cv2.filter2D(unit, -1, matrix) for matrix in (across, across.T))
        result = changed(one("GradientFilter", f"GradientFilter={name}"), image)
        assert result.dtype == np.float32
        assert np.abs(result - (np.abs(dx) + np.abs(dy)) / 2).max() < 1e-5
    laplacian = cv2.filter2D(unit, -1, np.array([[2, 0, 2], [0, -8, 0], [2, 0, 2]], np.float64))
    keys = ("GradientFilter=Laplacian", "Scale=3", "Delta=0.5")
    assert np.abs(changed(one("GradientFilter", *keys), image) - np.abs(laplacian * 3 + 0.5)).max() < 1e-4


def test_labels_where_there_is_no_gradient_are_ignored() -> None:
    image = np.zeros((5, 8), np.uint8)
    image[:, 4:] = 255  # |dx| is 4 in columns 3 and 4, so that the gradient is 2
    labels = np.tile([0, 1], (5, 4))
    edge = np.zeros((5, 8), bool)
    edge[:, 3:5] = True
    for keys, expected in (
        ((), np.where(edge, labels, -1)),
        (("InvThreshold=1",), np.where(edge, -1, labels)),
        (("Label=1",), np.where(edge | (labels == 0), labels, -1)),
        (("Threshold=3",), np.full((5, 8), -1)),
    ):
        for channels in (1, 3):
            frame = stimulus(np.repeat(image[..., np.newaxis], channels, axis=2), labels)
            result = one("GradientFilter", "ApplyToLabels=1", *keys).transform(frame, draws())
            assert result.labels.tolist() == expected.tolist()
            assert result.image is frame.image
    frame = stimulus(image, labels)
    coarse = one("GradientFilter", "ApplyToLabels=1", "GradientScale=0.5").transform(frame, draws())
    assert coarse.labels.shape == labels.shape
    assert (coarse.labels[:, 0] == -1).all()
    plain = stimulus(image)
    assert one("GradientFilter", "ApplyToLabels=1").transform(plain, draws()) is plain
    assert one("GradientFilter", "ApplyToLabels=1").out_dtype(np.dtype(np.uint8)) == np.uint8


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("Erode", cv2.MORPH_ERODE),
        ("Dilate", cv2.MORPH_DILATE),
        ("Opening", cv2.MORPH_OPEN),
        ("Closing", cv2.MORPH_CLOSE),
        ("Gradient", cv2.MORPH_GRADIENT),
        ("TopHat", cv2.MORPH_TOPHAT),
        ("BlackHat", cv2.MORPH_BLACKHAT),
    ],
)
@pytest.mark.parametrize("shape", ["Rectangular", "Elliptic", "Cross"])
def test_morphology(operation: str, code: int, shape: str) -> None:
    names = {"Rectangular": cv2.MORPH_RECT, "Elliptic": cv2.MORPH_ELLIPSE, "Cross": cv2.MORPH_CROSS}
    element = cv2.getStructuringElement(names[shape], (3, 3))
    for image in (noise(9, 8), noise(9, 8, 3, dtype=np.float32)):
        result = changed(
            one("Morphology", f"Operation={operation}", "Size=3", f"Shape={shape}", "NbIterations=2"), image
        )
        assert np.array_equal(result, cv2.morphologyEx(image, code, element, iterations=2))


LABELS = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [0, 0, 2, 0, 0, 0],
        [0, 0, 0, 0, 5, 5],
        [0, 0, 0, 0, 5, 5],
    ]
)


def morphed(*keys: str) -> list[list[int]]:
    frame = stimulus(noise(4, 6), LABELS)
    result = one("Morphology", "Size=3", "ApplyToLabels=1", *keys).transform(frame, draws())
    assert result.image is frame.image
    assert result.labels.dtype == np.int32
    return result.labels.tolist()


def test_morphology_of_all_labels() -> None:
    expected = cv2.dilate(LABELS.astype(np.float32), np.ones((3, 3), np.uint8)).astype(int)
    assert morphed("Operation=Dilate") == expected.tolist()
    assert morphed("Operation=Dilate", "LabelsIgnoreDiff=1") == np.where(expected == LABELS, LABELS, -1).tolist()


def test_morphology_of_one_label_keeps_the_others() -> None:
    expected = LABELS.copy()
    expected[0:3, 1:4] = 2
    assert morphed("Operation=Dilate", "Label=2") == expected.tolist()
    ring = np.where(expected == LABELS, LABELS, -1)
    assert morphed("Operation=Dilate", "Label=2", "LabelsIgnoreDiff=1") == ring.tolist()
    assert morphed("Operation=Erode", "Label=2") == LABELS.tolist()
    assert morphed("Operation=Erode", "Label=2", "LabelsIgnoreDiff=1") == np.where(LABELS == 2, -1, LABELS).tolist()
    both = expected.copy()
    both[1:4, 3:6] = 5
    assert morphed("Operation=Dilate", "Label=2 5") == both.tolist()


def reconstructed(marker: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Dilation of the marker below the mask until nothing changes, written out."""
    while True:
        padded = np.pad(marker, 1, constant_values=0)
        around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).max(axis=(2, 3))
        following = np.minimum(around, mask)
        if np.array_equal(following, marker):
            return marker
        marker = following


def test_reconstruction() -> None:
    image = noise(12, 11) // 4
    image[2:7, 3:9] = 120
    image[3:6, 4:7] = 10
    element = np.ones((3, 3), np.uint8)

    def result(operation: str) -> np.ndarray:
        return changed(one("MorphologicalReconstruction", f"Operation={operation}", "Size=3"), image)

    assert np.array_equal(result("OpeningByReconstruction"), reconstructed(cv2.erode(image, element), image))
    dual = 255 - reconstructed(255 - cv2.dilate(image, element), 255 - image)
    assert np.array_equal(result("ClosingByReconstruction"), dual)
    inner = image.copy()
    inner[1:-1, 1:-1] = image.min()
    assert np.array_equal(result("ReconstructionByDilation"), reconstructed(inner, image))
    filled = result("ReconstructionByErosion")
    assert (filled[3:6, 4:7] == 120).all()  # the hole in the ring
    assert (filled >= image).all()
    labels = (image == 10).astype(np.int32)
    keys = ("Operation=OpeningByReconstruction", "Size=3", "ApplyToLabels=1", "Label=1")
    frame = one("MorphologicalReconstruction", *keys).transform(stimulus(image, labels), draws())
    assert np.array_equal(frame.labels, labels)


@pytest.mark.parametrize(
    ("size", "expected"), [(1, 1), (7, 8), (14, 15), (28, 30), (31, 32), (97, 100), (224, 225), (225, 225)]
)
def test_fast_sizes(size: int, expected: int) -> None:
    assert fast_size(size) == expected == cv2.getOptimalDFTSize(size)


def test_dft() -> None:
    image = noise(7, 11)
    padded = np.pad(image.astype(np.float64), [(0, 1), (0, 1)])
    result = changed(one("DFT"), image)
    assert result.dtype == np.float64
    assert np.abs(result[..., 0] + 1j * result[..., 1] - np.fft.fft2(padded)).max() < 1e-9
    rows = changed(one("DFT", "TwoDimensional=0"), image)
    assert np.abs(rows[..., 0] + 1j * rows[..., 1] - np.fft.fft(padded)).max() < 1e-9
    assert one("DFT").out_dims((224, 97, 1)) == (225, 100, 2)


def test_dct() -> None:
    image = noise(7, 27, 3, dtype=np.float32)
    assert one("DCT").out_dims((28, 224, 3)) == (30, 240, 3)
    result = changed(one("DCT"), image)
    assert result.shape == (8, 30, 3)

    def matrix(size: int) -> np.ndarray:
        k, n = np.mgrid[0:size, 0:size]
        return np.cos(np.pi * (2 * n + 1) * k / (2 * size)) * np.where(k == 0, np.sqrt(1 / size), np.sqrt(2 / size))

    padded = np.pad(image.astype(np.float64), [(0, 1), (0, 3), (0, 0)])
    for channel in range(3):
        expected = matrix(8) @ padded[..., channel] @ matrix(30).T
        assert np.abs(result[..., channel] - expected).max() < 1e-4
        rows = changed(one("DCT", "TwoDimensional=0"), image)[..., channel]
        assert np.abs(rows - padded[..., channel] @ matrix(30).T).max() < 1e-4


def test_magnitude_and_phase() -> None:
    values = np.array([[[3, 4], [-1, 0], [0, -2]]], np.float64)
    result = changed(one("MagnitudePhase"), values)
    assert result[0, :, 0].tolist() == [5, 1, 2]
    assert result[0, :, 1] == pytest.approx([math.atan2(4, 3), math.pi, -math.pi / 2])
    logarithmic = changed(one("MagnitudePhase", "LogScale=1"), values)
    assert logarithmic[0, :, 0] == pytest.approx([math.log(6), math.log(2), math.log(3)])
    assert one("MagnitudePhase").out_dtype(np.dtype(np.float32)) == np.float64
