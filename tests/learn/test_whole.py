"""Learning with the real layers: a small quantized network on points around three corners."""

import numpy as np
import pytest
import torch

from n2d2py import ini
from n2d2py.data.random import Generator
from n2d2py.graph import build
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import loop, testing, weights
from n2d2py.learn.history import Plan

from .fakes import FakeStimuli

TEXT = """
[sp]
SizeX=1
SizeY=1
NbChannels=3
BatchSize=8
[fc0]
Input=sp
Type=Fc
NbOutputs=8
ActivationFunction=Linear
NoBias=1
{quantizer}
Solvers.LearningRate=0.2
[bn0]
Input=fc0
Type=BatchNorm
NbOutputs=8
ActivationFunction=Linear
QAct=SAT
QAct.Alpha=6
QAct.Range=15
Solvers.LearningRate=0.2
[fc1]
Input=bn0
Type=Fc
NbOutputs=3
ActivationFunction={activation}
Solvers.LearningRate=0.2
{rest}
"""
SAT = "QWeight=SAT\nQWeight.Range=15"
SOFTMAX = "[softmax]\nInput=fc1\nType=Softmax\nNbOutputs=3\nWithLoss=1\n[softmax.Target]"


def network(quantizer=SAT, activation="Linear", rest=SOFTMAX):
    document = ini.loads(TEXT.format(quantizer=quantizer, activation=activation, rest=rest), file="net.ini")
    built = TorchNetwork(build.build(document, "net"))
    built.fill(1)
    return built


def learned(net):
    return [item.tensor.detach().clone() for _, item in net.learned()]


@pytest.mark.parametrize(
    ("activation", "rest"),
    [
        ("Linear", SOFTMAX),
        ("Linear", SOFTMAX.replace("WithLoss=1", "WithLoss=0")),
        ("LogisticWithLoss", "[fc1.Target]"),
        ("Logistic", "[fc1.Target]"),
        ("Linear", "[fc1.Target]\nTargetValue=1\nDefaultValue=-1"),
    ],
)
def test_every_kind_of_target_is_learned(tmp_path, activation, rest):
    net, stimuli = network(activation=activation, rest=rest), FakeStimuli(learn=96)
    history = loop.learn(net, stimuli, Plan(epochs=8, folder=tmp_path), Generator(1))
    (result,) = testing.evaluate(net, stimuli, "Test")
    assert result.rate > 0.9
    assert history.logs[-1].learning[0].recent > 0.8


def test_the_same_seed_gives_the_same_network(tmp_path):
    nets = [network(), network()]
    for net in nets:
        loop.learn(net, FakeStimuli(), Plan(epochs=2, folder=tmp_path), Generator(1))
    assert all(map(torch.equal, *map(learned, nets)))


def test_what_was_learned_comes_back_exactly(tmp_path):
    net, other = network(), network()
    loop.learn(net, FakeStimuli(), Plan(epochs=2, folder=tmp_path), Generator(1))
    weights.load(other, tmp_path / "weights")
    for items, others in zip(net.stored().values(), other.stored().values(), strict=True):
        for item, same in zip(items, others, strict=True):
            assert torch.equal(item.tensor, same.tensor), item.name


def test_quantized_weights_are_those_of_the_saved_weights(tmp_path):
    net = network()
    loop.learn(net, FakeStimuli(), Plan(epochs=1, folder=tmp_path), Generator(1))
    layer = net.layers["fc0"]
    codes, grid = layer.weight_codes()
    saved = np.loadtxt(tmp_path / "weights" / "fc0_quant_weights_quant.syntxt")
    assert (np.rint(saved / grid.scale) == codes.numpy()).all()
    assert saved == pytest.approx(codes.numpy() * grid.scale, abs=1e-6)
    assert not (tmp_path / "weights" / "fc1_quant_weights_quant.syntxt").exists()


def test_mode_integer_writes_integer_codes(tmp_path):
    net = network(quantizer=SAT + "\nQWeight.Mode=Integer")
    weights.save(net, tmp_path)
    saved = np.loadtxt(tmp_path / "fc0_quant_weights_quant.syntxt")
    assert (saved == net.layers["fc0"].weight_codes()[0].numpy()).all()


def test_saving_in_the_midst_of_learning_changes_nothing(tmp_path):
    net = network(quantizer=SAT + "\nNormalize=1").train()
    before = learned(net)
    weights.save(net, tmp_path)
    assert all(map(torch.equal, before, learned(net)))
    assert net.layers["fc0"].training


def test_the_names_of_the_files(tmp_path):
    weights.save(network(), tmp_path)
    assert sorted(file.name.removesuffix(".syntxt") for file in tmp_path.iterdir()) == [
        "bn0_QAct_SAT_Alpha",
        "bn0_biases",
        "bn0_means",
        "bn0_scales",
        "bn0_variances",
        "fc0_quant_weights_quant",
        "fc0_weights",
        "fc1_biases",
        "fc1_weights",
    ]
    assert (tmp_path / "bn0_QAct_SAT_Alpha.syntxt").read_text() == "6"


MARGINS = """
[distance]
Input=fc1
Type=Distance
NbOutputs=3
Margin=0.1
CenterCoef=0.01
EndRampIT=4
Solvers.LearningRate=0.05
[bias]
Input=distance
Type=TargetBias
NbOutputs=3
Bias=-0.1
"""


def test_labels_reach_the_cells_that_want_them(tmp_path):
    rest = MARGINS + SOFTMAX.replace("Input=fc1", "Input=bias")
    net, stimuli = network(activation="Linear", rest=rest), FakeStimuli(learn=96)
    loop.learn(net, stimuli, Plan(epochs=8, folder=tmp_path), Generator(1))
    assert int(net.layers["distance"].batches) == 8 * 12
    assert net.layers["distance"].margin == 0.1
    (result,) = testing.evaluate(net, stimuli, "Test")
    assert result.rate > 0.9
    assert (tmp_path / "weights" / "distance_means.syntxt").exists()
