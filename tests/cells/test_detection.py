"""A network that finds boxes, in the manner of Faster R-CNN: it is read, checked, written, read again and drawn."""

from __future__ import annotations

import pytest

from n2d2py import ini
from n2d2py.cells.base import BoxRows, Dims
from n2d2py.errors import GraphError
from n2d2py.graph.build import build
from n2d2py.graph.dump import dump
from n2d2py.graph.lint import lint
from n2d2py.graph.network import Network
from n2d2py.graph.parse import parse
from n2d2py.graph.picture import dot

NET = """
DefaultModel=Frame_CUDA
$NB_CLASS=2
$NB_ANCHORS=9
$NB_BOXES=8
[sp]
SizeX=96
SizeY=64
NbChannels=1
BatchSize=2
CompositeStimuli=1
[Kernels]
Type=Conv
ActivationFunction=Rectifier
WeightsFiller=NormalFiller
WeightsFiller.StdDev=0.05
ConfigSection=common.config
[conv1]Kernels
Input=sp
KernelSize=5
Padding=2
Stride=4
NbOutputs=8
[pool1]
Type=Pool
Input=conv1
PoolSize=2
Stride=2
NbOutputs=8
Pooling=Max
Mapping.Size=1
[conv2]Kernels
Input=pool1
KernelSize=3
Padding=1
NbOutputs=12
[scores]
Type=Conv
Input=conv2
KernelSize=1
NbOutputs=$(${NB_ANCHORS})
ActivationFunction=Logistic
WeightsFiller=NormalFiller
WeightsFiller.StdDev=0.01
ConfigSection=common.config
[offsets]
Type=Conv
Input=conv2
KernelSize=1
NbOutputs=$(4 * ${NB_ANCHORS})
WeightsFiller=NormalFiller
WeightsFiller.StdDev=0.001
ConfigSection=common.config
[anchor]
Input=scores,offsets
Type=Anchor
Model=Frame
DetectorType=SSD
ConfigSection=anchor.config
Anchor[0]=16 0.5
Anchor[1]=16 1.0
Anchor[2]=16 2.0
Anchor[3]=32 0.5
Anchor[4]=32 1.0
Anchor[5]=32 2.0
Anchor[6]=48 0.5
Anchor[7]=48 1.0
Anchor[8]=48 2.0
[anchor.config]
PositiveIoU=0.7
NegativeIoU=0.3
LossLambda=5.0
LossPositiveSample=16
LossNegativeSample=16
[rp]
Input=anchor
Type=RP
Model=Frame
NbAnchors=$(${NB_ANCHORS})
NbProposals=${NB_BOXES}
ConfigSection=rp.config
[rp.config]
NMS_IoU_Threshold=0.7
MinWidth=4
MinHeight=4
[roipool]
Input=rp,conv2
Type=ROIPooling
Model=Frame
OutputsWidth=3
OutputsHeight=3
NbOutputs=12
Pooling=Max
[Heads]
Type=Fc
ConfigSection=common.config
WeightsFiller=NormalFiller
WeightsFiller.StdDev=0.01
[fc1]Heads
Input=roipool
NbOutputs=20
ActivationFunction=Rectifier
[cls]Heads
Input=fc1
NbOutputs=${NB_CLASS}
[softmax]
Type=Softmax
Input=cls
NbOutputs=${NB_CLASS}
WithLoss=1
[softmax.Target]
Type=TargetRP
TargetType=Cls
RP=rp
Anchor=anchor
[bbox]Heads
Input=fc1
NbOutputs=$(4 * ${NB_CLASS})
[bbox.Target]
Type=TargetRP
TargetType=BBox
RP=rp
Anchor=anchor
LossLambda=2.0
[common.config]
NoBias=0
Solvers.LearningRate=0.01
Solvers.Momentum=0.9
Solvers.Decay=0.0005
"""


def built(text: str = NET) -> Network:
    return build(ini.loads(text, file="boxes.ini"), "boxes.ini")


def test_dimensions() -> None:
    network = built()
    lint(network)
    assert network["anchor"].inputs == (Dims(12, 8, 9), Dims(12, 8, 36))
    assert network["anchor"].output == Dims(12, 8, 54)
    assert network["rp"].output == Dims(1, 1, 4)
    assert network["roipool"].output == Dims(3, 3, 12)
    assert network["bbox"].output == Dims(1, 1, 8)
    assert [target.cells for target in network.targets] == [{"RP": "rp", "Anchor": "anchor"}] * 2


def test_keys_of_configuration_sections_arrive() -> None:
    network = built()
    anchor, rp = network["anchor"].cell, network["rp"].cell
    assert (anchor.loss_lambda, anchor.positive_sample, anchor.detector) == (5.0, 16, "SSD")  # type: ignore[attr-defined]
    assert (rp.min_width, rp.nms_iou, rp.nb_proposals) == (4.0, 0.7, 8)  # type: ignore[attr-defined]


def test_text_is_read_again() -> None:
    network = built()
    text = dump(network)
    assert "Anchor[8]=48 2" in text
    assert "softmax.Target = TargetRP(softmax): RP=rp" in text
    again = parse(text)
    assert dump(again) == text
    assert [node.cell for node in again] == [node.cell for node in network]


def test_picture() -> None:
    drawing = dot(built(), "boxes.ini").source
    for words in ("SSD, 9 anchors", "8 proposals", "roipool"):
        assert words in drawing


def test_there_is_nothing_to_warn_of(caplog: pytest.LogCaptureFixture) -> None:
    built()
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []


def test_a_target_finds_the_cell_that_proposes_its_regions() -> None:
    network = built(NET.replace("RP=rp\n", ""))
    assert [target.cells["RP"] for target in network.targets] == ["rp", "rp"]


def test_what_rows_of_boxes_are() -> None:
    network = built(OTHERS)
    found = {node.name: node.cell.found_in(node.inputs) for node in network}
    assert found["det"] == BoxRows(6, 2, score=4, label=5)
    assert found["rp"] == BoxRows(4)
    assert found["final"] == BoxRows(4, 2, None, 4, True, (0.0,) * 4, (0.1, 0.1, 0.2, 0.2))
    assert found["anchor"] is found["lstm"] is found["t"] is None
    assert [node.name for node in network if node.cell.learns_alone] == ["anchor"]


def test_a_target_of_a_cell_that_is_not_there() -> None:
    with pytest.raises(GraphError) as caught:
        built(NET.replace("RP=rp\n", "RP=rpn\n"))
    assert "there is no cell rpn" in str(caught.value)


OTHERS = """
DefaultModel=Frame
[sp]
Size=16 8 3
BatchSize=2
[lstm]
Type=LSTM
Input=sp
SeqLength=8
BatchSize=2
InputDim=48
NumberLayers=2
HiddenSize=10
Bidirectional=1
SingleBackpropFeeding=0
BiasReccurentForgetGateFiller=ConstantFiller
BiasReccurentForgetGateFiller.Value=1
[head]
Type=Conv
Input=sp
KernelSize=4
Stride=4
NbOutputs=30
[anchor]
Type=Anchor
Input=head
DetectorType=LapNet
AnchorBBOX[0]=-2 -2.5 4 5
AnchorBBOX[1]=0 0 8 8
AnchorBBOX[2]=0 0 6 3
AnchorBBOX[3]=0 0 3 6
AnchorBBOX[4]=0 0 4 4
AnchorBBOX[5]=1 1 2 2
NbClass=2
[det]
Type=ObjectDet
Input=anchor
NbAnchors=3
NbClass=2
NbProposals=3
Score_Threshold=0.25 0.5
[rp]
Type=RP
Input=anchor
NbAnchors=6
NbProposals=4
[t]
Type=Fc
Input=rp
NbOutputs=8
[s]
Type=Fc
Input=rp
NbOutputs=2
[final]
Type=Proposal
Input=rp,t,s
NbProposals=4
WithCls=1
StdFactor=0.1 0.1 0.2 0.2
"""


def test_the_others_are_read_again() -> None:
    network = built(OTHERS)
    text = dump(network)
    assert dump(parse(text)) == text
    assert [node.cell for node in parse(text)] == [node.cell for node in network]
    drawing = dot(network, "boxes.ini").source
    for words in ("2 x 10, both ways", "LapNet, 6 anchors", "2 classes, 3 boxes each"):
        assert words in drawing


PARTED = (
    OTHERS.replace("[det]\nType=ObjectDet\nInput=anchor\n", "[det]\nType=ObjectDet\nInput=anchor,p,m\nNumParts=1 2\n")
    .replace("Score_Threshold=0.25 0.5\n", "Score_Threshold=0.25 0.5\nNumTemplates=1 0\n")
    .replace("Input=rp,t,s\n", "Input=rp,t,s,v\nNumParts=0 2\n")
    .replace("DetectorType=LapNet\n", "DetectorType=LapNet\nFlip=1\n")
    + "".join(
        f"[{name}]\nType=Conv\nInput=sp\nKernelSize=4\nStride=4\nNbOutputs={count}\n"
        for name, count in (("p", 18), ("m", 9))
    )
    + "[v]\nType=Fc\nInput=rp\nNbOutputs=6\n"
)


def test_parts_templates_and_mirrored_anchors_are_read_again() -> None:
    network = built(PARTED)
    lint(network)
    assert network["det"].output == Dims(1, 1, 6 + 2 * 2 + 3 * 1)
    assert network["final"].output == Dims(1, 1, 5 + 3 * 2)
    assert network["det"].cost.nodes == 13
    text = dump(network)
    for words in ("NumParts=1 2", "NumTemplates=1 0", "NumParts=0 2", "Flip=1"):
        assert words in text
    assert dump(parse(text)) == text
    assert [node.cell for node in parse(text)] == [node.cell for node in network]
    drawing = dot(network, "boxes.ini").source
    for words in ("parts 1 2, templates 1 0", "parts 0 2", "6 anchors, mirrored"):
        assert words in drawing
