"""Both ends of the network in words and numbers: enough to make codes of pixels, and labels of codes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from n2d2py.cells.base import Dims
from n2d2py.data.conversion import Leveled, Quantization, Scaled, scaling
from n2d2py.data.transformations.channel_extraction import ChannelExtractionTransformation
from n2d2py.data.transformations.pad_crop import PadCropTransformation
from n2d2py.data.transformations.rescale import RescaleTransformation
from n2d2py.integer import ends
from n2d2py.integer.network import IntegerNetwork
from n2d2py.parts.targets import PlainTarget, TargetScore

from .networks import edge, lenet_like
from .reader import codes_of


def test_transformations_stand_in_order_with_every_parameter() -> None:
    chain = [RescaleTransformation(width=32, height=30), PadCropTransformation(width=28, height=28)]
    found = ends.preprocessing(chain, scaling(False, None))
    assert json.loads(json.dumps(found)) == found
    rescale, crop = found["transformations"]
    assert rescale["type"] == "RescaleTransformation"
    assert rescale["parameters"] == {
        "ApplyTo": "All", "Width": "32", "Height": "30", "KeepAspectRatio": "0", "ResizeToFit": "1"
    }  # fmt: skip
    assert "INTER_LINEAR" in rescale["words"]
    assert (crop["parameters"]["Width"], crop["parameters"]["BorderType"]) == ("28", "MinusOneReflectBorder")
    assert found["codes"]["words"].startswith("code = pixel + offset")
    assert (found["codes"]["offset"], found["codes"]["scale"], found["codes"]["high"]) == (0, 1 / 255, 255)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("quantization", [None, Quantization(1), Quantization(16)])
def test_codes_follow_from_what_is_said(signed: bool, quantization: Quantization | None) -> None:
    conversion = scaling(signed, quantization)
    assert isinstance(conversion, Scaled | Leveled)
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    _, expected = conversion(torch.from_numpy(pixels))
    assert expected is not None
    found = json.loads(json.dumps(ends.preprocessing([], conversion)))
    assert np.array_equal(codes_of(found["codes"], pixels), expected.values.numpy())
    assert found["codes"]["scale"] == expected.grid.scale


NAMES = ["cat", "dog", "cow"]


def test_labels_stand_in_the_order_of_the_outputs() -> None:
    record = TargetScore(name="softmax.Target", cell="softmax")
    found = ends.target(record, lenet_like(), NAMES, None)
    assert (found["name"], found["operation"], found["scores"]) == ("softmax.Target", "softmax", True)
    assert "largest output" in found["words"]
    assert found["labels"] == [["cat"], ["dog"], ["cow"], *[[]] * 7]
    assert found["ignored"] == []


def test_a_mapping_may_join_and_ignore_labels() -> None:
    found = ends.target(PlainTarget(name="t", cell="fc"), lenet_like(), NAMES, np.array([1, -1, 1]))
    assert found["labels"][:3] == [[], ["cat", "cow"], []]
    assert (found["ignored"], found["scores"]) == (["dog"], False)


def test_one_output_has_a_threshold_and_two_classes() -> None:
    only = edge("fc", Dims(1, 1, 1), -9, 9)
    network = IntegerNetwork("one", (), {"fc": only}, {"fc": "fc"})
    record = TargetScore(name="t", cell="fc", binary_threshold=0.25)
    found = ends.target(record, network, NAMES[:2], None)
    assert (found["threshold"], found["labels"]) == (0.25, [["cat"], ["dog"]])
    assert "above threshold" in found["words"]


def test_channels_stand_beside_the_transformations_of_whole_images() -> None:
    red, blue = (ChannelExtractionTransformation(channel=channel) for channel in ("Red", "Blue"))
    conversion = scaling(False, None, "uint16")
    assert isinstance(conversion, Scaled)
    crop = PadCropTransformation(width=28, height=28)
    found = ends.preprocessing([crop], conversion, channels=[[red], [blue, crop]], depth="uint16")
    assert json.loads(json.dumps(found)) == found
    assert found["images"].startswith("uint16 pixels")
    assert [one["type"] for one in found["transformations"]] == ["PadCropTransformation"]
    kinds = [[one["parameters"].get("CSChannel") for one in steps] for steps in found["channels"]["transformations"]]
    assert kinds == [["Red"], ["Blue", None]]
    assert "the planes in this order are the image" in found["channels"]["words"]
    assert (found["codes"]["scale"], found["codes"]["high"]) == (1 / 65535, 65535)
    assert "channels" not in ends.preprocessing([crop], conversion)
