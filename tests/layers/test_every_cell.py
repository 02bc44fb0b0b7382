"""One network with every type of cell: it builds, learns a step, is evaluated on codes and drawn."""

import pytest
import torch

from n2d2py import data, registry
from n2d2py.graph.dump import dump
from n2d2py.graph.picture import dot
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn.solving import build as solvers
from n2d2py.quant.grid import Coded

from .networks import network, pixels

ROOMS = (data,)
ELSEWHERE = {"Anchor", "GRU", "LSTM", "ObjectDet", "Proposal", "RP", "ROIPooling"}
"""Types with tests of their own: their inputs are no images."""

NET = """
[Quantized]
ActivationFunction=Linear
QAct=SAT
QAct.Range=15
QAct.Alpha=4
[Weighted]Quantized
QWeight=SAT
QWeight.Range=15
[a]Weighted
Type=Conv
Input=env
KernelSize=3
Padding=1
NbOutputs=4
[bn]Quantized
Type=BatchNorm
Input=a
NbOutputs=4
[lrn]
Type=LRN
Input=bn
NbOutputs=4
[act]Quantized
Type=Activation
Input=lrn
NbOutputs=4
[pool]Quantized
Type=Pool
Input=act
NbOutputs=4
Pooling=Max
PoolSize=2
Stride=2
Mapping.Size=1
[unpool]Quantized
Type=Unpool
Input=pool
NbOutputs=4
PoolSize=2
Stride=2
ArgMax=pool
[deconv]Weighted
Type=Deconv
Input=pool
NbOutputs=4
KernelSize=2
Stride=2
[add]Quantized
Type=ElemWise
Input=unpool,deconv
NbOutputs=4
[scaling]Quantized
Type=Scaling
Input=add
NbOutputs=4
Factor=2
[threshold]Quantized
Type=Threshold
Input=scaling
NbOutputs=4
Threshold=0.25
Operation=ToZero
[padding]Quantized
Type=Padding
Input=threshold
NbOutputs=4
TopPadding=1
BottomPadding=-1
[fmp]Quantized
Type=FMP
Input=padding
NbOutputs=4
ScalingRatio=1.5
[resize]Quantized
Type=Resize
Input=fmp
NbOutputs=4
OutputWidth=6
OutputHeight=4
Mode=BilinearTF
[reshape]Quantized
Type=Reshape
Input=resize
NbOutputs=4
Dims=4 6 -1
[transpose]Quantized
Type=Transpose
Input=reshape
NbOutputs=4
Perm=1 0 2 3
[normalize]
Type=Normalize
Input=transpose
NbOutputs=4
Norm=L2
[drop]
Type=Dropout
Input=normalize
NbOutputs=4
[fc]Weighted
Type=Fc
Input=drop
NbOutputs=6
Normalize=1
DropConnect=0.9
[distance]
Type=Distance
Input=fc
NbOutputs=3
Margin=0.1
CenterCoef=0.1
[bias]
Type=TargetBias
Input=distance
NbOutputs=3
Bias=-0.2
[softmax]
Type=Softmax
Input=bias
NbOutputs=3
WithLoss=1
[softmax.Target]
[still]Quantized
Type=Transformation
Input=env
NbOutputs=2
Transformation=Rescale
Width=4
Height=4
"""


@pytest.fixture
def made() -> TorchNetwork:
    return network(NET)


def test_no_type_is_left_out(made):
    assert {node.cell.type_name for node in made.network} == set(registry.names("cell")) - ELSEWHERE
    assert set(registry.names("cell")) - ELSEWHERE <= set(registry.names("layer"))


def test_a_step_of_learning(made):
    made.train()
    made.labels = lambda output: torch.tensor([0, 1, 2, 0])
    solving = solvers(made.learned(), 4)
    before = {f"{cell}_{item.name}": item.tensor.detach().clone() for cell, item in made.learned()}
    torch.manual_seed(1)
    loss = torch.nn.functional.cross_entropy(made(pixels().real())["softmax"].flatten(1), torch.tensor([0, 1, 2, 0]))
    loss.backward()
    for cell, item in made.learned():
        if cell != "still":
            assert torch.isfinite(item.tensor.grad).all(), f"{cell}_{item.name}"
    solving.step()
    after = {f"{cell}_{item.name}": item.tensor.detach() for cell, item in made.learned()}
    changed = {name for name, tensor in after.items() if not torch.equal(before[name], tensor)}
    assert {"a_weights", "deconv_weights", "fc_weights", "distance_means", "bn_scales"} <= changed


@pytest.mark.parametrize("operation", ["Sum", "AbsSum", "EuclideanSum", "Prod", "Max"])
@pytest.mark.parametrize("function", ["Rectifier", "Linear", "Tanh", "Swish"])
def test_no_activation_writes_over_what_a_gradient_needs(function, operation):
    section = NET.index("ActivationFunction"), NET.index("[Weighted]")
    text = NET[: section[0]] + f"ActivationFunction={function}\n" + NET[section[1] :].replace("QWeight=SAT", "NoBias=1")
    text = text.replace("QWeight.Range=15\n", "").replace("[add]Quantized", f"[add]Quantized\nOperation={operation}")
    text = text.replace("[softmax]", "[softmax]Quantized").replace("WithLoss=1", "WithLoss=0")
    made = network(text).train()
    parents = {}
    for name, layer in made.layers.items():
        layer.register_forward_pre_hook(lambda _, x, name=name: parents.update({name: (x, [v.clone() for v in x])}))
    made(pixels().real())["softmax"].square().sum().backward()
    assert all(torch.isfinite(item.tensor.grad).all() for cell, item in made.learned())
    for name, (now, kept) in parents.items():
        assert all(torch.equal(left, right) for left, right in zip(now, kept, strict=True)), name


def test_evaluation_on_codes(made):
    stimuli = pixels(batch=3)
    results = made.evaluate(stimuli)
    assert list(results) == [node.name for node in made.network]
    for name, coded in results.items():
        assert tuple(coded.values.shape[1:]) == made.network[name].output.shape
        assert torch.isfinite(coded.real()).all()
        if coded.grid is not None:
            assert torch.equal(coded.values, coded.values.round())
    reals = {"lrn", "normalize", "drop", "distance", "bias", "softmax"}
    assert {name for name, coded in results.items() if coded.grid is None} == reals
    again = made.evaluate(Coded(stimuli.values[:1], stimuli.grid))
    assert all(torch.equal(again[name].values[0], results[name].values[0]) for name in set(results) - reals)


def test_text_and_picture(made):
    text = dump(made.network)
    drawing = dot(made.network, "net.ini").source
    for node in made.network:
        assert f"{node.name} = {node.cell.type_name}" in text
        assert node.name in drawing
