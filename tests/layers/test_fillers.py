import math

import pytest
import torch

from n2d2py.layers.fillers import fan, fill
from n2d2py.parts import fillers as records


def filled(record, shape=(40, 20, 5, 5), seed=1):
    tensor = torch.empty(shape)
    fill(record, tensor, torch.Generator().manual_seed(seed))
    return tensor


def test_fans_come_from_the_shape():
    assert fan("FanIn", (16, 6, 5, 5)) == 150
    assert fan("FanOut", (16, 6, 5, 5)) == 400
    assert fan("Average", (16, 6, 5, 5)) == 275


def test_a_constant():
    assert filled(records.ConstantFiller(value=2.5)).unique().tolist() == [2.5]


def test_normal():
    values = filled(records.NormalFiller(mean=1.0, std_dev=0.05))
    assert float(values.mean()) == pytest.approx(1.0, abs=0.002)
    assert float(values.std()) == pytest.approx(0.05, rel=0.02)


def test_uniform():
    values = filled(records.UniformFiller(low=-2.0, high=1.0))
    assert -2.0 <= float(values.min()) < -1.99
    assert 0.99 < float(values.max()) <= 1.0


@pytest.mark.parametrize(("norm", "n"), [("FanIn", 500), ("FanOut", 1000), ("Average", 750)])
def test_he(norm, n):
    values = filled(records.HeFiller(variance_norm=norm, mean_norm=100.0, scaling=2.0))
    assert float(values.std()) == pytest.approx(2 * math.sqrt(2 / n), rel=0.02)
    assert float(values.mean()) == pytest.approx(2 * 100 / n, rel=0.02)


@pytest.mark.parametrize(("norm", "n"), [("FanIn", 500), ("FanOut", 1000), ("Average", 750)])
def test_xavier(norm, n):
    bound = 3 * math.sqrt(3 / n)
    values = filled(records.XavierFiller(variance_norm=norm, scaling=3.0))
    assert float(values.abs().max()) == pytest.approx(bound, rel=0.01)
    normal = filled(records.XavierFiller(variance_norm=norm, distribution="Normal", scaling=3.0))
    assert float(normal.std()) == pytest.approx(3 * math.sqrt(1 / n), rel=0.02)


def test_scaling_zero_is_exactly_zero():
    assert filled(records.HeFiller(scaling=0.0)).abs().max() == 0


def test_the_same_generator_gives_the_same_values_on_any_view():
    wide = torch.zeros(6, 8)
    fill(records.NormalFiller(), wide[:, 2:5], torch.Generator().manual_seed(4))
    assert torch.equal(wide[:, 2:5], filled(records.NormalFiller(), (6, 3), 4))
    assert wide[:, :2].abs().max() == 0


def test_biases_are_outputs_by_one():
    values = filled(records.XavierFiller(), (1000,))
    assert float(values.abs().max()) == pytest.approx(math.sqrt(3), rel=0.01)
