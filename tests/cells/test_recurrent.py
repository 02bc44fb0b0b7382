"""The quantizers of LSTM and GRU, as keys; GRU: sizes, counts."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Dims
from n2d2py.errors import ParameterError
from n2d2py.explain import listing
from n2d2py.parts.fillers import ConstantFiller
from n2d2py.parts.fixed_point import FixedPointActivations
from tests.cells.reading import cell

KEYS = "SeqLength=5|BatchSize=8|InputDim=6|NumberLayers=2|HiddenSize=4"
INPUT = Dims(2, 5, 3)


def test_gru() -> None:
    gru = cell("GRU", KEYS + "|Bidirectional=1|AllGatesBiasFiller=ConstantFiller")
    assert gru.outputs([INPUT]) == Dims(1, 1, 8)
    weights, others = gru.parameters([INPUT], Dims(1, 1, 8))
    assert weights == 2 * 3 * 4 * (6 + 4) + 2 * 3 * 4 * (8 + 4)
    assert others == 2 * 2 * 2 * 3 * 4
    assert gru.filler_of("new", bias=True, recurrent=False) == ConstantFiller(value=0.0)


def test_quantizers_are_read() -> None:
    lines = "|QGateAcc=FixedPoint|QGateAcc.Range=65535|QGateAcc.Signed=1|QWeight=LSQ|QWeight.Range=15"
    lstm = cell("LSTM", KEYS + lines)
    assert lstm.quantizers == {"accumulator": FixedPointActivations(range=65535, signed=True)}
    assert lstm.weights_quantizer.range == 15
    assert lstm.is_quantized
    assert lstm.label([INPUT], Dims(1, 1, 4))[-2:] == [
        "QWeights: LSQ on range [15 q-step]",
        "QGateAcc: fixed point signed, 16 bits",
    ]
    assert not cell("LSTM", KEYS).is_quantized


@pytest.mark.parametrize("key", ["QGateAcc", "QTanh", "QState", "QOutput"])
@pytest.mark.parametrize("quantizer", ["FixedPoint", "SAT", "LSQ"])
def test_unsigned_where_values_are_signed(key: str, quantizer: str) -> None:
    with pytest.raises(ParameterError, match=f"{key} of cell c has no codes below 0") as caught:
        cell("GRU", KEYS + f"|{key}={quantizer}")
    assert caught.value.remedy == f"{key}.Signed=1, with {key}=FixedPoint or {key}=LSQ"
    assert caught.value.place is not None
    assert caught.value.place.key == key


def test_no_integer_bias_of_inner_tensors() -> None:
    with pytest.raises(ParameterError, match=r"QGateAcc\.IntegerBias=1 of cell c") as caught:
        cell("GRU", KEYS + "|QGateAcc=LSQ|QGateAcc.Signed=1|QGateAcc.IntegerBias=1")
    assert caught.value.remedy == "leave out QGateAcc.IntegerBias"


def test_weights_of_a_skipped_input() -> None:
    lines = KEYS.replace("InputDim=6", "InputDim=4") + "|InputMode=0|QWeight=LSQ"
    with pytest.raises(ParameterError, match="with InputMode=0 no weights of its input"):
        cell("LSTM", lines)


def test_the_table_has_ticks() -> None:
    rows = {line.split()[0]: line.split()[1:4] for line in listing("cells") if line.startswith(("LSTM", "GRU"))}
    assert rows == {"LSTM": ["yes", "yes", "yes"], "GRU": ["yes", "yes", "yes"]}
