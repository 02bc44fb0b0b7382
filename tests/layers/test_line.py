"""Steps with an integer bias: what they are, and that float32, as QLinearConv multiplies, gives the same codes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.errors import GraphError
from n2d2py.layers.line import nearest_line
from n2d2py.quant.grid import Coded, Grid

from .networks import network, one

BN = "Type=BatchNorm\nNbOutputs=2\n"
SPANS = st.integers(1, 12).flatmap(lambda bits: st.floats(2.0**-bits, 2.0 ** (1 - bits)))


def doubles(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


@settings(max_examples=60, deadline=None)
@given(SPANS, st.sampled_from([1, -1]), st.floats(-300, 300), st.sampled_from([(0, 255), (-128, 127), (0, 15)]))
def test_float32_has_the_codes_of_exact_products(span, sign, offset, ends):
    """QLinearConv computes rint(float32(acc + bias) * slope), clamped: at and beside every edge, and far away."""
    low, high = ends
    slope = sign * span
    line = nearest_line(doubles(slope), doubles(offset), Grid(1.0, low, high))
    bias, found = int(line.biases), float(line.slopes)
    assert float(np.float32(found)) == found
    edges = np.rint((np.arange(low, high) + 0.5) / found)
    sums = (edges[:, None] + np.arange(-3, 4)).ravel()
    sums = np.concatenate([sums, [-(2.0**24), 2.0**24, 0.0]])
    accumulators = torch.from_numpy(sums - bias)
    exact = np.clip(np.rint(line(accumulators, 0).numpy()), low, high)
    rounded = np.clip(np.rint((accumulators.numpy() + bias).astype(np.float32) * np.float32(found)), low, high)
    assert np.array_equal(exact, rounded)


@settings(max_examples=60, deadline=None)
@given(SPANS, st.floats(-1e5, 1e5), st.integers(-(1 << 20), 1 << 20))
def test_it_lies_half_an_accumulator_from_the_real_bias(slope, offset, accumulator):
    line = nearest_line(doubles(slope), doubles(offset), Grid(1.0, 0, 255))
    real = accumulator * slope + offset
    found = float(line(doubles(accumulator), 0))
    assert abs(found - real) <= slope / 2 + (abs(real) + slope) * 2.0**-12


def test_what_no_accumulator_changes_is_a_constant():
    line = nearest_line(doubles(0.0, 1e-16, 0.25), doubles(3.25, -7.5, 1.0), Grid(1.0, 0, 15))
    assert line.slopes.tolist() == [0.0, 0.0, 0.25]
    assert line.biases.tolist() == [0.0, 0.0, 4.0]
    assert line(doubles(100.0, 100.0, 100.0), 0).tolist() == [3.25, -7.5, 26.0]


def test_wide_accumulators_are_not_nothing_beside_a_larger_bias():
    """Sums of several scales have 27 bits: beside 250 codes, 2^26 of them may be 15 codes."""
    line = nearest_line(doubles(250 * 2.0**-30), doubles(250.0), Grid(1.0, 0, 255))
    ends = line(doubles(-(2.0**26), 2.0**26), 1).flatten().round().tolist()
    assert ends == [234.0, 266.0]


def test_gaps_and_a_slope_of_zero_warn_of_nothing():
    with np.errstate(all="raise"):
        line = nearest_line(doubles(0.0, 0.5), doubles(1.0, 2.0), Grid(1.0, -3, 7, 1, (-3, 0, 1, 2, 7)))
    assert line.slopes.tolist() == [0.0, 0.5]


def test_a_slope_that_is_a_float32_is_kept():
    line = nearest_line(doubles(2.0**-9, -(2.0**-3)), doubles(0.0, 0.0), Grid(1.0, 0, 255))
    assert line.slopes.tolist() == [2.0**-9, -(2.0**-3)]


def test_products_that_float32_would_round_to_a_half_are_avoided():
    """The nearest float32 is not always taken, and what is taken lies close by."""
    slopes = torch.linspace(2.0**-12, 2.0**-11, 200, dtype=torch.float64)
    line = nearest_line(slopes, torch.zeros(200, dtype=torch.float64), Grid(1.0, 0, 255))
    nearest = slopes.float().double()
    assert not torch.equal(line.slopes, nearest)
    assert ((line.slopes - slopes) / slopes).abs().max() < 2048 * 2.0**-23


@pytest.mark.parametrize("function", ["Linear", "Rectifier", "Saturation\nActivationFunction.Threshold=0.75"])
def test_a_layer_is_tested_with_it(function):
    layer = one(f"{BN}ActivationFunction={function}\nQAct=LSQ\nQAct.Range=15\nQAct.SetOptInitStepSize=0\n"
                "QAct.StepSize=0.125\nQAct.IntegerBias=1").eval()  # fmt: skip
    with torch.no_grad():
        layer.means.copy_(torch.tensor([0.3, -0.2]))
        layer.variances.fill_(0.25)
    grid = Grid(1 / 64, -200, 200)
    codes = torch.arange(-128, 128).float().reshape(2, 2, 8, 8)
    (mean, factor), scale = ((layer.means.double(), 1 / torch.sqrt(layer.variances.double() + layer.cell.epsilon)), 64)
    bias = torch.round(-mean * scale).view(2, 1, 1)
    units = (codes.double() + bias) * (factor / scale / 0.125).view(2, 1, 1)
    bound = 0.75 / 0.125 if "Saturation" in function else 15.0
    wanted = torch.round(units.clamp(0, bound)).float()
    assert torch.equal(layer.evaluate(Coded(codes, grid)).values, wanted)


def test_reals_are_quantized_as_they_are():
    plain, whole = (
        one(f"{BN}ActivationFunction=Linear\nQAct=SAT\nQAct.Alpha=2\nQAct.IntegerBias={flag}").eval() for flag in (0, 1)
    )
    values = torch.randn(2, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(plain.evaluate(Coded(values)).values, whole.evaluate(Coded(values)).values)


def test_a_step_that_the_first_batch_gives_comes_first():
    layer = one(f"{BN}ActivationFunction=Linear\nQAct=LSQ\nQAct.Range=15\nQAct.IntegerBias=1").eval()
    codes = torch.arange(-128, 128).float().reshape(2, 2, 8, 8)
    first = layer.evaluate(Coded(codes, Grid(1 / 64, -200, 200)))
    again = layer.evaluate(Coded(codes, Grid(1 / 64, -200, 200)))
    assert first.grid == again.grid
    assert torch.equal(first.values, again.values)


def test_a_sum_has_its_form_from_the_first_batch_on():
    codes = "ActivationFunction=Linear\nQAct=LSQ\nQAct.Range=255\nQAct.IntegerBias=1"
    text = "".join(f"[{name}]\nInput=env\nType=Activation\nNbOutputs=2\n{codes}\n" for name in "ab")
    learned = network(f"{text}[s]\nInput=a,b\nType=ElemWise\nNbOutputs=2\nWeights=0.37 1.21\n{codes}\n").eval()
    layer, random = learned.layers["s"], torch.Generator().manual_seed(1)
    batch = [Coded(torch.randint(0, 256, (2, 2, 8, 8), generator=random).float(), Grid(x, 0, 255)) for x in (0.3, 0.7)]
    assert torch.equal(layer.evaluate(*batch).values, layer.evaluate(*batch).values)


def test_a_curved_function_has_no_such_form():
    with pytest.raises(GraphError, match=r"cell c has QAct\.IntegerBias=1 and Tanh before the quantizer"):
        network("[c]\nInput=env\nType=Activation\nNbOutputs=2\nActivationFunction=Tanh\nQAct=SAT\nQAct.IntegerBias=1\n")
