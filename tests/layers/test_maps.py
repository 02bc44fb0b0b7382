import numpy as np
import pytest

from n2d2py.layers.maps import group_count


@pytest.mark.parametrize(("channels", "outputs", "groups"), [(6, 4, 2), (4, 4, 4), (3, 6, 3), (8, 4, 4)])
def test_equal_blocks_in_order_are_groups(channels, outputs, groups):
    blocks = np.kron(np.eye(groups, dtype=bool), np.ones((channels // groups, outputs // groups), dtype=bool))
    assert group_count(blocks) == groups


def test_everything_else_is_one_group():
    shuffled = np.eye(4, dtype=bool)[:, [1, 0, 2, 3]]
    assert group_count(shuffled) == 1
    repeated = np.tile(np.eye(2, dtype=bool), 2)  # output i is connected to channel i modulo 2
    assert group_count(repeated) == 1
    unequal = np.zeros((4, 3), dtype=bool)
    unequal[:2, :1] = unequal[2:, 1:] = True
    assert group_count(unequal) == 1
    assert group_count(np.zeros((2, 2), dtype=bool)) == 1
