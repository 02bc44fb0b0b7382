"""Functions that are alike stay apart in the compiled program."""

from __future__ import annotations

import shutil

import pytest
from integer import blocks

from n2d2py.export import verification

from .made import made

needs_compiler = pytest.mark.skipif(
    shutil.which("make") is None or not any(map(shutil.which, ("gcc", "cc", "clang"))), reason="needs a C compiler"
)


@needs_compiler
@pytest.mark.parametrize(("weights", "activations"), [(1, 1), (15, 255)])
def test_branches_of_one_cell_for_two_takers(weights: int, activations: int) -> None:
    learned, export, batch = made(blocks.inception(weights, activations), 3, 1)
    report = verification.compare(learned, export, [batch], ["C"], required=True)
    assert report.all_equal, "\n".join(report.lines())
