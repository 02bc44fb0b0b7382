"""QAcc.Bits: what is promised about accumulators is kept in learning, and proved or refuted in testing."""

import pytest
import torch

from n2d2py import ini
from n2d2py.errors import GraphError, IntegerError
from n2d2py.graph.build import build
from n2d2py.layers.accumulators import Accumulator, accumulators, check
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Coded, Grid

NETWORK = """
[env]
SizeX=6
SizeY=6
BatchSize=1

[conv1]
Type=Conv
Input=env
KernelSize=3
NbOutputs=4
WeightsFiller=NormalFiller
WeightsFiller.StdDev=1.0
QWeight={first}
ActivationFunction=Rectifier
{activation}

[pool1]
Type=Pool
Input=conv1
PoolSize=2
Stride=2
NbOutputs=4
Mapping.Size=1
Pooling={pooling}

[fc1]
Type=Fc
Input=pool1
NbOutputs=3
WeightsFiller=NormalFiller
WeightsFiller.StdDev=1.0
QWeight={weights}
{promise}

[fc1.Target]
"""


def network(promise, weights="LSQ\nQWeight.Range=15", first="LSQ", activation="QAct=SAT\nQAct.Range=15", pooling="Max"):
    text = NETWORK.format(promise=promise, weights=weights, first=first, activation=activation, pooling=pooling)
    made = TorchNetwork(build(ini.loads(text, file="net.ini"), "net.ini"))
    made.fill(1)
    return made


def stimuli(high=255):
    codes = torch.randint(0, high + 1, (1, 1, 6, 6), generator=torch.Generator().manual_seed(1))
    return Coded(codes.float(), Grid(1 / 255, 0, high))


def test_the_range_of_accumulators_is_exact():
    made = network("QAcc.Bits=16")
    with torch.no_grad():
        made.layers["fc1"].weights.zero_()
        made.layers["fc1"].weights[1, :3] = torch.tensor([2.0, -1.0, 4.0])
        made.layers["fc1"].weights_quantizer.step.value.fill_(1.0)
    _, found = accumulators(made, stimuli())
    assert found == Accumulator("fc1", weights=7, inputs=15, low=-15, high=90, promised=16)
    assert (found.bits, found.holds, found.proof) == (8, True, "7 x 15 = 105 <= 32767")
    check([found], made.network)


@pytest.mark.parametrize(
    ("low", "high", "bits"), [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-128, 127, 8), (-129, 0, 9), (0, 128, 9)]
)
def test_bits(low, high, bits):
    assert Accumulator("c", 0, 0, low, high).bits == bits


def test_ends_decide_where_the_simple_bound_does_not():
    item = Accumulator("c", weights=10, inputs=15, low=-60, high=90, promised=8)
    assert item.holds
    assert item.proof == "-60 .. 90 within -128 .. 127"


def test_a_broken_promise_is_an_error():
    made = network("QAcc.Bits=4")
    with pytest.raises(IntegerError, match="accumulators of cell fc1 need") as error:
        check(accumulators(made, stimuli()), made.network)
    assert "net.ini" in str(error.value)
    assert "QAcc.Bits" in str(error.value)
    assert "QAcc.Guarantee=A2Q+" in str(error.value)


@pytest.mark.parametrize("guarantee", ["A2Q", "A2Q+"])
@pytest.mark.parametrize("quantizer", ["LSQ\nQWeight.Range=15", "Prune\nQWeight.Quantizer=LSQ"])
def test_a_guarantee_keeps_the_promise_while_learning(guarantee, quantizer):
    made = network(f"QAcc.Bits=10\nQAcc.Guarantee={guarantee}", weights=quantizer)
    made.train()
    for _ in range(3):
        output = made(stimuli().real())["fc1"]
        (10 * output.square()).sum().backward()
        with torch.no_grad():
            for _, item in made.learned():
                if item.tensor.grad is not None:
                    item.tensor.sub_(0.1 * item.tensor.grad.sign())
                    item.tensor.grad = None
        found = accumulators(made, stimuli())[1]
        assert found.bits <= 10
        assert found.weights > 0
        check([found], made.network)


def test_the_first_layer_counts_on_stimuli_of_8_bits():
    made = network("")
    assert made.layers["conv1"].weights_quantizer.budget is None
    made = network("", first="LSQ\nQAcc.Bits=14\nQAcc.Guarantee=A2Q")
    found = accumulators(made, stimuli())[0]
    assert (found.inputs, found.holds) == (255, True)


def test_real_inputs_have_no_accumulators_of_integers():
    made = network("QAcc.Bits=16")
    assert len(accumulators(made, stimuli())) == 2
    made = network("QAcc.Bits=16", activation="")
    made.layers["conv1"].weights_quantizer = None
    with pytest.raises(IntegerError, match=r"QAcc\.Bits=16 of cell fc1: its inputs are not integers"):
        accumulators(made, stimuli())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"promise": "QAcc.Guarantee=A2Q"}, r"QAcc\.Guarantee=A2Q of cell fc1 without QAcc\.Bits"),
        ({"promise": "QAcc.Bits=9\nQAcc.Guarantee=A2Q", "weights": "SAT"}, "weights whose codes have no bound"),
        ({"promise": "QAcc.Bits=9\nQAcc.Guarantee=A2Q", "pooling": "Average"}, "pool1 gives to fc1 are not known"),
        ({"promise": "QAcc.Bits=9\nQAcc.Guarantee=A2Q", "activation": "QAct=LSQ\nQAct.Offset=1"}, "conv1 gives to fc1"),
        ({"promise": "QAcc.Bits=9\nQAcc.Guarantee=A2Q", "activation": ""}, "conv1 gives to fc1"),
    ],
)
def test_guarantees_that_cannot_be_given(keys, message):
    with pytest.raises(GraphError, match=message) as error:
        network(**keys)
    assert "QAcc.Guarantee" in str(error.value)
