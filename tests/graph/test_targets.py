"""Which sections are targets, and the doubts about them."""

from __future__ import annotations

import pytest

from n2d2py.errors import ParameterError
from n2d2py.parts.targets import PlainTarget, TargetScore
from tests.graph.networks import HEAD, TINY, heard, network, warnings


def test_an_empty_section_is_enough() -> None:
    (target,) = network(TINY).targets
    assert isinstance(target, TargetScore)
    assert (target.name, target.cell, target.target_value, target.default_value, target.top_n) == (
        *("out.Target", "out"),
        *(1.0, 0.0, 1),
    )


def test_several_targets() -> None:
    text = TINY + "[out.Target-Top2]\nTopN=2\n[last.Target]\nType=Target\n[out.Target_b]\nDefaultValue=-1\n"
    targets = network(text).targets
    # In the order of the cells, and in file order for each cell: the first one is the primary one.
    assert [target.name for target in targets] == ["last.Target", "out.Target", "out.Target-Top2", "out.Target_b"]
    assert isinstance(targets[0], PlainTarget)
    assert targets[2].top_n == 2


def test_the_line_of_a_target() -> None:
    with heard() as records:
        network(TINY + "[out.Target-Top2]\nTopN=2\nDefaultValue=-1\n")
    lines = [record.getMessage() for record in records]
    assert "Target: out (target value: 1 / default value: 0 / top-n value: 1)" in lines
    assert "Target: out (target value: 1 / default value: -1 / top-n value: 2)" in lines


def test_a_network_without_target_is_legal() -> None:
    text = TINY.replace("[out.Target]\n", "")
    assert network(text).targets == ()
    assert warnings(text)[0].startswith("net.ini has no [<cell>.Target] section")


def test_a_target_of_no_cell() -> None:
    assert warnings(TINY + "[ot.Target]\n") == [
        "target section [ot.Target] belongs to no cell (did you mean out?), at: net.ini:29, [ot.Target]"
    ]


def test_unknown_keys_and_types() -> None:
    with pytest.raises(ParameterError, match="to do: did you mean TopN"):
        network(TINY + "[out.Target-2]\nTopM=2\n")
    with pytest.raises(ParameterError, match=r"unknown target 'TargetScor'(.|\n)*did you mean TargetScore"):
        network(TINY + "[out.Target-2]\nType=TargetScor\n")


def test_names_that_hold_the_word_target() -> None:
    body = "Input=sp\nType=Dropout\nNbOutputs=2\n"
    targets = network(HEAD + f"[a.Target]\n{body}[a]\n{body}[a.Target.Target]\nTopN=2\n").targets
    # [a.Target] is a cell, and [a.Target.Target] a target of two cells: only one can have it.
    assert [(target.cell, target.name) for target in targets] == [("a.Target", "a.Target.Target")]


def test_many_strays_are_told_quickly() -> None:
    strays = "".join(f"[ou{index}.Target]\n" for index in range(40))
    found = warnings(TINY + strays)
    assert len(found) == 40
    assert "did you mean out?" in found[0]
    assert "did you mean" not in found[-1]


def test_masks_that_are_half_given() -> None:
    text = TINY + "[out.Target-2]\nMaskedLabel=1\n"
    assert "MaskedLabel of target out.Target-2 has no effect without MaskLabelTarget" in warnings(text)[0]
    text = TINY + "[out.Target-2]\nMaskLabelTarget=out.Target\n"
    assert "MaskLabelTarget of target out.Target-2 has no effect without MaskedLabel" in warnings(text)[0]


def test_doubts() -> None:
    softmax = HEAD + "[s]\nInput=sp\nType=Softmax\nNbOutputs=2\n[s.Target]\nDefaultValue=-1\n"
    assert "a Softmax gives values between 0 and 1" in warnings(softmax)[0]
    dropping = TINY.replace("NbOutputs=3", "NbOutputs=3\nDropConnect=0.5")
    assert "drops connections: DropConnect=0.5" in warnings(dropping)[0]
    rectified = TINY.replace("NbOutputs=3", "NbOutputs=3\nActivationFunction=Rectifier")
    rectified = rectified.replace("[out.Target]", "[out.Target]\nDefaultValue=-1")
    assert "gives nothing below 0 (Rectifier)" in warnings(rectified)[0]
