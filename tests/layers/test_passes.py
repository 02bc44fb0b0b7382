"""Passes that steps share give what the steps give one after the other: outputs, gradients, statistics."""

import shutil

import pytest
import torch

from n2d2py.layers import batchnorm, passes
from n2d2py.parts.dorefa import PactActivations
from n2d2py.parts.lsq import LsqActivations
from n2d2py.parts.quantizers import SatActivations
from n2d2py.quant import layouts
from n2d2py.quant.activations import make
from n2d2py.quant.levels import Levels
from n2d2py.quant.rules import Rectified, Ruled, Straight, dot
from n2d2py.quant.sat_activations import ClipRule
from n2d2py.quant.steps import StepRule

from .networks import network

compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="there is no compiler")
NORM = "Type=BatchNorm\nNbOutputs=2\n"
QUANTIZERS = {
    "SAT": "ActivationFunction=Linear\nQAct=SAT\nQAct.Range=15\nQAct.Alpha=1.5\n",
    "SAT behind a rectifier": "ActivationFunction=Rectifier\nQAct=SAT\nQAct.Range=15\nQAct.Alpha=0.5\n",
    "SAT, powers of two": "ActivationFunction=Linear\nQAct=SAT\nQAct.Range=7\nQAct.Alpha=1.5\nQAct.PowerOfTwo=1\n",
    "PACT": "ActivationFunction=Linear\nQAct=PACT\nQAct.Range=15\nQAct.Alpha=1.5\n",
    "LSQ": "ActivationFunction=Linear\nQAct=LSQ\nQAct.Range=15\n",
    "LSQ behind a rectifier": "ActivationFunction=Rectifier\nQAct=LSQ\nQAct.Range=15\n",
    "LSQ of uneven levels": "ActivationFunction=Linear\nQAct=LSQ\nQAct.Levels=0 1 2 4\n",
}


def learned(text, compiled=False, apart=False, steps=3):
    """What learning a few batches leaves: outputs, gradients of all tensors and of the input, statistics."""
    made = network(f"[c]\nInput=env\n{NORM}{text}").train()
    made.compile_passes(compiled)
    layer = made.layers["c"]
    if apart:
        layer.forward = lambda x: layer.activate(layer.before(x))
    found = []
    for seed in range(steps):
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(4, 2, 8, 8, generator=generator).requires_grad_()
        out = layer(x * 2)
        made.zero_grad()
        out.backward(torch.randn(out.shape, generator=generator))
        tensors = [out, x.grad, *(item.tensor.grad for item in layer.learned()), layer.means, layer.variances]
        found += [tensor.detach().clone() for tensor in tensors]
    return found


def alike(left, right):
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("text", QUANTIZERS.values(), ids=QUANTIZERS)
def test_normalised_and_quantized_in_one_is_as_one_after_the_other(text, monkeypatch):
    counted = []
    shared = passes.normalised
    monkeypatch.setattr(batchnorm, "normalised", lambda *given: counted.append(1) or shared(*given))
    together = learned(text)
    assert len(counted) == 3
    alike(together, learned(text, apart=True))
    assert len(counted) == 3


def test_what_is_no_such_rule_goes_one_after_the_other(monkeypatch):
    monkeypatch.setattr(batchnorm, "normalised", None)
    learned("ActivationFunction=Tanh\nQAct=SAT\nQAct.Range=15\n")
    learned("ActivationFunction=Linear\nQAct=LSQ\nQAct.Range=15\nQAct.Offset=1\n")
    learned("ActivationFunction=Rectifier\nQAct=LSQ\nQAct.Levels=-1 0 1\n")  # below 0 a rectifier changes what is given
    learned("ActivationFunction=Rectifier\n")


@pytest.mark.parametrize(
    "record",
    [
        SatActivations(range=15, alpha=1.3),
        PactActivations(range=7, alpha=1.3),
        LsqActivations(range=15),
        LsqActivations(levels=(-1, 0, 1)),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_rule_is_its_quantizer(record):
    x = torch.randn(2, 3, 40, generator=torch.Generator().manual_seed(1))
    gradient = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    quantizer = make(record)
    given = x.clone().requires_grad_()
    out = quantizer(given)
    out.backward(gradient)
    ruled = quantizer.ruled(x.numel())
    assert ruled is not None
    values = ruled.rule.apply(x.clone(), ruled.parameter.detach())
    torch.testing.assert_close(values, out.detach(), rtol=1e-6, atol=1e-6)
    inner, slope = ruled.rule.back(gradient, x.clone(), values, ruled.parameter.detach())
    assert torch.equal(inner, given.grad)
    ((_, parameter),) = quantizer.learned()
    assert float(slope) * ruled.factor == pytest.approx(float(parameter.grad), rel=1e-4, abs=1e-5)


def test_no_more_is_kept_than_the_input_and_the_output():
    kept = []
    made = network(f"[c]\nInput=env\n{NORM}{QUANTIZERS['SAT']}").train()
    x = torch.randn(4, 2, 8, 8, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()) or tensor, lambda x: x):
        made.layers["c"](x)
    assert sum(size == x.numel() for size in kept) == 2


def test_values_are_forgotten_once_no_later_cell_takes_them():
    linear = "Activation\nActivationFunction=Linear"
    cells = (("a", "env", linear), ("b", "a", linear), ("c", "b,a", "ElemWise"))
    made = network("".join(f"[{name}]\nInput={inputs}\nType={cell}\nNbOutputs=2\n" for name, inputs, cell in cells))
    x = torch.ones(4, 2, 8, 8)
    assert torch.equal(made(x)["c"], 2 * x)


# Compiled


@compiler
@pytest.mark.parametrize("name", ["SAT", "LSQ"])
def test_compiled_passes_are_those_of_torch_but_for_roundings(name):
    alike(learned(QUANTIZERS[name], compiled=True), learned(QUANTIZERS[name], apart=True))


@compiler
def test_one_compilation_serves_all_sizes_and_ranges():
    counters = torch._dynamo.utils.counters
    learned(QUANTIZERS["SAT"], compiled=True)
    before = counters["stats"]["unique_graphs"]
    for text in (QUANTIZERS["SAT"], QUANTIZERS["SAT"].replace("=15", "=255"), QUANTIZERS["SAT, powers of two"]):
        for size in ((8, 8, 2), (5, 7, 2)):
            made = network(f"[c]\nInput=env\n{NORM}{text}", size).train()
            made.compile_passes()
            made.layers["c"](torch.randn(3, 2, *size[1::-1], requires_grad=True)).sum().backward()
    assert counters["stats"]["unique_graphs"] == before
    assert not counters["graph_break"]


@compiler
@pytest.mark.parametrize(("rule", "count"), [(Rectified(), 2)])
def test_a_compiled_sum(rule, count):
    values = [torch.randn(2, 3, 4, 5, requires_grad=True) for _ in range(count)]
    out = passes.summed(values, Ruled(rule), True)
    plain = torch.relu(sum(values))
    assert torch.equal(out, plain)
    gradient = torch.randn(out.shape)
    out.backward(gradient)
    assert all(torch.equal(value.grad, torch.where(plain > 0, gradient, 0.0)) for value in values)


def test_a_straight_rule_gives_what_it_gets():
    x = torch.ones(2)
    assert Straight().apply(x, None) is x
    assert Straight().back(x, x, x, None) == (x, None)


def test_passes_take_floats_of_more_than_one_value_a_channel():
    assert passes.fits(torch.ones(2, 3, 4, 5))
    assert passes.fits(torch.ones(2, 3, 4, 5).bfloat16())
    assert not passes.fits(torch.ones(2, 3, 4, 5).half())
    assert not passes.fits(torch.ones(2, 3, 4, 5).double())
    assert not passes.fits(torch.ones(1, 3, 4, 5))
    assert not passes.fits(torch.ones(2, 3, 1, 1))
    assert not passes.fits(torch.ones(2, 3, 4, 5).transpose(2, 3))
    assert passes.fits(torch.ones(2, 3, 4, 5).contiguous(memory_format=torch.channels_last))


@pytest.mark.parametrize("last", [False, True])
def test_values_are_taken_and_given_back_in_their_order_in_memory(last):
    x = torch.arange(120.0).view(2, 3, 4, 5)
    x = x.contiguous(memory_format=torch.channels_last) if last else x
    assert layouts.layout_of(x) is (torch.channels_last if last else torch.contiguous_format)
    assert layouts.flat(x).shape == ((40, 3, 1) if last else (2, 3, 20))
    for values in (layouts.flat(x), layouts.line(x)):
        assert values.data_ptr() == x.data_ptr()
        back = layouts.as_shaped(values, x)
        assert torch.equal(back, x)
        assert back.stride() == x.stride()
    torch.testing.assert_close(dot(x, 2 * x.contiguous()), 2 * x.square().sum())
    one = torch.ones(2, 3, 1, 1)  # which is both
    assert layouts.layout_of(one) is torch.contiguous_format


def test_learning_lays_images_out_pixel_by_pixel_where_that_is_faster():
    last = layouts.fastest(torch.rand(2, 3, 4, 5))
    assert layouts.layout_of(last) is torch.channels_last
    for x in (torch.rand(2, 3, 4, 5).double(), torch.rand(2, 3, 4), torch.rand(2, 3, 4, 5, device="meta")):
        assert layouts.fastest(x) is x


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=compiler)])
@pytest.mark.parametrize("rule", [ClipRule(15), StepRule(0, 15)])
def test_both_layouts_give_the_same_but_for_roundings(compiled, rule):
    torch.manual_seed(3)
    x, gradient = torch.randn(4, 3, 6, 5), torch.randn(4, 3, 6, 5)
    results = []
    for form in (torch.contiguous_format, torch.channels_last):
        leaf = x.clone(memory_format=form).requires_grad_()
        scales, biases, unit = (torch.ones(3).requires_grad_(), torch.zeros(3).requires_grad_(), torch.tensor(1.5))
        unit.requires_grad_()
        statistics = passes.Statistics(torch.zeros(3), torch.ones(3), 0.1, 1e-5)
        y = passes.normalised(leaf, scales, biases, statistics, Ruled(rule, unit), compiled)
        y.backward(gradient)  # in the other order in one of the two cases
        assert layouts.layout_of(y) is form
        assert layouts.layout_of(leaf.grad) is form
        results.append([y, statistics.means, statistics.variances, leaf.grad, scales.grad, biases.grad, unit.grad])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


# bfloat16

RULES = [
    ClipRule(15),
    ClipRule(255, calibrated=False),
    StepRule(0, 15),
    StepRule(-128, 127),
    StepRule.of(Levels((0, 1, 4))),
]
HOW = [False, pytest.param(True, marks=compiler)]


def both(take, values, compiled, parameter=None):
    """What a pass gives for values of bfloat16, and for the same numbers in float32: output and gradients of each."""
    results = []
    gradient = torch.randn(values[0].shape).bfloat16()
    for dtype in (torch.bfloat16, torch.float32):
        leaves = [value.detach().clone().to(dtype).requires_grad_() for value in values]
        learned = None if parameter is None else torch.tensor(parameter, requires_grad=True)
        out, others = take(leaves, learned, compiled)
        out.backward(gradient.to(out.dtype))
        assert all(leaf.grad.dtype == dtype for leaf in leaves)
        gradients = [one.grad for one in (*others, *([] if learned is None else [learned]))]
        results.append((out.detach(), [leaf.grad for leaf in leaves], gradients))
    return results


def normalising(rule):
    def take(values, parameter, compiled):
        scales, biases = torch.full((3,), 1.7, requires_grad=True), torch.full((3,), 0.4, requires_grad=True)
        statistics = passes.Statistics(torch.zeros(3), torch.ones(3), 0.1, 1e-5)
        return passes.normalised(*values, scales, biases, statistics, Ruled(rule, parameter), compiled), (
            scales,
            biases,
        )

    return take


def summing(rule):
    return lambda values, parameter, compiled: (passes.summed(values, Ruled(rule, parameter), compiled), ())


@pytest.mark.parametrize("compiled", HOW)
@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize(("pass_of", "count"), [(normalising, 1), (summing, 2)])
def test_of_bfloat16_only_what_is_read_and_written_is_rounded(pass_of, count, rule, compiled):
    torch.manual_seed(4)
    values = [torch.randn(4, 3, 6, 5).bfloat16() for _ in range(count)]
    (out, inner, learned), (plain, exact, others) = both(pass_of(rule), values, compiled and rule.compiles, 0.37)
    assert out.dtype == (torch.bfloat16 if rule.fits_half else torch.float32)
    assert torch.equal(out, plain.to(out.dtype))
    for one, other in zip(inner, exact, strict=True):
        assert torch.equal(one, other.bfloat16())
    for one, other in zip(learned, others, strict=True):  # the codes that their gradients see are exact
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@compiler
@pytest.mark.parametrize("rule", [Rectified(), Straight()])
def test_of_bfloat16_without_a_quantizer(rule):
    torch.manual_seed(4)
    (out, inner, _), (plain, exact, _) = both(normalising(rule), [torch.randn(4, 3, 6, 5).bfloat16()], True)
    assert torch.equal(out, plain.bfloat16())
    torch.testing.assert_close(inner[0].float(), exact[0], rtol=1e-2, atol=1e-3)


def test_codes_that_bfloat16_does_not_tell_apart_stay_float32():
    x = torch.randn(4, 3, 6, 5).bfloat16()
    for highest, dtype in ((128, torch.bfloat16), (129, torch.float32)):
        out, _ = normalising(ClipRule(highest))([x], torch.tensor(1.0, requires_grad=True), False)
        assert out.dtype == dtype
    codes, units = torch.arange(129.0), torch.rand(1000, 1) + 1
    assert bool(((units * codes).bfloat16().diff() > 0).all())
    assert not bool(((units * torch.arange(257.0)).bfloat16().diff() > 0).all())


@pytest.mark.parametrize("kind", ["BatchNorm", "ElemWise"])
def test_of_bfloat16_no_float32_is_kept(kind):
    kept = []
    operation = "NbOutputs=2\n" if kind == "BatchNorm" else "NbOutputs=2\nOperation=Sum\n"
    made = network(f"[c]\nInput=env\nType={kind}\n{operation}{QUANTIZERS['LSQ']}").train()
    x = torch.randn(4, 2, 8, 8).bfloat16().requires_grad_()
    given = (x,) if kind == "BatchNorm" else (x, x + 1)
    made.layers["c"](*given)  # the first batch gives the step
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda x: x):
        out = made.layers["c"](*given)
    assert out.dtype == torch.bfloat16
    assert [tensor.dtype for tensor in kept if tensor.numel() == x.numel()] == [torch.bfloat16] * len(given)
