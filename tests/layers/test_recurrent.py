"""Quantized LSTM and GRU: torch's where all is real, the equations where it is not, codes of every tensor."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from n2d2py.layers.sequences import Arithmetic, Value
from n2d2py.learn.solving import build as solvers
from n2d2py.learn.weights import load, save
from n2d2py.quant.grid import Coded
from n2d2py.report.formats import formats

from .networks import network

STEPS, VALUES, HIDDEN, BATCH = 5, 6, 4, 3
ROLES = ("QGateAcc", "QSigmoid", "QTanh", "QState", "QOutput")


def fixed_point(weights=4, accumulators=16, gates=8, inputs=16, outputs=8, state=8, power=1):
    bits = {"QInput": inputs, "QGateAcc": accumulators, "QSigmoid": gates, "QTanh": gates}
    bits |= {"QState": state, "QOutput": outputs}
    text = f"QWeight=FixedPoint\nQWeight.Range={2**weights - 1}\nQWeight.PowerOfTwo={power}\n"
    for key, number in bits.items():
        text += f"{key}=FixedPoint\n{key}.Range={2**number - 1}\n{key}.PowerOfTwo={power}\n"
        text += "" if key == "QSigmoid" else f"{key}.Signed=1\n"
    return text


def made(kind="LSTM", more="", layers=1, both=0, single=1):
    text = (
        f"[c]\nType={kind}\nInput=env\nSeqLength={STEPS}\nBatchSize={BATCH}\nInputDim={VALUES}\nNumberLayers={layers}\n"
        f"HiddenSize={HIDDEN}\nBidirectional={both}\nSingleBackpropFeeding={single}\n"
        f"AllGatesWeightsFiller=UniformFiller\nAllGatesWeightsFiller.Min=-1\nAllGatesWeightsFiller.Max=1\n{more}"
    )
    return network(text, (2, STEPS, 3))


def layer(*args, **kwargs):
    return made(*args, **kwargs).layers["c"]


def sequences(batch=BATCH, seed=0):
    return torch.randn(batch, 3, STEPS, 2, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize(("layers", "both"), [(1, 0), (2, 1)])
def test_all_real_is_torch_bit_for_bit(kind, layers, both):
    one = layer(kind, layers=layers, both=both, single=0)
    core = getattr(nn, kind)(VALUES, HIDDEN, layers, bidirectional=bool(both))
    core.load_state_dict(one.core.state_dict())
    x = sequences()
    hidden, _ = core(x.permute(2, 0, 1, 3).flatten(2))
    assert torch.equal(one(x), hidden.permute(1, 2, 0)[..., None])


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize(("layers", "both"), [(1, 0), (2, 1)])
def test_the_steps_without_quantizers_are_torch_too(kind, layers, both):
    filled = "HxFiller=UniformFiller\n" + ("CxFiller=UniformFiller\n" if kind == "LSTM" else "")
    one = layer(kind, filled, layers=layers, both=both, single=0)
    steps = sequences().permute(2, 0, 1, 3).flatten(2)
    theirs, _ = one.core(steps, one.before(BATCH))
    assert torch.allclose(one.run(Value(steps), Arithmetic()).values, theirs, atol=1e-6)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_many_bits_are_nearly_real(kind):
    real = layer(kind, layers=2, both=1)
    one = layer(kind, fixed_point(16, 16, 16, 16, 16, 16), layers=2, both=1)
    one.core.load_state_dict(real.core.state_dict())
    x = sequences()
    assert torch.allclose(one(x), real(x), atol=2e-3)
    assert torch.allclose(one.evaluate(Coded(x)).real(), real(x), atol=2e-3)


@pytest.mark.parametrize("power", [0, 1])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_learning_and_codes_agree(kind, power):
    # Few bits: float32 and float64 then hardly ever fall on different sides of a tie.
    one = layer(kind, fixed_point(4, 8, 6, 8, 6, 6, power), layers=2, both=1, single=0)
    x = sequences(8)
    learned = one(x).detach()
    coded = one.evaluate(Coded(x))
    assert coded.grid is not None
    assert torch.equal(coded.values, coded.values.round())
    assert int(coded.values.min()) >= coded.grid.low
    assert int(coded.values.max()) <= coded.grid.high
    assert float((learned != coded.real()).double().mean()) < 0.05
    assert torch.allclose(learned, coded.real(), atol=2.1 * coded.grid.scale)


def test_the_codes_follow_the_equations():
    one = layer("LSTM", fixed_point(4, 8, 6, 8, 6, 7))
    x = sequences()
    one(x)
    codes, weights = one.codes(Coded(x)), one.weight_codes()
    q = one.quantizers

    def value(name, index):
        found, grid = codes[name]
        return found[index] * grid.scale

    gates = ("input", "forget", "cell", "output")
    h, s = value("output_0", 0), value("state_0", 0)
    assert not h.any()
    biases = (one.core.bias_ih_l0.double() + one.core.bias_hh_l0.double()).detach().chunk(4)
    for t in range(STEPS):
        x_code, x_grid = codes["input"][0][0][t], codes["input"][1]
        h_code = (h / codes["output_0"][1].scale).round()
        a = {}
        for gate, bias in zip(gates, biases, strict=True):
            w, grid = weights[f"{gate}_0"]
            w = w.double()
            total = x_code @ w[:, :VALUES].T * (grid.scale * x_grid.scale)
            total = total + bias + h_code @ w[:, VALUES:].T * (grid.scale * codes["output_0"][1].scale)
            name = f"accumulator_{gate}_0"
            assert torch.equal(q[name].codes(total), codes[name][0][t])
            a[gate] = value(name, t)
        sigma = torch.cat([a["input"], a["forget"], a["output"]], -1).sigmoid()
        assert torch.equal(q["sigmoid_0"].codes(sigma), codes["sigmoid_0"][0][t])
        i, f, o = value("sigmoid_0", t).chunk(3, -1)
        assert torch.equal(q["tanh_0"].codes(a["cell"].tanh()), codes["tanh_0"][0][2 * t])
        g = value("tanh_0", 2 * t)
        kept, added = value("state_0", 1 + 3 * t), value("state_0", 2 + 3 * t)
        assert torch.equal(q["state_0"].codes(f * s), codes["state_0"][0][1 + 3 * t])
        assert torch.equal(q["state_0"].codes(i * g), codes["state_0"][0][2 + 3 * t])
        assert torch.equal(q["state_0"].codes(kept + added), codes["state_0"][0][3 + 3 * t])
        s = value("state_0", 3 + 3 * t)
        h = value("output_0", 1 + t)
        assert torch.equal(q["output_0"].codes(o * value("tanh_0", 2 * t + 1)), codes["output_0"][0][1 + t])
    assert torch.equal(one.evaluate(Coded(x)).values.double().flatten(1), codes["output_0"][0][-1])


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["LSTM", "GRU"]),
    bits=st.tuples(*[st.integers(2, 10)] * 6),
    power=st.integers(0, 1),
    both=st.integers(0, 1),
    seed=st.integers(0, 1000),
)
def test_every_code_lies_on_its_grid(kind, bits, power, both, seed):
    one = layer(kind, fixed_point(*bits, power), both=both)
    x = sequences(seed=seed)
    found = one.codes(Coded(x))
    assert set(found) == set(one.quantizers)
    for name, (codes, grid) in found.items():
        assert torch.equal(codes, codes.round()), name
        assert grid.low <= int(codes.min()), name
        assert int(codes.max()) <= grid.high, name
        if power:
            assert math.frexp(grid.scale)[0] == 0.5, name
    for codes, grid in one.weight_codes().values():
        assert set(codes.flatten().int().tolist()) <= set(grid.codes)


def test_a_sequence_has_the_same_codes_in_every_batch():
    one = layer("GRU", fixed_point(4, 8, 6, 8, 6, 6), layers=2)
    x = sequences(8)
    together = one.evaluate(Coded(x)).values
    for index in range(8):
        assert torch.equal(one.evaluate(Coded(x[index : index + 1])).values[0], together[index])


def test_each_role_alone():
    x = sequences()
    for key in ("QInput", *ROLES):
        signed = "" if key in ("QSigmoid", "QInput") else f"{key}.Signed=1\n"
        for kind in ("LSTM", "GRU"):
            one = layer(kind, f"{key}=LSQ\n{key}.Range=15\n{signed}")
            assert one(x).isfinite().all()
            assert one.evaluate(Coded(x)).real().isfinite().all()
            assert one.quantized


@pytest.mark.parametrize("quantizer", ["LSQ", "SAT", "Binary", "Ternary", "FixedPoint", "DoReFa", "Prune"])
def test_weight_quantizers(quantizer):
    one = layer("LSTM", f"QWeight={quantizer}\n")
    assert one(sequences()).isfinite().all()
    assert set(one.weight_codes()) == ({f"{gate}_0" for gate in one.cell.gates} if one.quantized else set())


def test_it_learns_quantized():
    text = (
        f"[c]\nType=GRU\nInput=env\nSeqLength={STEPS}\nBatchSize={BATCH}\nInputDim={VALUES}\nNumberLayers=1\n"
        "HiddenSize=8\nSolvers=Adam\nSolvers.LearningRate=0.02\nQActSolver=Adam\nAllGatesWeightsFiller=XavierFiller\n"
        + fixed_point(4, 8, 8, 8, 8, 8)
        + "[fc]\nType=Fc\nInput=c\nNbOutputs=2\n[s]\nType=Softmax\nInput=fc\nNbOutputs=2\nWithLoss=1\n[s.Target]\n"
    )
    whole = network(text, (2, STEPS, 3))
    whole.train()
    solving = solvers(whole.learned(), 32)
    x = torch.randn(32, 3, STEPS, 2, generator=torch.Generator().manual_seed(0))
    labels = (x[:, 0, -1, 0] > 0).long()
    losses = []
    for _ in range(60):
        loss = nn.functional.cross_entropy(whole(x)["s"].flatten(1), labels, reduction="sum")
        losses.append(float(loss.detach()))
        loss.backward()
        solving.step()
    assert losses[-1] < 0.5 * losses[0]
    steps = [item for _, item in whole.learned() if "StepSize" in item.name]
    assert {item.name for item in steps} >= {"QState_FixedPoint_StepSize_0", "QGateAcc_FixedPoint_StepSize_new_0"}


def test_steps_are_saved_and_loaded(tmp_path):
    one = made("LSTM", fixed_point(), layers=2, both=1)
    one.layers["c"](sequences())
    save(one, tmp_path)
    kept = {item.name: item.tensor.detach().clone() for item in one.layers["c"].stored()}
    assert (tmp_path / "c_QGateAcc_FixedPoint_StepSize_forget_1_backward.syntxt").exists()
    assert (tmp_path / "c_QInput_FixedPoint_StepSize.syntxt").exists()
    one.fill(7)
    load(one, tmp_path)
    for item in one.layers["c"].stored():
        assert torch.equal(item.tensor, kept[item.name]), item.name


def test_formats_of_every_tensor():
    one = made("LSTM", fixed_point(4, 16, 8, 16, 8, 8))
    one.layers["c"](sequences())
    found = {item.tensor: item for item in formats(one)}
    assert set(found) == {f"weights_{gate}_0" for gate in ("input", "forget", "cell", "output")} | set(
        one.layers["c"].quantizers
    )
    assert all(item.name for item in found.values())
    assert found["sigmoid_0"].name == "UQ0.8"
    assert found["weights_cell_0"].grid.bits == 4


def test_no_gradient_to_the_inputs_if_not_wanted():
    x = sequences().requires_grad_()
    layer("LSTM", "BackPropagate=0\n" + fixed_point())(x).sum().backward()
    assert x.grad is None
