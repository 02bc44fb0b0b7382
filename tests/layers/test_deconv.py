import numpy as np
import pytest
import torch
from torch.nn import functional

from n2d2py.layers.fusion import absorb_batchnorm
from n2d2py.learn import weights
from n2d2py.quant.grid import Coded, Grid

from .networks import PIXELS, checked, network, one, pixels, randomize

DECONV = "Type=Deconv\nKernelWidth=4\nKernelHeight=3\nNbOutputs=6\n"


def slow(x, weights, biases, stride, padding, dilation):
    """Every input value times every tap, written where it goes; weights (outputs, channels, height, width)."""
    batch, _, height, width = x.shape
    outputs, _, rows, columns = weights.shape
    size = [
        (length - 1) * s + d * (k - 1) + 1 - 2 * p
        for length, s, d, k, p in zip((height, width), stride, dilation, (rows, columns), padding, strict=True)
    ]
    result = np.zeros((batch, outputs, *size))
    for y, x_, r, c in np.ndindex(height, width, rows, columns):
        row, column = y * stride[0] + r * dilation[0] - padding[0], x_ * stride[1] + c * dilation[1] - padding[1]
        if 0 <= row < size[0] and 0 <= column < size[1]:
            result[:, :, row, column] += np.einsum("bc,oc->bo", x[:, :, y, x_], weights[:, :, r, c])
    return result + biases[:, None, None]


@pytest.mark.parametrize("padding", [(0, 0), (1, 2), (-1, 0), (-1, 1)])
@pytest.mark.parametrize(("stride", "dilation"), [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((2, 1), (2, 1))])
def test_against_a_slow_reference(padding, stride, dilation):
    geometry = "".join(
        f"{key}X={pair[1]}\n{key}Y={pair[0]}\n"
        for key, pair in (("Padding", padding), ("Stride", stride), ("Dilation", dilation))
    )
    layer = one(DECONV + geometry, (5, 4, 2))
    x = torch.randn(3, 2, 4, 5)
    expected = slow(x.numpy(), layer.weights.detach().numpy(), layer.biases.detach().numpy(), stride, padding, dilation)
    y = layer(x)
    assert tuple(y.shape[1:]) == layer.node.output.shape == expected.shape[1:]
    assert torch.allclose(y, torch.from_numpy(expected).float(), atol=1e-5)


def test_forward_and_gradient_are_torchs():
    layer = one(DECONV + "Stride=2\nPadding=1")
    turned = layer.weights.detach().transpose(0, 1)
    checked(layer, (2, 2, 8, 8), reference=lambda x: functional.conv_transpose2d(x, turned, layer.biases, 2, 1))


def test_groups():
    layer = one(DECONV + "Stride=2\nMapping.NbGroups=2\nNoBias=1", (4, 4, 4))
    assert layer.groups == 2
    assert tuple(layer.weights.shape) == (6, 2, 3, 4)
    x = torch.randn(2, 4, 4, 4)
    halves = [
        functional.conv_transpose2d(part, weights.transpose(0, 1), None, 2)
        for part, weights in zip(x.split(2, 1), layer.weights.split(3), strict=True)
    ]
    assert torch.allclose(layer(x), torch.cat(halves, 1), atol=1e-6)


def test_an_irregular_map_is_masked():
    layer = one(DECONV + "Mapping.Size=2\nMapping.NbIterations=3", (4, 4, 3))
    absent = ~torch.from_numpy(np.ascontiguousarray(layer.node.maps["env"].T))
    assert layer.groups == 1
    assert not layer.weights[absent].any()
    with torch.no_grad():
        layer.weights.fill_(1.0)
    layer(torch.randn(2, 3, 4, 4)).square().sum().backward()
    assert not layer.weights.grad[absent].any()
    assert layer.weights.grad[~absent].all()


def test_three_axes():
    layer = one("Type=Deconv\nKernelDims=3 2 2\nStride=2\nNbOutputs=3", (4, 3, 5, 2))
    checked(
        layer,
        (2, 2, 5, 3, 4),
        reference=lambda x: functional.conv_transpose3d(x, layer.weights.transpose(0, 1), layer.biases, 2),
        tolerance=1e-5,
    )


@pytest.mark.parametrize("mode", ["Default", "Symmetric", "Asymmetric", "FullRange", "Integer"])
@pytest.mark.parametrize("scaling", [0, 1])
def test_codes_of_quantized_weights_are_exact(mode, scaling):
    quantizer = f"QWeight=SAT\nQWeight.Range=15\nQWeight.Mode={mode}\nQWeight.ApplyScaling={scaling}\nNoBias=1\n"
    layer = one(DECONV + "Stride=2\nPadding=1\n" + quantizer)
    stimuli = pixels()
    coded = layer.evaluate(stimuli)
    codes, grid = layer.weight_codes()
    exact = functional.conv_transpose2d(stimuli.values.double(), codes.double().transpose(0, 1), None, 2, 1)
    assert torch.equal(coded.values.double(), exact)
    assert coded.grid.scale == grid.scale * PIXELS.scale
    assert coded.grid.low <= float(coded.values.min())
    assert float(coded.values.max()) <= coded.grid.high
    assert torch.allclose(coded.real(), layer(stimuli.real()), rtol=1e-4, atol=1e-5)
    low, high = layer.accumulator_bounds(codes, PIXELS)
    at_ends = torch.where(codes.sum((2, 3), keepdim=True) > 0, 255.0, 0.0)
    assert (low <= 0).all()
    assert (high >= (at_ends * codes).flatten(1).max(1).values).all()


def test_quantized_in_a_network_with_codes_from_an_activation():
    made = network(
        "[conv]\nType=Conv\nInput=env\nKernelSize=3\nNbOutputs=4\nActivationFunction=Rectifier\nQAct=SAT\n"
        "QAct.Range=15\nQWeight=SAT\n[c]\nType=Deconv\nInput=conv\nKernelSize=2\nStride=2\nNbOutputs=2\n"
        "QWeight=SAT\nQWeight.Mode=Integer\nActivationFunction=Linear\nQAct=SAT\n"
    )
    made.train()
    made(torch.rand(2, 2, 8, 8))["c"].square().sum().backward()
    assert all(torch.isfinite(item.tensor.grad).all() for _, item in made.learned())
    assert made.layers["c"].weights.grad.any()
    results = made.evaluate(pixels())
    assert results["c"].grid == Grid(8 / 255, 0, 255)
    assert torch.equal(results["c"].values, results["c"].values.round())
    real = made.layers["c"].eval()(results["conv"].real())
    assert ((results["c"].real() - real).abs() > 1e-4).float().mean() < 0.002


def test_filling_and_files():
    layer = one(DECONV + "WeightsFiller=ConstantFiller\nWeightsFiller.Value=0.5\nWeightsExportFlip=1")
    assert layer.weights.unique().tolist() == [0.5]
    (kernels, biases) = layer.stored()
    assert (kernels.name, tuple(kernels.tensor.shape), kernels.layout.flipped) == ("weights", (6, 2, 3, 4), True)
    assert (biases.name, tuple(biases.tensor.shape)) == ("biases", (6,))
    he = one(DECONV + "WeightsFiller=HeFiller")
    assert abs(float(he.weights.detach().std()) / (2 / (2 * 12)) ** 0.5 - 1) < 0.2


def test_reals_where_the_input_has_no_codes():
    layer = one(DECONV)
    x = torch.randn(2, 2, 8, 8)
    assert torch.equal(layer.eval().evaluate(Coded(x)).values, layer(x))


def test_a_file_has_a_line_for_each_output(tmp_path):
    section = "[c]\nInput=env\n" + DECONV + "Mapping.NbGroups=2\n{}\n"
    made = network(section.format("QWeight=SAT"), (4, 4, 4))
    weights.save(made, tmp_path)
    lines = (tmp_path / "c_weights.syntxt").read_text().splitlines()
    assert [len(line.split()) for line in lines] == [2 * 3 * 4] * 6
    second = torch.tensor([float(value) for value in lines[1].split()])
    assert torch.equal(second, made.layers["c"].weights[1].detach().flatten())
    assert len((tmp_path / "c_quant_weights.syntxt").read_text().splitlines()) == 6
    other = network(section.format("WeightsFiller=ConstantFiller\nWeightsFiller.Value=0"), (4, 4, 4))
    weights.load(other, tmp_path)
    assert torch.equal(other.layers["c"].weights, made.layers["c"].weights)
    flipped = network(section.format("WeightsExportFormat=HWCO\nWeightsExportFlip=1"), (4, 4, 4))
    weights.save(flipped, tmp_path)
    back = network(section.format("WeightsExportFormat=HWCO\nWeightsExportFlip=1"), (4, 4, 4))
    back.fill(9)
    weights.load(back, tmp_path)
    assert torch.equal(back.layers["c"].weights, flipped.layers["c"].weights)


def test_a_batchnorm_behind_it_is_absorbed():
    made = network(
        f"[d]\nInput=env\nStride=2\n{DECONV}[bn]\nType=BatchNorm\nInput=d\nNbOutputs=6\nActivationFunction=Rectifier\n"
    )
    randomize(made).eval()
    fused = absorb_batchnorm(made).eval()
    assert [node.name for node in fused.network] == ["d"]
    x = torch.randn(2, 2, 8, 8)
    assert torch.allclose(fused(x)["d"], made(x)["bn"], atol=1e-4)
