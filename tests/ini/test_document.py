"""Documents: computed properties, what was read, lookups by pattern."""

import pytest

from n2d2py import ini
from n2d2py.errors import IniError


def test_absent_values_are_none():
    document = ini.loads("[s]\na=1")
    assert document.value("s", "b") is None
    assert document.value("t", "a") is None


def test_computed_properties_are_read_like_written_ones():
    document = ini.loads("[sp]\n_EpochSize=0\n[s]\nv=$([sp]_EpochSize * 2)\n", file="n.ini")
    document.publish("sp", "_EpochSize", 48000)
    assert document.value("s", "v").text == "96000"
    assert document.value("sp", "_EpochSize").text == "48000"
    assert str(document.value("sp", "_EpochSize").place) == "n.ini:1, [sp], _EpochSize, computed by the run"


def test_a_computed_property_is_missing_before_it_is_published():
    document = ini.loads("[sp]\n[s]\nv=[sp]_EpochSize\n")
    with pytest.raises(IniError, match=r"Property _EpochSize not found in section \[sp\]"):
        document.value("s", "v")
    document.publish("sp", "_EpochSize", "7")
    assert document.value("s", "v").text == "7"


def test_a_callable_is_called_once_at_the_first_read():
    document = ini.loads("[sp]\n[s]\nv=[sp]n [sp]n\n")
    calls = []
    document.publish("sp", "n", lambda: calls.append(1) or 0.5)
    assert calls == []
    assert document.value("s", "v").text == "0.5 0.5"
    assert document.value("s", "v").text == "0.5 0.5"
    assert calls == [1]


def test_computed_properties_that_need_each_other_are_an_error():
    document = ini.loads("[a]\nw=[b]y\n[b]\nz=[a]x\n")
    document.publish("a", "x", lambda: document.value("a", "w").text)
    document.publish("b", "y", lambda: document.value("b", "z").text)
    with pytest.raises(IniError, match=r"circle: \[b\]y -> \[a\]x -> \[b\]y"):
        document.value("a", "w")


def test_publishing_to_a_section_that_does_not_exist_is_a_bug():
    with pytest.raises(KeyError, match="there is no such section"):
        ini.loads("").publish("sp", "_EpochSize", 1)


def test_what_was_read_directly_makes_a_section_used():
    document = ini.loads("DefaultModel=Frame\n[def]\na=1\n[used] def\n[referred]\nb=[used]a\nc=2\n[empty]\n")
    assert document.unused() == ["", "def", "used", "referred", "empty"]
    assert document.value("referred", "b").text == "1"
    document.value("used", "missing")
    document.value("", "DefaultModel")
    assert document.unused() == ["def", "used", "empty"]
    document.value("used", "a")
    assert document.unused() == ["def", "empty"]


def test_a_global_section_is_used_by_its_variables_and_unseen_when_empty():
    document = ini.loads("$X=1\n[s]\nv=${X}")
    document.value("s", "v")
    assert document.unused() == []
    assert ini.loads("[s]").unused() == ["s"]


def test_computed_properties_with_dots_and_parts():
    value = "[sp.StimuliData-1]_GlobalValue.mean $([sp.StimuliData-1]_GlobalValue.stdDev * 2)"
    document = ini.loads(f"[sp.StimuliData-1]\n[s]\nv={value}\n")
    document.publish("sp.StimuliData-1", "_GlobalValue.mean", lambda: "0.473282")
    document.publish("sp.StimuliData-1", "_GlobalValue.stdDev", 0.25)
    assert document.value("s", "v").text == "0.473282 0.5"


def test_the_dimensions_of_a_cell_in_expressions():
    pool = "PoolDims=[conv1]_OutputsWidth [conv1]_OutputsHeight\nStride=$([conv1]_NbOutputs // 2)\n"
    document = ini.loads(f"[conv1]\n[pool]\n{pool}")
    for key, value in {"_OutputsWidth": 7, "_OutputsHeight": 5, "_NbOutputs": 9}.items():
        document.publish("conv1", key, value)
    assert document.value("pool", "PoolDims").text == "7 5"
    assert document.value("pool", "Stride").text == "4"


def test_a_computed_property_is_suggested():
    document = ini.loads("[sp]\n[s]\nv=[sp]_EpochSiez\n")
    document.publish("sp", "_EpochSize", 7)
    with pytest.raises(IniError, match=r"did you mean \[sp\]_EpochSize\?"):
        document.value("s", "v")


def test_reading_through_a_reference_is_no_reading():
    document = ini.loads("[a]\nx=1\n[b]\ny=[a]x\n")
    document.value("b", "y")
    assert document.unused() == ["a"]
