import math

import pytest
import torch

from n2d2py.quant.grid import Coded

from . import boxes as slow
from .networks import network

WIDTH, HEIGHT = 30, 21
SIZE = (3, 2)


def made(pooling, size=SIZE, more=""):
    """Boxes come from an Fc cell here; features are 10x7 and 3 + 2 channels."""
    text = (
        f"[p]\nType=Fc\nInput=env\nNbOutputs=4\n"
        f"[f]\nType=Pool\nInput=env\nNbOutputs=3\nPoolSize=3\nStride=3\nPooling=Max\n"
        f"[g]\nType=Pool\nInput=env\nNbOutputs=2\nPoolSize=3\nStride=3\nPooling=Max\n"
        f"[c]\nType=ROIPooling\nInput=p,f,g\nNbOutputs=5\nOutputsWidth={size[0]}\nOutputsHeight={size[1]}\n"
        f"Pooling={pooling}\n{more}"
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


def reference(pooling, first, second, size, boxes=BOXES):
    features = torch.cat([first, second], 1)
    rows = []
    for number, box in enumerate(boxes):
        mine = features[number // 4]
        if pooling.startswith("Bilinear"):
            rows.append(sampled(mine, box, size, pooling == "BilinearTF"))
        else:
            rows.append(binned(mine, box, size, pooling == "Max"))
    return torch.stack(rows)


def values():
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(2, count, 7, 10, generator=generator, dtype=torch.float64) for count in (3, 2)]


def check_gradients(out, expected, mine, theirs, atol):
    """The gradients of two outputs are those of the same features."""
    share = torch.randn(out.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    out.backward(share)
    expected.backward(share)
    for left, right in zip(mine, theirs, strict=True):
        assert torch.allclose(left.grad, right.grad, atol=atol)


@pytest.mark.parametrize("size", [SIZE, (1, 1), (4, 5)])
@pytest.mark.parametrize("pooling", ["Max", "Average", "Bilinear", "BilinearTF"])
def test_against_the_slow_way(pooling, size):
    layer = made(pooling, size)
    boxes = torch.tensor(BOXES, dtype=torch.float64)[:, :, None, None].requires_grad_()
    mine, theirs = ([x.requires_grad_() for x in values()] for _ in range(2))
    out, expected = layer(boxes, *mine), reference(pooling, *theirs, size)
    assert out.shape == (8, 5, size[1], size[0])
    assert torch.allclose(out, expected, atol=1e-12)
    check_gradients(out, expected, mine, theirs, 1e-12)
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


# ------------------------------------------------------------------------------------------- mirrored stimuli

KINDS = ["Max", "Average", "Bilinear", "BilinearTF"]


def column(boxes):
    return torch.tensor(boxes, dtype=torch.float64)[:, :, None, None]


@pytest.mark.parametrize("pooling", KINDS)
def test_mirrored_stimuli(pooling):
    mine, theirs = ([x.requires_grad_() for x in values()] for _ in range(2))
    out = made(pooling, more="Flip=1")(column(BOXES), *mine)
    expected = reference(pooling, *theirs, SIZE, [slow.mirror(box, WIDTH) for box in BOXES])
    assert torch.allclose(out, expected, atol=1e-12)
    check_gradients(out, expected, mine, theirs, 1e-12)


@pytest.mark.parametrize("pooling", KINDS)
@pytest.mark.parametrize("more", ["", "IgnorePadding=1\n"])
def test_mirrored_features_give_the_mirrored_output(pooling, more):
    """What is pooled of mirrored stimuli is the same, left and right exchanged: nothing flips it back."""
    # An empty box at a border lies on no feature or on one; BilinearTF takes less than a feature by its left side.
    least = {"BilinearTF": 3}.get(pooling, 1)
    boxes = column([box for box in BOXES if box[2] >= least][:4])
    plain = made(pooling, more=more)(boxes, *values())
    flipped = made(pooling, more=more + "Flip=1")(boxes, *(x.flip(3) for x in values()))
    assert torch.allclose(flipped, plain.flip(3), atol=1e-12)


# ------------------------------------------------------------------------------------ what lies beyond the features

BEYOND = [
    (-6.0, -9.0, 14.0, 15.0),
    (20.0, 15.0, 30.0, 30.0),
    (-9.5, 4.0, 60.0, 9.0),
    (40.0, 5.0, 9.0, 9.0),
    (-20.0, -20.0, 90.0, 90.0),
    (3.0, 6.0, 9.0, 6.0),
    (-1e12, -5.0, 1e13, 12.0),
    (25.0, -30.0, 9.0, 30.5),
]


def whole_bins(start, length, size, count):
    """The features of each bin of a box that is not cut off, of which some may not exist."""
    first = max(math.floor(start), -(1 << 24))
    last = max(min(math.ceil(start + length), 1 << 24), first + 1)
    side = last - first
    ends = [(first + i * side // count, first - (-(i + 1) * side) // count) for i in range(count)]
    return [range(max(low, 0), max(min(high, size), 0)) for low, high in ends]


def binned_whole(features, box, size, maximum):
    channels, height, width = features.shape
    out = []
    for rows in whole_bins(box[1] / 3, box[3] / 3, height, size[1]):
        for columns in whole_bins(box[0] / 3, box[2] / 3, width, size[0]):
            there = [features[:, y, x] for y in rows for x in columns]
            if not there:
                out.append(torch.zeros(channels, dtype=features.dtype))
            else:
                out.append(torch.stack(there).amax(0) if maximum else torch.stack(there).mean(0))
    return torch.stack(out, 1).view(channels, size[1], size[0])


def weighed(at, size):
    """The neighbours of a place that exist, with their weights."""
    low = math.floor(at)
    return [(i, w) for i, w in ((low, 1 - (at - low)), (low + 1, at - low)) if 0 <= i < size and w > 0]


def at(start, length, index, count, corners):
    if corners:
        return start + index * max(length - 1, 0) / max(count - 1, 1)
    return start + (index + 0.5) * length / count - 0.5


def sampled_whole(features, box, size, corners):
    channels, height, width = features.shape
    out = []
    for i in range(size[1]):
        rows = weighed(at(box[1] / 3, box[3] / 3, i, size[1], corners), height)
        for j in range(size[0]):
            columns = weighed(at(box[0] / 3, box[2] / 3, j, size[0], corners), width)
            there = [(features[:, y, x], v * w) for y, v in rows for x, w in columns]
            total = sum(weight for _, weight in there)
            mean = sum(value * weight for value, weight in there) / total if there else torch.zeros(channels).double()
            out.append(mean)
    return torch.stack(out, 1).view(channels, size[1], size[0])


@pytest.mark.parametrize("size", [SIZE, (1, 1), (4, 5)])
@pytest.mark.parametrize("pooling", KINDS)
def test_what_lies_beyond_the_features_does_not_count(pooling, size):
    mine, theirs = ([x.requires_grad_() for x in values()] for _ in range(2))
    out = made(pooling, size, "IgnorePadding=1")(column(BEYOND), *mine)
    features = torch.cat(theirs, 1)
    rows = []
    for number, box in enumerate(BEYOND):
        if pooling.startswith("Bilinear"):
            rows.append(sampled_whole(features[number // 4], box, size, pooling == "BilinearTF"))
        else:
            rows.append(binned_whole(features[number // 4], box, size, pooling == "Max"))
    expected = torch.stack(rows)
    assert torch.allclose(out, expected, atol=1e-9)
    assert not out[3].any()
    assert not torch.allclose(out, made(pooling, size)(column(BEYOND), *values()))
    check_gradients(out, expected, mine, theirs, 1e-9)


@pytest.mark.parametrize("pooling", KINDS)
def test_boxes_within_the_stimuli_are_pooled_as_ever(pooling):
    inside = column([box for box in BOXES if box[0] >= 0 and box[0] + box[2] <= WIDTH and 0 <= box[1] <= 21 - box[3]])
    plain = made(pooling)(inside, *values())
    assert len(inside) == 6
    assert torch.allclose(made(pooling, more="IgnorePadding=1")(inside, *values()), plain, atol=1e-12)


@pytest.mark.parametrize("pooling", KINDS)
def test_evaluation_is_the_same_with_both(pooling):
    layer = made(pooling, more="IgnorePadding=1\nFlip=1").eval()
    inputs = [torch.tensor(BEYOND)[:, :, None, None], *(x.float() for x in values())]
    assert torch.equal(layer.evaluate(*(Coded(x) for x in inputs)).values, layer(*inputs))
