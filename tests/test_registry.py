"""One registry: entering, finding, listing."""

import sys
import types

import pytest

from n2d2py import registry
from n2d2py.errors import ParameterError, Place


@pytest.fixture
def fruits(monkeypatch):
    monkeypatch.setattr(registry, "_entries", {})

    @registry.register("fruit", "Apple")
    class Apple:
        pass

    @registry.register("fruit", "Pear")
    class Pear:
        pass

    return Apple, Pear


def test_find(fruits):
    apple, pear = fruits
    assert registry.find("fruit", "Apple") is apple
    assert registry.find("fruit", "PEAR") is pear


def test_an_exact_name_comes_before_another_case(fruits):
    registry.register("fruit", "APPLE")(str)
    assert registry.find("fruit", "APPLE") is str
    assert registry.find("fruit", "Apple") is fruits[0]


def test_an_unknown_name_gives_place_and_nearest(fruits):
    with pytest.raises(ParameterError) as caught:
        registry.find("fruit", "Aple", Place("net.ini", 2, "s", "Type"))
    assert str(caught.value) == "unknown fruit 'Aple'\n  at: net.ini:2, [s], Type\n  to do: did you mean Apple?"


def test_an_unknown_kind_has_no_remedy(fruits):
    with pytest.raises(ParameterError, match=r"^unknown vegetable 'Leek'$"):
        registry.find("vegetable", "Leek")


def test_registering_twice(fruits):
    registry.register("fruit", "Apple")(fruits[0])
    with pytest.raises(ValueError, match="fruit Apple is registered twice"):
        registry.register("fruit", "Apple")(int)


def test_lists(fruits):
    registry.register("tree", "Oak")(object())
    assert registry.kinds() == ["fruit", "tree"]
    assert registry.names("fruit") == ["Apple", "Pear"]
    assert registry.names("fruit", "P*") == ["Pear"]
    assert registry.names("stone") == []
    assert registry.known("fruit", "Pear")
    assert not registry.known("fruit", "pear")
    assert registry.name_of("fruit", fruits[1]) == "Pear"
    with pytest.raises(ValueError, match="not registered as fruit"):
        registry.name_of("fruit", int)


def test_rooms_are_imported_whole(fruits, tmp_path, monkeypatch):
    package = tmp_path / "orchard_of_tests"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name in ("Plum", "Fig"):
        (package / f"{name.lower()}.py").write_text(
            f"from n2d2py.registry import register\nregister('fruit', '{name}')(object())\n"
        )
    monkeypatch.syspath_prepend(tmp_path)
    imported = __import__("orchard_of_tests")
    assert isinstance(imported, types.ModuleType)
    registry.import_rooms("orchard_of_tests", imported.__path__)
    assert registry.names("fruit") == ["Apple", "Fig", "Pear", "Plum"]
    for name in [name for name in sys.modules if name.startswith("orchard_of_tests")]:
        del sys.modules[name]
