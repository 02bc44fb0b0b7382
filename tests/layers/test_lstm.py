import pytest
import torch
from torch import nn

from n2d2py.learn.solving import build as solvers
from n2d2py.learn.weights import load, save
from n2d2py.quant.grid import Coded

from .networks import checked, network

STEPS, VALUES, HIDDEN, BATCH = 5, 6, 4, 3


def layer(more="", layers=1, hidden=HIDDEN):
    text = (
        f"[c]\nType=LSTM\nInput=env\nSeqLength={STEPS}\nBatchSize={BATCH}\nInputDim={VALUES}\n"
        f"NumberLayers={layers}\nHiddenSize={hidden}\n{more}"
    )
    # 3 channels of 2 values a step
    return network(text, (2, STEPS, 3)).layers["c"]


def theirs(made, layers=1, hidden=HIDDEN, both=False):
    core = nn.LSTM(VALUES, hidden, layers, bidirectional=both)
    core.load_state_dict(made.core.state_dict())
    return core


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
def test_against_torch(layers, both, single):
    made = layer(f"Bidirectional={both:d}\nSingleBackpropFeeding={single:d}", layers)
    core = theirs(made, layers, both=both)

    def reference(x):
        # (time, batch, channel-major values of a row)
        steps = torch.stack([torch.stack([x[n, :, t].flatten() for n in range(BATCH)]) for t in range(STEPS)])
        hidden, _ = core(steps)
        if single:
            return hidden[-1].reshape(BATCH, -1, 1, 1)
        return hidden.permute(1, 2, 0).reshape(BATCH, -1, STEPS, 1)

    checked(made, (BATCH, 3, STEPS, 2), reference=reference)
    assert made.node.output.shape == (HIDDEN * (1 + both), 1 if single else STEPS, 1)


def test_against_the_equations():
    made = layer("HxFiller=UniformFiller\nCxFiller=UniformFiller")
    weights = {item.name: item.tensor.detach().double() for item in made.stored()}
    x = torch.randn(1, 3, STEPS, 2)
    h, s = weights["initial_hidden"][0], weights["initial_state"][0]
    assert h.any()
    assert s.any()
    for t in range(STEPS):
        sums = weights["weights_input_0"] @ x[0, :, t].flatten().double() + weights["biases_input_0"]
        sums = sums + weights["weights_recurrent_0"] @ h + weights["biases_recurrent_0"]
        i, f, g, o = sums.chunk(4)
        s = f.sigmoid() * s + i.sigmoid() * g.tanh()
        h = o.sigmoid() * s.tanh()
    assert torch.allclose(made(x)[0, :, 0, 0].double(), h, atol=1e-6)


def test_skipped_input():
    made = layer("InputMode=0\nBidirectional=1", hidden=VALUES)
    names = [item.name for item in made.stored()]
    assert "weights_input_0" not in names
    assert "weights_recurrent_0_backward" in names
    x = torch.randn(2, 3, STEPS, 2)
    recurrent = made.core.weight_hh_l0.detach()
    h = s = torch.zeros(2, VALUES)
    for t in range(STEPS):
        sums = x[:, :, t].flatten(1).repeat(1, 4) + made.core.bias_ih_l0 + made.core.bias_hh_l0 + h @ recurrent.T
        i, f, g, o = sums.detach().chunk(4, 1)
        s = f.sigmoid() * s + i.sigmoid() * g.tanh()
        h = o.sigmoid() * s.tanh()
    assert torch.allclose(made(x)[:, :VALUES, 0, 0], h, atol=1e-6)


def constant(key, value):
    return f"{key}=ConstantFiller\n{key}.Value={value}\n"


def rows(tensor):
    return [sorted(set(gate.flatten().tolist())) for gate in tensor.detach().chunk(4)]


@pytest.mark.parametrize("key", ["BiasRecurrentForgetGateFiller", "BiasReccurentForgetGateFiller"])
def test_fillers_of_the_gates(key):
    text = constant("AllGatesWeightsFiller", 9) + constant("AllGatesBiasFiller", 8)
    text += constant("WeightsInputGateFiller", 1) + constant("WeightsForgetGateFiller", 2)
    text += constant("WeightsCellGateFiller", 3) + constant("BiasInputGateFiller", 4)
    text += constant("BiasPreviousLayerForgetGateFiller", 5) + constant(key, 6) + constant("BiasOutputGateFiller", 7)
    made = layer(text, layers=2)
    for name, tensor in made.tensors():
        if name.startswith("weights"):
            expected = [[1], [2], [3], [9]]
        else:
            expected = [[4], [6 if "recurrent" in name else 5], [8], [7]]
        assert rows(tensor) == expected, name
    assert not made.initial_hidden.any()
    assert not made.initial_state.any()


def test_usual_fillers():
    made = layer(hidden=64)
    for name, tensor in made.tensors():
        assert 0.03 < float(tensor.detach().std()) < 0.07, name


def test_it_learns():
    made = network(
        f"[c]\nType=LSTM\nInput=env\nSeqLength={STEPS}\nBatchSize={BATCH}\nInputDim={VALUES}\nNumberLayers=2\n"
        "HiddenSize=8\nDropout=0.1\nSolvers=Adam\nSolvers.LearningRate=0.05\n"
        "[fc]\nType=Fc\nInput=c\nNbOutputs=2\n[s]\nType=Softmax\nInput=fc\nNbOutputs=2\nWithLoss=1\n[s.Target]\n",
        (2, STEPS, 3),
    )
    made.train()
    solving = solvers(made.learned(), 32)
    x = torch.randn(32, 3, STEPS, 2, generator=torch.Generator().manual_seed(0))
    labels = (x[:, 0, 0, 0] > 0).long()  # the first step of the sequence
    first = None
    torch.manual_seed(0)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(made(x)["s"].flatten(1), labels, reduction="sum")
        first = float(loss.detach()) if first is None else first
        loss.backward()
        solving.step()
    assert float(loss.detach()) < 0.3 * first


def test_no_gradient_to_the_inputs_if_not_wanted():
    x = torch.randn(2, 3, STEPS, 2, requires_grad=True)
    made = layer("BackPropagate=0")
    made(x).sum().backward()
    assert x.grad is None
    assert made.core.weight_ih_l0.grad.any()


def test_evaluation_is_the_same():
    made = layer().eval()
    x = torch.randn(2, 3, STEPS, 2)
    with torch.no_grad():
        assert torch.equal(made.evaluate(Coded(x)).values, made(x))


def test_weights_are_saved_and_loaded(tmp_path):
    made = network(
        f"[c]\nType=LSTM\nInput=env\nSeqLength={STEPS}\nBatchSize={BATCH}\nInputDim={VALUES}\nNumberLayers=2\n"
        "HiddenSize=3\nBidirectional=1\nHxFiller=UniformFiller\n",
        (2, STEPS, 3),
    )
    save(made, tmp_path)
    kept = {item.name: item.tensor.detach().clone() for item in made.layers["c"].stored()}
    assert (tmp_path / "c_weights_recurrent_1_backward.syntxt").exists()
    made.fill(99)
    load(made, tmp_path)
    for item in made.layers["c"].stored():
        assert torch.equal(item.tensor, kept[item.name]), item.name
