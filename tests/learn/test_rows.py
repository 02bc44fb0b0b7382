import numpy as np
import pytest

from n2d2py.learn.rows import Rows


def test_rows_come_back_in_their_order():
    rows = Rows(2)
    expected = np.arange(2000.0).reshape(1000, 2)
    for start in range(0, 1000, 7):
        rows.append(expected[start : start + 7])
    assert len(rows) == 1000
    assert np.array_equal(rows.table(), expected)
    assert np.array_equal(rows.table(3), expected[-3:])
    assert np.array_equal(rows.table(5000), expected)


def test_a_table_is_no_copy_and_stays_as_it_was():
    rows = Rows(1)
    rows.append(np.ones((3, 1)))
    before = rows.table()
    assert np.shares_memory(before, rows.table())
    rows.append(np.full((500, 1), 2.0))
    assert before.tolist() == [[1.0]] * 3
    with pytest.raises(ValueError, match="read-only"):
        before[0] = 5


def test_no_rows():
    assert Rows(3).table().shape == (0, 3)
    assert Rows(3).table(4).shape == (0, 3)
