import pytest
import torch

from n2d2py.layers.step import Normalisation, Step
from n2d2py.parts.quantizers import SatActivations
from n2d2py.quant.activations import make

ACCUMULATORS = torch.arange(-60, 61).double().repeat(2, 1)


def quantizer(alpha=3.0):
    return make(SatActivations(alpha=alpha, range=15))


def normal(*rows):
    return Normalisation(*(torch.tensor(row, dtype=torch.float64) for row in rows))


def test_without_other_parts_it_scales_and_rounds():
    codes = Step(0.125, quantizer())(ACCUMULATORS)
    assert codes.dtype == torch.float64
    assert torch.equal(codes, torch.round((ACCUMULATORS * 0.125).clamp(0, 3.0) * (15 / 3.0)))


def test_all_parts_in_their_order():
    offset = torch.tensor([0.5, -1.0], dtype=torch.float64)
    normalisation = normal([0.25, -0.5], [2.0, -1.5], [0.125, 1.0])
    step = Step(0.125, quantizer(), offset, normalisation, lambda x, own: x.square())
    x = (ACCUMULATORS * 0.125 + offset[:, None] - normalisation.mean[:, None]) * normalisation.factor[:, None]
    x = (x + normalisation.bias[:, None]).square()
    assert torch.equal(step.real(ACCUMULATORS), x)
    assert torch.equal(step(ACCUMULATORS), torch.round(x.clamp(0, 3.0) * 5.0))


def test_a_negative_factor_turns_the_step_around():
    codes = Step(0.125, quantizer(), None, normal([0.0, 0.0], [1.0, -1.0], [0.0, 0.0]))(ACCUMULATORS)
    assert torch.all(codes[0].diff() >= 0)
    assert torch.equal(codes[1], codes[0].flip(0))


def test_a_factor_of_zero_gives_the_code_of_the_bias():
    codes = Step(0.125, quantizer(), None, normal([1.0, 1.0], [0.0, 0.0], [1.0, -1.0]))(ACCUMULATORS)
    assert set(codes[0].tolist()) == {5.0}
    assert set(codes[1].tolist()) == {0.0}


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.float64])
def test_channels_lie_along_the_axis(dtype):
    step = Step(0.125, quantizer(), torch.tensor([0.5, -1.0], dtype=torch.float64))
    batch = ACCUMULATORS.T.reshape(11, 11, 2).permute(0, 2, 1)[:, :, :, None].to(dtype)
    before = batch.clone()
    together = step(batch, axis=1)
    assert torch.equal(together.permute(1, 0, 2, 3).reshape(2, -1), step(ACCUMULATORS))
    assert torch.equal(batch, before)


def test_a_vector_is_one_accumulator_a_channel():
    step = Step(0.125, quantizer(), torch.tensor([0.5, -1.0], dtype=torch.float64))
    vector = torch.tensor([10.0, 20.0], dtype=torch.float64)
    assert torch.equal(step(vector), step(vector[:, None])[:, 0])
