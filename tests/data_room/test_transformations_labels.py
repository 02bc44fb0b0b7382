"""Transformations of labels: expanded, filtered, and slices around them."""

from __future__ import annotations

import numpy as np
import pytest

from n2d2py.data.rois import rectangle
from n2d2py.errors import DataError, ParameterError

from .transforming import draws, noise, one, stimulus

cv2 = pytest.importorskip("cv2")

NAMES = ["sky", "road", "sea side", "car"]


def test_expand_label() -> None:
    frame = stimulus(noise(3, 4, 3))
    result = one("ExpandLabel").transform(frame, draws())
    assert result.labels.dtype == np.int32
    assert result.labels.tolist() == [[3] * 4] * 3
    assert result.image is frame.image
    with pytest.raises(DataError, match="stimulus 12 has 4x3 labels already") as error:
        one("ExpandLabel").transform(result, draws())
    assert "[sp.Transformation]" in str(error.value)


LABELS = np.array([[0, 1, 2], [3, -1, 1]])
ROIS = tuple(rectangle(label, 0, 0, 2, 2) for label in (0, 1, 2, 3))


@pytest.mark.parametrize(
    ("lines", "labels", "rois"),
    [
        (("Filter=Keep",), [[-1, 1, 2], [-1, -1, 1]], [1, 2]),
        ((), [[0, -1, -1], [3, -1, -1]], [0, 3]),
        (("DefaultLabel=9",), [[0, 9, 9], [3, -1, 9]], [0, 3]),
        (("Filter=Merge",), [[0, 2, 2], [3, -1, 2]], [0, 2, 2, 3]),
    ],
)
def test_label_filter(lines: tuple[str, ...], labels: list[list[int]], rois: list[int]) -> None:
    transformation = one("LabelFilter", 'Labels="sea side" road', *lines).with_labels(NAMES)
    result = transformation.transform(stimulus(noise(2, 3), LABELS, ROIS), draws())
    assert result.labels.tolist() == labels
    assert [roi.label for roi in result.rois] == rois


def test_label_filter_of_a_stimulus_and_the_databases_default() -> None:
    car = one("LabelFilter", "Labels=car")
    assert car.with_labels(NAMES, 7).transform(stimulus(noise(2, 3)), draws()).labels.tolist() == [[7]]
    assert car.with_labels(NAMES).transform(stimulus(noise(2, 3)), draws()).labels.tolist() == [[-1]]
    with pytest.raises(DataError, match="needs the labels of a database"):
        car.transform(stimulus(noise(2, 3)), draws())


def test_label_filter_of_an_unknown_name() -> None:
    with pytest.raises(ParameterError, match="there is no label 'rode' in the database") as error:
        one("LabelFilter", "Labels=sky rode").with_labels(NAMES)
    assert "did you mean road?" in str(error.value)
    assert "net.ini:3" in str(error.value)


def field() -> tuple[np.ndarray, np.ndarray]:
    """An image whose pixels are all different, and labels: a block of 1, a block of 2, else 0."""
    image = np.arange(20 * 24, dtype=np.float32).reshape(20, 24)
    labels = np.zeros((20, 24), np.int32)
    labels[2:9, 3:12] = 1
    labels[11:18, 13:22] = 2
    return image, labels


def sliced(*keys: str, count: int = 60) -> list[tuple[int, int, int]]:
    """Column and row of the first pixel of slices, and their label."""
    image, labels = field()
    transformation = one("LabelSliceExtraction", "Width=5", "Height=3", *keys, "ApplyTo=LearnOnly")
    found = []
    for seed in range(count):
        result = transformation.transform(stimulus(image, labels), draws(seed=seed))
        first = int(result.image[0, 0, 0])
        x, y = first % 24, first // 24
        assert np.array_equal(result.image[..., 0], image[y : y + 3, x : x + 5])
        assert result.labels.shape == (1, 1)
        found.append((x, y, int(result.labels[0, 0])))
    return found


@pytest.mark.parametrize(("label", "left", "top"), [(1, 3, 2), (2, 13, 11)])
def test_slices_lie_inside_of_their_label(label: int, left: int, top: int) -> None:
    found = sliced(f"Label={label}", count=200)
    assert {one_label for _, _, one_label in found} == {label}
    assert {(x, y) for x, y, _ in found} == {(x, y) for x in range(left, left + 5) for y in range(top, top + 5)}
    wide = sliced(f"Label={label}", "SlicesMargin=2", count=40)
    assert {(x, y) for x, y, _ in wide} == {(left + 2, top + 2)}


def test_negative_margins_let_slices_reach_out() -> None:
    # 5x3 with a margin of -3: dilated by 1x3, so that the middle is at most one row away from the label.
    _, labels = field()
    grown = cv2.dilate((labels == 1).astype(np.uint8), np.ones((3, 1), np.uint8)) != 0
    for x, y, label in sliced("Label=1", "SlicesMargin=-3"):
        assert label == 1
        assert grown[y + 1, x + 2]


def test_the_label_is_drawn_among_those_of_the_image() -> None:
    assert {label for _, _, label in sliced()} == {0, 1, 2}
    assert {label for _, _, label in sliced("ExcludeLabels=0")} == {1, 2}
    assert {label for _, _, label in sliced("ExcludeLabels=0 2")} == {1}


def test_an_image_without_the_label(said: list[str]) -> None:
    found = sliced("Label=7")
    assert {label for _, _, label in found} == {-1}
    assert len({(x, y) for x, y, _ in found}) > 20
    assert len(said) == 1
    assert "no slice of the wanted label" in said[0]
    image, labels = field()
    strict = one("LabelSliceExtraction", "Width=5", "Height=3", "Label=7", "IgnoreNoValid=0", "ApplyTo=LearnOnly")
    with pytest.raises(DataError, match="stimulus 12 has no pixel around which") as error:
        strict.transform(stimulus(image, labels), draws())
    assert "IgnoreNoValid=1" in str(error.value)


def test_labels_of_pixels_can_be_kept_padded_and_turned() -> None:
    image, labels = field()
    rois = (rectangle(1, 3, 2, 12, 9),)
    keys = ("Width=5", "Height=3", "Label=1", "KeepComposite=1", "ApplyTo=LearnOnly")
    kept = one("LabelSliceExtraction", *keys).transform(stimulus(image, labels, rois), draws())
    assert kept.labels.tolist() == [[1] * 5] * 3
    assert len(kept.rois) == 1
    small = stimulus(np.ones((2, 3), np.uint8), np.ones((2, 3)))
    padded = one("LabelSliceExtraction", *keys, "SlicesMargin=-3", "AllowPadding=1").transform(small, draws())
    assert padded.image.shape == (3, 5, 1)
    assert (padded.labels == -1).any()
    turned = one("LabelSliceExtraction", *keys, "RandomRotation=1").transform(stimulus(image, labels, rois), draws())
    assert turned.image.shape == (3, 5, 1)
    assert turned.labels[1, 2] == 1


def test_slices_need_labels_of_pixels() -> None:
    for kind, keys in (
        ("LabelSliceExtraction", ("Width=2", "Height=2")),
        ("LabelExtraction", ("Widths=2", "Heights=2")),
    ):
        with pytest.raises(DataError, match="stimulus 12 has 1x1 labels, but 4x3 pixels") as error:
            one(kind, *keys, "ApplyTo=LearnOnly").transform(stimulus(noise(3, 4)), draws())
        assert "ExpandLabelTransformation" in str(error.value)


def extracted(*keys: str, count: int = 200) -> list[tuple[int, int, int]]:
    """Width and height of patches, and their label, which is that of their middle pixel."""
    image, labels = field()
    transformation = one("LabelExtraction", "Widths=5,4", "Heights=3,6", *keys, "ApplyTo=LearnOnly")
    found = []
    for seed in range(count):
        result = transformation.transform(stimulus(image, labels), draws(seed=seed))
        rows, columns, _ = result.image.shape
        middle = int(result.image[rows // 2, columns // 2, 0])
        label = int(result.labels[0, 0])
        if label >= 0:
            assert labels[middle // 24, middle % 24] == label
        found.append((columns, rows, label))
    return found


def test_label_extraction() -> None:
    found = extracted()
    assert {(width, height) for width, height, _ in found} == {(5, 3), (4, 6)}
    counts = np.bincount([label for _, _, label in found])
    assert (counts > 45).all()  # all labels alike, however many pixels they have
    assert {label for _, _, label in extracted("Label=2")} == {2}
    shares = np.bincount([label for _, _, label in extracted("Distribution=0:1,2:3,5:100", count=400)])
    assert shares[1] == 0
    assert 0.68 < shares[2] / 400 < 0.82


def test_label_extraction_without_the_label(said: list[str]) -> None:
    assert {label for _, _, label in extracted("Label=7", count=10)} == {-1}
    assert len(said) == 1
    assert one("LabelExtraction", "Widths=5,4", "Heights=3,6", "ApplyTo=LearnOnly").out_dims((9, 9, 3)) is None
    assert one("LabelExtraction", "Widths=5", "Heights=3", "ApplyTo=LearnOnly").out_dims((9, 9, 3)) == (5, 3, 3)
