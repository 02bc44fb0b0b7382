import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.quant.bias import LIMIT, MOST_BITS, WORD, bias_codes, fold
from n2d2py.quant.grid import Coded, Grid

reals = st.floats(-1e6, 1e6, allow_nan=False)


@given(
    biases=st.lists(reals, min_size=1, max_size=5),
    scale=st.floats(1e-6, 1.0),
    high=st.integers(0, 1 << 45),
)
def test_the_bias_is_rounded_to_as_many_bits_as_fit(biases, scale, high):
    offset, grid = torch.tensor(biases, dtype=torch.float64), Grid(scale, -high, high)
    bits, codes = bias_codes(offset, grid)
    assert 0 <= bits <= MOST_BITS
    assert [int(code) for code in codes] == [round(bias / scale * 2**bits) for bias in biases]
    assert (high << bits) + int(codes.abs().max()) < (WORD if bits else LIMIT)
    if bits < MOST_BITS:
        more = max(abs(round(bias / scale * 2 ** (bits + 1))) for bias in biases)
        assert (high << (bits + 1)) + more >= WORD


def test_folding_shifts_codes_and_adds_the_bias():
    codes = torch.tensor([[[[3.0]], [[-7.0]]]])
    folded = fold(Coded(codes, Grid(0.5, -7, 7), torch.tensor([0.125, -1.0], dtype=torch.float64)))
    assert folded.offset is None
    assert folded.values.flatten().tolist() == [3 * 65536 + 16384, -7 * 65536 - 131072]
    assert folded.grid == Grid(0.5 / 65536, -7 * 65536 - 131072, 7 * 65536 + 16384)
    assert folded.real().flatten().tolist() == [1.625, -4.5]
    assert codes.flatten().tolist() == [3.0, -7.0]


def test_without_an_offset_nothing_changes():
    coded = Coded(torch.zeros(1, 1, 1, 1), Grid(1.0, 0, 1))
    assert fold(coded) is coded


def test_what_does_not_fit_is_refused():
    with pytest.raises(OverflowError, match="2\\^52"):
        bias_codes(torch.tensor([1.0], dtype=torch.float64), Grid(1.0, 0, 1 << 52))
    with pytest.raises(OverflowError, match="2\\^52"):
        bias_codes(torch.tensor([1e30], dtype=torch.float64), Grid(1.0, 0, 1))
