"""Small networks learn with every quantizer: from INI keys to weights that are saved and loaded bit for bit."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from n2d2py import ini
from n2d2py.data.random import Generator
from n2d2py.graph.build import build
from n2d2py.integer.lower import lower
from n2d2py.integer.verify import verify
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import testing, weights
from n2d2py.learn.history import Plan
from n2d2py.learn.loop import learn
from n2d2py.learn.quantizing import still_shares, zero_shares
from n2d2py.quant.grid import Coded, Grid

from .fakes import FakeStimuli

NETWORK = """
[env]
SizeX=4
SizeY=4
BatchSize=8

[common.config]
Solvers.LearningRate=0.05
WeightsFiller=HeFiller
BiasFiller=ConstantFiller

[conv]
Type=Conv
Input=env
KernelSize=3
Padding=1
NbOutputs=6
ActivationFunction={function}
ConfigSection=common.config
{weights}
{activations}

[fc]
Type=Fc
Input=conv
NbOutputs=3
ConfigSection=common.config
{weights}

[softmax]
Type=Softmax
Input=fc
NbOutputs=3
WithLoss=1

[softmax.Target]
Type=TargetScore
"""

WEIGHTS = {
    "SAT": "QWeight=SAT\nQWeight.Range=15\nQWeight.ApplyScaling=1",
    "SAT PowerOfTwo": "QWeight=SAT\nQWeight.Range=15\nQWeight.ApplyScaling=1\nQWeight.PowerOfTwo=1",
    "LSQ": "QWeight=LSQ\nQWeight.Range=15",
    "LSQ Integer": "QWeight=LSQ\nQWeight.Mode=Integer",
    "LSQ Levels": "QWeight=LSQ\nQWeight.Levels=-4 -1 0 1 4\nQWeight.LearningRateFactor=0.1",
    "LSQ bounded": "QWeight=LSQ\nQWeight.Range=15\nQAcc.Bits=16\nQAcc.Guarantee=A2Q+",
    "ternary LSQ": "QWeight=LSQ\nQWeight.Levels=-1 0 1\nQWeight.Solver=Adam",
    "Binary": "QWeight=Binary",
    "Ternary": "QWeight=Ternary\nQWeight.Scale=Learned",
    "DoReFa": "QWeight=DoReFa\nQWeight.Range=15",
    "APoT": "QWeight=APoT\nQWeight.Range=15\nQWeight.SetOptInitStepSize=0\nQWeight.StepSize=0.05",
    "FixedPoint": "QWeight=FixedPoint\nQWeight.Range=15",
    "Prune": "QWeight=Prune\nQWeight.PruningMode=Gradual\nQWeight.PruningFiller=IterNonStruct",
    "Prune LSQ": "QWeight=Prune\nQWeight.PruningMode=Static\nQWeight.Quantizer=LSQ\nQWeight.Quantizer.Range=15",
}
ACTIVATIONS = {
    "SAT": "QAct=SAT\nQAct.Range=15",
    "PACT": "QAct=PACT\nQAct.Range=15\nQAct.PowerOfTwo=1",
    "LSQ": "QAct=LSQ\nQAct.Range=15",
    "LSQ signed": "QAct=LSQ\nQAct.Range=15\nQAct.Signed=1",
    "LSQ offset": "QAct=LSQ\nQAct.Range=15\nQAct.Offset=1",
    "LSQ levels": "QAct=LSQ\nQAct.Levels=0 1 2 3",
    "Binary": "QAct=Binary",
    "Ternary": "QAct=Ternary\nQAct.ScaleValue=0.5",
    "DoReFa": "QAct=DoReFa\nQAct.Range=15",
    "APoT": "QAct=APoT\nQAct.Range=7",
    "FixedPoint": "QAct=FixedPoint\nQAct.Range=15",
}


class Stripes(FakeStimuli):
    """Images of 4 x 4 pixels with one bright column, the label, and their codes."""

    def __init__(self):
        super().__init__(learn=160, test=40)
        draw = np.random.default_rng(3)
        for name, (ids, _, labels) in self.sets.items():
            codes = draw.integers(0, 120, (len(ids), 1, 4, 4)).astype(np.float32)
            codes[np.arange(len(ids)), 0, :, labels] += 130
            self.sets[name] = (ids, codes, labels)

    def batch(self, name, positions):
        ids, codes, labels = self.sets[name]
        values = torch.from_numpy(codes[positions])
        return SimpleNamespace(
            ids=ids[positions],
            inputs=values / 255,
            labels=torch.from_numpy(labels[positions]),
            codes=Coded(values, Grid(1 / 255, 0, 255)),
            target_data=None,
        )


def network(weight="", activation="", function="Linear"):
    text = NETWORK.format(weights=weight, activations=activation, function=function)
    torch.manual_seed(1)
    made = TorchNetwork(build(ini.loads(text, file="net.ini"), "net.ini"))
    made.fill(1)
    return made


def learned_and_loaded(folder, *keys):
    """What was learned in an epoch, a second network that loaded it, the success, and the stimuli."""
    made, stimuli = network(*keys), Stripes()
    history = learn(made, stimuli, Plan(epochs=4, folder=folder), Generator(1))
    again = network(*keys)
    weights.load(again, history.logs[-1].saved)
    return made, again, history.logs[-1].learning[0].recent, stimuli


def check(made, again, stimuli):
    for name, items in made.stored().items():
        for mine, its in zip(items, again.stored()[name], strict=True):
            assert torch.equal(mine.tensor, its.tensor), f"{name}_{mine.name}"
    before, after = (testing.evaluate(item, stimuli, "Test", keep_outputs=True)[0] for item in (made, again))
    assert np.array_equal(before.outputs, after.outputs)
    batch = next(stimuli.passes("Test"))
    values = again.evaluate(batch.codes)
    for name, layer in again.layers.items():
        if name in ("conv", "fc") and layer.quantizes:
            codes, grid = layer.weight_codes()
            assert set(codes.unique().int().tolist()) <= {0, *grid.codes}
        if name == "conv" and layer.quantizer is not None:
            assert set(values[name].values.unique().int().tolist()) <= set(values[name].grid.codes)
    if again.layers["fc"].quantizes and again.layers["conv"].quantizer is not None:
        sums = values["fc"]
        assert sums.grid is not None
        assert torch.equal(sums.values, sums.values.round())
        found = verify(again, lower(again, batch.codes.grid), [batch])
        assert found.cells
        assert found.differing == 0


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights(tmp_path, name):
    made, again, success, stimuli = learned_and_loaded(tmp_path, WEIGHTS[name], ACTIVATIONS["SAT"])
    assert success > 0.5
    check(made, again, stimuli)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(tmp_path, name):
    made, again, success, stimuli = learned_and_loaded(tmp_path, WEIGHTS["LSQ"], ACTIVATIONS[name])
    assert success > 0.5
    check(made, again, stimuli)


def test_gradual_pruning_follows_the_stimuli(tmp_path):
    made = network(WEIGHTS["Prune"], "", "Rectifier")
    learn(made, Stripes(), Plan(epochs=2, folder=tmp_path), Generator(1))
    assert made.layers["fc"].weights_quantizer.fraction == pytest.approx(0.2, abs=0.03)  # 0.1 and two steps of 0.05
    mask = next(item for item in made.stored()["conv"] if item.name == "masks")
    text = (tmp_path / "weights" / "conv_masks.syntxt").read_text(encoding="ascii").split()
    assert [float(word) for word in text] == mask.tensor.flatten().tolist()


def test_the_share_of_zero_weights_is_told(tmp_path, caplog):
    caplog.set_level("INFO", logger="n2d2py")
    made = network("QWeight=LSQ\nQWeight.Levels=-1 0 1\nQWeight.SetOptInitStepSize=0\nQWeight.StepSize=9", "")
    learn(made, Stripes(), Plan(stimuli=8, folder=tmp_path), Generator(1))
    assert "Zero weights after initialisation: conv 100%, fc 100%" in caplog.messages
    assert any("100% of the weights of fc begin as 0: a smaller step" in message for message in caplog.messages)


SMALL_STEP = "LSQ\nQWeight.Levels=-1 0 1\nQWeight.SetOptInitStepSize=0\nQWeight.StepSize=0.0001"


@pytest.mark.parametrize(
    ("keys", "remedy"),
    [
        (SMALL_STEP, "QWeight.Gradient=MAD"),
        (f"{SMALL_STEP}\nQWeight.Gradient=MAD", None),
        ("Binary\nQWeight.Clip=0.0001", "a larger QWeight.Clip"),
        ("Ternary\nQWeight.Clip=0.0001", "a larger QWeight.Clip"),
        ("Ternary", None),
    ],
)
def test_weights_that_learn_no_more_are_told(tmp_path, caplog, keys, remedy):
    caplog.set_level("INFO", logger="n2d2py")
    made = network("QWeight=" + keys, "")
    learn(made, Stripes(), Plan(stimuli=8, folder=tmp_path), Generator(1))
    told = [message for message in caplog.messages if message.startswith("Weights beyond the outermost level")]
    if remedy is None:
        assert told == []
        return
    shares = still_shares(made)
    assert list(shares) == ["conv", "fc"]
    for name, (share, key) in shares.items():
        layer = made.layers[name]
        weights = layer.full_weights().abs()
        still = weights >= layer.weights_quantizer.step.value.abs() if keys == SMALL_STEP else weights > 0.0001
        assert (share, key) == (float(still.double().mean()), remedy)
        assert f"{name} {100 * share:.3g}%" in told[0]
    assert len(told) == 1
    assert told[0].endswith(f"Remedy: {remedy}.")


def test_grids_without_a_zero_have_no_share():
    assert zero_shares(network("QWeight=Binary")) == {}
    assert zero_shares(network()) == {}
