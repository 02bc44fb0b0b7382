import pytest
import torch

from n2d2py.quant.grid import Coded

from . import boxes as slow
from .networks import network

ANCHORS, HEIGHT, WIDTH, BOXES = 2, 3, 4, 6


def layer(more=""):
    text = (
        f"[a]\nType=Conv\nInput=env\nKernelSize=1\nNbOutputs={6 * ANCHORS}\n"
        f"[c]\nType=RP\nInput=a\nNbAnchors={ANCHORS}\nNbProposals={BOXES}\n{more}"
    )
    return network(text, (WIDTH, HEIGHT, 2)).layers["c"]


def blocks(batch=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(batch, 6, ANCHORS, HEIGHT, WIDTH, generator=generator)
    x[:, 1:5] = (x[:, 1:5] * 8).round()
    return x.flatten(1, 2)


def candidates(x, stimulus):
    rows = x[stimulus].unflatten(0, (6, ANCHORS)).flatten(1).T.tolist()
    return [row for row in rows if row[3] > 0 and row[4] > 0]


@pytest.mark.parametrize(
    ("more", "smallest", "threshold", "first"),
    [
        ("", (0, 0), 0.7, None),
        ("NMS_IoU_Threshold=0.2", (0, 0), 0.2, None),
        ("NMS_IoU_Threshold=0\nMinWidth=3\nMinHeight=4", (3, 4), 0.0, None),
        ("Pre_NMS_TopN=4\nNMS_IoU_Threshold=0.1", (0, 0), 0.1, 4),
    ],
)
def test_proposals(more, smallest, threshold, first):
    x = blocks()
    out = layer(more).eval()(x)
    assert out.shape == (2 * BOXES, 4, 1, 1)
    for n in range(2):
        rows = [row for row in candidates(x, n) if row[3] >= smallest[0] and row[4] >= smallest[1]]
        rows = sorted(rows, key=lambda row: -row[0])[:first]
        kept = [rows[i][1:5] for i in slow.nms([row[1:5] for row in rows], [row[0] for row in rows], threshold, BOXES)]
        expected = kept + [[0.0] * 4] * (BOXES - len(kept))
        assert out[n * BOXES : (n + 1) * BOXES, :, 0, 0].tolist() == expected


def test_other_blocks():
    x = blocks()
    swapped = x.unflatten(1, (6, ANCHORS))[:, [5, 0, 1, 2, 3, 4]].flatten(1, 2)
    assert torch.equal(layer("ScoreIndex=1\nIoUIndex=0").eval()(swapped), layer().eval()(x))


def test_evaluation_is_the_same():
    made, x = layer().eval(), blocks()
    assert torch.equal(made.evaluate(Coded(x)).values, made(x))


def test_a_random_pick():
    made = layer("ForegroundRate=0.5\nForegroundMinIoU=0.7\nBackgroundMaxIoU=0.5\nBackgroundMinIoU=0.2").train()
    generator = torch.Generator().manual_seed(3)
    scores, found = torch.rand(400, generator=generator), torch.rand(400, generator=generator)
    seen = set()
    for seed in range(20):
        picked = made.picked(scores, found, torch.Generator().manual_seed(seed))
        overlap = found[picked]
        assert (overlap[:3] >= 0.7).all()
        assert ((overlap[3:] >= 0.2) & (overlap[3:] < 0.5)).all()
        assert len(set(picked.tolist())) == BOXES
        assert torch.equal(picked, made.picked(scores, found, torch.Generator().manual_seed(seed)))
        seen.update(picked.tolist())
    assert len(seen) > 60


def test_too_few_to_pick_from():
    made = layer("ForegroundRate=0.5").train()
    scores = torch.tensor([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4])
    found = torch.tensor([0.6, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0])
    # One of foreground, one of background, then the highest scores.
    assert made.picked(scores, found).tolist() == [0, 2, 1, 3, 5, 6]
    assert made.picked(scores[:1], found[:1]).tolist() == [0]


def test_learning_picks_by_the_overlaps():
    made = layer("ForegroundRate=1\nForegroundMinIoU=0.5").train()
    x = blocks()
    out = made(x)[:, :, 0, 0]
    for n in range(2):
        front = [row[1:5] for row in candidates(x, n) if row[5] >= 0.5]
        assert len(front) >= BOXES
        assert all(box in front for box in out[n * BOXES : (n + 1) * BOXES].tolist())


def test_there_is_no_gradient():
    assert not layer().eval()(blocks().requires_grad_()).requires_grad
