"""Scopes: precedence, claims, and what is said of keys that nobody read."""

import logging
from dataclasses import dataclass

import pytest

from n2d2py import ini
from n2d2py.errors import IniError, ParameterError
from n2d2py.kinds import positive
from n2d2py.parameters import REQUIRED, Record, axes, parameter, read

TEXT = """
[common]
a=common ${SECTION_NAME}
b=common
[special]
b=special
c=special
[cell]
a=own
Type=Conv
"""


@pytest.fixture
def warnings(caplog):
    caplog.set_level(logging.INFO, logger="n2d2py")
    return caplog


def scope_of(text, section="cell", *configs, strict=False):
    return ini.loads(text, file="n.ini", strict=strict).scope(section, *configs)


def test_own_keys_win_then_later_sections():
    scope = scope_of(TEXT, "cell", "common", "special")
    assert [scope.find(key).text for key in "abc"] == ["own", "special", "special"]
    scope = scope_of(TEXT, "cell", "special", "common")
    assert [scope.find(key).text for key in "abc"] == ["own", "common", "special"]
    assert scope.find("d") is None


def test_the_first_spelling_wins_within_a_section_and_the_own_section_over_spellings():
    text = "[common]\nWeightsSolver.R=1\n[special]\nSolvers.R=2\n[cell]\n[other]\nSolvers.R=3\n"
    assert scope_of(text, "cell", "common", "special").find("WeightsSolver.R", "Solvers.R").text == "1"
    assert scope_of(text, "other", "common").find("WeightsSolver.R", "Solvers.R").text == "3"


def test_configuration_is_evaluated_for_the_cell():
    text = "[common]\nn=${SECTION_NAME} ${X}\n[cell]\n$X=5\n"
    value = scope_of(text, "cell", "common").find("n")
    assert value.text == "cell 5"
    assert str(value.place) == "n.ini:2, [common], n, read through ${X} (n.ini:4), configuration of [cell]"


def test_place_is_the_header():
    assert str(scope_of(TEXT).place) == "n.ini:8, [cell]"


def test_a_scope_of_a_section_that_does_not_exist():
    with pytest.raises(IniError, match=r"there is no section \[comon\] in INI file n.ini\n  at: n.ini:8, \[cell\]\n"):
        scope_of(TEXT, "cell", "comon")
    with pytest.raises(IniError, match="did you mean common"):
        scope_of(TEXT, "comon")


def test_all_read_is_silent(warnings):
    scope = scope_of("[cell]\na=1\n$V=2\n")
    scope.find("a", "b")
    assert scope.close(strict=True) == []
    assert warnings.messages == []


def test_all_spellings_count_as_read(warnings):
    scope = scope_of("[cell]\nMode=1\nQuantMode=2\n")
    assert scope.find("QuantMode", "Mode").text == "2"
    assert scope.close() == []


def test_keys_read_through_the_document_count_as_read(warnings):
    document = ini.loads("[cell]\nType=Conv\n")
    document.value("cell", "Type")
    assert document.scope("cell").close(strict=True) == []


def test_an_unknown_key_is_warned_of_with_the_nearest(warnings):
    scope = scope_of("[cell]\nKernelWith=5\nFoo=1\n")
    scope.find("KernelDims", "KernelSize", "KernelWidth")
    assert scope.close() == ["KernelWith", "Foo"]
    assert warnings.messages == [
        "unknown parameter KernelWith (did you mean KernelWidth?), at: n.ini:2, [cell], KernelWith",
        "unknown parameter Foo (remove it, or check its spelling), at: n.ini:3, [cell], Foo",
    ]


@pytest.mark.parametrize(("cell", "document"), [(True, False), (False, True)])
def test_strict_makes_it_an_error(cell, document):
    scope = scope_of("[def]\nKernelWith=5\n[cell] def\n", strict=document)
    scope.find("KernelWidth")
    with pytest.raises(ParameterError) as caught:
        scope.close(strict=cell)
    assert str(caught.value) == (
        "unknown parameter KernelWith\n"
        "  at: n.ini:3, [cell], KernelWith, inherited from [def] (n.ini:2)\n"
        "  to do: did you mean KernelWidth?"
    )


def test_an_inherited_key_is_warned_of_once(warnings):
    document = ini.loads("[def]\nFoo=5\n[a] def\n[b] def\n")
    assert document.scope("a").close() == ["Foo"]
    assert document.scope("b").close() == ["Foo"]
    assert len(warnings.messages) == 1


def test_an_unread_key_of_a_configuration_section_is_an_error():
    scope = scope_of("[common]\nNoBiass=1\n$V=1\n[cell]\n", "cell", "common")
    scope.find("NoBias")
    with pytest.raises(ParameterError) as caught:
        scope.close()
    assert str(caught.value) == (
        "unknown parameter NoBiass\n"
        "  at: n.ini:2, [common], NoBiass, configuration of [cell]\n"
        "  to do: did you mean NoBias?"
    )


def test_each_cell_answers_for_a_shared_configuration_section():
    document = ini.loads("[common]\nNoBias=1\n[conv]\n[pool]\n")
    conv = document.scope("conv", "common")
    conv.find("NoBias")
    conv.close()
    with pytest.raises(ParameterError, match=r"unknown parameter NoBias\n.*configuration of \[pool\]"):
        document.scope("pool", "common").close()


def test_a_key_below_a_claimed_prefix_is_an_error():
    scope = scope_of("[cell]\nQWeight.Rang=15\n")
    scope.claim("QWeight.", ["Range", "QuantMode"])
    with pytest.raises(ParameterError, match=r"unknown parameter QWeight\.Rang\n.*\n.* mean QWeight\.Range\?"):
        scope.close()


def test_a_key_far_from_all_known_ones_lists_them():
    scope = scope_of("[cell]\nQWeight.Zzz=15\n")
    scope.claim("QWeight.", ["Range", "QuantMode"])
    with pytest.raises(ParameterError, match=r"known: QWeight\.QuantMode, QWeight\.Range"):
        scope.close()


def test_types_that_share_a_prefix_share_their_keys(warnings):
    scope = scope_of("[cell]\nSolvers.Beta1=0.9\nSolvers.Momentum=0.9\n")
    scope.claim("Solvers.", ["Beta1"])
    scope.find("Solvers.Beta1")
    scope.claim("Solvers.", ["Momentum"])
    scope.find("Solvers.Momentum")
    assert scope.close(strict=True) == []


def test_a_key_without_its_type_has_no_effect_and_is_warned_of(warnings):
    text = "[cell]\nQWeight.Range=15\n"
    scope = scope_of(text)
    scope.claim("QWeight.", (), missing="QWeight")
    assert scope.close(strict=True) == ["QWeight.Range"]
    assert warnings.messages == [
        "parameter QWeight.Range has no effect without QWeight "
        "(add QWeight=, or remove QWeight.Range), at: n.ini:2, [cell], QWeight.Range"
    ]
    scope = scope_of(text, strict=True)
    scope.claim("QWeight.", (), missing="QWeight")
    with pytest.raises(ParameterError, match="has no effect without QWeight"):
        scope.close()


def test_a_configured_key_without_its_type_is_an_error():
    scope = scope_of("[common]\nQWeight.Range=15\n[cell]\n", "cell", "common")
    scope.claim("QWeight.", (), missing="QWeight")
    with pytest.raises(ParameterError, match=r"has no effect without QWeight\n  at: n.ini:2, \[common\]"):
        scope.close()


def test_reading_through_a_scope_makes_sections_used():
    document = ini.loads(TEXT)
    scope = document.scope("cell", "common")
    assert document.unused() == ["common", "special", "cell"]
    scope.find("b")
    assert document.unused() == ["special", "cell"]
    scope.find("a")
    assert document.unused() == ["special"]


def test_unread_keys_are_those_that_nobody_asked_for():
    document = ini.loads("[common]\nc=1\nd=1\n[cell]\na=1\nb=1\ne=1\n$V=1\n")
    scope = document.scope("cell", "common")
    assert scope.unread() == ["a", "b", "e", "c", "d"]
    scope.find("a", "d", "other")
    document.value("cell", "e")
    assert scope.unread() == ["b", "c"]


def test_a_computed_property_is_found_where_none_is_written():
    document = ini.loads("[cell]\n")
    scope = document.scope("cell")
    assert scope.find("_NbOutputs") is None
    document.publish("cell", "_NbOutputs", 3)
    assert scope.find("_NbOutputs").text == "3"


def test_many_heirs_of_an_unknown_key_are_told_of_it_once(warnings):
    document = ini.loads("[def]\nKernelWith=5\n" + "".join(f"[c{number}] def\n" for number in range(50)))
    for number in range(50):
        scope = document.scope(f"c{number}")
        scope.find("KernelWidth")
        assert scope.close() == ["KernelWith"]
    assert len(warnings.messages) == 1


@dataclass(frozen=True, kw_only=True)
class Window(Record):
    stride: int = parameter("Stride", positive, 1, "step")
    kernel: tuple[int, ...] = axes("KernelDims", "KernelSize", ("KernelWidth", "KernelHeight"), positive, REQUIRED, "")
    size_x: int = parameter("SizeX", positive, REQUIRED, "width")
    size_y: int = parameter("SizeY", positive, 1, "height")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("KernelSzie=3\nSizeX=1", "missing key KernelDims\n(.*\n)*.*did you mean KernelSize where it says KernelSzie"),
        ("kernelDims=3\nSizeX=1", "to do: did you mean KernelDims where it says kernelDims?"),
        (
            "KernelWidth=3\nKernelHeigth=3\nSizeX=1",
            "missing key KernelHeight\n(.*\n)*.*mean KernelHeight where it says",
        ),
        ("KernelSize=3\nSzieX=1", "missing key SizeX\n(.*\n)*.*did you mean SizeX where it says SzieX"),
    ],
)
def test_a_missing_key_may_be_misspelt(keys, said):
    scope = ini.loads(f"[w]\n{keys}\n").scope("w")
    with pytest.raises(ParameterError, match=said):
        read(Window, scope)


@pytest.mark.parametrize("keys", ["SizeX=1", "KernelSize=3\nSizeY=2", "KernelSize=3\nFoo=1\n$SizeX=2"])
def test_a_missing_key_is_no_misspelling_of_one_that_is_known(keys):
    scope = ini.loads(f"[w]\n{keys}\n").scope("w")
    with pytest.raises(ParameterError, match="missing key") as caught:
        read(Window, scope)
    assert caught.value.remedy is None


def test_keys_with_a_prefix_are_listed_in_order():
    scope = ini.loads("[a]\nK[1]=1\nb=2\nK[0]=3\n[c]\nK[2]=4\nK[0]=5\n").scope("a", "c")
    assert scope.listed("K[") == ["K[1]", "K[0]", "K[2]"]
    assert scope.listed("x") == []
