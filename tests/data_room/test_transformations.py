"""What holds for every transformation: its keys, its batches, its dimensions and its depth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py import registry
from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.errors import N2d2Error, ParameterError

from .transforming import draws, noise, one, refused, stimulus

pytest.importorskip("cv2")

NAMES = (
    "Affine Apodization CentroidCrop ChannelExtraction ColorSpace CompressionNoise DCT DFT Distortion Equalize "
    "ExpandLabel Filter Flip GradientFilter LabelExtraction LabelFilter LabelSliceExtraction MagnitudePhase "
    "MorphologicalReconstruction Morphology Normalize PadCrop RandomAffine RandomResizeCrop RangeAffine RangeClipping "
    "Rescale Reshape SliceExtraction StripeRemove Threshold Trim WallisFilter"
).split()

BOTH, SIZE = ("RandomHorizontalFlip=1", "RandomVerticalFlip=1"), ("Width=7", "Height=9")
ANY, BYTES, REALS = ("uint8", "uint16", "float32"), ("uint8",), ("float32",)

CASES: list[tuple[str, tuple[str, ...], tuple[str, ...], tuple[int, ...]]] = [
    ("Apodization", ("Size=11", "WindowName=Hann"), ANY, (1, 3)),
    ("ChannelExtraction", ("CSChannel=Gray",), ANY, (1, 3, 4)),
    ("ChannelExtraction", ("CSChannel=Red",), ANY, (1, 3, 4)),
    ("ChannelExtraction", ("CSChannel=Hue",), ("uint8", "float32"), (1, 3, 4)),
    ("ColorSpace", ("ColorSpace=RGB",), ANY, (1, 3, 4)),
    ("ColorSpace", ("ColorSpace=BGR",), ANY, (1, 3, 4)),
    ("ColorSpace", ("ColorSpace=HLS",), ("uint8", "float32"), (1, 3, 4)),
    ("CompressionNoise", (), BYTES, (1, 3)),
    ("DCT", (), REALS, (1, 3)),
    ("DFT", (), ANY, (1,)),
    ("MagnitudePhase", (), ANY, (2,)),
    ("Distortion", ("ElasticScaling=20", "Scaling=15", "Rotation=15"), ANY, (1, 3, 4)),
    ("Equalize", (), BYTES, (1, 3)),
    ("Filter", ("Kernel=LoG", "Kernel.SizeX=5", "Kernel.SizeY=5"), ANY, (1, 3, 4)),
    ("Flip", ("HorizontalFlip=1",), ANY, (1, 3, 4)),
    ("Flip", BOTH, ANY, (1, 3, 4)),
    ("GradientFilter", (), ANY, (1, 3, 4)),
    ("MorphologicalReconstruction", ("Operation=OpeningByReconstruction", "Size=3"), ANY, (1, 3, 4)),
    ("Morphology", ("Operation=Gradient", "Size=3"), ANY, (1, 3, 4)),
    ("Normalize", (), ANY, (1, 3)),
    ("Normalize", ("Norm=L2", "PerChannel=1"), ANY, (1, 3)),
    ("PadCrop", SIZE, ANY, (1, 3, 4)),
    ("PadCrop", ("Width=19", "Height=6", "BorderType=MeanBorder"), ANY, (1, 3, 4)),
    ("RandomAffine", ("GainRange=0.5 1.5", "BiasRange=-0.1 0.1", "GammaRange=0.5 2", "GammaVarProb=0.5"), ANY, (1, 3)),
    ("RandomResizeCrop", (*SIZE, "ScaleMin=0.2", "RatioMin=0.75", "RatioMax=1.33"), ANY, (1, 3, 4)),
    ("RangeAffine", ("FirstOperator=Divides", "FirstValue=255"), ANY, (1, 3, 4)),
    ("RangeClipping", (), ANY, (1, 3)),
    ("Rescale", SIZE, ANY, (1, 3, 4)),
    ("Reshape", ("NbRows=11",), ANY, (1, 3)),
    ("SliceExtraction", (*SIZE, "OffsetX=2"), ANY, (1, 3, 4)),
    ("SliceExtraction", (*SIZE, "RandomOffsetX=1", "RandomOffsetY=1"), ANY, (1, 3, 4)),
    ("SliceExtraction", (*SIZE, "RandomOffsetX=1", "RandomRotation=1", "AllowPadding=1"), ANY, (1, 3)),
    ("SliceExtraction", (*SIZE, "RandomScaling=1", "RandomOffsetY=1", "AllowPadding=1"), ANY, (1, 3)),
    ("StripeRemove", ("Offset=2", "Length=3"), ANY, (1, 3)),
    ("StripeRemove", ("Offset=0", "Length=2", "RandomOffset=1", "NbIterations=2", "Axis=1"), ANY, (1, 3)),
    ("Threshold", ("Threshold=0.5",), ANY, (1, 3)),
    ("WallisFilter", ("Size=0",), ANY, (1, 3)),
    ("WallisFilter", ("Size=3",), ANY, (1, 3)),
]
CASES_BY_NAME = {f"{kind} {' '.join(lines)}": (kind, lines, depths, counts) for kind, lines, depths, counts in CASES}
WIDTH, HEIGHT = 11, 13


def test_the_types_are_those_of_n2d2() -> None:
    assert registry.names("transformation") == sorted(f"{name}Transformation" for name in NAMES)
    assert len(NAMES) == 33


@pytest.mark.parametrize("case", CASES_BY_NAME)
def test_a_batch_is_what_its_images_are_one_by_one(case: str) -> None:
    kind, lines, depths, counts = CASES_BY_NAME[case]
    transformation = one(kind, *lines, "ApplyTo=LearnOnly")
    assert transformation.batched
    for depth in depths:
        for channels in counts:
            images = noise(6, HEIGHT, WIDTH, channels, dtype=np.dtype(depth))
            for seed in (1, 2, 3):
                before = images.copy()
                batch = transformation.apply(images, draws(6, seed))
                assert np.array_equal(images, before)  # nothing is changed in place
                for index, image in enumerate(images):
                    single = transformation.transform(stimulus(image), draws(1, seed, index)).image
                    assert single.dtype == batch.dtype == transformation.out_dtype(np.dtype(depth))
                    assert np.array_equal(single, batch[index]), (depth, channels, seed, index)
            dims = transformation.out_dims((WIDTH, HEIGHT, channels))
            assert dims == (batch.shape[2], batch.shape[1], batch.shape[3])


@pytest.mark.parametrize("case", CASES_BY_NAME)
def test_an_image_does_not_depend_on_its_neighbours(case: str) -> None:
    kind, lines, depths, counts = CASES_BY_NAME[case]
    transformation = one(kind, *lines, "ApplyTo=LearnOnly")
    images = noise(5, HEIGHT, WIDTH, counts[-1], dtype=np.dtype(depths[0]))
    whole = transformation.apply(images, draws(5))
    assert np.array_equal(transformation.apply(images[2:4], draws(2, first=2)), whole[2:4])
    if not transformation.drawn:
        assert np.array_equal(transformation.apply(images, draws(5, seed=9)), whole)
    else:
        same = np.repeat(images[:1], 12, axis=0)
        assert len({image.tobytes() for image in transformation.apply(same, draws(12))}) > 1


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(2, 12), height=st.integers(2, 12), x=st.integers(1, 12), y=st.integers(1, 12), seed=st.integers(0)
)
def test_random_slices_of_any_size(width: int, height: int, x: int, y: int, seed: int) -> None:
    keys = (f"Width={x}", f"Height={y}", "RandomOffsetX=1", "RandomOffsetY=1", "AllowPadding=1", "ApplyTo=LearnOnly")
    transformation = one("SliceExtraction", *keys)
    images = noise(3, height, width, 2)
    stream = Draws.of(seed % 2**32, 1, [4, 5, 6])
    result = transformation.apply(images, stream)
    for index, image in enumerate(images):
        assert np.array_equal(transformation.transform(stimulus(image), stream.image(index)).image, result[index])


REQUIRED = [
    ("Affine", ("FirstValue=x.png",), "FirstOperator"),
    ("Affine", ("FirstOperator=Plus",), "FirstValue"),
    ("Apodization", (), "Size"),
    ("ChannelExtraction", (), "CSChannel"),
    ("ColorSpace", (), "ColorSpace"),
    ("Filter", (), "Kernel"),
    ("Filter", ("Kernel=Gaussian", "Kernel.SizeX=3"), "Kernel.SizeY"),
    ("Filter", ("Kernel=Gabor", "Kernel.SizeX=3", "Kernel.SizeY=3"), "Kernel.Theta"),
    ("Filter", ("Kernel=*",), "Kernel.Mat"),
    ("LabelExtraction", ("Widths=3",), "Heights"),
    ("LabelFilter", (), "Labels"),
    ("LabelSliceExtraction", ("Width=3",), "Height"),
    ("MorphologicalReconstruction", ("Operation=OpeningByReconstruction",), "Size"),
    ("Morphology", ("Size=3",), "Operation"),
    ("PadCrop", ("Width=3",), "Height"),
    ("RandomResizeCrop", ("Height=3",), "Width"),
    ("RangeAffine", ("FirstOperator=Plus",), "FirstValue"),
    ("Rescale", ("Width=3",), "Height"),
    ("Reshape", (), "NbRows"),
    ("SliceExtraction", ("Height=3",), "Width"),
    ("StripeRemove", ("Offset=3",), "Length"),
    ("StripeRemove", ("Length=3",), "Offset"),
    ("Threshold", (), "Threshold"),
    ("Trim", (), "NbLevels"),
    ("WallisFilter", (), "Size"),
]


@pytest.mark.parametrize(("kind", "lines", "key"), REQUIRED)
def test_a_missing_key_is_named(kind: str, lines: tuple[str, ...], key: str) -> None:
    text = refused(kind, *lines)
    assert f"missing key {key}\n" in text
    assert "expected: " in text


@pytest.mark.parametrize(
    ("kind", "lines", "words"),
    [
        ("Rescale", ("Width=3", "Height=3", "With=3"), ("unknown parameter With", "did you mean Width?")),
        ("Rescale", ("Width=1", "Height=1", "ApplyTo=learnOnly"), ("did you mean LearnOnly?",)),
        ("PadCrop", ("Width=1", "Height=1", "BorderType=Mirror"), ("one of ConstantBorder", "net.ini:5")),
        ("PadCrop", ("Width=-1", "Height=3"), ("an integer of at least 0",)),
        ("RangeAffine", ("FirstOperator=Divides", "FirstValue=0"), ("division by 0", "net.ini:4")),
        ("RangeAffine", ("FirstOperator=Divides", "FirstValue="), ("FirstValue is empty",)),
        ("ColorSpace", ("ColorSpace=rgb",), ("did you mean RGB?",)),
        ("RandomResizeCrop", ("Width=1", "Height=1", "ScaleMin=1.5"), ("ScaleMin=1.5", "at most 1")),
        ("RandomResizeCrop", ("Width=1", "Height=1", "RatioMin=0"), ("]0, ",)),
        ("CompressionNoise", ("CompressionRange=50 20",), ("CompressionRange=50 20", "the lower one first")),
        ("CompressionNoise", ("CompressionRange=0 101",), ("0 to 100",)),
        ("Filter", ("Kernel=*", "Kernel.Mat=1 2 3"), ("3 values for a kernel of 1x1", "a square number")),
        ("Filter", ("Kernel=Sobel",), ("unknown kernel 'Sobel'",)),
        ("GradientFilter", ("KernelSize=4",), ("no kernel of 4x4", "an odd number up to 31")),
        ("LabelExtraction", ("Widths=3,4", "Heights=3"), ("2 widths and 1 heights",)),
        ("LabelExtraction", ("Widths=3", "Heights=3", "Distribution=1:2,3"), ("has no colon",)),
        ("LabelExtraction", ("Widths=3", "Heights=3", "Distribution=1:0"), ("all shares are 0",)),
        ("LabelFilter", ("Labels=",), ("Labels is empty",)),
        ("CentroidCrop", ("Axis=2",), ("-1 (both axes), 0 (columns) or 1 (rows)",)),
        ("StripeRemove", ("Offset=0", "Length=1", "Axis=2"), ("0 (columns) or 1 (rows)",)),
        ("Trim", ("NbLevels=1",), ("an integer of 2 to 256",)),
        ("SliceExtraction", ("Width=1", "Height=1", "RandomScaling=1", "RandomScalingRange=0 1"), ("begins at 0",)),
        ("RandomAffine", ("GainVarProb=1.5",), ("[0, 1]",)),
    ],
)
def test_mistakes(kind: str, lines: tuple[str, ...], words: tuple[str, ...]) -> None:
    text = refused(kind, *lines)
    for word in words:
        assert word in text


IMPOSSIBLE = [
    ("Apodization", ("Size=5",), (4, 6, 1), "uint8", "Size=6"),
    ("ChannelExtraction", ("CSChannel=Gray",), (4, 6, 2), "uint8", "images of 2 channels"),
    ("ChannelExtraction", ("CSChannel=Red",), (4, 6, 2), "uint8", "images of 2 channels"),
    ("ChannelExtraction", ("CSChannel=Hue",), (4, 6, 3), "uint16", "images of depth 16U"),
    ("ColorSpace", ("ColorSpace=HSV_to_BGR",), (4, 6, 4), "uint8", "images of 4 channels"),
    ("ColorSpace", ("ColorSpace=RGB",), (4, 6, 3), "float64", "images of depth 64F"),
    ("ColorSpace", ("ColorSpace=CIELab",), (4, 6, 3), "uint16", "images of depth 16U"),
    ("CompressionNoise", (), (4, 6, 3), "float32", "images of depth 32F"),
    ("CompressionNoise", (), (4, 6, 4), "uint8", "images of 4 channels"),
    ("DCT", (), (4, 6, 1), "uint8", "images of depth 8U"),
    ("DFT", (), (4, 6, 3), "uint8", "images of 3 channels"),
    ("MagnitudePhase", (), (4, 6, 1), "float64", "images of 1 channels"),
    ("Distortion", (), (1, 6, 1), "uint8", "image of 6x1 pixels cannot be distorted"),
    ("Equalize", (), (4, 6, 1), "uint16", "images of depth 16U"),
    ("Equalize", (), (4, 6, 4), "uint8", "images of 4 channels"),
    ("Filter", ("Kernel=*", "Kernel.Mat=1"), (4, 6, 1), "int32", "images of depth 32S"),
    ("Morphology", ("Operation=Erode", "Size=3"), (4, 6, 1), "int32", "images of depth 32S"),
    ("PadCrop", ("Width=3", "Height=0"), (4, 6, 1), "uint8", "cropped to 3x0 pixels"),
    ("RandomResizeCrop", ("Width=3", "Height=3"), (4, 6, 1), "int32", "images of depth 32S"),
    ("RangeAffine", ("FirstOperator=Plus", "FirstValue=1 2"), (4, 6, 3), "uint8", "2 values for images of 3"),
    ("Rescale", ("Width=3", "Height=3"), (4, 6, 1), "int32", "images of depth 32S"),
    ("Reshape", ("NbRows=5",), (4, 6, 1), "uint8", "6x4x1 cannot become one of ?x5x1"),
    ("Reshape", ("NbRows=4", "NbCols=5"), (4, 6, 1), "uint8", "NbRows x NbCols x NbChannels = 24"),
    ("SliceExtraction", ("Width=6", "Height=4", "OffsetX=1"), (4, 6, 1), "uint8", "6x4 pixels at 1,0 is not inside"),
    ("StripeRemove", ("Offset=4", "Length=3"), (4, 6, 1), "uint8", "stripe of 3 from 4 on cannot be taken out of 6"),
    ("StripeRemove", ("Offset=0", "Length=4", "Axis=1"), (4, 6, 1), "uint8", "out of 4 rows"),
    ("Threshold", ("Threshold=1", "OtsuMethod=1"), (4, 6, 1), "float32", "images of depth 32F"),
    ("CentroidCrop", (), (4, 6, 3), "uint8", "images of 3 channels"),
    ("Trim", ("NbLevels=4",), (4, 6, 1), "float32", "images of depth 32F"),
    ("LabelSliceExtraction", ("Width=7", "Height=1"), (4, 6, 1), "uint8", "7x1 pixels is not inside"),
    ("LabelExtraction", ("Widths=7", "Heights=1"), (4, 6, 1), "uint8", "patch of 7x1 pixels is not inside"),
]


@pytest.mark.parametrize(("kind", "lines", "shape", "depth", "words"), IMPOSSIBLE)
def test_what_cannot_be_transformed(
    kind: str, lines: tuple[str, ...], shape: tuple[int, int, int], depth: str, words: str
) -> None:
    transformation = one(kind, *lines, "ApplyTo=LearnOnly")
    image = np.ones(shape, np.dtype(depth))
    with pytest.raises(ParameterError) as error:
        transformation.transform(Frame(image, np.zeros(shape[:2], np.int32)), draws())
    assert words in str(error.value)
    assert "net.ini" in str(error.value)
    assert "expected: " in str(error.value)


def test_random_images_for_other_sets_are_a_warning(said: list[str]) -> None:
    one("Flip", "RandomHorizontalFlip=1", "ApplyTo=NoValidation")
    assert len(said) == 1
    assert "drawn at random for Test as well: ApplyTo=LearnOnly" in said[0]
    assert "net.ini:4" in said[0]
    one("Flip", "RandomHorizontalFlip=1", "ApplyTo=LearnOnly")
    one("Flip", "HorizontalFlip=1")
    assert len(said) == 1


def test_a_missing_opencv_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    with pytest.raises(N2d2Error, match="RescaleTransformation needs OpenCV") as error:
        one("Rescale", "Width=2", "Height=2").apply(noise(1, 3, 3, 1), draws())
    assert "pip install opencv-python-headless" in str(error.value)
