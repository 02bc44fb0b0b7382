import pytest
import torch

from n2d2py.quant.grid import Coded, Grid

from .networks import one

BN = "Type=BatchNorm\nNbOutputs=2\n"


def test_without_a_quantizer_there_is_no_step():
    with pytest.raises(ValueError, match="c has no activation quantizer"):
        one(BN).step(Grid(1.0, 0, 1))


def test_a_rectifier_keeps_codes():
    layer = one("Type=Activation\nNbOutputs=2\nActivationFunction=Rectifier")
    codes = torch.randint(-9, 10, (2, 2, 8, 8)).float()
    result = layer.evaluate(Coded(codes, Grid(0.5, -9, 9)))
    assert result.grid == Grid(0.5, 0, 9)
    assert torch.equal(result.values, codes.relu())


def test_other_functions_make_reals():
    layer = one("Type=Activation\nNbOutputs=2").eval()
    codes = torch.randint(-9, 10, (2, 2, 8, 8)).float()
    result = layer.evaluate(Coded(codes, Grid(0.125, -9, 9)))
    assert result.grid is None
    assert result.values.dtype == torch.float32
    assert torch.allclose(result.values, (codes * 0.125).tanh(), atol=1e-6)


def test_swish_is_not_monotone():
    layer = one("Type=Activation\nNbOutputs=2\nActivationFunction=Swish\nQAct=SAT")
    assert not layer.step(Grid(1.0, 0, 1)).monotone


def test_a_rectifier_adds_the_bias_first():
    layer = one("Type=Activation\nNbOutputs=2\nActivationFunction=Rectifier")
    codes, offset = torch.full((1, 2, 8, 8), -1.0), torch.tensor([0.75, 0.25], dtype=torch.float64)
    result = layer.evaluate(Coded(codes, Grid(0.5, -9, 9), offset))
    assert result.offset is None
    assert result.exact()[0, :, 0, 0].tolist() == [0.25, 0.0]


@pytest.mark.parametrize(
    ("function", "monotone"),
    [("Linear", True), ("Rectifier", True), ("Saturation", True), ("Tanh", False), ("Rectifier\nLeakSlope=-1", False)],
)
def test_a_step_is_monotone_where_its_function_is(function, monotone):
    keys = function.replace("\n", "\nActivationFunction.")
    layer = one(f"{BN}ActivationFunction={keys}\nQAct=SAT")
    assert layer.step(None).monotone is monotone


def test_what_it_learns_and_stores_is_that_of_its_quantizer():
    layer = one("Type=Activation\nNbOutputs=2\nActivationFunction=Linear\nQAct=SAT\nQAct.Alpha=2")
    assert layer.quantized
    assert [item.name for item in layer.learned()] == ["QAct_SAT_Alpha"]
    assert [item.tensor.item() for item in layer.stored()] == [2.0]
    plain = one("Type=Activation\nNbOutputs=2")
    assert not plain.quantized
    assert plain.learned() == plain.stored() == []
