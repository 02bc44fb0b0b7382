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
            rows = [values[:, number, i, j].tolist() for number in numbers for i in range(HEIGHT) for j in range(WIDTH)]
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


# ------------------------------------------------------------------------------------------ parts and templates

COUNTS = {"parts": (2, 0, 3), "templates": (1, 2, 0)}
EACH = {"parts": 2, "templates": 3}
NAMES = [("parts",), ("templates",), ("parts", "templates")]


def carrying(more, names):
    lists = {"parts": "NumParts=2 0 3\n", "templates": "NumTemplates=1 2 0\n"}
    sizes = {"a": 6 * ANCHORS * CLASSES, **{name: EACH[name] * sum(COUNTS[name]) * ANCHORS for name in names}}
    text = "".join(f"[{name}]\nType=Conv\nInput=env\nKernelSize=1\nNbOutputs={sizes[name]}\n" for name in sizes)
    text += (
        f"[c]\nType=ObjectDet\nInput={','.join(sizes)}\nNbAnchors={ANCHORS}\nNbClass={CLASSES}\nNbProposals={BOXES}\n"
        + "".join(lists[name] for name in names)
        + more
    )
    return network(text, (WIDTH, HEIGHT, 2)).layers["c"].eval()


def carried(names):
    generator = torch.Generator().manual_seed(9)
    return {
        name: torch.randn(2, EACH[name] * sum(COUNTS[name]) * ANCHORS, HEIGHT, WIDTH, generator=generator)
        for name in names
    }


def number_of(name, order, c, k, value, anchor):
    """The channel of one number of the k-th part or template of class c, of an anchor."""
    before = EACH[name] * (sum(COUNTS[name][:c]) + k) + value
    return before * ANCHORS + anchor if order == "CA" else anchor * EACH[name] * sum(COUNTS[name]) + before


def behind(names, given, order, pixels, n, c, place, box):
    """What a row of class c has behind its box, found by the anchor and at the position of ``place``."""
    anchor, i, j = place
    found = []
    for name in names:
        for k in range(COUNTS[name][c]):
            channels = [number_of(name, order, c, k, value, anchor) for value in range(EACH[name])]
            mine = [float(given[name][n, channel, i, j]) for channel in channels]
            if name == "parts":
                px, py = mine if pixels == "XY" else mine[::-1]
                mine = [box[0] + px * box[2], box[1] + py * box[3]]
            found += mine
        found += [0.0] * EACH[name] * (max(COUNTS[name]) - COUNTS[name][c])
    return found


@pytest.mark.parametrize("least", [0.4, 2.0])
@pytest.mark.parametrize("pixels", ["XY", "YX"])
@pytest.mark.parametrize("order", ["CA", "AC"])
@pytest.mark.parametrize("names", NAMES)
def test_a_row_has_the_parts_and_templates_of_its_class(names, order, pixels, least):
    x, given = blocks(), carried(names)
    more = f"InputFormat={order}\nPixelFormat={pixels}\nScore_Threshold={least}\nNMS_Threshold=0.25"
    layer = carrying(more, names)
    out = layer(x, *given.values())
    assert out.shape[1:] == layer.node.output.shape
    out = out[:, :, 0, 0].unflatten(0, (2, CLASSES, BOXES))
    xy = [1, 2, 3, 4] if pixels == "XY" else [2, 1, 4, 3]
    for n in range(2):
        values = x[n].unflatten(0, (6, -1))
        for c in range(CLASSES):
            places = [(a, i, j) for a in range(ANCHORS) for i in range(HEIGHT) for j in range(WIDTH)]
            number = {a: c * ANCHORS + a if order == "CA" else a * CLASSES + c for a in range(ANCHORS)}
            rows = {(a, i, j): values[:, number[a], i, j].tolist() for a, i, j in places}
            places = [at for at in places if rows[at][0] >= least and rows[at][3] > 0 and rows[at][4] > 0]
            found, scores = [[rows[at][k] for k in xy] for at in places], [rows[at][0] for at in places]
            kept = [
                [*found[i], scores[i], c, *behind(names, given, order, pixels, n, c, places[i], found[i])]
                for i in slow.nms(found, scores, 0.25, BOXES)
            ]
            assert bool(kept) == (least < 1)
            expected = torch.tensor(kept + [[0.0] * out.shape[-1]] * (BOXES - len(kept)))
            assert torch.allclose(out[n, c], expected, atol=1e-5)


def test_boxes_are_those_without_parts():
    given = carried(COUNTS)
    out = carrying("", tuple(COUNTS))(blocks(), *given.values())
    assert torch.equal(out[:, :6], layer()(blocks()))


def test_evaluation_of_parts_and_templates_is_the_same():
    made, values = carrying("", tuple(COUNTS)), [blocks(), *carried(COUNTS).values()]
    assert torch.equal(made.evaluate(*(Coded(x) for x in values)).values, made(*values))
