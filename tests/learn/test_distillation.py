"""Distillation: the loss of Hinton, the teacher without quantizers."""

import math

import pytest
import torch

from n2d2py import ini
from n2d2py.data.random import Generator
from n2d2py.errors import LearningError, WeightsError
from n2d2py.graph.build import build
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import distillation, weights
from n2d2py.learn.history import Plan
from n2d2py.learn.loop import learn

from .fakes import FakeStimuli

NETWORK = """
[env]
SizeX=1
SizeY=1
NbChannels=3
BatchSize=8

[fc]
Type=Fc
Input=env
NbOutputs={outputs}
{quantizer}

[softmax]
Type=Softmax
Input=fc
NbOutputs={outputs}
WithLoss=1

[softmax.Target]
{keys}
"""


def network(keys="", quantizer="", outputs=3):
    text = NETWORK.format(keys=keys, quantizer=quantizer, outputs=outputs)
    made = TorchNetwork(build(ini.loads(text, file="net.ini"), "net.ini"))
    made.fill(1)
    return made


@pytest.fixture
def folder(tmp_path):
    """The weights of a float network that knows the classes."""
    made = network()
    with torch.no_grad():
        made.layers["fc"].weights.copy_(4 * torch.eye(3))
        made.layers["fc"].biases.zero_()
    weights.save(made, tmp_path / "weights_float")
    return tmp_path / "weights_float"


def test_the_divergence():
    learner = torch.tensor([[1.0, 0.0]], requires_grad=True)
    teacher = torch.tensor([[0.0, 2.0]])
    found = distillation.divergence(learner[:, :, None, None], teacher[:, :, None, None], 2.0)
    wanted = torch.softmax(torch.tensor([0.0, 1.0]), 0)
    given = torch.softmax(torch.tensor([0.5, 0.0]), 0)
    expected = 4 * sum(p * math.log(p / q) for p, q in zip(wanted.tolist(), given.tolist(), strict=True))
    assert found.item() == pytest.approx(expected, rel=1e-5)
    found.backward()
    assert learner.grad[0].tolist() == pytest.approx((2 * (given - wanted)).tolist(), rel=1e-5)


def test_equal_logits_have_no_divergence():
    logits = torch.randn(4, 5, 1, 1, generator=torch.Generator().manual_seed(1))
    assert distillation.divergence(logits, logits + 3.0, 4.0).item() == pytest.approx(0, abs=1e-5)


def test_the_teacher_has_no_quantizers_and_the_weights_of_the_folder(folder):
    made = network(f"Distill={folder}", "QWeight=LSQ\nQWeight.Levels=-1 0 1")
    teacher = distillation.teachers(made)["softmax.Target"]
    inputs = torch.tensor([[0.0, 1.0, 0.0]]).view(1, 3, 1, 1)
    logits = teacher.logits(inputs).flatten()
    assert (logits - logits[0]).tolist() == pytest.approx([0, 4, 0], abs=1e-5)
    assert not any(tensor.requires_grad for tensor in teacher.network.parameters())


def test_the_loss_is_mixed(folder):
    made = network(f"Distill={folder}\nDistillShare=0.25\nDistillTemperature=2")
    teacher = distillation.teachers(made)["softmax.Target"]
    output, inputs = torch.zeros(1, 3, 1, 1), torch.ones(1, 3, 1, 1)
    expected = 0.75 * 8 + 0.25 * distillation.divergence(output, teacher.logits(inputs), 2.0)
    assert teacher.mixed(torch.tensor(8.0), output, inputs).item() == pytest.approx(expected.item())


def test_a_network_learns_from_its_teacher_alone(folder, tmp_path):
    made = network(f"Distill={folder}\nDistillShare=1", "Solvers.LearningRate=0.5")
    learn(made, FakeStimuli(), Plan(epochs=20, folder=tmp_path), Generator(1))
    learned = made.layers["fc"].weights.detach()
    assert bool((learned.diagonal() > learned.sum(1) - learned.diagonal()).all())


def test_without_distill_there_is_no_teacher():
    assert distillation.teachers(network()) == {}


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(WeightsError, match=r"teacher of target softmax.Target: .*there is no folder") as error:
        distillation.teachers(network(f"Distill={tmp_path / 'nothing'}"))
    assert "[softmax.Target], Distill" in str(error.value)
    assert "-w" not in str(error.value)


def test_a_damaged_file_of_the_teacher_is_named(folder):
    (folder / "fc_weights.syntxt").write_text("1 2 x\n")
    with pytest.raises(WeightsError, match=r"teacher of target softmax.Target: (.|\n)*fc_weights\.syntxt") as error:
        distillation.teachers(network(f"Distill={folder}"))
    assert "[softmax.Target], Distill" in str(error.value)


def test_keys_without_distill_are_told(caplog):
    distillation.teachers(network("DistillShare=0.25"))
    assert "DistillShare has no effect without Distill, at: net.ini:" in caplog.text


def test_one_output_has_no_classes(folder):
    with pytest.raises(LearningError, match="no classes to distil") as error:
        distillation.teachers(network(f"Distill={folder}", outputs=1))
    assert "net.ini" in str(error.value)
    assert "remove Distill" in str(error.value)
