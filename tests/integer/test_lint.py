"""A sound network passes; what is broken is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from n2d2py.cells.base import PROVIDER
from n2d2py.errors import IntegerError
from n2d2py.integer.lint import RULES, lint
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Weighted

from .networks import edge, lenet_like


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
    network = lenet_like()
    assert [complaint for operation in network for rule in RULES for complaint in rule(network, operation)] == []
    lint(network)


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
            broken(bn1=lambda op: replace(op, rescaling=replace(op.rescaling, biases=np.full(6, (1 << 63) - 9)))),
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


def masked(operation: Weighted, value: int) -> Weighted:
    """The operation without one of its connections, whose code becomes ``value``."""
    connected = np.ones(operation.weights.shape, dtype=bool)
    connected[0, 0] = False
    return replace(operation, weights=np.where(connected, operation.weights, value), connected=connected)


def test_only_absent_connections_are_0_off_the_grid() -> None:
    lint(broken(conv1=lambda op: masked(op, 0)))
    with pytest.raises(IntegerError, match="at conv1: an absent connection has a weight"):
        lint(broken(conv1=lambda op: masked(op, 3)))
    with pytest.raises(IntegerError, match=r"at conv1: a weight is not on the grid -15\.\.15 by 2"):
        lint(broken(conv1=lambda op: replace(masked(op, 0), connected=None)))
