"""The table of fusion, and the sentence below it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, replace

import numpy as np

from n2d2py.cells.base import PROVIDER, Dims
from n2d2py.integer import table
from n2d2py.integer.arithmetic import Alignment
from n2d2py.integer.operations import Requantization
from n2d2py.integer.proof import Proof
from n2d2py.integer.requantize import requantize

from .networks import edge, lenet_like, single


def test_rows_as_data() -> None:
    rows = table.rows(lenet_like())
    records = list(csv.DictReader(io.StringIO(table.as_csv(rows))))
    assert [record["cell"] for record in records] == [row.cell for row in rows]
    assert [int(record["accumulator_bits"]) for record in records] == [row.accumulator_bits for row in rows]
    assert json.loads(table.as_json(rows)) == [asdict(row) for row in rows]


def test_table() -> None:
    rows = table.rows(lenet_like())
    assert [row.cell for row in rows] == ["conv1 + bn1", "conv2 + bn2", "fc"]
    assert (rows[0].weights, rows[0].activations) == ("4 bits", "4 bits")
    assert (rows[0].form, rows[0].proof) == ("multiplier", "exact")
    assert rows[2].form == "none"
    assert rows[2].activations.endswith("bits, wide")
    lines = table.lines(rows)
    assert lines[0].split() == list(table.HEADINGS)
    assert set(lines[1]) == {"-", " "}
    assert len(lines) == 2 + 3
    assert lines[2].endswith("  exact")


def test_a_rescaling_without_weights_before_it_is_in_the_table() -> None:
    stimuli = edge(PROVIDER, Dims(2, 2, 1), 0, 255)

    def step(acc: np.ndarray) -> np.ndarray:
        return np.rint(np.clip(acc / 17.0, 0, 15)).astype(np.int64)

    found = requantize(step, stimuli.low, stimuli.high, 15)
    operation = Requantization("act", "act", (PROVIDER,), found.rescaling, found.proof)
    (row,) = table.rows(single(operation, stimuli, edge("act", Dims(2, 2, 1), 0, 15)))
    assert (row.cell, row.weights, row.activations, row.proof) == ("act", "", "4 bits", "exact")
    assert (row.low, row.high) == (0, 255)


def test_weights_with_absent_connections_are_levels_and_a_mask() -> None:
    network = lenet_like()
    conv = network["conv1"]
    connected = np.ones(conv.weights.shape, dtype=bool)
    connected[0, 1] = False
    masked = replace(conv, weights=np.where(connected, conv.weights, 0), connected=connected)
    operations = tuple(masked if operation is conv else operation for operation in network)
    assert [row.weights for row in table.rows(replace(network, operations=operations))] == [
        "4 bits + mask", "4 bits", "8 bits"
    ]  # fmt: skip


def test_an_alignment_has_a_row_with_its_widest_sum() -> None:
    stimuli = edge(PROVIDER, Dims(2, 2, 2), -3, 255)
    operation = Alignment("sum", "sum", (PROVIDER,), (np.array([[[5]], [[-7]]]),), np.array([[[1]], [[2]]]), (0,), 1)
    (row,) = table.rows(single(operation, stimuli, edge("sum", Dims(2, 2, 2), -892, 638)))
    assert (row.low, row.high, row.accumulator_bits) == (-7 * 255 + 2, 5 * 255 + 1, 12)
    assert (row.cell, row.multiplier, row.shift, row.form) == ("sum", "4 bits", "1", "alignment")
    assert row.activations == "11 bits, wide"


def test_the_verdict_counts_what_is_proved() -> None:
    network = lenet_like()
    rescalings = [operation.rescaling for operation in network if isinstance(operation, Requantization)]
    tables = sum(len(rescaling.tables) for rescaling in rescalings)
    assert tables > 0
    multiplier = max(rescaling.multiplier_bits for rescaling in rescalings)
    accumulator = max(row.accumulator_bits for row in table.rows(network))
    assert table.verdict(network) == (
        "14 channels in 2 rescalings: every one proved exact on its whole reachable range "
        f"(multipliers of at most {multiplier} bits, {tables} channel{'s' * (tables > 1)} by thresholds, "
        f"accumulators of at most {accumulator} bits)"
    )


def test_the_verdict_counts_what_is_not() -> None:
    network = lenet_like()
    differing = np.zeros(6, dtype=np.int64)
    differing[[1, 4]] = 7
    proofs = {"bn1": Proof(9, 100, differing), "bn2": Proof(0, 100, np.zeros(8, dtype=np.int64), (3,))}
    wrong = [
        replace(operation, proof=proofs[operation.name]) if operation.name in proofs else operation
        for operation in network
    ]
    text = table.verdict(replace(network, operations=tuple(wrong)))
    assert text.startswith("3 of 14 channels in 2 rescalings are not exact on the whole reachable range (multipliers")


def test_a_network_without_rescaling_says_so() -> None:
    network = lenet_like()
    kept = replace(network, operations=tuple(op for op in network if not isinstance(op, Requantization)))
    assert table.verdict(kept) == "nothing is rescaled: all codes are exact sums"
