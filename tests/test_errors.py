"""Errors print what, where, what was expected and what to do."""

import pytest

from n2d2py import errors
from n2d2py.errors import IniError, N2d2Error, Place, UsageError, did_you_mean, nearest


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(), ""),
        (Place("net.ini"), "net.ini"),
        (Place("net.ini", 3), "net.ini:3"),
        (Place("net.ini", 3, "conv1", "Type"), "net.ini:3, [conv1], Type"),
        (Place("net.ini", 3, "", "Type"), "net.ini:3, global section, Type"),
        (
            Place("n.ini", 3, "a", "k", ("read through [b]k", "and more")),
            "n.ini:3, [a], k, read through [b]k, and more",
        ),
        (Place(section="conv1"), "[conv1]"),
    ],
)
def test_places(place, text):
    assert str(place) == text


def test_all_parts_are_printed():
    error = IniError("it is wrong", place=Place("net.ini", 3), expected="a number", remedy="write one")
    assert str(error) == "it is wrong\n  at: net.ini:3\n  expected: a number\n  to do: write one"


def test_parts_that_are_missing_are_left_out():
    assert str(N2d2Error("it is wrong")) == "it is wrong"
    assert str(N2d2Error("it is wrong", place=Place(), expected="", remedy="")) == "it is wrong"


def test_exit_statuses():
    statuses = {
        cls.__name__: cls.exit_status
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, N2d2Error)
    }
    assert statuses.pop("UsageError") == 2
    assert set(statuses.values()) == {1}
    assert issubclass(UsageError, N2d2Error)


def test_nearest_ignores_case_and_far_names():
    assert nearest("nboutput", ["NbOutputs", "NbChannels"]) == "NbOutputs"
    assert nearest("KERNELWIDTH", ["KernelWidth"]) == "KernelWidth"
    assert nearest("Zzz", ["NbOutputs"]) is None
    assert nearest("a", []) is None


def test_a_far_name_lists_what_is_known():
    assert did_you_mean("Cnov", {"Conv", "Pool"}) == "did you mean Conv?"
    assert did_you_mean("Zzz", ["Pool", "Conv", "Pool"]) == "known: Conv, Pool"
    assert did_you_mean("Zzz", []) is None
