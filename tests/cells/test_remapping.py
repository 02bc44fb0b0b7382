"""OutputsRemap: the order of the outputs in files of weights."""

from __future__ import annotations

import pytest

from n2d2py.errors import ParameterError

from .reading import cell

KINDS = ["Fc", "Conv", "Deconv"]


def made(text: str, count: int = 6, kind: str = "Fc"):
    kernel = "" if kind == "Fc" else "|KernelSize=3"
    return cell(kind, f"NbOutputs={count}{kernel}", f"OutputsRemap={text}")


@pytest.mark.parametrize("kind", KINDS)
def test_orders(kind: str) -> None:
    for text, order in (
        ("", ()),
        ("0,1,2,3,4,5", ()),
        ("5,4,3,2,1,0", (5, 4, 3, 2, 1, 0)),
        ("0,2,4,1,3,5", (0, 2, 4, 1, 3, 5)),
    ):
        assert made(text, kind=kind).layout.order == order


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0,1,2", "output 3 is not named, c has 6"),
        ("0,2,4,1,3,5,4", "output 4 is named twice"),
        ("6,0", "there is no output 6, c has 6"),
        ("0:2", "'0:2' is no output"),
        ("a", "'a' is no output"),
        ("-1", "'-1' is no output"),
        ("0,,1", "'' is no output"),
        ("9999999999", "is no output"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_order(text: str, said: str, kind: str) -> None:
    with pytest.raises(ParameterError) as caught:
        made(text, kind=kind)
    assert f"OutputsRemap={text}: " in str(caught.value)
    assert said in str(caught.value)
    assert "outputs between commas, each of them once" in str(caught.value)
    assert "net.ini" in str(caught.value)


def test_too_many_outputs_are_not_put_in_order() -> None:
    with pytest.raises(ParameterError, match="more than 1048576 are not put in order"):
        made("0,1", 1 << 21)
    assert made("", 1 << 30).layout.order == ()
