"""Layers by depth, file order within a layer, and cycles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.errors import GraphError, Place
from n2d2py.graph.order import behind_imports, ordered


def depth(parents: dict[str, list[str]], name: str) -> int:
    return 1 + max((depth(parents, above) for above in parents[name] if above in parents), default=0)


@given(st.lists(st.sets(st.integers(0, 7)), max_size=8), st.randoms(use_true_random=False))
def test_depth_then_file_order(edges: list[set[int]], random: object) -> None:
    parents = {
        f"c{index}": [f"c{above}" for above in sorted(aboves) if above < index] for index, aboves in enumerate(edges)
    }
    names = list(parents)
    random.shuffle(names)  # type: ignore[attr-defined]
    shuffled = {name: parents[name] for name in names}
    assert ordered(shuffled, {}) == sorted(names, key=lambda name: (depth(parents, name), names.index(name)))


def test_long_chains() -> None:
    parents = {f"c{index}": [f"c{index - 1}"] for index in range(5000)}
    assert ordered(dict(reversed(parents.items())), {}) == list(parents)


def test_cycle_names_place_and_all_cells() -> None:
    with pytest.raises(GraphError) as error:
        ordered({"a": ["c"], "b": ["a"], "c": ["b"]}, {name: Place("net.ini", 3, name) for name in "abc"})
    assert (
        "a -> b -> c -> a" in str(error.value)
        or "b -> c -> a -> b" in str(error.value)
        or ("c -> a -> b -> c" in str(error.value))
    )
    assert "net.ini:3" in str(error.value)


def test_cells_wait_for_the_imports_that_may_make_their_inputs() -> None:
    parents = {
        "first": ["node"],
        "one": ["env"],
        "second": ["node", "one"],
        "third": ["other"],
        "two": ["third"],
        "plain": ["sp"],
    }
    waiting = behind_imports(parents, ["one", "two"])
    assert waiting["first"] == ["node", "one", "two"]  # no import stands above it
    assert waiting["second"] == ["node", "one"]
    assert waiting["third"] == ["other", "one"]  # and not two, which it feeds
    assert (waiting["two"], waiting["plain"]) == (["third"], ["sp"])
    assert behind_imports({"a": ["b"], "b": ["sp"]}, []) == {"a": ["b"], "b": ["sp"]}
