"""Names of cells as names of files: what is found before any file is written."""

from __future__ import annotations

import pytest

from n2d2py.errors import GraphError
from n2d2py.graph.naming import LONGEST_PART, path_of
from n2d2py.report.maps import write_maps
from tests.graph.networks import TINY, network, warnings


def named(name: str, other: str = "last") -> str:
    """TINY with other names for the cells ``conv`` and ``last``."""
    text = TINY.replace("[last]", f"[{other}]").replace("Input=last", f"Input={other}")
    return text.replace("[conv]", f"[{name}]").replace("Input=conv", f"Input={name}")


def test_names_of_files() -> None:
    assert path_of("a/b") == "a/b"
    assert path_of("/a//./b:0") == "a/b_0"
    assert path_of("../a") == "__/a"


@pytest.mark.parametrize("name", ["x" * 250, "é" * 101, "a/" + "x" * 201 + "/b", "/".join(["é" * 90] * 6)])
def test_names_that_no_file_can_have(name: str) -> None:
    with pytest.raises(GraphError) as error:
        network(named(name))
    assert f"the name of cell {name[:60]}... is too long for the files that are named after it" in str(error.value)
    assert "at: net.ini:8, [" in str(error.value)
    assert "at most 200 bytes" in str(error.value)
    assert "rename the section" in str(error.value)


def test_the_longest_name_has_its_files(tmp_path) -> None:  # type: ignore[no-untyped-def]
    name = "x" * LONGEST_PART
    files = write_maps(tmp_path, network(named(name)))
    assert files[0].name == f"{name}_map.dat"
    longest = tmp_path / f".{name}_weights_recurrent_10_backward.syntxt.12345678"  # as it is while it is written
    longest.write_text("")


def test_a_name_of_no_letter() -> None:
    with pytest.raises(GraphError, match=r"the name of cell '/[.]/' gives no name of a file(.|\n)*net.ini:8"):
        network(named("/./"))


def test_slashes_make_folders_and_nothing_leaves_the_folder(tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert warnings(named("block/conv")) == []
    assert warnings(named("../../conv")) == [
        "the files of cell ../../conv are named __/__/conv, at: net.ini:8, [../../conv]"
    ]
    files = write_maps(tmp_path, network(named("../../conv", "block/last")))
    assert [str(file.relative_to(tmp_path)) for file in files] == [
        "__/__/conv_map.dat",
        "block/last_map.dat",
        "out_map.dat",
    ]
    assert all(file.exists() for file in files)


@pytest.mark.parametrize(("one", "other"), [("a:0", "a_0"), ("a/b", "a//b"), ("..", "__")])
def test_cells_that_would_share_their_files(one: str, other: str) -> None:
    with pytest.raises(GraphError) as error:
        network(named(one, other))
    assert f"cells {one} and {other} have the same files: both are named {path_of(one)}" in str(error.value)
    assert "at: net.ini:15, " in str(error.value)
    assert "rename one of them" in str(error.value)


def test_targets_are_folders() -> None:
    with pytest.raises(GraphError, match=r"the name of target out.Target-x(.|\n)*too long(.|\n)*net.ini:29"):
        network(TINY + f"[out.Target-{'x' * 250}]\n")
    with pytest.raises(GraphError, match=r"targets out.Target:1 and out.Target_1 have the same files"):
        network(TINY + "[out.Target:1]\n[out.Target_1]\n")
