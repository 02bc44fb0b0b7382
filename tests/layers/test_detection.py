"""Networks that find boxes: inference from end to end, quantized outputs, and what learning says."""

import pytest
import torch

from n2d2py import ini
from n2d2py.errors import LearningError
from n2d2py.graph.build import build
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn.comparing import comparisons
from n2d2py.quant.grid import Coded, Grid
from tests.cells.test_detection import NET

from . import boxes as slow


def made(text=NET):
    network = TorchNetwork(build(ini.loads(text, file="boxes.ini"), "boxes.ini"))
    network.fill(1)
    return network


def stimuli(batch=2):
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (batch, 1, 64, 96), generator=generator)
    return Coded(pixels.float(), Grid(1 / 255, 0, 255))


class Data:
    """As much of the stimuli as targets ask for."""

    label_names = ("a", "b")


def test_inference():
    network = made()
    results = {name: coded.real() for name, coded in network.evaluate(stimuli()).items()}
    boxes, scores = results["rp"][:, :, 0, 0], results["softmax"]
    assert boxes.shape == (16, 4)
    assert scores.shape == (16, 2, 1, 1)
    assert results["bbox"].shape == (16, 8, 1, 1)
    assert torch.allclose(scores.sum(1), torch.ones(16, 1, 1))
    for stimulus in boxes.split(8):
        for number, box in enumerate(stimulus.tolist()):
            assert slow.clip(box, 96, 64) == pytest.approx(box, abs=1e-4)
            assert min(box[2:]) >= 4
            assert all(slow.iou(box, other) <= 0.7 for other in stimulus[:number].tolist())
    # The scores of the boxes that were chosen are the best there are: that of the first is the highest.
    anchors = results["anchor"].unflatten(1, (6, -1)).flatten(2)
    for stimulus in range(2):
        best = int(anchors[stimulus, 0].argmax())
        assert boxes[8 * stimulus].tolist() == anchors[stimulus, 1:5, best].tolist()
    alone = network.evaluate(Coded(stimuli().values[1:], stimuli().grid))
    assert torch.equal(alone["rp"].real(), results["rp"][8:])


def test_forward_at_rest_is_the_evaluation():
    network = made().eval()
    with torch.no_grad():
        outputs = network(stimuli().real())
    results = network.evaluate(stimuli(), ["softmax", "bbox"])
    for name in ("softmax", "bbox"):
        assert torch.allclose(outputs[name], results[name].real(), atol=1e-6)


def test_all_learns_if_the_regions_are_known():
    network = made().train()
    truth = [torch.tensor([[20.0, 10.0, 30.0, 30.0, 1.0]]), torch.tensor([[50.0, 30.0, 16.0, 16.0, 0.0]])]
    network.truth = {"anchor": truth}
    outputs = network(stimuli().real())
    assert set(outputs) == {"softmax", "bbox", "rp", "anchor"}  # what proposes comes with what is learned
    (own,) = network.own_losses()
    assert network.own_losses() == []  # once
    (outputs["softmax"].square().sum() + outputs["bbox"].square().sum() + own).backward()
    for cell, item in network.learned():
        assert item.tensor.grad is not None, f"{cell}_{item.name}"
        assert torch.isfinite(item.tensor.grad).all()
        assert item.tensor.grad.any(), f"{cell}_{item.name}"


def test_learning_without_regions_names_the_cell():
    with pytest.raises(LearningError, match="Anchor cell anchor cannot learn") as caught:
        made().train()(stimuli().real())
    assert "boxes.ini" in str(caught.value)


def test_a_cell_that_no_target_learns_is_left_out_of_learning():
    text = NET.replace("[bbox.Target]", "[rp.Target]\nType=TargetBBox\n[bbox.Target]")
    only = text[: text.index("[softmax.Target]")] + text[text.index("[bbox]") : text.index("[bbox.Target]")]
    network = made(only + text[text.index("[common.config]") :]).train()
    network.truth = {"anchor": [torch.zeros(0, 5)] * 2}
    assert network(stimuli().real()) == {}
    network.own_losses()[0].backward()
    assert network.layers["scores"].weights.grad is not None
    assert network.layers["fc1"].weights.grad is None
    with torch.no_grad():
        assert set(network.eval()(stimuli().real())) == {"rp"}


def test_a_loss_may_feed_what_gives_boxes():
    final = "[final]\nType=Proposal\nInput=rp,bbox,softmax\nNbProposals=8\n[final.Target]\nType=TargetBBox\n"
    network = made(NET.replace("[common.config]", f"{final}[common.config]", 1))
    assert network.loss_form("softmax") == "cross-entropy"
    with torch.no_grad():
        outputs = network.eval()(stimuli().real())
    assert torch.allclose(outputs["softmax"].sum(1), torch.ones(16, 1, 1))
    assert outputs["final"].shape == (16, 4, 1, 1)


def test_so_is_any_target_behind_boxes():
    start, end = NET.index("Type=TargetRP"), NET.index("[bbox]")
    text = NET[:start] + NET[end : NET.index("[bbox.Target]")] + NET[NET.index("[common.config]") :]
    with pytest.raises(LearningError, match="behind RP cell rp there is an output for each box") as caught:
        comparisons(made(text), Data())
    assert "softmax.Target can be neither" in str(caught.value)
    assert "[softmax.Target]" in str(caught.value)


def test_a_target_beside_the_boxes_is_none():
    start, end = NET.index("[softmax.Target]"), NET.index("[bbox]")
    text = NET[:start] + NET[end : NET.index("[bbox.Target]")] + NET[NET.index("[common.config]") :]
    network = made(text + "[side]\nType=Fc\nInput=conv2\nNbOutputs=2\n[side.Target]\n")
    assert len(comparisons(network, Data())) == 1
    network.train()(stimuli().real())["side"].sum().backward()


DETECTOR = """
DefaultModel=Frame
[sp]
Size=16 16 1
BatchSize=2
[q]
ActivationFunction=Linear
QAct=SAT
QAct.Range=63
QAct.Alpha=16
[head]
Type=Conv
Input=sp
KernelSize=4
Stride=4
NbOutputs=20
[anchor]{anchor}
Type=Anchor
Input=head
DetectorType=LapNet
Ratios=1 2
RootArea=5
Scales=1 2
[det]{det}
Type=ObjectDet
Input=anchor
NbAnchors=2
NbClass=2
NbProposals=3
Score_Threshold=-10
[rp]{rp}
Type=RP
Input=anchor
NbAnchors=4
NbProposals=3
[pooled]{pooled}
Type=ROIPooling
Input=rp,head
NbOutputs=20
OutputsWidth=2
OutputsHeight=2
Pooling=Average
[t]
Type=Fc
Input=pooled
NbOutputs=8
[s]
Type=Fc
Input=pooled
NbOutputs=2
[final]{final}
Type=Proposal
Input=rp,t,s
NbProposals=3
Score_Threshold=-10
"""
CELLS = ("anchor", "det", "rp", "pooled", "final")


def detector(*quantized):
    return made(DETECTOR.format(**{name: "q" if name in quantized else "" for name in CELLS}))


def images():
    generator = torch.Generator().manual_seed(2)
    return Coded(torch.randint(0, 256, (2, 1, 16, 16), generator=generator).float(), Grid(1 / 255, 0, 255))


@pytest.mark.parametrize("name", CELLS)
def test_every_output_can_be_quantized(name):
    plain, network = detector(), detector(name)
    before = plain.evaluate(images(), [name])[name].real()
    coded = network.evaluate(images(), [name])[name]
    assert coded.grid is not None
    assert (coded.grid.low, coded.grid.high) == (0, 63)
    assert torch.equal(coded.values, coded.values.round())
    step = 16 / 63
    assert float((coded.real() - before.clamp(0, 16)).abs().max()) <= step / 2 + 1e-5
    assert coded.values.any()
    with torch.no_grad():
        found = network.eval()(images().real())
    if name in found:
        assert torch.allclose(found[name], coded.real(), atol=1e-5)


def test_yolo_is_detected_with_too():
    text = DETECTOR.format(**dict.fromkeys(CELLS, "")).replace("LapNet", "YOLO")
    other = made(text).evaluate(images(), ["det"])["det"].real()
    assert torch.equal(other, detector().evaluate(images(), ["det"])["det"].real())
    assert other.shape == (12, 6, 1, 1)
