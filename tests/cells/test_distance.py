"""Distance: keys, size, counts."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Cost, Dims
from n2d2py.errors import ParameterError
from n2d2py.parts.fillers import XavierFiller
from n2d2py.parts.solvers import SGD
from tests.cells.reading import cell, dims


def test_distance() -> None:
    distance = cell("Distance", "NbOutputs=3|Margin=0.1|CenterCoef=0.2", "Solvers.LearningRate=0.5|EndRampIT=7")
    assert (distance.margin, distance.center_coef, distance.end_ramp) == (0.1, 0.2, 7)
    assert distance.weights_filler == XavierFiller(variance_norm="Average", distribution="Uniform", scaling=2.0)
    assert distance.weights_solver == SGD(learning_rate=0.5)
    output = distance.outputs([dims(4, 2)])
    assert output == Dims(1, 1, 3)
    assert distance.cost([dims(4, 2)], output) == Cost(3, 3, 48, 48, 48)
    assert distance.parameters([dims(4, 2)], output).weights == distance.macs([dims(4, 2)], output) == 48
    with pytest.raises(ParameterError, match="missing key CenterCoef"):
        cell("Distance", "NbOutputs=3|Margin=0.1")
