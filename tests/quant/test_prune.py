"""Prune: masks, their growth, and a quantizer after them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.errors import ParameterError
from n2d2py.parts.lsq import LsqWeights
from n2d2py.parts.prune import PrunedWeights
from n2d2py.parts.quantizers import SatWeights
from n2d2py.quant import weights
from tests.parts.reading import part

W = torch.tensor([-0.5, -0.1, 0.0, 0.2, 0.9])


def prune(shape=(5,), **keys):
    return weights.make(PrunedWeights(**keys), shape)


def test_identity_takes_nothing_away():
    module = prune()
    assert torch.equal(module(W), W)
    assert (module.quantizes, module.fraction, module.advances) == (False, 0.0, False)


def test_the_smallest_go():
    module = prune(mode="Static", filler="IterNonStruct", threshold=0.4, delta=0.001)
    assert module(W).tolist() == pytest.approx([-0.5, 0, 0, 0.2, 0.9])
    assert module.fraction == pytest.approx(0.4)


def test_the_cut_is_a_multiple_of_delta():
    module = prune(mode="Static", filler="IterNonStruct", threshold=0.2, delta=0.3)
    # one weight of five would do; the least multiple of 0.3 that reaches it is 0, of which |w| <= 0 is 0.0 itself
    assert module(W).tolist() == pytest.approx([-0.5, -0.1, 0, 0.2, 0.9])
    module = prune(mode="Static", filler="IterNonStruct", threshold=0.4, delta=0.3)
    assert module(W).tolist() == pytest.approx([-0.5, 0, 0, 0, 0.9])  # cut at 0.3, which takes 0.2 as well


@settings(deadline=None)
@given(st.integers(1, 60), st.floats(0, 1), st.integers(0, 5))
def test_random_takes_away_as_many_as_were_asked_for(count, share, seed):
    torch.manual_seed(seed)
    module = prune((count,), mode="Static", threshold=share)
    module(torch.ones(count))
    assert int((module.mask == 0).sum()) == math.ceil(share * count - 1e-9)


@pytest.mark.parametrize("filler", ["Random", "IterNonStruct"])
@pytest.mark.parametrize("step", [0, 50])
def test_gradual_grows_and_never_gives_back(filler, step):
    torch.manual_seed(1)
    module = prune((40,), mode="Gradual", filler=filler, threshold=0.3, gamma_threshold=0.1, step_size_threshold=step)
    w = torch.randn(40)
    module(w)
    shares, before = [module.fraction], module.mask.clone()
    for stimuli in range(25, 226, 25):
        module.advance(w, stimuli, 50)
        assert bool((module.mask <= before).all())
        before = module.mask.clone()
        shares.append(module.fraction)
        w = torch.randn(40)
    assert shares == pytest.approx([0.1, 0.1, 0.2, 0.2, *[0.3] * 6], abs=0.026)
    assert module.advances


def test_the_gradient_is_masked():
    module = prune(mode="Static", filler="IterNonStruct", threshold=0.4)
    w = W.clone().requires_grad_()
    (module(w) * torch.arange(1.0, 6.0)).sum().backward()
    assert w.grad.tolist() == [1, 0, 0, 4, 5]


def test_a_loaded_mask_wins():
    module = prune(mode="Gradual", threshold=0.8, gamma_threshold=0.2)
    ((name, mask),) = module.stored()
    assert name == "masks"
    mask.copy_(torch.tensor([0.0, 0, 1, 1, 1]))
    assert module(W).tolist() == pytest.approx([0, 0, 0, 0.2, 0.9])
    module.advance(W, 10, 10)  # 0.1 + 0.2 is less than the 0.4 that are gone
    assert module.fraction == pytest.approx(0.4)
    module.advance(W, 20, 10)
    assert module.fraction == pytest.approx(0.6)  # ceil(0.5 * 5)


def test_without_a_filler_only_a_loaded_mask_counts():
    module = prune(mode="Static", filler="None", threshold=0.9)
    assert torch.equal(module(W), W)


def test_another_quantizer_sees_what_is_left():
    inner = LsqWeights(range=15)
    module = prune(mode="Static", filler="IterNonStruct", threshold=0.4, quantizer=inner)
    out = module(W).detach()
    codes, grid = module.codes(W)
    left = torch.tensor([-0.5, 0, 0, 0.2, 0.9])
    assert torch.equal(out, weights.make(inner, (5,))(left).detach())
    assert torch.equal(out, codes * torch.tensor(grid.scale))
    assert module.quantizes
    assert [name for name, _ in module.stored()] == ["masks", "alphaW_LSQ"]
    assert [name for name, _ in module.learned()] == ["alphaW_LSQ"]


def test_a_grid_without_a_zero_is_masked_after_it():
    module = prune(mode="Static", filler="IterNonStruct", threshold=0.4, quantizer=SatWeights(range=1))
    assert module(W).tolist() == [-1, 0, 0, 1, 1]
    codes, grid = module.codes(W)
    assert codes.tolist() == [-1, 0, 0, 1, 1]
    assert (tuple(grid.codes), grid.uneven) == ((-1, 0, 1), ())
    _, grid = prune(quantizer=SatWeights(range=3)).codes(W)
    assert tuple(grid.codes) == (-3, -1, 0, 1, 3)


def test_integer_codes_are_masked():
    module = prune(mode="Static", filler="IterNonStruct", threshold=0.4, quantizer=LsqWeights(mode="Integer"))
    assert module.separate
    codes, scale = module.split(W)
    assert codes[1:3].tolist() == [0, 0]
    assert torch.equal(codes * scale, module(W))


def test_equal_states_draw_equal_masks():
    one, other = (prune((50,), mode="Gradual", threshold=0.9, step_size_threshold=10) for _ in range(2))
    one(torch.ones(50))
    other.load_state_dict(one.state_dict())
    torch.manual_seed(7)
    for module in (one, other):
        module.advance(torch.ones(50), 80, 10)
    assert torch.equal(one.mask, other.mask)
    assert one.fraction == pytest.approx(0.5)


def test_fill_forgets_the_mask():
    module = prune(mode="Static", threshold=0.5)
    module(W)
    module.fill()
    assert bool((module.mask == 1).all())


def test_codes_need_a_quantizer():
    with pytest.raises(ValueError, match=r"QWeight\.Quantizer"):
        prune().codes(W)


def test_keys():
    found = part("weight quantizer", "Prune", "PruningMode=Static|Quantizer=LSQ|Quantizer.Range=15")
    assert found.quantizer == LsqWeights(range=15)
    assert (found.bits, found.clamps_only) == (4, False)
    assert found.label() == "QWeights: Prune static 20%, LSQ on range [15 q-step]"
    alone = part("weight quantizer", "Prune", "")
    assert (alone.threshold, alone.delta, alone.start_threshold) == (0.2, 0.001, 0.1)
    assert (alone.step_size_threshold, alone.gamma_threshold, alone.filler) == (0, 0.05, "Random")
    assert (alone.bits, alone.clamps_only, alone.apply_quantization) == (32, False, False)


def test_what_makes_no_sense():
    with pytest.raises(ParameterError, match="Prune before Prune") as error:
        part("weight quantizer", "Prune", "Quantizer=Prune")
    assert "[c], Quantizer" in str(error.value)
    with pytest.raises(ParameterError, match=r"StartThreshold=0\.5 is above Threshold=0\.2") as error:
        part("weight quantizer", "Prune", "PruningMode=Gradual|StartThreshold=0.5")
    assert "[c], StartThreshold" in str(error.value)
    with pytest.raises(ParameterError, match="Rnage"):
        part("weight quantizer", "Prune", "Quantizer=LSQ|Quantizer.Rnage=15")
