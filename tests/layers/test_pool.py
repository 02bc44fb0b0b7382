import math

import pytest
import torch
from torch.nn import functional

from n2d2py.quant.grid import Coded, Grid

from .networks import checked, one

UNIT = "Mapping.Size=1\n"


def pool(kind, outputs, keys="", size=(7, 6, 3)):
    return one(f"Type=Pool\nPooling={kind}\nNbOutputs={outputs}\nPoolWidth=3\nPoolHeight=2\n{keys}", size)


def test_unit_maximum_never_takes_padding():
    layer = pool("Max", 3, UNIT + "StrideX=2\nPadding=1")
    x = -torch.rand(2, 3, 6, 7) - 1
    assert torch.equal(layer(x), functional.max_pool2d(x, (2, 3), (1, 2), (1, 1)))
    assert float(layer(x).max()) < 0


def test_unit_average_divides_by_the_whole_window():
    layer = pool("Average", 3, UNIT + "Padding=1")
    x = torch.randn(2, 3, 6, 7)
    assert torch.allclose(layer(x), functional.avg_pool2d(x, (2, 3), (1, 1), (1, 1)), atol=1e-6)
    assert float(layer(torch.ones(1, 3, 6, 7))[0, 0, 0, 0]) == pytest.approx(2 / 6)


@pytest.mark.parametrize("kind", ["Max", "Average"])
def test_padding_may_be_wider_than_half_the_window(kind):
    layer = pool(kind, 3, UNIT + "PaddingX=2\nPaddingY=1")
    x = torch.randn(2, 3, 6, 7)
    padded = functional.pad(x, (2, 2, 1, 1), value=-math.inf if kind == "Max" else 0)
    plain = functional.max_pool2d if kind == "Max" else functional.avg_pool2d
    assert torch.allclose(layer(x), plain(padded, (2, 3), 1), atol=1e-6)


def test_without_a_map_every_output_pools_over_all_channels():
    x = torch.randn(2, 3, 6, 7)
    most = pool("Max", 2)(x)
    mean = pool("Average", 2)(x)
    assert tuple(most.shape) == (2, 2, 5, 5)
    for output in range(2):
        assert torch.equal(most[:, output], functional.max_pool2d(x, (2, 3), 1).amax(1))
        assert torch.allclose(mean[:, output], functional.avg_pool2d(x, (2, 3), 1).mean(1), atol=1e-6)


def test_partial_maps_pool_over_the_connected_channels():
    layer = pool("Max", 3, "Mapping.Size=2")
    x = torch.randn(2, 3, 6, 7)
    pooled = functional.max_pool2d(x, (2, 3), 1)
    for output in range(3):
        members = torch.from_numpy(layer.node.maps["env"][:, output].copy()) if layer.node.maps else slice(None)
        assert torch.equal(layer(x)[:, output], pooled[:, members].amax(1))


def test_ties_over_channels_give_the_gradient_to_one():
    layer = pool("Max", 1)
    x = torch.ones(1, 3, 6, 7, requires_grad=True)
    layer(x)[0, 0, 0, 0].backward()
    assert x.grad.sum() == 1
    assert x.grad.max() == 1


@pytest.mark.parametrize("outputs", [3, 2])
def test_the_maximum_of_codes_keeps_their_grid(outputs):
    layer = pool("Max", outputs, UNIT if outputs == 3 else "")
    codes = torch.randint(-8, 8, (2, 3, 6, 7)).float()
    result = layer.evaluate(Coded(codes, Grid(0.5, -8, 7)))
    assert result.grid == Grid(0.5, -8, 7)
    assert torch.equal(result.values, layer(codes))


@pytest.mark.parametrize(("outputs", "terms"), [(3, 6), (2, 18)])
def test_the_average_of_codes_is_their_sum_on_a_finer_grid(outputs, terms):
    layer = pool("Average", outputs, UNIT if outputs == 3 else "")
    codes = torch.randint(0, 16, (2, 3, 6, 7)).float()
    result = layer.evaluate(Coded(codes, Grid(0.5, 0, 15)))
    assert result.grid == Grid(0.5 / terms, 0, 15 * terms)
    assert torch.equal(result.values, result.values.round())
    assert torch.allclose(result.real(), layer(codes * 0.5), atol=1e-5)


def test_the_average_of_codes_can_be_quantized():
    layer = pool("Average", 3, UNIT + "ActivationFunction=Linear\nQAct=SAT\nQAct.Alpha=4\nQAct.Range=15")
    codes = torch.randint(0, 16, (2, 3, 6, 7)).float()
    result = layer.evaluate(Coded(codes, Grid(0.5, 0, 15)))
    assert result.grid == Grid(4 / 15, 0, 15)
    sums = functional.avg_pool2d(codes.double(), (2, 3), 1, divisor_override=1)
    assert torch.equal(result.values.double(), torch.round((sums * (0.5 / 6)).clamp(0, 4) * (15 / 4)))


def test_reals_are_pooled_as_in_learning():
    layer = pool("Average", 3, UNIT + "ActivationFunction=Rectifier").eval()
    x = torch.randn(2, 3, 6, 7)
    assert torch.equal(layer.evaluate(Coded(x)).values, layer(x))


@pytest.mark.parametrize(("kind", "plain"), [("Max", functional.max_pool3d), ("Average", functional.avg_pool3d)])
def test_three_axes(kind, plain):
    keys = f"Type=Pool\nPooling={kind}\nNbOutputs=3\nPoolDims=3 2 2\nStrideDims=2 1 1\nPaddingDims=1 0 1\n"
    layer = one(keys + UNIT, (7, 6, 4, 3))
    checked(layer, (2, 3, 4, 6, 7), reference=lambda x: plain(x, (2, 2, 3), (1, 1, 2), (1, 0, 1)))
    every = one(keys.replace("NbOutputs=3", "NbOutputs=2"), (7, 6, 4, 3))
    x = torch.randn(2, 3, 4, 6, 7)
    pooled = plain(x, (2, 2, 3), (1, 1, 2), (1, 0, 1))
    expected = pooled.amax(1) if kind == "Max" else pooled.mean(1)
    assert torch.allclose(every(x)[:, 1], expected, atol=1e-6)
    codes = Coded(torch.randint(0, 16, (2, 3, 4, 6, 7)).float(), Grid(0.5, 0, 15))
    assert torch.allclose(layer.evaluate(codes).real(), layer(codes.real()), atol=1e-5)


def test_a_depth_that_the_window_takes_whole():
    layer = one("Type=Pool\nPooling=Average\nNbOutputs=3\nPoolDims=3 2 4\n" + UNIT, (7, 6, 4, 3))
    checked(layer, (2, 3, 4, 6, 7), reference=lambda x: functional.avg_pool3d(x, (4, 2, 3), 1)[:, :, 0])
    flat = one("Type=Pool\nPooling=Max\nNbOutputs=3\nPoolSize=2\nStride=2\n" + UNIT, (8, 6, 4, 3))
    checked(flat, (2, 3, 4, 6, 8), reference=lambda x: functional.max_pool3d(x, (1, 2, 2), (1, 2, 2)))


def test_one_axis():
    layer = one("Type=Pool\nPooling=Max\nNbOutputs=3\nPoolDims=3\nStrideDims=2\n" + UNIT, (9, 1, 3))
    checked(layer, (2, 3, 1, 9), reference=lambda x: functional.max_pool1d(x[:, :, 0], 3, 2)[:, :, None])


def test_partial_maps_average_different_numbers_of_channels():
    keys = "Mapping(env)=1 1 0 1 0 1 1 1 1"
    layer = pool("Average", 3, keys)
    x = torch.randn(2, 3, 6, 7)
    pooled = functional.avg_pool2d(x, (2, 3), 1)
    for output in range(3):
        members = torch.from_numpy(layer.node.maps["env"][:, output].copy())
        assert torch.allclose(layer(x)[:, output], pooled[:, members].mean(1), atol=1e-6)


def test_padding_that_does_not_count():
    layer = pool("Average", 3, UNIT + "Padding=1\nStrideX=2\nCountIncludePad=0")
    checked(
        layer,
        (2, 3, 6, 7),
        reference=lambda x: functional.avg_pool2d(x, (2, 3), (1, 2), (1, 1), count_include_pad=False),
    )
    codes = Coded(torch.randint(0, 16, (2, 3, 6, 7)).float(), Grid(0.5, 0, 15))
    coded = layer.evaluate(codes)
    assert coded.grid is not None
    assert torch.equal(coded.values, coded.values.round())
    assert torch.allclose(coded.real(), layer(codes.real()))
