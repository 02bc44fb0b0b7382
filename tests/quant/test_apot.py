"""APoT: level sets of the paper, normalised weights."""

import pytest
import torch

from n2d2py.errors import ParameterError
from n2d2py.parts.apot import ApotActivations, ApotWeights, additive_powers
from n2d2py.quant import activations, weights


@pytest.mark.parametrize("bits", range(1, 7))
def test_every_code_of_so_many_bits_is_a_level(bits):
    levels = additive_powers(bits)
    assert len(levels) == 1 << bits
    assert levels[0] == 0


def test_four_bits_are_sums_of_two_powers():
    # 0, 1, 1/4, 1/16 and 0, 1/2, 1/8, 1/32 of the paper, times 32
    assert additive_powers(4) == tuple(sorted(a + b for a in (0, 2, 8, 32) for b in (0, 1, 4, 16)))


def test_weights_have_a_sign():
    assert ApotWeights(range=7).codes == (-4, -2, -1, 0, 1, 2, 4)
    assert ApotWeights(range=1).codes == (-1, 1)
    assert ApotWeights(range=15).bits == 4


def test_signed_activations_are_as_weights():
    assert ApotActivations(range=7, signed=True).codes == ApotWeights(range=7).codes
    module = activations.make(ApotActivations(range=7, signed=True, init_step=False, step_size=1.0))
    assert module(torch.tensor([-9.0, -2.9, -0.4, 1.2])).tolist() == [-4, -2, 0, 1]


def test_four_bits_without_a_range_and_levels_of_ones_own():
    assert ApotWeights() == ApotWeights(range=15)
    assert ApotActivations() == ApotActivations(range=15)
    assert ApotWeights(levels=(-4, -2, 0, 1)).codes == (-4, -2, 0, 1)
    assert ApotActivations(levels=(0, 1, 2, 4, 7)).codes == (0, 1, 2, 4, 7)


def test_weights_are_normalised_first():
    module = weights.make(ApotWeights(range=7, init_step=False, step_size=0.5), (4,))
    w = torch.tensor([1.0, 2.0, 3.0, 4.0])
    codes, grid = module.codes(w)
    assert codes.tolist() == [-2, -1, 1, 2]  # (w - 2.5) / 1.29 is +-1.16 and +-0.39, in steps of 0.5
    assert torch.equal(module(w).detach(), codes * grid.scale)
    assert torch.equal(module(7 * w + 1).detach(), module(w).detach())


def test_activations():
    module = activations.make(ApotActivations(range=3, init_step=False, step_size=1.0))
    assert module(torch.tensor([-1.0, 0.4, 1.4, 2.9, 3.1, 9.0])).tolist() == [0, 0, 1, 2, 4, 4]
    assert tuple(module.grid().codes) == (0, 1, 2, 4)


@pytest.mark.parametrize("steps", [2, 6, 255])
def test_ranges_without_a_level_set(steps):
    with pytest.raises(ParameterError, match=f"Range={steps}"):
        ApotActivations(range=steps)
