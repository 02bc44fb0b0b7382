"""Verification sees a single wrong number, says where, and counts what the float pass does differently."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from n2d2py.errors import IntegerError
from n2d2py.integer.lower import lower
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.verify import forward, labels_of, verify
from n2d2py.quant.entry import measured_grid
from n2d2py.quant.grid import Coded, Grid

from .learned import IMAGES, Images, lenet, network


def changed(network_: IntegerNetwork, name: str, **changes: object) -> IntegerNetwork:
    operations = tuple(replace(operation, **changes) if operation.name == name else operation for operation in network_)
    return replace(network_, operations=operations)


def test_counts_of_an_equal_pair() -> None:
    learned = network(lenet())
    result = verify(learned, lower(learned, IMAGES), [Images(learned, 5, seed) for seed in range(3)])
    assert result.all_equal
    assert result.stimuli == result.labels == 15
    assert result.differing == result.differing_labels == 0
    assert result.first_differing is None
    by_name = {row.cell: row for row in result.cells}
    assert by_name["conv1"].codes == 15 * 6 * 16 * 16
    assert by_name["conv1"].float_differing is None
    assert by_name["bn1"].float_differing is not None
    lines = result.lines()
    assert lines[0].split()[:3] == ["cell", "codes", "differing"]
    assert lines[1].replace("-", "").strip() == ""
    assert lines[-1].split() == ["labels", "15", "0", str(result.float_differing_labels)]


def test_one_wrong_weight_is_seen_where_it_is() -> None:
    learned = network(lenet(), gammas="plain")
    integer = lower(learned, IMAGES)
    weights = integer["conv2"].weights.copy()
    weights[3, 1, 2, 2] -= 2
    result = verify(learned, changed(integer, "conv2", weights=weights), [Images(learned, 4)])
    assert not result.all_equal
    assert result.first_differing == "conv2"
    assert result.cells[[row.cell for row in result.cells].index("bn1")].differing == 0


def test_another_scale_differs_in_all_codes() -> None:
    learned = network(lenet())
    integer = lower(learned, IMAGES)
    with torch.no_grad():
        learned.layers["bn2"].quantizer.alpha.mul_(1.0000002)
    result = verify(learned, integer, [Images(learned, 2)])
    row = next(row for row in result.cells if row.cell == "bn2")
    assert row.differing == row.codes


def test_float_pass_is_the_forward_of_learning() -> None:
    learned = network(lenet())
    batch = Images(learned, 3)
    with torch.no_grad():
        assert torch.equal(forward(learned, batch.inputs)["softmax"], learned(batch.inputs)["softmax"])


def test_ties_part_the_float_pass_from_the_codes() -> None:
    """Weights and statistics on round numbers put many values on ties, where float32 goes its own way."""
    learned = network(lenet(), gammas="plain")
    with torch.no_grad():
        norm = learned.layers["bn1"]
        norm.scales.fill_(1.0)
        norm.means.zero_()
        norm.variances.fill_(1.0 - norm.cell.epsilon)
        norm.biases.fill_(0.1)
    result = verify(learned, lower(learned, IMAGES), [Images(learned, 16)])
    assert result.all_equal


def test_real_stimuli_enter_both_networks_as_codes() -> None:
    learned = network(lenet())
    batch = Images(learned, 2)
    batch.codes = None
    grid = measured_grid(float(batch.inputs.min()) - 1, float(batch.inputs.max()))
    result = verify(learned, lower(learned, grid), [batch])
    assert result.all_equal
    assert result.stimuli == 2


def test_codes_of_another_scale_are_refused() -> None:
    learned = network(lenet())
    with pytest.raises(IntegerError, match=r"the network was made for codes of 0\.5"):
        verify(learned, lower(learned, Grid(0.5, 0, 255)), [Images(learned, 2)])


def test_labels_are_those_of_the_target_cell() -> None:
    learned = network(lenet())
    integer = lower(learned, IMAGES)
    bias = integer["fc2"].bias.copy()
    bias[7] += np.int64(1) << 40
    result = verify(learned, changed(integer, "fc2", bias=bias), [Images(learned, 9)])
    assert result.differing_labels > 0
    assert result.first_differing == "fc2"


ONE_NEURON = """
[sp]
SizeX=3
SizeY=3
BatchSize=4
[fc]
Input=sp
Type=Fc
NbOutputs=1
ActivationFunction=Linear
QWeight=SAT
QWeight.Range=15
[fc.Target]
BinaryThreshold=0.25
"""


def test_one_output_neuron_is_labelled_by_its_threshold() -> None:
    learned = network(ONE_NEURON)
    with torch.no_grad():
        values = learned.evaluate(Images(learned, 9).codes)["fc"].exact()
        learned.layers["fc"].biases += 0.25 - float(values.median())  # the labels part in the middle
    batch = Images(learned, 9)
    integer = lower(learned, IMAGES)
    result = verify(learned, integer, [batch])
    assert result.all_equal
    (operation,) = integer.operations
    shifted = changed(integer, "fc", bias=operation.bias + np.iinfo(np.int32).max * 2**16)
    wrong = verify(learned, shifted, [batch])
    labels = (learned.evaluate(batch.codes)["fc"].exact().flatten() > 0.25).tolist()
    assert 0 < sum(labels) < 9
    assert wrong.differing_labels == 9 - sum(labels)  # all became 1


def test_a_label_is_read_from_real_values_with_their_offset() -> None:
    codes = torch.tensor([[5.0, 4.0], [1.0, 9.0]])[:, :, None, None]
    grid, offset = Grid(0.5, 0, 9), torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert labels_of(Coded(codes, grid), 0.5).tolist() == [0, 1]
    assert labels_of(Coded(codes, grid, offset), 0.5).tolist() == [1, 1]
    assert labels_of(Coded(codes[:, :1], grid, offset[:1]), 1.0).tolist() == [1, 0]
    assert labels_of(Coded(codes[:, :1], grid, offset[1:]), 1.0).tolist() == [1, 1]
