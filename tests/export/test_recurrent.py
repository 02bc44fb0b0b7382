"""LSTM and GRU in every executor: the steps of the unrolled recurrence share their weights and functions."""

from __future__ import annotations

import re
import shutil

import pytest
from integer.sequences import STEPS, text

from n2d2py.export import verification
from n2d2py.export.c.source import write_source

from .made import made

needs_compiler = pytest.mark.skipif(
    shutil.which("make") is None or not any(map(shutil.which, ("gcc", "cc", "clang"))), reason="needs a C compiler"
)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("executor", ["torch", "ONNX Runtime", pytest.param("C", marks=needs_compiler)])
def test_no_code_differs(kind: str, executor: str) -> None:
    _equal(text(kind, layers=2, both=1, last=0), executor, 3)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_no_code_differs_in_qonnx(kind: str) -> None:
    # qonnx looks each tensor up in a list of all, for each stimulus: the time grows with the square of the nodes.
    _equal(text(kind), "QONNX", 1)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("levels", ["-9 -3 0 2 8", "-300 -3 0 2 80"])
def test_gates_of_a_cell_with_wide_or_negative_codes_keep_their_own_weights(kind: str, levels: str) -> None:
    """Sums in float32, and on digits of the codes: the weights of all gates and layers have the name of the cell."""
    uneven = "\n".join(f"{key}=LSQ\n{key}.Levels={levels}" for key in ("QInput", "QOutput"))
    written = re.sub(r"(QInput|QOutput)(=|\.)\S+\n", "", text(kind, layers=2, last=0)).replace(
        "[fc]", f"{uneven}\n[fc]"
    )
    for executor in ("torch", "ONNX Runtime"):
        _equal(written, executor, 3)


def _equal(written: str, executor: str, stimuli: int) -> None:
    learned, export, batch = made(written, stimuli, 1)
    report = verification.compare(learned, export, [batch], [executor], required=True)
    assert report.all_equal, "\n".join(report.lines())


def test_the_steps_share_their_weights_in_c() -> None:
    source = write_source(made(text(), 2, 1)[1])
    arrays = [line for line in source.code.splitlines() if re.match(r"static const .*_weights\[", line)]
    assert len(arrays) == 9, arrays  # input and recurrence of four gates, and fc
    steps = [site for site in source.sites if type(site.operation).__name__ == "FullyConnected"]
    assert len(steps) == 4 * STEPS + 4 * (STEPS - 1) + 1  # nothing is multiplied with what stands before the first step
    assert sum(site.weights_flash > 0 for site in steps) == 9
