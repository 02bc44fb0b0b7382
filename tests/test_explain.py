"""``-explain`` and ``-list``: answers made from the declarations, and wrong names that get a hint."""

from __future__ import annotations

import re

import pytest

import n2d2py.integer.lowering
import n2d2py.learn.policies  # noqa: F401 - both register what is compared with
from n2d2py import catalogue, cli, options, registry
from n2d2py.errors import UsageError
from n2d2py.explain import explain, kinds_called, listing
from n2d2py.parts.solvers import POLICIES


def text(name):
    return "\n".join(explain(name))


def test_a_cell_is_explained_with_type_default_meaning_and_spellings():
    said = text("Conv")
    assert said.startswith("cell Conv\n  y[o] = b[o] + ")
    assert "  NbOutputs  [required]\n      channels of the output (channels)\n      an integer of at least 1\n" in said
    assert "  StrideDims  [1 1]\n" in said
    assert "      also Stride, StrideX, StrideY, StrideZ\n" in said


@pytest.mark.parametrize("topic", catalogue.topics(), ids=lambda topic: topic.title)
def test_everything_can_be_explained(topic):
    said = text(topic.name)
    assert topic.title in said
    for parameter in topic.parameters():
        assert f"  {parameter.key}" in said
        assert parameter.meaning.split()[0] in said


def test_a_name_of_several_kinds_is_explained_in_each():
    said = text("SAT")
    assert "activation quantizer SAT" in said
    assert "weight quantizer SAT" in said


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("conv", "cell Conv"),
        ("Rescale", "transformation RescaleTransformation"),
        ("mnist_idx", "database MNIST_IDX_Database"),
        ("Normal", "filler NormalFiller"),
        ("sp", "[sp]"),
        ("env", "[sp]"),
        ("globals", "globals"),
        ("CosineDecay", "policy CosineDecay"),
    ],
)
def test_names_are_found_without_case_and_ending(asked, found):
    assert text(asked).startswith(found)


def test_a_key_tells_where_it_exists():
    said = text("NoBias")
    assert re.search(r"^key NoBias of cell: .*Conv.*Fc", said)
    assert said.endswith("1: no biases\n      0 or 1\n      default 0")


def test_a_key_below_a_part_is_that_of_the_kind():
    said = text("QWeight.Range")
    assert "key Range of weight quantizer: " in said
    assert "activation quantizer" not in said
    assert "key LearningRate of solver: " in text("Solvers.LearningRate")


def test_an_option_is_explained():
    assert text("-learn-epoch").startswith("option -learn-epoch value  [0]\n      learn during N epochs")
    assert "not there yet" in text("check-gradients")


@pytest.mark.parametrize(("wrong", "right"), [("Convv", "Conv"), ("NoBais", "NoBias"), ("learn-epochs", "learn-epoch")])
def test_a_wrong_name_gets_the_nearest(wrong, right):
    with pytest.raises(UsageError, match=f"did you mean {right}"):
        explain(wrong)


@pytest.mark.parametrize("name", ["", "[]", ".", "a.", ".Range", "xyzzy"])
def test_a_name_that_means_nothing(name):
    with pytest.raises(UsageError, match="nothing is called"):
        explain(name)


def test_kinds_are_listed_with_their_counts():
    said = "\n".join(listing())
    assert re.search(rf"^cells +{len(registry.names('cell'))}$", said, re.MULTILINE)
    assert "n2d2py -list cells 'Conv*'" in said


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("cell", ["cell"]),
        ("Cells", ["cell"]),
        ("policies", ["policy"]),
        ("quantizers", ["activation quantizer", "weight quantizer"]),
        ("weight-quantizer", ["weight quantizer"]),
    ],
)
def test_kinds_are_called_by_one_or_many(asked, found):
    assert kinds_called(asked) == found


def test_a_listing_is_filtered_by_a_pattern():
    names = [line.split()[0] for line in listing("cells", "*ool")[2:] if line.startswith("P")]
    assert names == ["Pool"]


def test_cells_are_listed_with_what_they_can_do():
    rows = {line.split()[0]: line.split()[1:4] for line in listing("cells")[2:] if line}
    assert rows["Conv"] == ["yes", "yes", "yes"]
    assert rows["BatchNorm"] == ["yes*", "yes", "yes"]
    assert rows["Pool"] == ["-", "yes", "yes"]
    assert any(line.startswith("* not quantized while it learns") for line in listing("cells"))


def test_integer_forms_and_policies_are_those_that_are_registered():
    assert catalogue.lowered() == set(registry.names("lowering"))
    assert {topic.name for topic in catalogue.of_kind("policy")} == set(registry.names("policy")) == set(POLICIES)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["cellz"], "did you mean cells?"),
        (["cells", "Cnv"], "did you mean Conv?"),
    ],
)
def test_what_cannot_be_listed(words, what):
    with pytest.raises(UsageError, match=re.escape(what)):
        listing(*words)


def test_the_line_takes_a_kind_and_a_pattern(capsys):
    assert options.parse(["-list", "cells", "Conv*"])["list"] == ("cells", "Conv*")
    assert options.parse(["-list", "-traceback"])["list"] == ()
    assert cli.main(["-list", "cells", "Con*"]) == 0
    assert "Conv " in capsys.readouterr().out


@pytest.mark.parametrize("words", [["-explain", "Convv"], ["-list", "cellz"], ["-list", "cells", "Conv", "Fc"]])
def test_wrong_usage_ends_with_2(words, capsys):
    assert cli.main(words) == 2
    assert "Error: " in capsys.readouterr().out
