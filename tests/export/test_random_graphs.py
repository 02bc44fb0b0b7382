"""Random graphs that part and join, in every executor; a failing one shrinks, and prints its texts."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from integer.branching import branching

from n2d2py.errors import IntegerError
from n2d2py.export import verification
from n2d2py.export.executors import CProgram
from n2d2py.export.qonnx.exporter import Qonnx
from n2d2py.graph.dump import dump

from .made import made

CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]


def equal(text: str, seed: int, executors: list[str]) -> None:
    """No code of any cell differs; what a failure prints is enough to do it again."""
    note(text)
    learned, export, batch = made(text, 1, seed)
    note(dump(learned.network))
    note(export.network.text())
    try:
        labelled = bool(export.decisions)
    except IntegerError:
        labelled = False  # an output that waits for a real bias
    if not labelled:
        export = type(export)(export.network, export.ini, export.stimuli)
    report = verification.compare(learned, export, [batch], executors, required=True)
    assert report.all_equal, "\n".join(report.lines())


@given(branching(), st.integers(0, 1 << 16))
@settings(max_examples=6, deadline=None, suppress_health_check=CHECKS)
@pytest.mark.skipif(CProgram.missing() is not None, reason="needs a C compiler with make")
def test_in_c_and_torch(text: str, seed: int) -> None:
    equal(text, seed, ["torch", "C"])


@given(branching(), st.integers(0, 1 << 16))
@settings(max_examples=4, deadline=None, suppress_health_check=CHECKS)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(Qonnx.missing() is not None, reason="needs qonnx")
def test_in_qonnx(text: str, seed: int) -> None:
    equal(text, seed, ["QONNX"])


def test_a_failure_prints_the_graph(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypothesis shrinks to a small graph and shows its INI text, its cells and its integer network."""
    monkeypatch.setattr(verification.Report, "all_equal", property(lambda self: len(self.rows) < 2))

    @given(branching(), st.just(0))
    @settings(max_examples=5, deadline=None, database=None, suppress_health_check=CHECKS)
    def fails(text: str, seed: int) -> None:
        equal(text, seed, ["interpreter"])

    with pytest.raises(AssertionError) as caught:
        fails()
    notes = "\n".join(getattr(caught.value, "__notes__", []))
    assert "Type=Conv" in notes
    assert "network net, batches of 2" in notes
    assert "integer network net\nenv: " in notes
    assert "codes 0..255" in notes
