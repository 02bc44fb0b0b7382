"""Weights that N2D2 itself has written, on MNIST; skipped where the data are not beside the checkout."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from n2d2py import data, ini
from n2d2py.graph.build import build, read_provider
from n2d2py.integer import table
from n2d2py.integer.evaluation import IntegerEvaluation
from n2d2py.integer.lower import lower
from n2d2py.integer.verify import verify
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import testing, weights

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"


@pytest.mark.skipif(not (SHARED / "interop").is_dir(), reason="the weights written by N2D2 are not there")
def test_real_weights_become_equal_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2D2_DATA", str(SHARED))
    document = ini.load(ROOT / "models" / "LeNet_4bit.ini")
    learned = TorchNetwork(build(document, "LeNet"))
    weights.load(learned, SHARED / "interop" / "quantized" / "weights")
    stimuli = data.build(document, read_provider(document), data.random.Generator(1))
    integer = lower(learned, stimuli.grid("Test"))
    rows = table.rows(integer)
    assert [(row.accumulator_bits, row.form, row.proof) for row in rows[:3]] == [
        (20, "multiplier", "exact"),
        (14, "multiplier", "exact"),
        (15, "multiplier", "exact"),
    ]
    result = verify(learned, integer, islice(stimuli.passes("Test"), 3))
    assert result.all_equal
    (tested,) = testing.evaluate(IntegerEvaluation(learned.network, integer), stimuli, "Test")
    assert tested.rate == 0.9732
