"""LSTM: keys, sizes, counts."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Dims
from n2d2py.errors import GraphError, ParameterError
from n2d2py.parts.fillers import ConstantFiller, NormalFiller
from tests.cells.reading import cell

KEYS = "SeqLength=5|BatchSize=8|InputDim=6|NumberLayers=2|HiddenSize=4"
INPUT = Dims(2, 5, 3)


def test_size() -> None:
    lstm = cell("LSTM", KEYS)
    assert lstm.outputs([INPUT]) == Dims(1, 1, 4)
    assert cell("LSTM", KEYS + "|Bidirectional=1").outputs([INPUT]) == Dims(1, 1, 8)
    every = cell("LSTM", KEYS + "|SingleBackpropFeeding=0|NbOutputs=4")
    assert every.outputs([INPUT]) == Dims(1, 5, 4)
    assert lstm.label([INPUT], Dims(1, 1, 4)) == ["4x1x1", "2 x 4"]


def test_counts() -> None:
    lstm = cell("LSTM", KEYS)
    weights, others = lstm.parameters([INPUT], Dims(1, 1, 4))
    assert weights == 4 * 4 * (6 + 4) + 4 * 4 * (4 + 4)
    assert others == 2 * 2 * 4 * 4
    both = cell("LSTM", KEYS + "|Bidirectional=1").parameters([INPUT], Dims(1, 1, 8))
    assert both.weights == 2 * 4 * 4 * (6 + 4) + 2 * 4 * 4 * (8 + 4)
    assert lstm.macs([INPUT], Dims(1, 1, 4)) == 5 * weights
    assert lstm.cost([INPUT], Dims(1, 1, 4)).synapses == weights + others


def test_fillers() -> None:
    lstm = cell("LSTM", KEYS + "|AllGatesWeightsFiller=ConstantFiller|AllGatesWeightsFiller.Value=2")
    assert lstm.filler_of("cell", bias=False, recurrent=True) == ConstantFiller(value=2.0)
    assert lstm.filler_of("cell", bias=True, recurrent=True) == NormalFiller(mean=0.0, std_dev=0.05)
    assert lstm.hidden_filler == ConstantFiller(value=0.0)


@pytest.mark.parametrize("key", ["BiasRecurrentForgetGateFiller", "BiasReccurentForgetGateFiller"])
def test_both_spellings(key: str) -> None:
    lstm = cell("LSTM", KEYS + f"|{key}=ConstantFiller|{key}.Value=1")
    assert lstm.filler_of("forget", bias=True, recurrent=True) == ConstantFiller(value=1.0)
    assert lstm.filler_of("forget", bias=True, recurrent=False) == NormalFiller(mean=0.0, std_dev=0.05)


@pytest.mark.parametrize("missing", ["SeqLength", "BatchSize", "InputDim", "NumberLayers", "HiddenSize"])
def test_required_keys(missing: str) -> None:
    lines = "|".join(line for line in KEYS.split("|") if not line.startswith(missing))
    with pytest.raises(ParameterError, match=f"missing key {missing}"):
        cell("LSTM", lines)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (KEYS + "|Algo=1", "unreadable value '1' for Algo"),
        (KEYS + "|InputMode=0", "InputMode=0 has InputDim=6 and HiddenSize=4"),
        (KEYS + "|Dropout=1", "unreadable value '1' for Dropout"),
    ],
)
def test_what_cannot_be(lines: str, what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        cell("LSTM", lines)


@pytest.mark.parametrize("dims", [Dims(5, 2, 3), Dims(2, 4, 3), Dims(2, 5, 4)])
def test_sequences_that_do_not_fit(dims: Dims) -> None:
    with pytest.raises(GraphError, match="SeqLength=5 and InputDim=6; its input has") as caught:
        cell("LSTM", KEYS).outputs([dims])
    expected = f"expected: SeqLength={dims.height} and InputDim={dims.channels * dims.width}"
    assert expected in str(caught.value)
