"""Random graphs that part and join; several outputs; shared weights."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from n2d2py.graph.dump import dump
from n2d2py.integer.operations import Weighted

from . import blocks
from .branching import branching
from .learned import network
from .test_blocks import checked


@given(branching(), st.integers(0, 1 << 16), st.sampled_from(["mixed", "plain"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_random_branching_graphs(text: str, seed: int, gammas: str) -> None:
    note(text)
    learned = network(text, seed, gammas)
    note(dump(learned.network))
    checked(text, seed, 2, gammas)


def test_several_outputs() -> None:
    text = blocks.Text()
    text.conv("c0", "sp", 4, blocks.RECTIFIED)
    text.conv("c1", "c0", 3, blocks.LINEAR)
    text.conv("c2", "c0", 2, kernel=1, bias=1)
    text.cell("b2", "BatchNorm", "c2", 2)
    integer = checked("\n".join(text.parts), 3)
    taken = {name for operation in integer for name in operation.inputs}
    assert [operation.name for operation in integer if operation.name not in taken] == ["c1", "b2"]


def test_two_softmaxes_are_two_islands() -> None:
    text = blocks.Text()
    text.conv("c0", "sp", 4, blocks.RECTIFIED)
    for head in ("left", "right"):
        text.cell(f"{head}_fc", "Fc", "c0", 3, "QWeight=SAT", "QWeight.Range=15")
        text.cell(head, "Softmax", f"{head}_fc", 3, "WithLoss=1")
    assert checked("\n".join(text.parts), 5).islands == ["left", "right"]


def test_shared_weights_are_equal_integers() -> None:
    text = blocks.Text()
    text.conv("c0", "sp", 3, blocks.RECTIFIED)
    text.conv("c1", "c0", 3, blocks.RECTIFIED)
    text.conv("c2", "c1", 3, "WeightsSharing=c1")
    text.cell("b2", "BatchNorm", "c2", 3, blocks.LINEAR)
    text.cell("both", "ElemWise", "c1,b2", 3, blocks.SIGNED)
    integer = checked(text.end("both"), 7)
    codes = {operation.cell: operation.weights for operation in integer if isinstance(operation, Weighted)}
    assert np.array_equal(codes["c1"], codes["c2"])
    assert not np.array_equal(codes["c1"], codes["c0"])
