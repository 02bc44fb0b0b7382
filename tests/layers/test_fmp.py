from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.layers.fmp import shuffled_cuts, spread_cuts
from n2d2py.quant.grid import Grid

from .networks import codes, one, same_in_evaluation

FMP = "Type=FMP\nNbOutputs=4\nScalingRatio={}\nOverlapping={}\nPseudoRandom={}\n"


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1))
def test_spread_regions_are_never_empty(count, more, start):
    size = count + more
    cuts = [0, *spread_cuts(size, count, start)]
    assert len(cuts) == count + 1
    assert cuts[-1] == size
    widths = [high - low for low, high in pairwise(cuts)]
    if start > 0:
        assert min(widths) >= 1
    assert sum(widths) == size


@given(st.integers(1, 40), st.integers(0, 60))
def test_shuffled_regions_have_the_two_widths(count, more):
    size = count + more
    cuts = [0, *shuffled_cuts(size, count)]
    widths = {high - low for low, high in pairwise(cuts)}
    assert cuts[-1] == size
    assert widths <= {size // count, size // count + 1}


def slow(x, rows, columns, overlapping):
    """The maximum of each region, one at a time; ``rows`` and ``columns`` are where regions end."""
    result = torch.empty(*x.shape[:2], len(rows), len(columns))
    for r, low_row in enumerate([0, *rows[:-1]]):
        for c, low_column in enumerate([0, *columns[:-1]]):
            region = x[:, :, low_row : rows[r] + overlapping, low_column : columns[c] + overlapping]
            result[:, :, r, c] = region.amax((2, 3))
    return result


@pytest.mark.parametrize("overlapping", [0, 1])
@pytest.mark.parametrize("ratio", [1.3, 1.6, 2.7])
def test_evaluation_has_spread_regions(ratio, overlapping):
    layer = one(FMP.format(ratio, overlapping, 0), (11, 9, 4)).eval()
    x = torch.randn(2, 4, 9, 11)
    output = layer.node.output
    expected = slow(x, spread_cuts(9, output.height, 0.5), spread_cuts(11, output.width, 0.5), overlapping)
    assert torch.equal(layer(x), expected)
    assert torch.equal(layer(x), layer(x))


@pytest.mark.parametrize("overlapping", [0, 1])
def test_learning_draws_shuffled_regions(overlapping):
    layer = one(FMP.format(1.5, overlapping, 0), (12, 12, 4)).train()
    x = torch.randn(2, 4, 12, 12)
    torch.manual_seed(3)
    y = layer(x)
    torch.manual_seed(3)
    rows, columns = shuffled_cuts(12, 8), shuffled_cuts(12, 8)
    assert torch.equal(y, slow(x, rows, columns, overlapping))
    assert rows != columns


def test_learning_draws_a_start():
    layer = one(FMP.format(1.5, 1, 1), (12, 12, 4)).train()
    x = torch.randn(2, 4, 12, 12)
    torch.manual_seed(3)
    seen = [layer(x) for _ in range(8)]
    torch.manual_seed(3)
    starts = [(float(torch.rand(())), float(torch.rand(()))) for _ in range(8)]
    for y, (row, column) in zip(seen, starts, strict=True):
        assert torch.equal(y, slow(x, spread_cuts(12, 8, row), spread_cuts(12, 8, column), 1))
    assert not all(torch.equal(seen[0], y) for y in seen)


def test_the_gradient_goes_to_the_maxima():
    layer = one(FMP.format(1.5, 0, 0), (6, 6, 4)).eval()
    x = torch.randn(1, 4, 6, 6, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.sum() == 4 * 16
    assert torch.equal(x.grad > 0, torch.isin(x.detach(), layer(x).detach()))


def test_codes():
    layer = one(FMP.format(1.5, 1, 1), (8, 8, 4))
    assert same_in_evaluation(layer, codes((2, 4, 8, 8), 3, 15)).grid == Grid(0.25, 3, 15)
