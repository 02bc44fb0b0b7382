"""Paths of an INI file with variables of the environment."""

from pathlib import Path

import pytest

from n2d2py.data.paths import expand
from n2d2py.errors import DataError, Place


def test_variables_of_the_environment_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMEWHERE", "/there")
    assert expand("${SOMEWHERE}/x/${SOMEWHERE}", None) == Path("/there/x//there")


def test_a_variable_that_is_not_set_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOMEWHERE", raising=False)
    with pytest.raises(DataError, match="the environment variable SOMEWHERE is not set") as error:
        expand("${SOMEWHERE}/x", Place("net.ini", 3))
    assert "net.ini:3" in str(error.value)
    assert "set it" in str(error.value)
