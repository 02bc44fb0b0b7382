import math

import pytest
import torch

from n2d2py.errors import LearningError
from n2d2py.layers.anchors import mirrored
from n2d2py.quant.grid import Coded

from . import boxes as slow
from .networks import network

NET = """
[s]
Type=Conv
Input=env
KernelSize=1
NbOutputs={scores}
[t]
Type=Conv
Input=env
KernelSize=1
NbOutputs=12
[c]
Type=Anchor
Input=s,t
DetectorType={detector}
InputFormat={order}
ScoresCls={index}
Anchor[0]=4 1
Anchor[1]=6 0.5
Anchor[2]=6 2
FeatureMapWidth=18
FeatureMapHeight=14
LossLambda=2
LossPositiveSample={sample}
LossNegativeSample={sample}
NegativeRatio=1.5
PositiveIoU=0.5
NegativeIoU=0.2
{more}
"""
WIDTH, HEIGHT, ANCHORS = 6, 5, 3
ACROSS, DOWN = 3, 3
SHAPES = {"TopLeft": [(0, 0, 4, 4), (0, 0, 8, 4), (0, 0, 4, 8)]}
SHAPES["Centered"] = [(-w / 2, -h / 2, w, h) for _, _, w, h in SHAPES["TopLeft"]]
ROOTS = (4, 6, 6)
SHAPES["Original"] = [
    (root / 2 - w / 2, root / 2 - h / 2, w, h) for root, (_, _, w, h) in zip(ROOTS, SHAPES["TopLeft"], strict=True)
]


def layer(detector="SSD", order="CA", index=0, sample=1000, more=""):
    text = NET.format(detector=detector, order=order, index=index, scores=3 * (index + 1), sample=sample, more=more)
    return network(text, (WIDTH, HEIGHT, 2)).layers["c"]


def test_shapes():
    # 36 / 0.5 = 72, whose root is 8.49; 36 / 2 = 18, whose root is 4.24.
    assert [box[2:] for box in layer().cell.boxes] == [(4, 4), (8, 4), (4, 8)]


def inputs(index=0, batch=2):
    generator = torch.Generator().manual_seed(4)
    scores = torch.rand(batch, 3 * (index + 1), HEIGHT, WIDTH, generator=generator, dtype=torch.float64)
    offsets = torch.randn(batch, 12, HEIGHT, WIDTH, generator=generator, dtype=torch.float64) * 0.3
    return scores, offsets


def channel(order, count, number, anchor):
    return number * ANCHORS + anchor if order == "CA" else anchor * count + number


def positions():
    return [(a, y, x) for a in range(ANCHORS) for y in range(HEIGHT) for x in range(WIDTH)]


@pytest.mark.parametrize("anchoring", ["TopLeft", "Centered", "Original"])
@pytest.mark.parametrize(("order", "index"), [("CA", 0), ("AC", 0), ("CA", 2), ("AC", 1)])
def test_boxes(order, index, anchoring):
    made = layer(order=order, index=index, more=f"Anchoring={anchoring}").eval()
    scores, offsets = inputs(index)
    out = made(scores, offsets).unflatten(1, (6, ANCHORS))
    for n in range(2):
        for a, y, x in positions():
            left, top, w, h = SHAPES[anchoring][a]
            t = [float(offsets[n, channel(order, 4, k, a), y, x]) for k in range(4)]
            box = slow.clip(slow.decode((x * ACROSS + left, y * DOWN + top, w, h), t), 18, 14)
            score = float(scores[n, channel(order, index + 1, index, a), y, x])
            assert out[n, :, a, y, x].tolist() == pytest.approx([score, *box, 0.0], abs=1e-12)


@pytest.mark.parametrize("anchoring", ["TopLeft", "Centered", "Original"])
def test_boxes_are_mirrored(anchoring):
    made = layer(more=f"Anchoring={anchoring}\nFlip=1").eval()
    scores, offsets = inputs()
    out = made(scores, offsets).unflatten(1, (6, ANCHORS))
    for n in range(2):
        for a, y, x in positions():
            left, top, w, h = SHAPES[anchoring][a]
            t = [float(offsets[n, channel("CA", 4, k, a), y, x]) for k in range(4)]
            box = slow.clip(slow.decode((x * ACROSS + left, y * DOWN + top, w, h), t), 18, 14)
            wanted = [float(scores[n, a, y, x]), *slow.mirror(box, 18), 0.0]
            assert out[n, :, a, y, x].tolist() == pytest.approx(wanted, abs=1e-12)


def test_the_image_is_that_of_the_stimuli():
    text = NET.replace("FeatureMapWidth=18\nFeatureMapHeight=14\n", "")
    text = text.format(detector="SSD", order="CA", index=0, scores=3, sample=1, more="")
    assert network(text, (WIDTH, HEIGHT, 2)).layers["c"].image == (WIDTH, HEIGHT)


def test_evaluation_is_the_same():
    made = layer().eval()
    values = [x.float() for x in inputs()]
    assert torch.equal(made.evaluate(*(Coded(x) for x in values)).values, made(*values))


# ---------------------------------------------------------------------------------------------- learning

TRUTH = [
    [(2.0, 1.0, 5.0, 5.0, 0.0), (9.0, 4.0, 7.0, 4.0, 1.0), (3.0, 3.0, 4.0, 4.0, -1.0)],
    [(1.0, 1.0, 0.6, 0.6, 1.0)],
]


def expected_loss(detector, scores, offsets, classes=1, flip=False):
    total = 0.0
    for n, all_regions in enumerate(TRUTH):
        regions = [region for region in all_regions if region[4] >= 0]
        if flip:
            regions = [(*slow.mirror(region[:4], 18), region[4]) for region in regions]
        anchors = {}
        for a, y, x in positions():
            left, top, w, h = SHAPES["TopLeft"][a]
            anchors[a, y, x] = (x * ACROSS + left, y * DOWN + top, w, h)
        shared = {
            key: [slow.iou(box, r) if classes == 1 or key[0] == int(r[4]) else 0.0 for r in regions]
            for key, box in anchors.items()
        }
        best = [max(values[r] for values in shared.values()) for r in range(len(regions))]
        positive, negative = {}, []
        for key, values in shared.items():
            champion = [r for r, value in enumerate(values) if value == best[r] and best[r] > 0]
            if max(values) >= 0.5:
                positive[key] = values.index(max(values))
            elif champion:
                positive[key] = champion[0]
            elif max(values) < 0.2:
                negative.append(key)
        if detector == "LapNet":
            negative.sort(key=lambda key: -float(scores.detach()[n][key]))
            negative = negative[: int(1.5 * len(positive))]
            decisions = places = len(positive)
        else:
            decisions, places = len(positive) + len(negative), WIDTH * HEIGHT
        for key in positive:
            total += 0.5 * (scores[n][key] - 1) ** 2 / decisions
        for key in negative:
            total += 0.5 * scores[n][key] ** 2 / decisions
        for key, r in positive.items():
            x, y, w, h = anchors[key]
            gx, gy, gw, gh, _ = regions[r]
            wanted = [(gx - x) / w, (gy - y) / h, math.log(gw / w), math.log(gh / h)]
            for k in range(4):
                d = offsets[n, k * ANCHORS + key[0], key[1], key[2]] - wanted[k]
                total += 2 * (0.5 * d**2 if abs(float(d.detach())) < 1 else abs(d) - 0.5) / places
    return total


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("detector", ["SSD", "LapNet"])
def test_what_is_learned(detector, classes, flip):
    more = f"NbClass={classes}\n" if classes > 1 else ""
    made = layer(detector, more=more + f"Flip={flip:d}").train()
    made.truth = [torch.tensor(regions, dtype=torch.float64) for regions in TRUTH]
    mine, theirs = ([x.requires_grad_() for x in inputs()] for _ in range(2))
    made(*mine)
    made.own_loss.backward()
    expected = expected_loss(detector, *theirs, classes, flip)
    expected.backward()
    for left, right in zip(mine, theirs, strict=True):
        assert torch.allclose(left.grad, right.grad, atol=1e-12)
        assert right.grad.any()


@pytest.mark.parametrize("detector", ["SSD", "LapNet"])
def test_mirrored_stimuli_are_learned_as_the_others(detector):
    """The same weights on mirrored stimuli: the same loss, gradients and overlaps, and the boxes mirrored."""
    region = (7.0, 4.0, 4.0, 4.0)
    found = []
    for flip, box in ((0, region), (1, slow.mirror(region, 18))):
        made = layer(detector, more=f"Flip={flip}").train()
        made.truth = [torch.tensor([[*box, 0.0]], dtype=torch.float64)]
        mine = [x.requires_grad_() for x in inputs(batch=1)]
        out = made(*mine).unflatten(1, (6, ANCHORS)).movedim(1, -1)
        made.own_loss.backward()
        found.append((made.own_loss.detach(), mine[0].grad, mine[1].grad, out[..., 5], out[..., 1:5]))
    plain, flipped = found
    assert plain[2].any()
    for mine, theirs in zip(plain[:4], flipped[:4], strict=True):
        assert torch.allclose(mine, theirs, atol=1e-12)
    assert torch.allclose(mirrored(plain[4], 18), flipped[4], atol=1e-12)


def test_the_overlap_is_given_while_learning():
    made = layer().train()
    made.truth = [torch.tensor(regions) for regions in TRUTH]
    out = made(*(x.float() for x in inputs())).unflatten(1, (6, ANCHORS))
    for n in range(2):
        for a, y, x in positions():
            box = out[n, 1:5, a, y, x].tolist()
            best = max(slow.iou(box, region) for region in TRUTH[n] if region[4] >= 0)
            assert float(out[n, 5, a, y, x]) == pytest.approx(best, abs=1e-5)


def test_a_sample_of_the_anchors():
    made = layer(sample=1).train()
    made.truth = [torch.tensor(regions) for regions in TRUTH]
    scores, offsets = (x.float().requires_grad_() for x in inputs())
    torch.manual_seed(0)
    made(scores, offsets)
    made.own_loss.backward()
    assert [int((grad != 0).sum()) for grad in scores.grad] == [2, 2]
    again = [x.detach().clone().requires_grad_() for x in (scores, offsets)]
    torch.manual_seed(0)
    made(*again)
    made.own_loss.backward()
    assert torch.equal(again[0].grad, scores.grad)


def test_stimuli_without_regions_have_negative_anchors_alone():
    made = layer().train()
    made.truth = [torch.zeros(0, 5), torch.zeros(0, 5)]
    scores, offsets = (x.float().requires_grad_() for x in inputs())
    made(scores, offsets)
    made.own_loss.backward()
    assert torch.allclose(scores.grad, scores.detach() / (ANCHORS * WIDTH * HEIGHT))
    assert not offsets.grad.any()


def test_learning_without_regions_is_an_error():
    with pytest.raises(LearningError) as caught:
        layer().train()(*(x.float() for x in inputs()))
    text = str(caught.value)
    assert "Anchor cell c cannot learn: it was not given the labelled regions" in text
    assert "[c]" in text
    assert "TorchNetwork.truth" in text


def test_there_is_no_loss_of_yolo():
    made = layer("YOLO").train()
    made.truth = [torch.zeros(0, 5), torch.zeros(0, 5)]
    with pytest.raises(LearningError, match="DetectorType=YOLO") as caught:
        made(*(x.float() for x in inputs()))
    assert "DetectorType=SSD or LapNet" in str(caught.value)


@pytest.mark.parametrize("detector", ["SSD", "LapNet"])
def test_every_input_has_a_gradient_whatever_the_regions_are(detector):
    # Processes that learn together must agree on what has a gradient.
    for truth in (TRUTH[0], []):
        made = layer(detector).train()
        made.truth = [torch.tensor(truth).reshape(-1, 5)] * 2
        scores, offsets = (x.float().requires_grad_() for x in inputs())
        out = made(scores, offsets)
        made.own_loss.backward()
        assert scores.grad is not None
        assert offsets.grad is not None
        assert not out.requires_grad  # nothing behind says what is learned
