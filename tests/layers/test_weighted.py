import pytest
import torch

from n2d2py.layers.weighted import exact_products
from n2d2py.quant.grid import Coded, Grid
from n2d2py.quant.scaled import Scaled

from .networks import one, pixels

CONV = "Type=Conv\nKernelWidth=3\nKernelHeight=2\nNbOutputs=4\n"


@pytest.mark.parametrize("scaling", [0, 1])
def test_integer_mode_learns_the_same(scaling):
    x = torch.rand(2, 2, 8, 8)
    results = []
    for mode in ("Default", "Integer"):
        layer = one(CONV + f"QWeight=SAT\nQWeight.Range=15\nQWeight.Mode={mode}\nQWeight.ApplyScaling={scaling}")
        inputs = x.clone().requires_grad_()
        y = layer(inputs)
        y.square().sum().backward()
        results.append((y.detach(), inputs.grad, layer.weights.grad, layer.biases.grad))
    for default, integer in zip(*results, strict=True):
        assert torch.allclose(default, integer, rtol=1e-4, atol=1e-5)


def test_wide_accumulators_are_held_in_float64():
    layer = one("Type=Conv\nKernelSize=3\nNbOutputs=2\nNoBias=1\nQWeight=SAT")
    generator = torch.Generator().manual_seed(1)
    values = torch.randint(-(1 << 30), 1 << 30, (2, 2, 8, 8), generator=generator).double()
    result = layer.evaluate(Coded(values, Grid(1.0, -(1 << 30), 1 << 30)))
    assert result.values.dtype == torch.float64
    assert torch.equal(result.values.long(), layer.product(values.long(), layer.weight_codes()[0].long(), None))


def test_without_codes_it_evaluates_as_it_learns():
    layer = one(CONV + "QWeight=SAT\nQWeight.ApplyQuantization=0\nActivationFunction=Tanh").eval()
    stimuli = pixels()
    result = layer.evaluate(stimuli)
    assert result.grid is None
    assert torch.equal(result.values, layer(stimuli.real()))


def test_codes_on_real_inputs_when_the_weights_are_real():
    layer = one(CONV + "ActivationFunction=Linear\nQAct=SAT\nQAct.Alpha=0.5\nQAct.Range=7").eval()
    result = layer.evaluate(pixels())
    assert result.grid == Grid(0.5 / 7, 0, 7)
    assert torch.equal(result.values, result.values.round())


def test_what_it_learns_and_stores_in_the_order_of_the_files():
    layer = one(CONV + "QWeight=SAT\nActivationFunction=Linear\nQAct=SAT\nQAct.Alpha=2")
    names = ["weights", "biases", "QAct_SAT_Alpha"]
    assert [item.name for item in layer.learned()] == [item.name for item in layer.stored()] == names
    assert [item.name for item in one(CONV + "NoBias=1").learned()] == ["weights"]


def test_weights_without_a_quantizer_have_no_codes():
    layer = one(CONV)
    assert not layer.quantizes
    assert not layer.quantized
    with pytest.raises(ValueError, match="c has no weight quantizer"):
        layer.weight_codes()


def test_padding_counts_in_the_bounds_of_accumulators():
    layer = one(CONV + "QWeight=SAT")
    codes = torch.tensor([[3.0, -5.0], [1.0, 1.0]])
    low, high = layer.accumulator_bounds(codes, Grid(1.0, 2, 7))
    assert low.tolist() == [-35.0, 0.0]
    assert high.tolist() == [21.0, 14.0]


def test_accumulators_that_no_float_holds_are_refused():
    layer = one(CONV + "QWeight=SAT")
    codes, weights = layer.weight_codes()
    with pytest.raises(OverflowError, match=r"c: accumulators from .* pass 2\^53"):
        layer.accumulator_grid(codes, weights, Grid(1.0, 0, 1 << 52))


def test_exact_products_leave_the_backend_as_it_was():
    before = torch.backends.cudnn.enabled
    with exact_products():
        assert not torch.backends.cudnn.enabled
    assert torch.backends.cudnn.enabled == before


def test_not_a_number_goes_through_a_product_of_codes():
    layer = one(CONV + "QWeight=SAT\nQWeight.Mode=Integer")
    with torch.no_grad():
        layer.weights[0, 0, 0, 0] = torch.nan
    result = layer.forward_scaled(Scaled(torch.ones(1, 2, 8, 8), torch.tensor(0.5), 15)).values
    assert bool(result.isnan().any())
