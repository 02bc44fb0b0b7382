import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.parts.quantizers import SatActivations
from n2d2py.quant.activations import make
from n2d2py.quant.grid import Grid

X = torch.tensor([-1.0, 0.0, 0.3, 0.5, 0.99, 1.0, 1.7])


def quantizer(alpha=1.0, steps=3):
    return make(SatActivations(alpha=alpha, range=steps))


def reference(x, alpha, steps, gradient):
    """(dx, dalpha) element by element, float64."""
    x, gradient = x.double(), gradient.double()
    clipped = x.clamp(0, alpha)
    h = torch.where(
        x >= alpha, 1.0, torch.where(x > 0, torch.round(clipped * (steps / alpha)) / steps - clipped / alpha, 0.0)
    )
    return gradient * ((x > 0) & (x <= alpha)), float((gradient * h).sum())


def test_golden_values():
    y = quantizer()(X)
    assert torch.allclose(y, torch.tensor([0, 0, 1 / 3, 2 / 3, 1, 1, 1]), rtol=0, atol=1e-7)


def test_golden_mask():
    x = X.clone().requires_grad_()
    quantizer()(x).sum().backward()
    assert x.grad.tolist() == [0, 0, 1, 1, 1, 1, 0]


@pytest.mark.parametrize(("place", "h"), enumerate([0, 0, 0.033333, 0.166667, 0.01, 1, 1]))
def test_golden_gradient_of_alpha(place, h):
    module = quantizer()
    module(X.clone().requires_grad_())[place].backward()
    assert float(module.alpha.grad) == pytest.approx(h, abs=1e-6)


@given(
    alpha=st.floats(0.0625, 20, width=32),
    steps=st.sampled_from([1, 2, 3, 7, 15, 255]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_gradients_are_those_of_the_slow_formula(alpha, steps, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(8, 3, 5, 5, generator=generator) * 4
    gradient = torch.randn(x.shape, generator=generator)
    module = quantizer(alpha, steps)
    learned = x.clone().requires_grad_()
    module(learned).backward(gradient)
    dx, dalpha = reference(x, alpha, steps, gradient)
    assert torch.equal(learned.grad.double(), dx)
    assert float(module.alpha.grad) == pytest.approx(dalpha, abs=2e-4 * float(gradient.norm()))


def test_the_gradient_of_alpha_keeps_its_digits_on_large_tensors():
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(64, 6, 28, 28, generator=generator) * 3
    gradient = torch.randn(x.shape, generator=generator)
    module = quantizer(6.0, 15)
    module(x.clone().requires_grad_()).backward(gradient)
    dalpha = reference(x, 6.0, 15, gradient)[1]
    assert float(module.alpha.grad) == pytest.approx(dalpha, abs=1e-5 * float(gradient.norm()))


def test_a_negative_alpha_counts_as_its_magnitude():
    plus, minus = quantizer(), quantizer()
    with torch.no_grad():
        minus.alpha.neg_()
    assert torch.equal(plus(X), minus(X))
    assert plus.grid() == minus.grid()
    plus(X.clone().requires_grad_()).sum().backward()
    minus(X.clone().requires_grad_()).sum().backward()
    assert float(minus.alpha.grad) == -float(plus.alpha.grad)


def test_an_alpha_of_zero_stays_finite():
    module = quantizer()
    with torch.no_grad():
        module.alpha.zero_()
    x = X.clone().requires_grad_()
    y = module(x)
    y.sum().backward()
    assert torch.isfinite(y).all()
    assert torch.isfinite(module.alpha.grad)


def test_not_a_number_is_not_hidden():
    assert torch.isnan(quantizer()(torch.tensor([0.1, float("nan")]))).tolist() == [False, True]


def test_ties_go_to_the_even_code():
    x = torch.tensor([0.5, 1.5, 2.5, 3.5])
    assert quantizer(4.0, 4)(x).tolist() == [0, 2, 2, 4]
    assert quantizer(4.0, 4).codes(x.double()).tolist() == [0, 2, 2, 4]


def test_one_bit_has_two_levels():
    assert quantizer(2.0, 1)(torch.tensor([-1.0, 0.9, 1.0, 1.1, 5.0])).tolist() == [0, 0, 0, 2, 2]


@given(alpha=st.floats(0.015625, 50, width=32), steps=st.integers(1, 255), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_codes_are_monotone_integers_of_the_grid(alpha, steps, seed):
    module = quantizer(alpha, steps)
    values = (torch.randn(200, generator=torch.Generator().manual_seed(seed)).double() * alpha).sort().values
    codes = module.codes(values)
    assert module.grid() == Grid(float(module.alpha.detach()) / steps, 0, steps)
    assert torch.equal(codes, codes.round())
    assert 0 <= float(codes.min()) <= float(codes.max()) <= steps
    assert torch.all(codes.diff() >= 0)


def test_gradients_in_another_memory_order():
    x = torch.randn(4, 3, 5, 6)
    gradient = torch.randn(4, 3, 5, 6)
    slopes = []
    for order in (torch.contiguous_format, torch.channels_last):
        module = quantizer(2.0, 15)
        module(x.clone(memory_format=order).requires_grad_()).backward(gradient)
        slopes.append(float(module.alpha.grad))
    assert slopes[0] == pytest.approx(slopes[1], abs=1e-4)


def test_alpha_is_learned_and_stored():
    module = quantizer(6.0)
    assert [(name, float(tensor.detach())) for name, tensor in module.stored()] == [("QAct_SAT_Alpha", 6.0)]
    assert module.learned()[0][1] is module.alpha
    with torch.no_grad():
        module.alpha.fill_(3.0)
    module.fill()
    assert float(module.alpha.detach()) == 6.0


@pytest.mark.parametrize("alpha", [0.7, 3.0, -1.5])
def test_split_is_the_forward_pass_with_its_gradients(alpha):
    x = torch.linspace(-1, 4, 401).reshape(1, 1, 1, -1)
    weight = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    results = []
    for parts in (False, True):
        module, inputs = quantizer(alpha, 15), x.clone().requires_grad_()
        y = module.split(inputs).real() if parts else module(inputs)
        (y * weight).sum().backward()
        results.append((y.detach(), inputs.grad, module.alpha.grad))
    whole, split = results
    assert torch.equal(whole[0], split[0])
    assert torch.allclose(whole[1], split[1], rtol=1e-6, atol=0)
    assert torch.allclose(whole[2], split[2], rtol=1e-4, atol=1e-5)
    scaled = quantizer(alpha, 15).split(x)
    assert scaled.high == 15
    assert not scaled.scale.requires_grad
    assert set(scaled.values.flatten().tolist()) == set(map(float, range(16)))
