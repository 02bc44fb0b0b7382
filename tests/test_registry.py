"""One registry: entering, finding, listing."""

import subprocess
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


def test_an_indexed_module_is_imported_when_it_is_needed(fruits, tmp_path, monkeypatch):
    room = tmp_path / "orchard"
    room.mkdir()
    (room / "__init__.py").write_text("from n2d2py.registry import index_rooms\nindex_rooms(__name__, __path__)\n")
    (room / "plum.py").write_text(
        'from n2d2py.registry import register\n\n\n@register("fruit", "Plum")\nclass Plum:\n    ripe = True\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    import orchard

    assert registry.names("fruit") == ["Apple", "Pear", "Plum"]
    assert registry.known("fruit", "Plum")
    assert "orchard.plum" not in sys.modules
    assert registry.find("fruit", "plum").ripe
    assert registry.name_of("fruit", orchard.plum.Plum) == "Plum"
    with pytest.raises(ValueError, match="fruit Plum is registered twice"):
        registry.register("fruit", "Plum")(int)


@pytest.mark.parametrize("name", ["parts", "cells", "data.databases", "data.transformations"])
def test_the_index_of_a_room_is_what_its_modules_register(name):
    """In a process of its own: the index beside what importing every module enters."""
    room = f"n2d2py.{name}"
    code = (
        "import importlib\n"
        "from n2d2py import registry\n"
        f"room = importlib.import_module({room!r})\n"
        "every = lambda: {(kind, name) for kind in registry.kinds() for name in registry.names(kind)}\n"
        "indexed = every()\n"
        "registry.import_rooms(room.__name__, room.__path__)\n"
        f"entered = {{pair for pair in every() if registry.find(*pair).__module__.startswith({room!r} + '.')}}\n"
        "assert entered and entered <= indexed, entered - indexed\n"
        "assert all(registry.name_of(kind, registry.find(kind, name)) for kind, name in indexed)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_other_tools_call_an_entry_is_told():
    with pytest.raises(ParameterError) as caught:
        registry.find("activation", "ReLU")
    assert caught.value.remedy == "did you mean Rectifier?"
