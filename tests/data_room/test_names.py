from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.data.names import Paths, joined

NAMES = st.text(st.characters(blacklist_characters="\0/", blacklist_categories=["Cs"]), min_size=1, max_size=4)


@given(st.lists(st.lists(NAMES, max_size=4), max_size=4))
def test_they_are_a_list_of_paths(names: list[list[str]]) -> None:
    folders = [f"data/{number}" for number in range(len(names))]
    expected = [f"{folder}/{name}" for folder, some in zip(folders, names, strict=True) for name in some]
    paths = Paths.of(folders, names)
    assert list(paths) == expected
    assert [paths[place] for place in range(len(paths))] == expected
    assert [paths[place - len(paths)] for place in range(len(paths))] == expected
    assert paths[1:3] == expected[1:3]
    assert paths.counts.tolist() == [len(some) for some in names]
    odd = [place % 2 == 1 for place in range(len(paths))]
    assert list(paths.chosen(odd)) == expected[1::2]


def test_names_that_are_not_utf8() -> None:
    name = os.fsdecode(b"caf\xe9.png")
    assert Paths.of(["d"], [[name, "b"]])[0] == f"d/{name}"
    assert joined(["a", name]) == b"a\0caf\xe9.png\0"
    assert joined([]) == b""


def test_beyond_the_end() -> None:
    paths = Paths.of(["d"], [["a"]])
    for place in (1, -2):
        with pytest.raises(IndexError):
            paths[place]


@pytest.mark.parametrize(
    ("folders", "counts", "names"),
    [(["a"], [2], b"x\0"), (["a"], [1, 0], b"x\0"), (["a"], [1], b"x"), (["a"], [-1], b"")],
)
def test_parts_that_do_not_fit_together(folders: list[str], counts: list[int], names: bytes) -> None:
    with pytest.raises(ValueError, match="files"):
        Paths(folders, np.array(counts, np.int64), names)


def test_a_million_names_take_little_more_than_themselves() -> None:
    paths = Paths(["d"], np.array([1 << 16], np.int64), b"n01440764_10026.JPEG\0" * (1 << 16))
    assert paths._ends.itemsize + len(paths.names) // len(paths) <= 21 + 5
    assert paths[65535] == "d/n01440764_10026.JPEG"
