"""Quantizers: defaults, spellings, bits, labels."""

from __future__ import annotations

import pytest

from n2d2py.errors import ParameterError
from tests.parts.reading import part


def test_weights_defaults() -> None:
    sat = part("weight quantizer", "SAT")
    assert (sat.range, sat.mode, sat.apply_quantization, sat.apply_scaling) == (255, "Default", True, False)


def test_activations_defaults() -> None:
    sat = part("activation quantizer", "SAT")
    assert (sat.range, sat.alpha) == (255, 8.0)


@pytest.mark.parametrize(("steps", "bits"), [(1, 1), (2, 2), (3, 2), (7, 3), (15, 4), (16, 5), (255, 8)])
def test_bits(steps: int, bits: int) -> None:
    assert part("weight quantizer", "SAT", f"Range={steps}").bits == bits
    assert part("activation quantizer", "SAT", f"Range={steps}").bits == bits


@pytest.mark.parametrize("key", ["Mode", "QuantMode"])
@pytest.mark.parametrize("mode", ["Default", "Symmetric", "Asymmetric", "FullRange", "Integer"])
def test_modes(key: str, mode: str) -> None:
    assert part("weight quantizer", "SAT", f"{key}={mode}").mode == mode


@pytest.mark.parametrize("mode", ["Symmetric", "Asymmetric"])
def test_a_range_with_no_level_but_zero(mode: str) -> None:
    with pytest.raises(ParameterError) as error:
        part("weight quantizer", "SAT", f"Range=1|Mode={mode}")
    assert "net.ini:2, [c], Range" in str(error.value)
    assert "QWeight.Range=2 with QWeight.QuantMode=Symmetric" in str(error.value)


@pytest.mark.parametrize("line", ["Alpha=0", "Alpha=-1", "Range=0"])
def test_values_out_of_range(line: str) -> None:
    with pytest.raises(ParameterError, match="unreadable value"):
        part("activation quantizer", "SAT", line)


def test_labels() -> None:
    assert part("weight quantizer", "SAT", "Range=15").label() == "QWeights: SAT on range [15 q-step]"
    assert part("weight quantizer", "SAT", "ApplyQuantization=0").label() == "QWeights: SAT, clamp only"
    assert part("activation quantizer", "SAT", "Range=15").label() == "QAct: SAT on range [15 q-step]"
