import numpy as np
import pytest
import torch
from torch.nn import functional

from n2d2py.quant.grid import Coded, Grid

from .networks import PIXELS, checked, network, one, pixels

CONV = "Type=Conv\nKernelWidth=3\nKernelHeight=2\nNbOutputs=4\n"


def test_geometry_is_height_by_width():
    layer = one(CONV + "StrideX=2\nStrideY=1\nPaddingX=1\nPaddingY=0\nDilationX=1\nDilationY=2", (9, 7, 2))
    x = torch.randn(3, 2, 7, 9)
    expected = functional.conv2d(x, layer.weights, layer.biases, (1, 2), (0, 1), (2, 1))
    assert torch.equal(layer(x), expected)
    assert tuple(expected.shape[1:]) == (4, layer.node.output.height, layer.node.output.width)


@pytest.mark.parametrize(("stride", "sub"), [(1, 2), (2, 2), (2, 3), (1, 3)])
@pytest.mark.parametrize("size", [7, 8, 9, 10, 11])
def test_sub_sampling_keeps_every_nth_output(stride, sub, size):
    layer = one(CONV + f"Stride={stride}\nSubSample={sub}\nPadding=1", (size, size, 2))
    x = torch.randn(2, 2, size, size)
    full = functional.conv2d(x, layer.weights, layer.biases, stride, 1)[:, :, ::sub, ::sub]
    y = layer(x)
    assert torch.allclose(y, full, atol=1e-6)
    assert tuple(y.shape[2:]) == (layer.node.output.height, layer.node.output.width)


def test_negative_padding_crops():
    layer = one(CONV + "PaddingX=-1\nPaddingY=1")
    x = torch.randn(2, 2, 8, 8)
    padded = functional.pad(x, (-1, -1, 1, 1))
    assert torch.equal(layer(x), functional.conv2d(padded, layer.weights, layer.biases))


def test_group_maps_become_groups():
    layer = one(CONV + "Mapping.NbGroups=2", (8, 8, 6))
    assert layer.groups == 2
    assert layer.mask is None
    assert tuple(layer.weights.shape) == (4, 3, 2, 3)
    x = torch.randn(2, 6, 8, 8)
    assert torch.equal(layer(x), functional.conv2d(x, layer.weights, layer.biases, groups=2))


def test_a_unit_map_is_depthwise():
    layer = one(CONV + "Mapping.Size=1", (8, 8, 4))
    assert layer.groups == 4
    assert tuple(layer.weights.shape) == (4, 1, 2, 3)


@pytest.mark.parametrize("quantizer", ["", "QWeight=SAT\nQWeight.Range=15", "QWeight=SAT\nQWeight.Mode=Integer"])
def test_irregular_maps_mask_weights_and_gradients(quantizer):
    layer = one(CONV + "Mapping.Size=2\n" + quantizer, (8, 8, 3))
    connected = layer.node.maps["env"].T
    assert layer.groups == 1
    assert not connected.all()
    absent = ~torch.from_numpy(np.ascontiguousarray(connected))
    assert layer.weights[absent].abs().max() == 0
    assert torch.equal(layer.mask[:, :, 0, 0], ~absent)
    x = torch.randn(2, 3, 8, 8)
    y = layer(x)
    y.square().sum().backward()
    assert layer.weights.grad[absent].abs().max() == 0
    assert layer.weights.grad[~absent].abs().max() > 0
    changed = x.clone()
    changed[:, 0] += 1
    unconnected = torch.nonzero(absent[:, 0]).flatten()
    assert torch.equal(layer(changed)[:, unconnected], y[:, unconnected])
    if quantizer:
        assert layer.weight_codes()[0][absent].abs().max() == 0


def test_several_inputs_are_concatenated_and_broadcast():
    made = network(
        "[a]\nType=Conv\nInput=env\nKernelSize=1\nNbOutputs=3\n"
        "[b]\nType=Fc\nInput=env\nNbOutputs=2\n"
        f"[c]\nInput=a,b\n{CONV}WeightsFiller=HeFiller\n"
    )
    a, b, c = (made.layers[name] for name in "abc")
    x = torch.randn(2, 2, 8, 8).contiguous(memory_format=torch.channels_last)  # as the network learns
    joined = torch.cat([a(x), b(x).expand(-1, -1, 8, 8)], 1)
    assert torch.equal(made(x)["c"], functional.conv2d(joined, c.weights, c.biases))
    assert [tuple(part.shape) for part in c.parts()] == [(4, 3, 2, 3), (4, 2, 2, 3)]


def test_each_parent_is_filled_with_its_own_fan():
    made = network(
        "[a]\nType=Conv\nInput=env\nKernelSize=1\nNbOutputs=2\n"
        "[b]\nType=Conv\nInput=env\nKernelSize=1\nNbOutputs=200\n"
        "[c]\nInput=a,b\nType=Conv\nKernelSize=3\nNbOutputs=64\nWeightsFiller=HeFiller\n"
    )
    few, many = made.layers["c"].parts()
    assert float(few.detach().std()) == pytest.approx((2 / 18) ** 0.5, rel=0.1)
    assert float(many.detach().std()) == pytest.approx((2 / 1800) ** 0.5, rel=0.1)


@pytest.mark.parametrize("quantizer", ["", "QWeight=SAT\n"])
def test_back_propagate_0_blocks_only_the_inputs(quantizer):
    layer = one(CONV + "BackPropagate=0\n" + quantizer)
    x = torch.randn(2, 2, 8, 8, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is None
    assert layer.weights.grad.abs().max() > 0
    assert layer.biases.grad.abs().max() > 0


@pytest.mark.parametrize(
    "keys",
    ["", "Padding=2\nStride=2\n", "Mapping.NbGroups=2\n", "Mapping.Size=2\n", "QWeight.QuantMode=Asymmetric\n"],
)
def test_accumulators_are_exact_integers_inside_their_bounds(keys):
    layer = one(CONV + "NoBias=1\nQWeight=SAT\nQWeight.Range=15\n" + keys, (8, 8, 4))
    stimuli = pixels((8, 8, 4))
    result = layer.evaluate(stimuli)
    codes, weights = layer.weight_codes()
    wide = layer.product(stimuli.values.long(), codes.long(), None)
    assert result.values.dtype == torch.float32
    assert torch.equal(result.values.long(), wide)
    assert result.grid.scale == weights.scale / 255
    assert result.grid.low <= float(wide.min())
    assert float(wide.max()) <= result.grid.high
    low, high = layer.accumulator_bounds(codes, stimuli.grid)
    assert torch.all(wide.amin((0, 2, 3)) >= low)
    assert torch.all(wide.amax((0, 2, 3)) <= high)


def test_a_quantizer_right_on_the_cell_makes_codes_with_the_bias():
    layer = one(CONV + "QWeight=SAT\nActivationFunction=Rectifier\nQAct=SAT\nQAct.Alpha=0.5\nQAct.Range=7").eval()
    stimuli = pixels()
    result = layer.evaluate(stimuli)
    codes, weights = layer.weight_codes()
    acc = layer.product(stimuli.values, codes, None)
    grid = layer.accumulator_grid(codes, weights, stimuli.grid)
    step = layer.step(grid, layer.offset())
    assert step.monotone
    assert torch.equal(result.values.double(), step(acc, axis=1))
    columns = acc.transpose(0, 1).flatten(1)
    assert torch.equal(step(columns), result.values.double().transpose(0, 1).flatten(1))
    assert result.grid == Grid(0.5 / 7, 0, 7)
    assert (result.real() - layer(stimuli.real())).abs().max() <= 0.5 / 7 * 1.001
    assert ((result.real() - layer(stimuli.real())).abs() > 1e-5).float().mean() < 0.01


# ---------------------------------------------------------------------------------------- one and three axes


def test_three_axes():
    section = "Type=Conv\nKernelDims=3 2 2\nNbOutputs=4\nStrideDims=2 1 1\nPaddingDims=1 0 1\nDilationDims=1 2 1\n"
    layer = one(section, (8, 7, 5, 3))
    assert tuple(layer.weights.shape) == (4, 3, 2, 2, 3)
    checked(
        layer,
        (2, 3, 5, 7, 8),
        reference=lambda x: functional.conv3d(x, layer.weights, layer.biases, (1, 1, 2), (1, 0, 1), (1, 2, 1)),
        tolerance=1e-5,
    )


def test_a_flat_kernel_takes_every_plane_alone():
    layer = one("Type=Conv\nKernelSize=3\nNbOutputs=4\nSubSample=2\n", (8, 8, 5, 3))
    x = torch.randn(2, 3, 5, 8, 8)
    planes = [functional.conv2d(x[:, :, z], layer.weights[:, :, 0], layer.biases, 2) for z in range(5)]
    assert torch.allclose(layer(x), torch.stack(planes, 2), atol=1e-5)


def test_an_output_of_one_plane_has_no_depth():
    layer = one("Type=Conv\nKernelDims=3 3 4\nNbOutputs=4\n", (8, 8, 4, 3))
    x = torch.randn(2, 3, 4, 8, 8)
    assert torch.allclose(layer(x), functional.conv3d(x, layer.weights, layer.biases)[:, :, 0], atol=1e-5)
    deep = one("Type=Conv\nKernelDims=1 1 3\nPaddingZ=1\nNbOutputs=4\nQWeight=SAT\nQWeight.Range=15\n", (8, 8, 3))
    assert tuple(deep.weights.shape) == (4, 3, 3, 1, 1)
    flat = torch.randn(2, 3, 8, 8)
    assert tuple(deep(flat).shape) == (2, 4, 8, 8)


def test_codes_along_three_axes_are_exact():
    layer = one("Type=Conv\nKernelDims=3 3 2\nNbOutputs=4\nNoBias=1\nQWeight=SAT\nQWeight.Range=15\n", (6, 6, 4, 2))
    stimuli = Coded(torch.randint(0, 256, (2, 2, 4, 6, 6)).float(), PIXELS)
    coded = layer.evaluate(stimuli)
    weights, grid = layer.weight_codes()
    assert torch.equal(coded.values.double(), functional.conv3d(stimuli.values.double(), weights.double()))
    assert coded.grid.scale == grid.scale * PIXELS.scale


def test_a_network_along_three_axes():
    made = network(
        "[conv]\nType=Conv\nInput=env\nKernelDims=3 3 2\nNbOutputs=4\nActivationFunction=Rectifier\nQAct=SAT\n"
        "[bn]\nType=BatchNorm\nInput=conv\nNbOutputs=4\nActivationFunction=Linear\nQAct=SAT\n"
        "[pool]\nType=Pool\nInput=bn\nPoolDims=2 2 2\nStride=2\nPooling=Max\nNbOutputs=4\nMapping.Size=1\n"
        "[c]\nType=Fc\nInput=pool\nNbOutputs=3\nQWeight=SAT\n",
        (8, 8, 5, 2),
    )
    made.train()
    made(torch.rand(2, 2, 5, 8, 8))["c"].square().sum().backward()
    assert all(torch.isfinite(item.tensor.grad).all() for _, item in made.learned())
    results = made.evaluate(Coded(torch.randint(0, 256, (2, 2, 5, 8, 8)).float(), PIXELS))
    assert [tuple(results[name].values.shape[1:]) for name in ("conv", "bn", "pool", "c")] == [
        (4, 4, 6, 6),
        (4, 4, 6, 6),
        (4, 2, 3, 3),
        (3, 1, 1),
    ]


def test_one_axis():
    layer = one("Type=Conv\nKernelDims=3\nNbOutputs=4\nStrideDims=2\nPaddingX=1\n", (9, 1, 2))
    checked(
        layer,
        (2, 2, 1, 9),
        reference=lambda x: functional.conv1d(x[:, :, 0], layer.weights[:, :, 0], layer.biases, 2, 1)[:, :, None],
    )


# ------------------------------------------------------------------------------------------------ given kernels


def test_given_kernels_replace_the_fillers():
    layer = one(
        "Type=Conv\nKernelDims=3 1\nNbOutputs=2\nNoBias=1\nKernel=1 -2 1\nKernel.Normalize=1\nKernel[1][0]=5 6 7\n"
    )
    usual = torch.tensor([0.25, -0.5, 0.25])
    assert torch.equal(layer.weights[0, 0, 0], usual)
    assert torch.equal(layer.weights[1, 1, 0], usual)
    assert layer.weights[0, 1, 0].tolist() == [5, 6, 7]
    assert [item.name for item in layer.learned()] == ["weights"]


def test_given_kernels_of_groups_and_maps():
    groups = one("Type=Conv\nKernelSize=1\nNbOutputs=4\nMapping.NbGroups=2\nKernel[3][2]=7\nKernel[0][3]=9", (8, 8, 4))
    assert (groups.weights == 7).nonzero().tolist() == [[2, 1, 0, 0]]
    assert not (groups.weights == 9).any()
    masked = one("Type=Conv\nKernelSize=1\nNbOutputs=3\nMapping.Size=2\nMapping.NbIterations=2\nKernel=7", (8, 8, 3))
    assert torch.equal(masked.weights[:, :, 0, 0].detach() == 7, torch.from_numpy(masked.node.maps["env"].T.copy()))


def test_given_kernels_are_row_by_row():
    layer = one("Type=Conv\nKernelDims=3 2\nNbOutputs=1\nKernel=1 2 3 4 5 6")
    assert layer.weights[0, 0].tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize("channels", [2, 5, 8])
def test_single_taps_with_a_stride_in_both_layouts(channels):
    # Of fewer than 8 channels, channels_last, oneDNN would write beyond its memory: see ConvLayer.product.
    made = network(f"[c]\nType=Conv\nInput=env\nKernelSize=1\nStride=2\nNbOutputs={channels}\nWeightsFiller=HeFiller\n")
    layer, x = made.layers["c"], torch.randn(3, 2, 8, 8)
    found = []
    for form in (torch.contiguous_format, torch.channels_last):
        made.zero_grad()
        given = x.clone(memory_format=form).requires_grad_()
        y = layer(given)
        y.square().sum().backward()
        found.append((y, given.grad, layer.weights.grad))
    for left, right in zip(*found, strict=True):
        torch.testing.assert_close(left, right)
