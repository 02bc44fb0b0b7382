"""The integer network in the place of the learned one."""

from __future__ import annotations

import numpy as np
import torch

from n2d2py.cells.base import Dims
from n2d2py.integer.evaluation import IntegerEvaluation, coded
from n2d2py.integer.lower import lower
from n2d2py.integer.operations import Edge
from n2d2py.quant.grid import Grid

from .learned import IMAGES, Images, lenet, network
from .networks import edge


def test_evaluation_stands_in_for_the_learned_network() -> None:
    learned = network(lenet())
    stand_in = IntegerEvaluation(learned.network, lower(learned, IMAGES))
    batch = Images(learned, 5)
    ours, theirs = stand_in.evaluate(batch.codes), learned.evaluate(batch.codes)
    assert list(ours) == list(theirs)
    for name, our in ours.items():
        assert our.grid is None or our.grid == theirs[name].grid
        assert torch.equal(our.values, theirs[name].values.to(our.values.dtype))
    assert list(stand_in.evaluate(batch.codes, ["softmax"])) == ["softmax"]
    of_reals = stand_in.evaluate(type(batch.codes)(batch.inputs))
    assert all(torch.equal(ours[name].values, value.values) for name, value in of_reals.items())


def test_codes_carry_the_offset_of_their_edge() -> None:
    values = np.array([[3, -4]]).reshape(1, 2, 1, 1)
    bounds = np.array([-9, -9]), np.array([9, 9])
    ours = coded(Edge("fc", Dims(1, 1, 2), Grid(0.5, -9, 9), *bounds, np.array([0.25, 1.0])), values)
    assert ours.values.dtype == torch.float64
    assert ours.exact().ravel().tolist() == [1.75, -1.0]
    assert coded(edge("fc", Dims(1, 1, 2), -9, 9, 0.5), values).offset is None


def test_reals_come_as_float32() -> None:
    bounds = np.zeros(1, np.int64), np.zeros(1, np.int64)
    real = coded(Edge("s", Dims(1, 1, 1), None, *bounds), np.full((1, 1, 1, 1), 0.1))
    assert real.grid is None
    assert real.values.dtype == torch.float32
