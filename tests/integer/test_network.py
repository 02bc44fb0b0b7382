"""Text form, lint, ranges and the table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from n2d2py.cells.base import PROVIDER, Dims
from n2d2py.errors import IntegerError
from n2d2py.integer import table
from n2d2py.integer.lint import lint
from n2d2py.integer.network import IntegerNetwork, Requantization
from n2d2py.integer.ranges import sum_bounds, word_bits
from n2d2py.integer.requantize import requantize
from n2d2py.quant.grid import Grid

from .networks import edge, lenet_like, single


def test_text_has_a_line_for_each_operation() -> None:
    lines = lenet_like().text().split("\n")
    assert lines[:2] == ["integer network lenet_like", "env: 2x12x12 codes 0..255, scale 0.00392157"]
    assert lines[2].startswith("conv1 = Convolution(env) [6x2x3x3 weights -15..15 by 2, padding 1,1]: 6x12x12 codes ")
    assert lines[3].startswith("bn1 = Requantization(conv1) [to 0..15, ")
    assert lines[3].endswith("exact]: 6x12x12 codes 0..15, scale 0.246667")
    assert lines[7] == (
        "pool2 = SumPool(bn2) [2x2, stride 2,2, over the channels of its map]: 8x2x2 codes 0..420, scale 0.00880952"
    )
    assert lines[-1] == "softmax = Softmax(fc) [real numbers]: 10x1x1 real"
    assert lenet_like().islands == ["softmax"]


def broken(**changes: object) -> IntegerNetwork:
    network = lenet_like()
    operations, edges = list(network.operations), dict(network.edges)
    for name, change in changes.items():
        index = [operation.name for operation in operations].index(name)
        if callable(change):
            operations[index] = change(operations[index])
        else:
            edges[name] = change
    return replace(network, operations=tuple(operations), edges=edges)


def test_a_sound_network_passes() -> None:
    lint(lenet_like())


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (broken(conv1=lambda op: replace(op, inputs=("bn2",))), "at conv1: takes bn2, which is not computed before it"),
        (broken(conv1=lambda op: replace(op, weights=op.weights + 1)), "a weight is not on the grid -15..15 by 2"),
        (broken(conv1=lambda op: replace(op, weights=op.weights.astype(np.int32))), "are not int64"),
        (broken(conv2=lambda op: replace(op, groups=1)), "1 groups of 3 channels meet 6"),
        (broken(fc=lambda op: replace(op, weights=op.weights[:, :-1])), "31 weights an output meet 32 inputs"),
        (broken(bn1=lambda op: replace(op, inputs=(PROVIDER,))), "6 multipliers meet 2 channels"),
        (
            broken(bn1=lambda op: replace(op, rescaling=op.rescaling.replaced(biases=np.full(6, (1 << 63) - 9)))),
            "channel . overflows 64 bits",
        ),
        (broken(pool1=edge("pool1", lenet_like().edges["pool1"].dims, 0, 1 << 62)), "do not fit 62 bits"),
        (broken(pool1=edge("pool1", lenet_like().edges["pool1"].dims, 0, 15, 0.0)), "its scale is 0.0"),
        (broken(pool1=edge("pool1", lenet_like().edges["pool1"].dims, 3, 1)), "a range is empty"),
        (broken(fc=lambda op: replace(op, name="bn1")), "at bn1: its name is taken"),
    ],
)
def test_lint_names_the_operation_and_the_rule(network: IntegerNetwork, message: str) -> None:
    with pytest.raises(IntegerError, match=message) as error:
        lint(network)
    assert "integer network lenet_like" in str(error.value)


def test_bounds_are_reached_and_exact_beyond_64_bits() -> None:
    weights = np.array([[2, -3], [0, 0]])
    low, high = sum_bounds(weights, np.array([-1, 0]), np.array([5, 7]), "fc")
    assert (low.tolist(), high.tolist()) == ([-23, 0], [10, 0])
    wide = np.array([(1 << 60) - 1, (1 << 60) - 1])
    low, high = sum_bounds(np.array([[2, 1]]), -wide, wide, "fc")
    assert high.tolist() == [3 * ((1 << 60) - 1)]
    with pytest.raises(IntegerError, match=r"cell fc can reach .* more than 62 bits") as error:
        sum_bounds(np.array([[200, -200]]), -wide, wide, "fc")
    assert "QAct=SAT" in str(error.value)


@pytest.mark.parametrize(
    ("low", "high", "bits"), [(0, 0, 1), (0, 1, 2), (-1, 0, 1), (-2, 1, 2), (-128, 127, 8), (-129, 0, 9)]
)
def test_word_bits(low: int, high: int, bits: int) -> None:
    assert word_bits(low, high) == bits


def test_weight_grid_bits() -> None:
    assert Grid(1.0, -15, 15, 2).levels == 16


def test_table() -> None:
    rows = table.rows(lenet_like())
    assert [row.cell for row in rows] == ["conv1 + bn1", "conv2 + bn2", "fc"]
    assert (rows[0].weights, rows[0].activations) == ("4 bits", "4 bits")
    assert (rows[0].form, rows[0].proof) == ("multiplier", "exact")
    assert rows[2].form == "none"
    assert rows[2].activations.endswith("bits, wide")
    lines = table.lines(rows)
    assert lines[0].split() == list(table.HEADINGS)
    assert len(lines) == 4
    assert "exact" in lines[1]


def test_a_rescaling_without_weights_before_it_is_in_the_table() -> None:
    stimuli = edge(PROVIDER, Dims(2, 2, 1), 0, 255)

    def step(acc: np.ndarray) -> np.ndarray:
        return np.rint(np.clip(acc / 17.0, 0, 15)).astype(np.int64)

    found = requantize(step, stimuli.low, stimuli.high, 15)
    operation = Requantization("act", "act", (PROVIDER,), found.rescaling, found.proof)
    (row,) = table.rows(single(operation, stimuli, edge("act", Dims(2, 2, 1), 0, 15)))
    assert (row.cell, row.weights, row.activations, row.proof) == ("act", "", "4 bits", "exact")
    assert (row.low, row.high) == (0, 255)
