import pytest
import torch

from n2d2py.quant.grid import Coded

from . import boxes as slow
from .networks import network

BOXES, CLASSES = 5, 3


def layer(more="", offsets=4 * CLASSES):
    text = (
        "[p]\nType=Fc\nInput=env\nNbOutputs=4\n"
        f"[t]\nType=Fc\nInput=env\nNbOutputs={offsets}\n"
        f"[s]\nType=Fc\nInput=env\nNbOutputs={CLASSES}\n"
        f"[c]\nType=Proposal\nInput=p,t,s\nNbProposals={BOXES}\n{more}"
    )
    return network(text).layers["c"].eval()


def inputs(offsets=4 * CLASSES):
    generator = torch.Generator().manual_seed(5)
    places = (torch.rand(2 * BOXES, 4, generator=generator, dtype=torch.float64) * 6 + 1).round()
    moves = torch.randn(2 * BOXES, offsets, generator=generator, dtype=torch.float64) * 0.2
    scores = torch.rand(2 * BOXES, CLASSES, generator=generator, dtype=torch.float64)
    return [x[:, :, None, None] for x in (places, moves, scores)]


def refined(places, moves, row, index, factors=(1, 1, 1, 1), means=(0, 0, 0, 0)):
    first = 4 * index if moves.shape[1] > 4 else 0
    t = [float(moves[row, first + k]) * factors[k] + means[k] for k in range(4)]
    return slow.decode(places[row, :, 0, 0].tolist(), t)


@pytest.mark.parametrize("offsets", [4, 4 * CLASSES])
def test_each_proposal_has_its_best_class(offsets):
    places, moves, scores = inputs(offsets)
    more = "WithCls=1\nScoreIndex=1\nMeansFactor=0.1 0 0 0.2\nStdFactor=0.1 0.2 0.5 1"
    out = layer(more, offsets)(places, moves, scores)[:, :, 0, 0]
    for row in range(2 * BOXES):
        values = scores[row, :, 0, 0].tolist()
        best = max((1, 2), key=lambda index: values[index])
        box = refined(places, moves, row, best, (0.1, 0.2, 0.5, 1), (0.1, 0, 0, 0.2))
        assert out[row].tolist() == pytest.approx([*box, best], abs=1e-12)


def test_low_scores_are_zeros():
    places, moves, scores = inputs()
    out = layer("Score_Threshold=0.8")(places, moves, scores)
    low = scores.amax(1) < 0.8
    assert out.shape == (2 * BOXES, 4, 1, 1)
    assert low.any()
    assert torch.equal((out == 0).all(1), low)


@pytest.mark.parametrize("keep", [False, True])
def test_suppression(keep):
    places, moves, scores = inputs()
    more = f"ApplyNMS=1\nWithCls=1\nNMS_IoU_Threshold=0.2\nScore_Threshold=0.3\nKeepMaxCls={keep:d}"
    out = layer(more)(places, moves, scores)[:, :, 0, 0]
    for n in range(2):
        found = []
        for index in range(CLASSES):
            rows = [
                row
                for row in range(n * BOXES, (n + 1) * BOXES)
                if float(scores[row, index]) >= 0.3 and (not keep or int(scores[row].argmax()) == index)
            ]
            mine = [refined(places, moves, row, index) for row in rows]
            values = [float(scores[row, index]) for row in rows]
            found += [(values[i], [*mine[i], index]) for i in slow.nms(mine, values, 0.2, BOXES)]
        expected = [box for _, box in sorted(found, key=lambda item: -item[0])][:BOXES]
        expected += [[0.0] * 5] * (BOXES - len(expected))
        assert torch.allclose(out[n * BOXES : (n + 1) * BOXES], torch.tensor(expected, dtype=torch.float64), atol=1e-12)


def test_evaluation_is_the_same():
    values = [x.float() for x in inputs()]
    made = layer("ApplyNMS=1")
    assert torch.equal(made.evaluate(*(Coded(x) for x in values)).values, made(*values))


def test_boxes_are_the_same_while_other_cells_learn():
    made, values = layer(), [x.requires_grad_() for x in inputs()]
    expected, learning = made.eval()(*values), made.train()(*values)
    assert torch.equal(learning, expected)
    assert not learning.requires_grad
