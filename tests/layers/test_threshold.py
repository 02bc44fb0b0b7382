import pytest
import torch

from n2d2py.quant.grid import Coded, Grid

from .networks import checked, codes, one, same_in_evaluation

SHAPE = (2, 4, 8, 8)
THRESHOLD = "Type=Threshold\nNbOutputs=4\nThreshold=0.5\nOperation={}\nMaxValue=2\n"
RULES = {
    "Binary": (lambda x: 2.0, lambda x: 0.0),
    "BinaryInverted": (lambda x: 0.0, lambda x: 2.0),
    "Truncate": (lambda x: 0.5, lambda x: x),
    "ToZero": (lambda x: x, lambda x: 0.0),
    "ToZeroInverted": (lambda x: 0.0, lambda x: x),
}


@pytest.mark.parametrize("operation", RULES)
def test_each_operation(operation):
    layer = one(THRESHOLD.format(operation), (8, 8, 4))
    above, below = RULES[operation]
    values = [-1.0, 0.0, 0.25, 0.5, 0.75, 3.0]
    x = torch.tensor(values).repeat(1, 4, 1, 1)
    wanted = [above(value) if value > 0.5 else below(value) for value in values]
    assert torch.equal(layer(x)[0, 0, 0], torch.tensor(wanted))


@pytest.mark.parametrize(
    ("operation", "reference"),
    [
        ("Truncate", lambda x: torch.where(x > 0.5, 0.5, x)),
        ("ToZero", lambda x: x * (x > 0.5)),
        ("ToZeroInverted", lambda x: x * (x <= 0.5)),
    ],
)
def test_gradient_goes_where_values_go(operation, reference):
    checked(one(THRESHOLD.format(operation), (8, 8, 4)), SHAPE, reference=reference)


def test_binary_has_no_gradient():
    x = torch.randn(SHAPE, requires_grad=True)
    assert not one(THRESHOLD.format("Binary"), (8, 8, 4))(x).requires_grad


@pytest.mark.parametrize(
    ("operation", "grid"),
    [
        ("Binary", Grid(2.0, 0, 1)),
        ("BinaryInverted", Grid(2.0, 0, 1)),
        ("ToZero", Grid(0.25, -3, 7)),
        ("ToZeroInverted", Grid(0.25, -3, 7)),
    ],
)
def test_codes(operation, grid):
    layer = one(THRESHOLD.format(operation), (8, 8, 4))
    assert same_in_evaluation(layer, codes(SHAPE, -3, 7)).grid == grid


def test_codes_that_are_quantized_again():
    layer = one(THRESHOLD.format("ToZero") + "ActivationFunction=Linear\nQAct=SAT\nQAct.Range=3", (8, 8, 4))
    assert layer.evaluate(codes(SHAPE, -3, 7)).grid == Grid(8 / 3, 0, 3)
    assert layer.evaluate(Coded(torch.randn(SHAPE))).grid == Grid(8 / 3, 0, 3)
