"""LSTM and GRU as integers: unrolled, and equal to the learned cell in every code."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from n2d2py.errors import IntegerError
from n2d2py.integer.arithmetic import Alignment
from n2d2py.integer.lower import lower

from .learned import IMAGES, network
from .sequences import QUANTIZERS, STEPS, text
from .test_blocks import checked


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize(("layers", "both", "last"), [(1, 0, 1), (1, 0, 0), (2, 1, 0), (2, 1, 1), (1, 1, 1)])
@pytest.mark.parametrize(("quantizer", "power"), [("FixedPoint", 1), ("FixedPoint", 0), ("LSQ", 0)])
def test_every_code_is_that_of_the_learned_cell(kind, layers, both, last, quantizer, power):
    integer = checked(text(kind, layers, both, last, quantizer, power), 3)
    assert integer.islands == []
    if (both, last) == (1, 1):
        # All steps of the forward direction and the backward one's first, which is the last in time.
        outputs = sum(operation.name.startswith(f"c:output_{layers - 1}:") for operation in integer)
        assert outputs == STEPS + 1


@given(
    kind=st.sampled_from(["LSTM", "GRU"]),
    bits=st.tuples(*[st.integers(1, 9)] * 6),
    power=st.integers(0, 1),
    both=st.integers(0, 1),
    seed=st.integers(0, 1 << 16),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bits(kind, bits, power, both, seed):
    signed = {key: max(2, count) for key, count in zip(QUANTIZERS, bits, strict=True)}
    checked(text(kind, 1, both, 0, "FixedPoint", power, signed), seed, 2)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_what_comes_before_the_first_step(kind):
    more = "HxFiller=ConstantFiller\nHxFiller.Value=0.4\n"
    more += "CxFiller=ConstantFiller\nCxFiller.Value=-0.3\n" if kind == "LSTM" else ""
    filled = checked(text(kind, 2, 1, 0, more=more), 5)
    zero = checked(text(kind, 2, 1, 0), 5)
    # The output of the step before the first one, multiplied with the weights, is a number that does not change.
    fixed = [
        [one for one in integer if one.name.startswith("c:sum:") and isinstance(one, Alignment)]
        for integer in (filled, zero)
    ]
    assert len(fixed[0]) == len(fixed[1]) > 0
    assert not any(one.biases.any() for one in fixed[1])
    assert all(one.biases.any() for one in fixed[0])


def test_steps_of_the_same_range_have_the_same_rescaling():
    integer = checked(text(), 3)
    third, fourth = (integer[f"c:accumulator_forget_0:{step}"].rescaling for step in (2, 3))
    assert third.multipliers.tolist() == fourth.multipliers.tolist()
    assert (third.shift, third.biases.tolist()) == (fourth.shift, fourth.biases.tolist())


@pytest.mark.parametrize("key", QUANTIZERS)
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_tensor_without_quantizer_is_named(kind, key):
    bits = {name: count for name, count in QUANTIZERS.items() if name != key}
    one = network(text(kind, bits=bits))
    if key == "QInput":
        assert lower(one, IMAGES).exact  # the stimuli are codes
        return
    with pytest.raises(IntegerError, match=f"holds real values: there is no {key}") as failure:
        lower(one, IMAGES)
    assert "to do: " in str(failure.value)
    assert f"{key}=LSQ or {key}=FixedPoint" in str(failure.value)


def test_real_weights_are_refused():
    with pytest.raises(IntegerError, match="LSTM cell c has no exact integer form: its weights are not quantized"):
        lower(network(text().replace("QWeight=FixedPoint\nQWeight.Range=15\nQWeight.PowerOfTwo=1\n", "")), IMAGES)


def test_a_function_of_too_many_codes_is_refused():
    bits = QUANTIZERS | {"QGateAcc": 22}
    with pytest.raises(IntegerError, match="codes of 22 bits, and a table of them would be too long"):
        lower(network(text(bits=bits)), IMAGES)
