import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.parts.quantizers import SatWeights
from n2d2py.quant.grid import Grid
from n2d2py.quant.weights import make

W = torch.tensor([-0.5, -0.1, 0.0, 0.2, 0.9])
MODES = ["Default", "FullRange", "Symmetric", "Asymmetric", "Integer"]
third, seventh = 1 / 3, 1 / 7
GOLDEN = [
    ("Default", 1, [-1, -1, -1, 1, 1]),
    ("FullRange", 1, [-1, -1, -1, 1, 1]),
    ("Default", 3, [-third, -third, third, third, 1]),
    ("FullRange", 3, [-1, -third, third, third, 1]),
    ("Symmetric", 3, [-1, 0, 0, 0, 1]),
    ("Asymmetric", 3, [-1, -1, 0, 0, 1]),
    ("Default", 15, [-0.6, -0.2, 0.066667, 0.333333, 1]),
    ("FullRange", 15, [-0.733333, -0.2, -0.066667, 0.333333, 1]),
    ("Symmetric", 15, [-0.714286, -0.142857, 0, 0.285714, 1]),
    ("Asymmetric", 15, [-0.714286, -0.285714, 0, 0.285714, 1]),
    ("Default", 255, [-0.647059, -0.137255, 0.003922, 0.278431, 1]),
    ("FullRange", 255, [-0.647059, -0.137255, 0.003922, 0.278431, 1]),
    ("Symmetric", 255, [-0.645669, -0.141732, 0, 0.275591, 1]),
    ("Asymmetric", 255, [-0.653543, -0.141732, 0, 0.275591, 1]),
]


def quantizer(mode="Default", steps=15, shape=(5,), **keys):
    return make(SatWeights(mode=mode, range=steps, **keys), shape)


def near(tensor, values, tolerance=1.1e-6):
    return np.allclose(tensor.detach().double().numpy(), np.array(values, dtype=float), rtol=0, atol=tolerance)


@pytest.mark.parametrize(("mode", "steps", "expected"), GOLDEN)
def test_golden_levels(mode, steps, expected):
    assert near(quantizer(mode, steps)(W), expected)


def test_the_clamp_stage_is_tanh_over_its_largest():
    unit = [-0.645147, -0.139143, 0, 0.275549, 1]
    for mode in ("Default", "FullRange", "Symmetric"):
        assert near(quantizer(mode, apply_quantization=False)(W), unit)
    shifted = [(1 + 1 / 14) * u - 1 / 14 for u in unit]
    assert near(quantizer("Asymmetric", apply_quantization=False)(W), shifted)


def test_golden_scaling():
    out = quantizer(apply_scaling=True)(W)
    assert near(out, [-0.446663, -0.148888, 0.049629, 0.248146, 0.744438])
    grid = quantizer(apply_scaling=True).codes(W)[1]
    assert grid.scale == pytest.approx(1 / (15 * 1.3432961), rel=1e-7)


def test_the_clamp_stage_scales_too():
    unit = torch.tanh(W) / 0.7162978702
    expected = unit / math.sqrt(float(unit.var()) * 5)
    assert near(quantizer(apply_quantization=False, apply_scaling=True)(W), expected.tolist())


@pytest.mark.parametrize(
    ("mode", "factor"), [("Default", 1), ("FullRange", 1.066653), ("Symmetric", 1), ("Asymmetric", 1.0714286)]
)
def test_golden_gradients(mode, factor):
    base = np.array([1.097934, 1.382199, 1.396067, 1.341681, 0.679769])
    w = W.clone().requires_grad_()
    quantizer(mode)(w).sum().backward()
    assert near(w.grad, base * factor, 3e-6)


@pytest.mark.parametrize(
    ("mode", "factor"), [("Default", 1), ("FullRange", 1), ("Symmetric", 1), ("Asymmetric", 15 / 14)]
)
def test_gradients_of_the_clamp_stage(mode, factor):
    base = np.array([1.097934, 1.382199, 1.396067, 1.341681, 0.679769])
    w = W.clone().requires_grad_()
    quantizer(mode, apply_quantization=False)(w).sum().backward()
    assert near(w.grad, base * factor, 3e-6)


@pytest.mark.parametrize("quantize", [True, False])
def test_scaling_divides_the_gradient_by_a_constant(quantize):
    torch.manual_seed(1)
    weights, g = torch.randn(4, 3, 2, 2) * 0.3, torch.randn(4, 3, 2, 2)
    gradients = []
    for scaling in (False, True):
        w = weights.clone().requires_grad_()
        module = quantizer(shape=w.shape, apply_scaling=scaling, apply_quantization=quantize)
        module(w).backward(g)
        gradients.append(w.grad)
    plain = quantizer(shape=weights.shape, apply_quantization=quantize)(weights)
    s = math.sqrt(float(plain.var()) * 4 * 2 * 2)
    assert torch.allclose(gradients[0] / s, gradients[1], rtol=1e-5, atol=0)


def test_fan_counts_outputs_and_taps():
    assert quantizer(shape=(6, 3, 5, 5)).fan == 150
    assert quantizer(shape=(84, 120)).fan == 84


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scaling", [False, True])
@given(
    weights=st.lists(st.floats(-3, 3, width=32), min_size=2, max_size=40),
    steps=st.one_of(st.integers(2, 20), st.sampled_from([63, 255, 1023])),
)
@settings(max_examples=60, deadline=None)
def test_forward_is_codes_times_scale_bit_for_bit(mode, scaling, weights, steps):
    w = torch.tensor(weights, dtype=torch.float32)
    module = quantizer(mode, steps, w.shape, apply_scaling=scaling)
    codes, grid = module.codes(w)
    assert torch.equal(codes, codes.round())
    assert float(codes.min()) >= grid.low
    assert float(codes.max()) <= grid.high
    assert torch.all((codes - grid.low) % grid.step == 0)
    assert torch.equal(module(w), codes * torch.tensor(grid.scale, dtype=torch.float32))
    split, scale = module.split(w)
    assert torch.equal(split, codes)
    assert torch.equal(split * scale, module(w))


@pytest.mark.parametrize(
    ("mode", "grid"),
    [
        ("Default", Grid(1 / 15, -15, 15, 2)),
        ("Integer", Grid(1 / 15, -15, 15, 2)),
        ("FullRange", Grid(1 / 15, -15, 15, 2)),
        ("Symmetric", Grid(1 / 7, -7, 7)),
        ("Asymmetric", Grid(1 / 7, -8, 7)),
    ],
)
def test_grids(mode, grid):
    assert quantizer(mode).codes(W)[1] == grid


@pytest.mark.parametrize("scaling", [False, True])
def test_integer_mode_has_the_gradients_of_the_default_mode(scaling):
    torch.manual_seed(2)
    weights, g = torch.randn(4, 5) * 0.3, torch.randn(4, 5)
    default, integer = weights.clone().requires_grad_(), weights.clone().requires_grad_()
    quantizer(shape=(4, 5), apply_scaling=scaling)(default).backward(g)
    module = quantizer("Integer", shape=(4, 5), apply_scaling=scaling)
    assert module.separate
    codes, scale = module.split(integer)
    assert not scale.requires_grad
    (codes * scale).backward(g)
    assert torch.allclose(default.grad, integer.grad, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("quantize", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_zero_weights_stay_finite(mode, quantize):
    w = torch.zeros(3, 4, requires_grad=True)
    out = quantizer(mode, shape=(3, 4), apply_scaling=True, apply_quantization=quantize)(w)
    out.sum().backward()
    assert torch.isfinite(out).all()
    assert torch.isfinite(w.grad).all()


def test_not_a_number_is_not_hidden():
    assert torch.isnan(quantizer()(torch.tensor([0.1, float("nan"), 0.3, 0.2, 0.1]))).any()


def test_clamped_weights_have_no_codes():
    module = quantizer(apply_quantization=False)
    assert not module.quantizes
    assert not quantizer("Integer", apply_quantization=False).separate
    with pytest.raises(ValueError, match="ApplyQuantization=0"):
        module.codes(W)


def test_the_weights_are_not_changed():
    w = W.clone()
    for mode in MODES:
        quantizer(mode)(w)
        quantizer(mode).codes(w)
    assert torch.equal(w, W)


def test_the_scale_does_not_depend_on_the_number_of_threads():
    torch.manual_seed(3)
    w = torch.randn(300, 300)
    module, threads = quantizer(shape=w.shape, apply_scaling=True), torch.get_num_threads()
    scales = set()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            scales.add(module.codes(w)[1].scale)
    finally:
        torch.set_num_threads(threads)
    assert len(scales) == 1
