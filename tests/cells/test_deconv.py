"""Deconv: its size and counts, those of the Conv that goes back."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Cost, Dims
from n2d2py.errors import GraphError, ParameterError
from n2d2py.parts.quantizers import SatWeights
from tests.cells.reading import cell, dims


def test_size() -> None:
    deconv = cell("Deconv", "NbOutputs=3|KernelSize=4|Stride=2|Padding=1")
    assert deconv.outputs([dims(5, 7)]) == Dims(14, 14, 3)
    dilated = cell("Deconv", "NbOutputs=3|KernelDims=3 2|StrideX=2|Dilation=2|PaddingY=-1")
    assert dilated.outputs([dims(5, 7, 4)]) == Dims(3 * 2 + 5, 6 + 3 + 2, 3)
    assert cell("Deconv", "NbOutputs=1|KernelDims=2 2 2|Stride=2").outputs([Dims(3, 3, 1, 2)]) == Dims(6, 6, 1, 4)


def test_counts_are_those_of_the_conv_back() -> None:
    deconv = cell("Deconv", "NbOutputs=3|KernelSize=4|Stride=2|Padding=1|NoBias=1")
    conv = cell("Conv", "NbOutputs=5|KernelSize=4|Stride=2|Padding=1|NoBias=1")
    small, large = dims(5, 7), dims(3, 14)
    there, back = deconv.cost([small], large), conv.cost([large], small)
    assert (there.synapses, there.connections) == (back.synapses, back.connections) == (240, back.connections)
    assert (there.nodes, there.neurons) == (large.size, large.size)


def test_counts_with_bias_and_map() -> None:
    deconv = cell("Deconv", "NbOutputs=4|KernelSize=2|Stride=2|Mapping.ChannelsPerGroup=1")
    output = deconv.outputs([dims(4, 3)])
    assert deconv.cost([dims(4, 3)], output) == Cost(144, 144, 4 * 4 + 4, 4 * 9 * 4 + 4, 4 * 9 * 4 + 4)


def test_parts() -> None:
    deconv = cell("Deconv", "NbOutputs=3|KernelSize=2|QWeight=SAT|QWeight.Range=15|WeightsExportFormat=HWCO")
    assert deconv.weights_quantizer == SatWeights(range=15)
    assert deconv.layout == (True, False, 1, ())
    assert deconv.label([dims(1)], deconv.outputs([dims(1)])) == [
        "3x9x9",
        "2x2",
        "QWeights: SAT on range [15 q-step]",
    ]


def test_what_it_does_not_know() -> None:
    with pytest.raises(ParameterError, match="unknown parameter SubSample"):
        cell("Deconv", "NbOutputs=3|KernelSize=2|SubSample=2")
    with pytest.raises(GraphError, match="a padding of 3 leaves nothing along X") as error:
        cell("Deconv", "NbOutputs=3|KernelSize=2|Padding=3").outputs([dims(1, 3)])
    assert "net.ini:4, [c], Padding" in str(error.value)
    assert "a padding below 2" in str(error.value)
