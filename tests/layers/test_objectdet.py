import pytest
import torch

from n2d2py.quant.grid import Coded

from . import boxes as slow
from .networks import network

ANCHORS, CLASSES, HEIGHT, WIDTH, BOXES = 2, 3, 2, 4, 5


def layer(more=""):
    text = (
        f"[a]\nType=Conv\nInput=env\nKernelSize=1\nNbOutputs={6 * ANCHORS * CLASSES}\n"
        f"[c]\nType=ObjectDet\nInput=a\nNbAnchors={ANCHORS}\nNbClass={CLASSES}\nNbProposals={BOXES}\n{more}"
    )
    return network(text, (WIDTH, HEIGHT, 2)).layers["c"].eval()


def blocks():
    generator = torch.Generator().manual_seed(7)
    x = torch.rand(2, 6, CLASSES * ANCHORS, HEIGHT, WIDTH, generator=generator)
    x[:, 1:5] = (x[:, 1:5] * 7).round()
    return x.flatten(1, 2)


@pytest.mark.parametrize("pixels", ["XY", "YX"])
@pytest.mark.parametrize("order", ["CA", "AC"])
@pytest.mark.parametrize(("thresholds", "least"), [("0.4", [0.4] * 3), ("0 0.5 1", [0, 0.5, 1])])
def test_boxes_of_each_class(order, pixels, thresholds, least):
    x = blocks()
    more = f"InputFormat={order}\nPixelFormat={pixels}\nScore_Threshold={thresholds}\nNMS_Threshold=0.25"
    out = layer(more)(x)[:, :, 0, 0].unflatten(0, (2, CLASSES, BOXES))
    xy = [1, 2, 3, 4] if pixels == "XY" else [2, 1, 4, 3]
    for n in range(2):
        for c in range(CLASSES):
            numbers = [c * ANCHORS + a if order == "CA" else a * CLASSES + c for a in range(ANCHORS)]
            values = x[n].unflatten(0, (6, -1))
            rows = [
                values[:, number, i, j].tolist() for number in numbers for i in range(HEIGHT) for j in range(WIDTH)
            ]
            rows = [row for row in rows if row[0] >= least[c] and row[3] > 0 and row[4] > 0]
            found, scores = [[row[k] for k in xy] for row in rows], [row[0] for row in rows]
            kept = [[*found[i], scores[i], c] for i in slow.nms(found, scores, 0.25, BOXES)]
            assert out[n, c].tolist() == kept + [[0.0] * 6] * (BOXES - len(kept))


def test_evaluation_is_the_same():
    made, x = layer(), blocks()
    assert torch.equal(made.evaluate(Coded(x)).values, made(x))


def test_boxes_are_the_same_while_other_cells_learn():
    made, x = layer(), blocks().requires_grad_()
    expected, learning = made.eval()(x), made.train()(x)
    assert torch.equal(learning, expected)
    assert not learning.requires_grad
