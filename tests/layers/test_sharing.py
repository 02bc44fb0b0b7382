from dataclasses import replace

import numpy as np
import pytest
import torch

from n2d2py.errors import GraphError, WeightsError
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import weights
from n2d2py.learn.solving import build as solvers

from .networks import network

NET = """
[a]
Type=Conv
Input=env
KernelSize=3
Padding=1
NbOutputs=2
WeightsSolver.LearningRate=0.5
[bn1]
Type=BatchNorm
Input=a
NbOutputs=2
[b]
Type=Conv
Input=bn1
KernelSize=3
Padding=1
NbOutputs=2
WeightsSharing=a
BiasesSharing=a
[bn2]
Type=BatchNorm
Input=b
NbOutputs=2
ScalesSharing=bn1
BiasesSharing=bn1
MeansSharing=bn1
VariancesSharing=bn1
[c]
Type=Fc
Input=bn2
NbOutputs=3
"""


def test_the_very_same_tensors():
    made = network(NET)
    a, b, bn1, bn2 = (made.layers[name] for name in ("a", "b", "bn1", "bn2"))
    assert a.weights is b.weights
    assert a.biases is b.biases
    assert all(getattr(bn1, name) is getattr(bn2, name) for name in ("scales", "biases", "means", "variances"))
    names = [f"{cell}_{item.name}" for cell, item in made.learned()]
    assert names == ["a_weights", "a_biases", "bn1_scales", "bn1_biases", "c_weights", "c_biases"]
    assert {id(item.tensor) for _, item in made.learned()} == {id(tensor) for tensor in made.parameters()}


def test_both_give_gradients_and_move_statistics():
    made = network(NET).train()
    x = torch.randn(3, 2, 8, 8)
    before = made.layers["bn1"].means.clone()
    made(x)["c"].square().sum().backward()
    alone = network(NET.replace("WeightsSharing=a\nBiasesSharing=a\n", ""))
    alone.layers["b"].weights.data.copy_(made.layers["a"].weights)
    alone.layers["b"].biases.data.copy_(made.layers["a"].biases)
    for name in ("a", "c"):
        for mine, theirs in zip(made.layers[name].parameters(), alone.layers[name].parameters(), strict=True):
            theirs.data.copy_(mine.data)
    alone.train()(x)["c"].square().sum().backward()
    together = alone.layers["a"].weights.grad + alone.layers["b"].weights.grad
    assert torch.allclose(made.layers["a"].weights.grad, together, rtol=1e-4, atol=1e-4)
    assert not torch.equal(made.layers["bn2"].means, before)
    solvers(made.learned(), 3).step()
    assert made.layers["a"].weights is made.layers["b"].weights


def test_filling_is_that_of_the_owner():
    made = network(NET)
    own = network(NET.replace("WeightsSharing=a\nBiasesSharing=a\n", ""))
    assert torch.equal(made.layers["b"].weights, own.layers["a"].weights)
    backwards = network(
        "[b]\nType=Conv\nInput=env\nKernelSize=1\nNbOutputs=2\nWeightsSharing=z\n"
        "[z]\nType=Conv\nInput=env\nKernelSize=1\nNbOutputs=2\nWeightsFiller=ConstantFiller\nWeightsFiller.Value=3\n"
    )
    assert backwards.layers["b"].weights.unique().tolist() == [3.0]


def test_they_stay_together_on_another_type_or_device():
    made = network(NET).to(torch.float64).to("meta")
    assert made.layers["bn1"].means is made.layers["bn2"].means
    assert made.layers["a"].weights is made.layers["b"].weights
    assert made.layers["bn2"].means.device.type == "meta"


def test_files_of_both(tmp_path):
    made = network(NET)
    weights.save(made, tmp_path)
    assert (tmp_path / "a_weights.syntxt").read_text() == (tmp_path / "b_weights.syntxt").read_text()
    other = network(NET)
    other.fill(7)
    weights.load(other, tmp_path)
    assert torch.equal(other.layers["b"].weights, made.layers["b"].weights)
    (tmp_path / "b_biases.syntxt").write_text("1\n2\n")
    before = other.layers["a"].weights.clone()
    with pytest.raises(WeightsError, match="cells a and b share their biases, and their files differ") as error:
        weights.load(other, tmp_path)
    assert "b_biases.syntxt" in str(error.value)
    assert "a_biases.syntxt" in str(error.value)
    assert torch.equal(other.layers["a"].weights, before)


@pytest.mark.parametrize(
    ("shared", "what"),
    [
        ({"c": {"weights": "a"}}, "cell c cannot share the weights of cell a: its own are 3x128, those are 2x2x3x3"),
        ({"bn1": {"weights": "a"}}, "cell bn1 cannot share the weights of cell a: its own are not there"),
    ],
)
def test_tensors_that_cannot_be_shared(shared, what):
    with pytest.raises(GraphError, match=what):
        TorchNetwork(replace(network(NET).network, shared=shared))


# ----------------------------------------------------------------------------------------- imported values


def test_imported_values_come_after_the_fillers():
    graph = network(NET).network
    kernel = np.arange(36, dtype=np.float64).reshape(2, 2, 3, 3)
    made = TorchNetwork(
        replace(graph, initial={"a": {"weights": kernel}, "bn1": {"means": np.array([1.0, 2.0], np.float32)}})
    )
    made.fill(1)
    assert torch.equal(made.layers["a"].weights.double(), torch.from_numpy(kernel))
    assert made.layers["bn2"].means.tolist() == [1.0, 2.0]
    assert made.layers["bn1"].variances.tolist() == [1.0, 1.0]


def test_imported_values_are_masked():
    graph = network("[c]\nType=Conv\nInput=env\nKernelSize=1\nNbOutputs=2\nMapping(env)=1 0 1 1\n").network
    made = TorchNetwork(replace(graph, initial={"c": {"weights": np.ones((2, 2, 1, 1))}}))
    made.fill(1)
    assert made.layers["c"].weights.flatten().tolist() == [1.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("initial", "texts"),
    [
        ({"a": {"weights": np.ones((2, 3, 3, 3))}}, ("imported weights of Conv cell a do not fit: 2x3x3x3", "2x2x3x3")),
        ({"c": {"biases": np.ones(4)}}, ("imported biases of Fc cell c do not fit: 4", "expected: 3")),
        ({"c": {"scales": np.ones(3)}}, ("imported scales of Fc cell c", "the cell has no such tensor")),
    ],
)
def test_imported_values_that_do_not_fit(initial, texts):
    made = TorchNetwork(replace(network(NET).network, initial=initial))
    with pytest.raises(GraphError) as error:
        made.fill(1)
    assert all(text in str(error.value) for text in texts)
    assert "net.ini:" in str(error.value)
