import math

import pytest
import torch

from n2d2py.layers import functions
from n2d2py.parts import activations as records

X = [-3.0, -0.5, 0.0, 0.25, 1.5, 4.0]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


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
