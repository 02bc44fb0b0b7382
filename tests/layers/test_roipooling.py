import math

import pytest
import torch

from n2d2py.quant.grid import Coded

from .networks import network

WIDTH, HEIGHT = 30, 21
SIZE = (3, 2)


def made(pooling, size=SIZE):
    """Boxes come from an Fc cell here; features are 10x7 and 3 + 2 channels."""
    text = (
        f"[p]\nType=Fc\nInput=env\nNbOutputs=4\n"
        f"[f]\nType=Pool\nInput=env\nNbOutputs=3\nPoolSize=3\nStride=3\nPooling=Max\n"
        f"[g]\nType=Pool\nInput=env\nNbOutputs=2\nPoolSize=3\nStride=3\nPooling=Max\n"
        f"[c]\nType=ROIPooling\nInput=p,f,g\nNbOutputs=5\nOutputsWidth={size[0]}\nOutputsHeight={size[1]}\n"
        f"Pooling={pooling}\n"
    )
    return network(text, (WIDTH, HEIGHT, 2)).layers["c"]


BOXES = [
    (0.0, 0.0, 30.0, 21.0),
    (3.0, 6.0, 9.0, 6.0),
    (4.0, 5.0, 13.0, 11.0),
    (7.3, 2.2, 1.1, 0.7),
    (20.0, 15.0, 30.0, 30.0),
    (-6.0, -9.0, 14.0, 15.0),
    (0.0, 0.0, 0.0, 0.0),
    (29.0, 20.0, 1.0, 1.0),
]


def side(start, length, size):
    first = min(max(math.floor(start), 0), size - 1)
    last = max(min(math.ceil(start + length), size), first + 1)
    return first, last


def binned(features, box, size, maximum):
    channels, height, width = features.shape
    left, right = side(box[0] / 3, box[2] / 3, width)
    top, bottom = side(box[1] / 3, box[3] / 3, height)
    out = []
    for c in range(channels):
        for i in range(size[1]):
            for j in range(size[0]):
                rows = range(top + i * (bottom - top) // size[1], top + math.ceil((i + 1) * (bottom - top) / size[1]))
                columns = range(
                    left + j * (right - left) // size[0], left + math.ceil((j + 1) * (right - left) / size[0])
                )
                values = torch.stack([features[c, y, x] for y in rows for x in columns])
                out.append(values.max() if maximum else values.mean())
    return torch.stack(out).view(channels, size[1], size[0])


def place(start, length, index, count, size, corners):
    if corners:
        at = start + index * max(length - 1, 0) / max(count - 1, 1)
    else:
        at = start + (index + 0.5) * length / count - 0.5
    at = min(max(at, 0), size - 1)
    low = math.floor(at)
    return low, min(low + 1, size - 1), at - low


def sampled(features, box, size, corners):
    channels, height, width = features.shape
    out = []
    for c in range(channels):
        for i in range(size[1]):
            y0, y1, v = place(box[1] / 3, box[3] / 3, i, size[1], height, corners)
            for j in range(size[0]):
                x0, x1, u = place(box[0] / 3, box[2] / 3, j, size[0], width, corners)
                f = features[c]
                top = (1 - u) * f[y0, x0] + u * f[y0, x1]
                bottom = (1 - u) * f[y1, x0] + u * f[y1, x1]
                out.append((1 - v) * top + v * bottom)
    return torch.stack(out).view(channels, size[1], size[0])


def reference(pooling, first, second, size):
    features = torch.cat([first, second], 1)
    rows = []
    for number, box in enumerate(BOXES):
        mine = features[number // 4]
        if pooling.startswith("Bilinear"):
            rows.append(sampled(mine, box, size, pooling == "BilinearTF"))
        else:
            rows.append(binned(mine, box, size, pooling == "Max"))
    return torch.stack(rows)


def values():
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(2, count, 7, 10, generator=generator, dtype=torch.float64) for count in (3, 2)]


@pytest.mark.parametrize("size", [SIZE, (1, 1), (4, 5)])
@pytest.mark.parametrize("pooling", ["Max", "Average", "Bilinear", "BilinearTF"])
def test_against_the_slow_way(pooling, size):
    layer = made(pooling, size)
    boxes = torch.tensor(BOXES, dtype=torch.float64)[:, :, None, None].requires_grad_()
    mine, theirs = ([x.requires_grad_() for x in values()] for _ in range(2))
    out, expected = layer(boxes, *mine), reference(pooling, *theirs, size)
    assert out.shape == (8, 5, size[1], size[0])
    assert torch.allclose(out, expected, atol=1e-12)
    share = torch.randn(out.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    out.backward(share)
    expected.backward(share)
    for left, right in zip(mine, theirs, strict=True):
        assert torch.allclose(left.grad, right.grad, atol=1e-12)
    assert boxes.grad is None


@pytest.mark.parametrize("pooling", ["Max", "Average", "Bilinear", "BilinearTF"])
def test_evaluation_is_the_same(pooling):
    layer = made(pooling).eval()
    inputs = [torch.tensor(BOXES)[:, :, None, None], *(x.float() for x in values())]
    assert torch.equal(layer.evaluate(*(Coded(x) for x in inputs)).values, layer(*inputs))


def test_the_ratio_is_rounded_up():
    text = (
        "[p]\nType=Fc\nInput=env\nNbOutputs=4\n"
        "[f]\nType=Conv\nInput=env\nNbOutputs=3\nKernelSize=3\nStride=3\n"
        "[c]\nType=ROIPooling\nInput=p,f\nNbOutputs=3\nOutputsWidth=1\nOutputsHeight=1\nPooling=Max\n"
    )
    assert network(text, (32, 20, 1)).layers["c"].ratios == (4, 4)
