"""QWeight.Mode=Integer: learning carries activation codes beside their scale to the weighted cells."""

import pytest
import torch

from n2d2py.quant.scaled import Scaled

from .networks import lenet, network, randomize

HEAD = """
[Weighted]
QWeight=SAT
QWeight.Range=15
QWeight.Mode={mode}
ActivationFunction=Linear
[Coded]
ActivationFunction=Rectifier
QAct=SAT
QAct.Alpha=1.5
QAct.Range=15
"""
CELLS = (
    HEAD
    + """
[conv1] Weighted
Type=Conv
Input=env
KernelSize=3
NbOutputs=4
[bn1] Coded
Type=BatchNorm
Input=conv1
NbOutputs=4
[conv1b] Weighted Coded
Type=Conv
Input=env
KernelSize=3
NbOutputs=2
[both]
Type=Pool
Input=bn1,conv1b
NbOutputs=6
Pooling=Average
PoolSize=2
Stride=2
Mapping.Size=1
[drop]
Type=Dropout
Input=both
NbOutputs=6
Dropout=0.25
[linear]
Type=Activation
Input=drop
NbOutputs=6
ActivationFunction=Linear
[conv2] Weighted
Type=Conv
Input=linear
KernelSize=2
NbOutputs=5
NoBias=1
[bn2] Coded
Type=BatchNorm
Input=conv2
NbOutputs=5
[conv2b] Weighted Coded
Type=Conv
Input=both,drop
KernelSize=2
NbOutputs=3
[top]
Type=Pool
Input=bn2,conv2b
NbOutputs=8
Pooling=Max
PoolSize=2
ActivationFunction=Rectifier
[fc1] Weighted
Type=Fc
Input=top,bn2
NbOutputs=6
QWeight.ApplyScaling=1
[fc2] Weighted
Type=Fc
Input=fc1
NbOutputs=3
QWeight.ApplyScaling=1
[softmax]
Type=Softmax
Input=fc2
NbOutputs=3
WithLoss=1
[softmax.Target]
[top.Target]
"""
)


def stimuli(size=(8, 8, 2), batch=4):
    return torch.rand(batch, size[2], size[1], size[0], generator=torch.Generator().manual_seed(2))


def learned(made, training):
    """Outputs and gradients, in float64 so that no value falls on the other side of a rounding.

    The scales of ApplyScaling stay float32.
    """
    made = made.double().train(training)
    torch.manual_seed(5)
    outputs = made(stimuli().double())
    sum(y.square().sum() for y in outputs.values()).backward()
    results = {name: y.detach() for name, y in outputs.items()}
    for cell, item in made.learned():
        results[f"{cell}.{item.name}"] = item.tensor.grad
    return results


def check_equal(default, integer):
    assert default.keys() == integer.keys()
    for name, value in default.items():
        assert value is not None, name
        assert torch.allclose(value, integer[name], rtol=1e-6, atol=1e-9), name


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("alphas_differ", [False, True])
def test_outputs_and_gradients_are_those_of_default_mode(training, alphas_differ):
    results = []
    for mode in ("Default", "Integer"):
        made = randomize(network(CELLS.format(mode=mode)))
        assert made.carries_codes == (mode == "Integer")
        if alphas_differ:
            with torch.no_grad():
                made.layers["bn1"].quantizer.alpha.fill_(2.0)
        results.append(learned(made, training))
    check_equal(*results)
    assert all(bool(results[0][f"{cell}.QAct_SAT_Alpha"].abs() > 0) for cell in ("bn1", "conv1b", "bn2"))


def test_a_network_may_have_cells_of_both_modes():
    check_equal(*(learned(lenet(0, mode), True) for mode in ("Default", "Integer")))


def carried(made, monkeypatch):
    """What each weighted cell computes its sums from."""
    found = {}
    for name in ("conv2", "conv2b", "fc1", "fc2"):
        layer = made.layers[name]

        def product(x, weights, biases, name=name, compute=layer.product):
            found[name] = (x.detach(), weights.detach(), compute(x, weights, biases).detach())
            return compute(x, weights, biases)

        monkeypatch.setattr(layer, "product", product)
    return found


def test_weighted_cells_multiply_codes(monkeypatch):
    made = network(CELLS.format(mode="Integer")).train()
    found = carried(made, monkeypatch)
    made(stimuli())
    for name in ("conv2", "fc1"):
        x, weights, sums = found[name]
        assert x.dtype == weights.dtype == torch.float32
        for codes in (x, weights, sums):
            assert torch.equal(codes, codes.round()), name
        assert float(weights.abs().max()) == 15
    assert float(found["conv2"][0].max()) > 15, "the average is a sum of codes"
    assert float(found["fc1"][0].max()) <= 15
    for name in ("conv2b", "fc2"):
        assert not torch.equal(found[name][0], found[name][0].round()), "unequal scales and no quantizer give reals"


def test_sums_too_large_for_float32_are_exact_too():
    made = network(HEAD.format(mode="Integer") + "[c] Weighted\nType=Fc\nInput=env\nNbOutputs=2\nNoBias=1\n")
    layer, high = made.layers["c"], (1 << 22) - 1
    codes = torch.randint(high - 9, high, (3, 2, 8, 8), generator=torch.Generator().manual_seed(3)).float()
    weights, scale = layer.weights_quantizer.split(layer.weights)
    exact = codes.flatten(1).long() @ weights.long().T
    result = layer.forward_scaled(Scaled(codes, torch.tensor(0.5), high)).values
    assert result.dtype == torch.float32
    assert torch.equal(result[:, :, 0, 0], exact.float() * (scale * 0.5))


def test_without_a_cell_that_takes_codes_none_are_made():
    made = network(CELLS.format(mode="Default"))
    assert not any(layer.gives_codes for layer in made.layers.values())
    alone = network(HEAD.format(mode="Integer") + "[c] Weighted Coded\nType=Fc\nInput=env\nNbOutputs=2\n")
    assert not alone.carries_codes


@pytest.mark.parametrize("carried_on", [True, False])
def test_an_average_keeps_codes_as_long_as_their_sum_is_exact(carried_on):
    layer = network(CELLS.format(mode="Integer")).layers["both"]
    high = (1 << 24) // layer.terms - carried_on
    codes = torch.randint(high - 9, high, (2, 6, 4, 4), generator=torch.Generator().manual_seed(4)).float()
    result = layer.forward_scaled(Scaled(codes, torch.tensor(0.5), high))
    assert (result.scale is not None) == carried_on
    assert result.high == (layer.terms * high if carried_on else 0)
    assert torch.allclose(result.real(), layer(codes * 0.5))


def test_dropout_divides_the_scale_and_not_the_codes():
    layer = network(CELLS.format(mode="Integer")).layers["drop"].train()
    codes = torch.full((4, 6, 4, 4), 5.0)
    torch.manual_seed(1)
    result = layer.forward_scaled(Scaled(codes, torch.tensor(0.375), 15))
    assert set(result.values.flatten().tolist()) == {0.0, 5.0}
    assert (float(result.scale), result.high) == (0.5, 15)
    torch.manual_seed(1)
    assert torch.allclose(result.real(), layer(codes * 0.375))
