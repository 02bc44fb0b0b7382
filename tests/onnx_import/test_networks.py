"""Whole networks of others: those inside the onnx package, an export of torch, a very deep ResNet."""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from n2d2py.layers.network import TorchNetwork
from n2d2py.onnx_import import import_model
from n2d2py.onnx_import.reader import NEWEST_OPSET, OLDEST_OPSET
from n2d2py.quant.grid import Coded
from tests.onnx_import.models import computed, model, network_of, saved, values
from tests.onnx_import.test_operators import node as op

_LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
_SCRIPT = Path(__file__).parents[2] / "examples" / "make_resnet18_onnx.py"

# Cells and outputs of each network.
LIGHT = {
    "bvlc_alexnet": (17, 1000),
    "densenet121": (305, 1000),
    "inception_v1": (86, 1000),
    "inception_v2": (167, 1000),
    "resnet50": (126, 1000),
    "shufflenet": (169, 1000),
    "squeezenet": (40, 1000),
    "vgg19": (27, 1000),
    "zfnet512": (14, 1000),
}


@pytest.mark.parametrize("name", LIGHT)
def test_networks_of_the_onnx_package_import(name: str) -> None:
    path = _LIGHT / f"light_{name}.onnx"
    if not path.exists():
        pytest.skip("this onnx package has no such network")
    network = network_of(import_model(path))
    assert (len(network), network.nodes[-1].output.size) == LIGHT[name]


def test_squeezenet_with_random_weights_gives_what_onnx_runtime_gives(tmp_path: Path) -> None:
    path = _LIGHT / "light_squeezenet.onnx"
    if not path.exists():
        pytest.skip("this onnx package has no such network")
    made = onnx.load(path)
    shapes = {item.name: numpy_helper.to_array(item) for item in made.graph.initializer}
    kept = [node for node in made.graph.node if node.op_type != "ConstantOfShape"]
    for seed, node in enumerate(node for node in made.graph.node if node.op_type == "ConstantOfShape"):
        shape = [int(length) for length in shapes[node.input[0]]]
        scale = np.sqrt(2 / max(1, int(np.prod(shape[1:]))))
        weights = values(*shape, seed=seed) * np.float32(scale)
        made.graph.initializer.append(numpy_helper.from_array(weights, node.output[0]))
    del made.graph.node[:]
    made.graph.node.extend(kept)
    (stimuli,) = (item for item in made.graph.input if item.name not in shapes)
    for node in made.graph.node:
        node.input[:] = ["x" if name == stimuli.name else name for name in node.input]
    stimuli.name = "x"
    wanted, got, _ = computed(saved(made, tmp_path), values(1, 3, 224, 224))
    assert wanted[0].std() > 1e-3, "the outputs differ from each other"
    assert np.abs(wanted[0] - got[0]).max() < 1e-5


class _Gated(nn.Module):
    """Squeeze and excitation, swish, depthwise convolution, both poolings, branches that join."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8)
        self.gate = nn.Conv2d(8, 8, 1)
        self.up = nn.ConvTranspose2d(16, 4, 2, 2)
        self.out = nn.Linear(4 * 8 * 8, 5)
        with torch.no_grad():
            self.norm.running_mean.normal_()  # type: ignore[union-attr, operator]
            self.norm.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr, operator]

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.relu6(self.norm(self.first(x)))
        y = nn.functional.silu(self.depthwise(x))
        y = y * torch.sigmoid(self.gate(nn.functional.adaptive_avg_pool2d(y, 1)))
        a = nn.functional.max_pool2d(y, 3, 2, 1)
        b = nn.functional.avg_pool2d(y, 3, 2, 1, count_include_pad=False)
        first, second = torch.chunk(torch.cat([a, b], 1), 2, 1)
        z = self.up(torch.cat([first - second * 0.5, torch.maximum(first, second)], 1))
        z = nn.functional.leaky_relu(z, 0.1)
        return torch.softmax(self.out(z.flatten(1)), 1)


def test_an_export_of_torch_gives_what_torch_gives(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = _Gated().eval()
    x = torch.randn(2, 3, 16, 16)
    path = tmp_path / "torch.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (x,), str(path), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}}, opset_version=17
        )
    wanted, got, _ = computed(path, x.numpy())
    assert np.abs(wanted[0] - got[0]).max() < 1e-6
    with torch.no_grad():
        assert np.abs(module(x).numpy() - got[0]).max() < 1e-6


def test_every_opset_gives_the_same(tmp_path: Path) -> None:
    weights = {"w": values(6, 4, 3, 3), "b": values(5)}
    weights |= {"s": values(6), "o": values(6, seed=1), "m": values(6, seed=2)}
    weights |= {"v": np.abs(values(6, seed=3)) + 0.1}
    x = values(2, 4, 8, 6, seed=4)
    wanted = None
    for opset in range(OLDEST_OPSET, NEWEST_OPSET + 1):
        nodes = [
            op("Conv", "x w", "c", pads=[1, 1, 1, 1]),
            op("BatchNormalization", "c s o m v", "n"),
            op("Relu", "n", "r"),
            op("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 1], ceil_mode=1) if opset >= 10 else
            op("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 1]),
            op("Slice", "p z e a", "l") if opset >= 10 else op("Slice", "p", "l", starts=[0], ends=[4], axes=[3]),
            op("ReduceMean", "l k", "g") if opset >= 18 else op("ReduceMean", "l", "g", axes=[2, 3]),
            op("Add", "l g", "d"),
            op("Reshape", "d h", "q"),
            op("Clip", "q z0 h6", "i") if opset >= 11 else op("Clip", "q", "i", min=0.0, max=6.0),
            op("Dropout", "i", "j"),
            op("Gemm", "j t b", "u"),
            op("Softmax", "u", "y", axis=1),
        ]  # fmt: skip
        more: dict[str, np.ndarray] = {"h": np.array([0, -1]), "t": values(96, 5)}
        if opset >= 10:
            more |= {"z": np.array([0]), "e": np.array([4]), "a": np.array([3])}
        if opset >= 11:
            more |= {"z0": np.array(0, np.float32), "h6": np.array(6, np.float32)}
        if opset >= 18:
            more["k"] = np.array([2, 3])
        constants = {key: array for key, array in (weights | more).items() if any(key in n.input for n in nodes)}
        standalone = import_model(saved(model(nodes, constants, opset=opset), tmp_path))
        network = TorchNetwork(network_of(standalone))
        network.fill(0)
        given = network.evaluate(Coded(torch.from_numpy(x)))["y"].real()
        wanted = given if wanted is None else wanted
        assert torch.equal(given, wanted), opset


def test_a_resnet_of_150_layers_is_a_linted_network(tmp_path: Path) -> None:
    script = runpy.run_path(str(_SCRIPT))
    make = script["resnet18"]
    make.__globals__["_BLOCKS"] = 18
    network = network_of(import_model(saved(make(32, 2, 10), tmp_path)))
    weighted = [node for node in network if node.cell.type_name in ("Conv", "Fc")]
    assert len(weighted) == 149
    assert len(network.initial) == len(weighted) + sum(node.cell.type_name == "BatchNorm" for node in network)
