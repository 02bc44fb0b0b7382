"""Connection maps: every form of the keys, the matrices that they give, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.cells.mapping import Mapping, connected_pairs, connections
from n2d2py.errors import GraphError, ParameterError
from tests.cells.reading import cell, dims

COUNTS = st.integers(1, 12)


def matrix(lines: str, channels: int, outputs: int, parent: str = "env") -> list[list[int]] | None:
    pool = cell("Pool", f"NbOutputs={outputs}|PoolSize=2|Pooling=Max|{lines}")
    found = pool.maps([dims(channels)] * len(pool.inputs)).get(parent)
    return None if found is None else found.astype(int).tolist()


def test_no_key_connects_everything() -> None:
    assert matrix("", 3, 3) is None


def test_size_1_is_the_unit_map() -> None:
    assert matrix("Mapping.Size=1", 3, 3) == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_unit_map_repeats_where_counts_differ() -> None:
    assert matrix("Mapping.Size=1", 2, 4) == [[1, 0, 1, 0], [0, 1, 0, 1]]
    assert matrix("Mapping.Size=1", 4, 2) == [[1, 0], [0, 1], [1, 0], [0, 1]]


def test_any_pattern_key_starts_from_a_patch_of_1() -> None:
    assert matrix("Mapping.NbIterations=2", 3, 3) == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_x_is_outputs_and_y_is_channels() -> None:
    assert matrix("Mapping.SizeX=2|Mapping.NbIterations=1", 3, 3) == [[1, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert matrix("Mapping.SizeY=2|Mapping.NbIterations=1", 3, 3) == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_offset_stride_and_wrapping() -> None:
    keys = (
        "Mapping.SizeX=1|Mapping.SizeY=2|Mapping.OffsetX=1|Mapping.OffsetY=3|Mapping.StrideX=2|Mapping.NbIterations=2"
    )
    # Patches at (1, 3) and (3, 4): channels 3 and 0 of output 1, channels 0 and 1 of output 0.
    assert matrix(keys, 4, 3) == [[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_size_0_is_the_whole_axis() -> None:
    assert matrix("Mapping.SizeY=0|Mapping.NbIterations=2", 3, 3) == [[1, 1, 0]] * 3


def test_size_of_one_axis_comes_before_size() -> None:
    assert matrix("Mapping.Size=2|Mapping.SizeX=1|Mapping.NbIterations=1", 3, 3) == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]


@given(
    COUNTS, COUNTS, st.integers(0, 14), st.integers(0, 14), st.integers(0, 9), st.integers(0, 9), st.integers(0, 200)
)
def test_pattern_is_what_the_rule_says(
    channels: int, outputs: int, width: int, height: int, offset: int, stride: int, iterations: int
) -> None:
    mapping = Mapping(size=(width, height), stride=(stride, 1), offset=(offset, offset // 2), nb_iterations=iterations)
    expected = np.zeros((channels, outputs), dtype=bool)
    for i in range(iterations or max(outputs, channels)):
        for a in range(width or outputs):
            for b in range(height or channels):
                expected[(offset // 2 + i + b) % channels, (offset + i * stride + a) % outputs] = True
    assert np.array_equal(mapping.connections(channels, outputs), expected)


def test_enormous_numbers_take_no_time() -> None:
    mapping = Mapping(size=(10**30, 1), offset=(10**30, 7), stride=(10**20, 10**20), nb_iterations=10**30)
    assert mapping.connections(3, 4).shape == (3, 4)


def test_a_map_that_no_memory_holds() -> None:
    with pytest.raises(GraphError, match="a map of 100000 channels and 100000 outputs is too large"):
        matrix("Mapping.Size=1", 100_000, 100_000)


def test_groups() -> None:
    assert matrix("Mapping.NbGroups=2", 4, 4) == [[1, 1, 0, 0]] * 2 + [[0, 0, 1, 1]] * 2
    assert matrix("Mapping.ChannelsPerGroup=2", 4, 4) == matrix("Mapping.NbGroups=2", 4, 4)


def test_outputs_that_groups_do_not_divide() -> None:
    # floor(remaining outputs / remaining groups): 5 // 3 = 1, 4 // 2 = 2, 2 // 1 = 2
    assert matrix("Mapping.NbGroups=3", 3, 5) == [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1]]


def test_depthwise() -> None:
    assert matrix("Mapping.ChannelsPerGroup=1", 3, 3) == matrix("Mapping.Size=1", 3, 3)


def test_one_group_is_everything() -> None:
    assert matrix("Mapping.NbGroups=1", 4, 4) is None


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 20))
def test_each_group_is_a_block(groups: int, width: int, spare: int) -> None:
    found = Mapping(nb_groups=groups).connections(groups * width, groups + spare)
    assert found.any(axis=0).all()
    assert (found.sum(axis=0) == width).all()


def test_matrix_is_rows_of_channels() -> None:
    assert matrix("Mapping(env)=1 0 1 0 1 1", 2, 3) == [[1, 0, 1], [0, 1, 1]]
    assert matrix("Mapping(env)=1 0 \\|1 0 \\|1 1", 3, 2) == [[1, 0], [1, 0], [1, 1]]


def test_matrix_of_the_provider_under_any_of_its_names() -> None:
    for name in ("sp", "env", "cenv"):
        assert matrix(f"Input=sp|Mapping({name})=1 0 0 1", 2, 2) == [[1, 0], [0, 1]]


def test_groups_come_before_matrix_and_matrix_before_pattern() -> None:
    assert matrix("Mapping(env)=1 1 0 1|Mapping.NbGroups=2", 2, 2) == [[1, 0], [0, 1]]
    assert matrix("Mapping(env)=1 1 0 1|Mapping.Size=1", 2, 2) == [[1, 1], [0, 1]]


def test_each_parent_by_itself() -> None:
    keys = "Input=a,b|Mapping.Size=1|Mapping(b).NbGroups=1"
    assert matrix(keys, 2, 2, "a") == [[1, 0], [0, 1]]
    assert matrix(keys, 2, 2, "b") is None


def test_key_of_a_parent_comes_before_the_common_one() -> None:
    keys = "Input=a,b|Mapping.SizeX=1|Mapping(b).Size=2|Mapping.NbIterations=1"
    assert matrix(keys, 3, 3, "a") == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert matrix(keys, 3, 3, "b") == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]


def test_matrix_of_the_wrong_size() -> None:
    with pytest.raises(GraphError) as error:
        matrix("Mapping(env)=1 0 1", 2, 2)
    assert "the map has 3 values" in str(error.value)
    assert "net.ini:5, [c], Mapping(env)" in str(error.value)
    assert "2 rows (input channels) of 2 values (outputs): 4" in str(error.value)


def test_matrix_of_other_than_0_and_1() -> None:
    with pytest.raises(ParameterError, match=r"unreadable value '1 2' for Mapping\(env\)"):
        matrix("Mapping(env)=1 2", 1, 2)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("Mapping.NbGroups=3", "Mapping.NbGroups=3 does not divide 4 channels"),
        ("Mapping.ChannelsPerGroup=3", "Mapping.ChannelsPerGroup=3 does not divide 4 channels"),
        ("Mapping.ChannelsPerGroup=8", "Mapping.ChannelsPerGroup=8 does not divide 4 channels"),
        ("Mapping.NbGroups=4", "4 groups of channels share 2 outputs"),
        ("Mapping.NbGroups=2|Mapping.ChannelsPerGroup=2", "exclude each other"),
    ],
)
def test_groups_that_do_not_fit(keys: str, text: str) -> None:
    with pytest.raises(GraphError) as error:
        matrix(keys, 4, 2)
    assert text in str(error.value)
    assert "net.ini:5, [c], Mapping." in str(error.value)


def test_unknown_key_of_a_map() -> None:
    with pytest.raises(ParameterError) as error:
        matrix("Mapping.Sice=1", 2, 2)
    assert "unknown parameter Mapping.Sice" in str(error.value)
    assert "did you mean Mapping.Size?" in str(error.value)


def test_what_is_given_is_written_again() -> None:
    pool = cell("Pool", "Input=a,sp|NbOutputs=2|PoolSize=2|Pooling=Max|Mapping.Size=1|Mapping(env).NbGroups=2")
    declaration = type(pool).__dataclass_fields__["mapping"].metadata["declaration"]
    assert declaration.format(pool.mapping) == "a: Size=1 1; env: NbGroups=2"
    assert Mapping(channels_per_group=3).text() == "ChannelsPerGroup=3"
    assert Mapping(matrix=(True, False)).text() == "a matrix of 2 values"
    assert Mapping(size=(2, 1), stride=(2, 2), nb_iterations=3).text() == "Size=2 1, Stride=2 2, NbIterations=3"


def test_pairs_are_counted_over_all_parents() -> None:
    maps = connections({"a": Mapping()}, ["a", "b"], [2, 3], 4)
    assert list(maps) == ["a"]
    assert connected_pairs(maps, ["a", "b"], [2, 3], 4) == 4 + 12
