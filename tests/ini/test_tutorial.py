"""The tutorial's INI file, as it is pasted: mixed indentation, inline comments, a parent without a blank."""

import logging
from pathlib import Path

import pytest

from n2d2py import ini

FILE = Path(__file__).parents[1] / "data" / "LeNet_clamp.ini"

CELLS = ["conv1", "bn1", "pool1", "conv2", "bn2", "pool2", "conv3", "bn3", "conv3.drop", "fc1", "fc1.drop", "fc2"]


@pytest.fixture
def document():
    return ini.load(FILE)


def text(document, section, key):
    value = document.value(section, key)
    return None if value is None else value.text


def test_sections(document):
    assert list(document.sections) == [
        "", "database", "env", "env.Transformation_0", "Conv_def", "common.config", "Fc_def", "Bn_def", "bn.config",
        *CELLS, "softmax", "softmax.Target",
    ]  # fmt: skip
    assert document.sections["softmax.Target"].properties == {}


def test_inheritance(document):
    assert document.sections["bn3"].parents == ("Bn_def",)
    assert [text(document, cell, "Type") for cell in CELLS] == [
        "Conv", "BatchNorm", "Pool", "Conv", "BatchNorm", "Pool", "Conv", "BatchNorm", "Dropout", "Fc", "Dropout", "Fc",
    ]  # fmt: skip
    assert text(document, "conv1", "QWeight.ApplyScaling") == "0"
    assert text(document, "fc1", "QWeight.ApplyScaling") == "1"
    assert text(document, "bn2", "ActivationFunction") == "Rectifier"


def test_references(document):
    outputs = {cell: text(document, cell, "NbOutputs") for cell in CELLS}
    assert outputs == {
        "conv1": "6", "bn1": "6", "pool1": "6", "conv2": "16", "bn2": "16", "pool2": "16", "conv3": "120", "bn3": "120",
        "conv3.drop": "120", "fc1": "84", "fc1.drop": "84", "fc2": "10",
    }  # fmt: skip


def test_provenance(document):
    lines = FILE.read_text().split("\n")
    line = lines.index("  [bn3]Bn_def") + 1
    parent = lines.index("[Bn_def]") + 2
    assert str(document.value("bn3", "Type").place) == (
        f"{FILE}:{line}, [bn3], Type, inherited from [Bn_def] ({FILE}:{parent})"
    )
    referred = max(number for number, content in enumerate(lines, start=1) if content == "  NbOutputs=120")
    assert str(document.value("bn3", "NbOutputs").place) == (
        f"{FILE}:{line + 2}, [bn3], NbOutputs, read through [conv3]NbOutputs ({FILE}:{referred})"
    )


def test_configuration(document):
    scope = document.scope("conv1", text(document, "conv1", "ConfigSection"))
    assert scope.find("NoBias").text == "1"
    assert scope.find("Solvers.LearningRate").text == "0.05"


def test_the_one_warning(caplog):
    with caplog.at_level(logging.INFO, logger="n2d2py"):
        ini.load(FILE)
    assert caplog.messages == [
        'Warning: overriding property ActivationFunction (previous value was "Linear") '
        f"in section [fc2] in INI file {FILE}"
    ]


def test_unused_sections_are_those_that_were_only_inherited_from(document):
    text(document, "", "DefaultModel")
    for section in ("database", "env", "env.Transformation_0", *CELLS, "softmax"):
        for key in document.sections[section].properties:
            text(document, section, key)
    document.scope("conv1", "common.config").find("NoBias")
    document.scope("bn1", "bn.config").find("Solvers.Decay")
    assert document.unused() == ["Conv_def", "Fc_def", "Bn_def", "softmax.Target"]
