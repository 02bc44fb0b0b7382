"""-qat-sat with every kind of stimuli: bytes, signed bytes, normalised channels, quantized and real inputs."""

from __future__ import annotations

import json

import numpy as np
import pytest
import runs
import torch
from integer import reader
from runs import Folder

import n2d2py
from n2d2py import fusion
from n2d2py.layers.network import TorchNetwork

NORMALISED = """
[env.Transformation-1]
Type=ColorSpaceTransformation
ColorSpace=RGB

[env.Transformation-2]
Type=RangeAffineTransformation
FirstOperator=Minus
FirstValue=123.675 116.28 103.53
SecondOperator=Divides
SecondValue=58.395 57.12 57.375
"""
REAL = """
[env.Transformation-1]
Type=RangeAffineTransformation
FirstOperator=Minus
FirstValue=100
SecondOperator=Divides
SecondValue=80

[env.Transformation-2]
Type=FilterTransformation
Kernel=Gaussian
Kernel.SizeX=3
Kernel.SizeY=3
"""
KINDS = {
    "bytes": ("", ""),
    "signed": ("DataSignedMapping=1", ""),
    "normalised": ("NbChannels=3", NORMALISED),
    "levels": ("QuantizationLevels=16", ""),
    "real": ("", REAL),
}


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """The run of a kind: learned for an epoch, then tested as integers; made at first use."""
    made: dict[str, Folder] = {}

    def get(kind: str) -> Folder:
        if kind not in made:
            env, sections = KINDS[kind]
            data = runs.write_data(tmp_path_factory.mktemp("data"), learn=30, test=30)
            folder = Folder(tmp_path_factory.mktemp(kind), data)
            folder.write(runs.quantized(env=env) + sections)
            assert folder.run("-learn-epoch 1 -test -qat-sat") == 0, folder.said
            made[kind] = folder
        return made[kind]

    return get


@pytest.mark.parametrize("kind", KINDS)
def test_no_code_differs(tested, kind):
    (line,) = [text for text in tested(kind).said.splitlines() if " codes differ, " in text]
    assert line.startswith("0 of ")
    assert line.endswith("0 of 30 labels differ (30 stimuli)")


def manifest(folder: Folder) -> dict:
    """What stands in ``weights_quantized/``."""
    return json.loads((folder / "weights_quantized/manifest.json").read_text())


def test_signed_bytes_are_codes(tested):
    stimuli = manifest(tested("signed"))["stimuli"]
    assert (stimuli["low"], stimuli["high"], stimuli["scale"]) == (-128, 127, 1 / 128)


def test_normalised_bytes_have_a_table(tested):
    found = manifest(tested("normalised"))
    codes = found["preprocessing"]["codes"]
    assert codes["lookup"]["replaces"] == [1]
    table = np.array(codes["lookup"]["table"])
    assert table.shape == (3, 256)
    bytes_ = np.arange(256)
    for row, mean, deviation in zip(table, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), strict=True):
        exact = (bytes_ - mean) / deviation / codes["scale"]
        assert np.abs(row - exact).max() < 0.51
    assert found["stimuli"]["low"] == table.min()
    assert found["stimuli"]["high"] == table.max()


def test_another_reader_gives_the_labels_from_the_bytes_of_a_camera(tested):
    folder = tested("normalised")
    pixels, _ = runs.images(30, 2)
    codes = reader.codes_of(manifest(folder)["preprocessing"]["codes"], np.repeat(pixels[:, None], 3, axis=1))
    labels = reader.infer(folder / "weights_quantized", codes)["fc1"].reshape(30, 3).argmax(axis=1)
    rows = [row.split() for row in (folder / "softmax.Target/test/classif.log").read_text().splitlines()]
    expected = {int(row[0]) - 30: int(row[3]) for row in rows}  # 30 learning images come first
    assert dict(enumerate(labels.tolist())) == expected


def test_real_stimuli_are_rounded_with_a_notice(tested):
    folder = tested("real")
    assert "the stimuli are real numbers from -" in folder.said
    assert "both networks get them as codes -128..127" in folder.said
    codes = manifest(folder)["preprocessing"]["codes"]
    assert "lookup" not in codes
    assert "value / scale" in codes["words"]


@pytest.mark.parametrize("kind", ["bytes", "normalised", "signed", "levels"])
def test_the_learned_network_is_tested_on_what_the_integers_are(tested, kind, monkeypatch):
    folder = tested(kind)
    given = []
    evaluate = TorchNetwork.evaluate

    def watched(self, stimuli, wanted=None):
        given.append(stimuli)
        return evaluate(self, stimuli, wanted)

    with runs.inside(folder.path, folder.data), monkeypatch.context() as patch:
        patch.setattr(TorchNetwork, "evaluate", watched)
        net = n2d2py.load("net.ini", seed=1, device="cpu")
        net.load_weights("weights")
        rate = net.test().rate
        network = fusion.integer_of(net.module, net.stimuli, "Floating-point")
        assert given
        for stimuli in given:
            assert stimuli.grid == network.stimuli.grid
            assert torch.equal(stimuli.values, stimuli.values.round())
        assert net.fuse().test().rate == rate
