"""Quantizers: defaults, spellings, bits, labels."""

from __future__ import annotations

import pytest

from n2d2py.errors import ParameterError
from n2d2py.parameters import written
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


def test_lsq_keys() -> None:
    found = part("activation quantizer", "LSQ", "Levels=0 1 2 4|StepOptInitStepSize=0|StepSize=0.5|PowerOfTwo=1")
    assert (found.codes, found.initial, found.power_of_two, found.bits) == ((0, 1, 2, 4), 0.5, True, 2)
    assert part("weight quantizer", "LSQ").initial is None
    assert part("activation quantizer", "LSQ", "Range=3|Offset=1").offset


def test_levels_may_be_a_run() -> None:
    found = part("activation quantizer", "LSQ", "Levels=-103..152")
    assert found.levels == tuple(range(-103, 153))
    assert written(found)["Levels"] == "-103..152"
    assert found.label() == "QAct: LSQ on levels [-103..152]"
    assert part("weight quantizer", "LSQ", "Levels=-4..-1 1 2..4").levels == (-4, -3, -2, -1, 1, 2, 3, 4)
    for wrong in ("3..1", "0..70000", "1...2", "a..b"):
        with pytest.raises(ParameterError, match="unreadable value"):
            part("activation quantizer", "LSQ", f"Levels={wrong}")


@pytest.mark.parametrize("lines", ["Levels=1 0", "Levels=1", "Levels=-2 -1", "Levels=0 1 4|Offset=1"])
def test_levels_that_are_none(lines: str) -> None:
    with pytest.raises(ParameterError, match=r"[Ll]evels") as error:
        part("activation quantizer", "LSQ", lines)
    assert "net.ini:" in str(error.value)


def test_fixed_point_keys() -> None:
    assert part("weight quantizer", "FixedPoint", "Range=15").codes == (-7, 7)
    assert part("activation quantizer", "FixedPoint", "Range=15|Signed=1").codes == (-8, 7)
    with pytest.raises(ParameterError, match="Range=16 is no range of a fixed-point word") as error:
        part("weight quantizer", "FixedPoint", "Range=16")
    assert "net.ini:2, [c], Range" in str(error.value)


@pytest.mark.parametrize("name", ["SAT", "LSQ", "APoT", "Binary", "Ternary", "DoReFa", "FixedPoint"])
def test_every_scale_may_be_a_power_of_two(name: str) -> None:
    assert part("weight quantizer", name, "Range=15|PowerOfTwo=1" if name == "APoT" else "PowerOfTwo=1").power_of_two
    if name != "APoT":
        assert part("activation quantizer", name, "PowerOfTwo=1").power_of_two


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("StepSize=0.5", "StepSize has no effect: it needs SetOptInitStepSize=0"),
        ("Range=7|Levels=0 1 2", "Range has no effect: it needs a cell without Levels"),
        ("StepSize=0.5|SetOptInitStepSize=0|Levels=0 1 2", ""),
    ],
)
def test_keys_of_lsq_without_effect_are_told(lines: str, told: str, caplog: pytest.LogCaptureFixture) -> None:
    part("activation quantizer", "LSQ", lines)
    assert told in caplog.text
    assert bool(told) is bool(caplog.records)


@pytest.mark.parametrize("steps", ["0", "16777216", "99999999999999999999999"])
@pytest.mark.parametrize("name", ["SAT", "LSQ", "DoReFa", "APoT"])
def test_ranges_are_numbers_of_at_most_24_bits(name: str, steps: str) -> None:
    for kind in ("weight quantizer", "activation quantizer"):
        with pytest.raises(ParameterError, match=f"unreadable value '{steps}' for Range"):
            part(kind, name, f"Range={steps}")
