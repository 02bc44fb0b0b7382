import math

import pytest
import torch

from n2d2py import registry
from n2d2py.layers import functions
from n2d2py.parts import activations as records

X = [-3.0, -0.5, 0.0, 0.25, 1.5, 4.0]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


SELU = (1.0507009873554804934, 1.6732632423543772848)
"""The factor and the alpha of arXiv:1706.02515."""


def normal(x):
    return (1 + math.erf(x / math.sqrt(2))) / 2


def slope_of_mish(x):
    t = math.tanh(math.log1p(math.exp(x)))
    return t + x * (1 - t * t) * sigmoid(x)


CASES = [
    (records.Rectifier(), lambda x: max(x, 0.0), lambda x: float(x > 0)),
    (records.Rectifier(leak_slope=0.1), lambda x: x if x > 0 else 0.1 * x, lambda x: 1.0 if x > 0 else 0.1),
    (records.Rectifier(clipping=2.0), lambda x: min(max(x, 0.0), 2.0), lambda x: float(0 < x < 2)),
    (
        records.Rectifier(leak_slope=0.1, clipping=2.0),
        lambda x: min(x, 2.0) if x > 0 else 0.1 * x,
        lambda x: 1.0 if 0 < x < 2 else 0.1,
    ),
    (records.Linear(clipping=1.0), lambda x: min(max(x, -1.0), 1.0), lambda x: float(abs(x) < 1)),
    (records.Saturation(threshold=2.0), lambda x: min(max(x, -2.0), 2.0), lambda x: float(abs(x) < 2)),
    (records.Tanh(alpha=0.5), lambda x: math.tanh(0.5 * x), lambda x: 0.5 * (1 - math.tanh(0.5 * x) ** 2)),
    (
        records.TanhLeCun(),
        lambda x: math.tanh(1.7159 * 2 / 3 * x),
        lambda x: 1.7159 * 2 / 3 * (1 - math.tanh(1.7159 * 2 / 3 * x) ** 2),
    ),
    (records.Logistic(), sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))),
    (records.LogisticWithLoss(), sigmoid, lambda x: 1.0),
    (records.Softplus(), lambda x: math.log1p(math.exp(x)), sigmoid),
    (records.Softplus(alpha=-1.0), lambda x: math.log(sigmoid(x)), lambda x: sigmoid(-x)),
    (records.Softplus(alpha=2.0), lambda x: math.log1p(math.exp(2 * x)) / 2, lambda x: sigmoid(2 * x)),
    (records.Softsign(), lambda x: x / (1 + abs(x)), lambda x: (1 + abs(x)) ** -2),
    (
        records.Swish(alpha=1.5),
        lambda x: x * sigmoid(1.5 * x),
        lambda x: sigmoid(1.5 * x) + 1.5 * x * sigmoid(1.5 * x) * sigmoid(-1.5 * x),
    ),
    (
        records.HardSwish(),
        lambda x: x * min(max(x / 6 + 0.5, 0), 1),
        lambda x: 0.0 if x <= -3 else 1.0 if x >= 3 else x / 3 + 0.5,
    ),
    (
        records.HardSigmoid(alpha=0.25, beta=0.25),
        lambda x: min(max(x / 4 + 0.25, 0), 1),
        lambda x: 0.25 if -1 < x < 3 else 0.0,
    ),
    (records.Clamp(low=-0.4, high=3.5), lambda x: min(max(x, -0.4), 3.5), lambda x: float(-0.4 < x < 3.5)),
    (records.Clamp(low=-4e38, high=0.5), lambda x: min(x, 0.5), lambda x: float(x < 0.5)),
    (records.Clamp(low=-4e38, high=4e38), lambda x: x, lambda x: 1.0),
    (
        records.Elu(alpha=0.5),
        lambda x: x if x > 0 else 0.5 * math.expm1(x),
        lambda x: 1.0 if x > 0 else 0.5 * math.exp(x),
    ),
    (
        records.Selu(),
        lambda x: SELU[0] * (x if x > 0 else SELU[1] * math.expm1(x)),
        lambda x: SELU[0] * (1.0 if x > 0 else SELU[1] * math.exp(x)),
    ),
    (
        records.Celu(alpha=2.0),
        lambda x: x if x > 0 else 2 * math.expm1(x / 2),
        lambda x: 1.0 if x > 0 else math.exp(x / 2),
    ),
    (
        records.Gelu(),
        lambda x: x * normal(x),
        lambda x: normal(x) + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    ),
    (records.Mish(), lambda x: x * math.tanh(math.log1p(math.exp(x))), slope_of_mish),
    (records.Swish(), lambda x: x * sigmoid(x), lambda x: x * sigmoid(x) + sigmoid(x) * (1 - x * sigmoid(x))),
]


@pytest.mark.parametrize(("record", "value", "slope"), CASES)
def test_values_and_gradients(record, value, slope):
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    y = functions.make(record)(x, False)
    y.sum().backward()
    assert y.tolist() == pytest.approx([value(v) for v in X], abs=1e-12)
    assert x.grad.tolist() == pytest.approx([slope(v) for v in X], abs=1e-12)
    assert x.tolist() == X


def test_linear_is_no_function():
    assert functions.make(None) is None
    assert functions.make(records.Linear()) is None


def test_an_own_tensor_is_written_into():
    x = torch.tensor(X)
    y = functions.make(records.Rectifier())(x, True)
    assert y.data_ptr() == x.data_ptr()


def test_gelu_by_tanh():
    x = torch.tensor(X, dtype=torch.float64)
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    y = functions.make(records.Gelu(approximate="Tanh"))(x, False)
    assert y.tolist() == pytest.approx((x / 2 * (1 + torch.tanh(inner))).tolist(), abs=1e-12)


def test_every_activation_has_its_function():
    assert registry.names("activation") == registry.names("function")
    assert {type(record) for record, _, _ in CASES} == {
        registry.find("activation", name) for name in registry.names("activation")
    }
