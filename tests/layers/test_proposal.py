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


# ------------------------------------------------------------------------------------------ parts and templates

COUNTS = {"parts": (0, 2, 1), "templates": (3, 0, 1)}


def carrying(more, *names):
    lists = {"parts": "NumParts=0 2 1\n", "templates": "NumTemplates=3 0 1\n"}
    text = (
        "[p]\nType=Fc\nInput=env\nNbOutputs=4\n[t]\nType=Fc\nInput=env\nNbOutputs=12\n"
        "[s]\nType=Fc\nInput=env\nNbOutputs=3\n"
        + "".join(f"[{name}]\nType=Fc\nInput=env\nNbOutputs={3 * sum(COUNTS[name])}\n" for name in names)
        + f"[c]\nType=Proposal\nInput=p,t,s,{','.join(names)}\nNbProposals={BOXES}\n{more}\n"
        + "".join(lists[name] for name in names)
    )
    return network(text).layers["c"].eval()


def carried(names, seed=6):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(2 * BOXES, 3 * sum(COUNTS[name]), 1, 1, generator=generator, dtype=torch.float64)
        for name in names
    }


def behind(names, given, places, row, index):
    """What a row of class ``index`` has behind its box, of the proposal ``row``."""
    found = []
    x, y, w, h = places[row, :, 0, 0].tolist()
    for name in names:
        counts, values = COUNTS[name], given[name][row, :, 0, 0].tolist()
        first = 3 * sum(counts[:index])
        mine = [values[first + 3 * k : first + 3 * k + 3] for k in range(counts[index])]
        if name == "parts":
            mine = [[x + px * w, y + py * h, visible] for px, py, visible in mine]
        found += [number for triple in mine for number in triple] + [0.0] * 3 * (max(counts) - counts[index])
    return found


NAMES = [("parts",), ("templates",), ("parts", "templates")]


@pytest.mark.parametrize("with_class", [0, 1])
@pytest.mark.parametrize("names", NAMES)
def test_a_row_has_the_parts_and_templates_of_its_class(names, with_class):
    (places, moves, scores), given = inputs(), carried(names)
    layer = carrying(f"WithCls={with_class}\nScore_Threshold=0.4", *names)
    out = layer(places, moves, scores, *given.values())
    assert out.shape[1:] == layer.node.output.shape
    low = 0
    for row in range(2 * BOXES):
        values = scores[row, :, 0, 0].tolist()
        best = values.index(max(values))
        expected = [*refined(places, moves, row, best), *[best] * with_class, *behind(names, given, places, row, best)]
        if max(values) < 0.4:
            expected, low = [0.0] * len(expected), low + 1
        assert out[row, :, 0, 0].tolist() == pytest.approx(expected, abs=1e-12)
    assert {int(scores[row].argmax()) for row in range(2 * BOXES)} == {0, 1, 2}
    assert low > 0


@pytest.mark.parametrize("names", NAMES)
def test_suppressed_boxes_take_theirs_with_them(names):
    (places, moves, scores), given = inputs(), carried(names)
    layer = carrying("ApplyNMS=1\nWithCls=1\nNMS_IoU_Threshold=0.2\nScore_Threshold=0.6", *names)
    out = layer(places, moves, scores, *given.values())[:, :, 0, 0]
    for n in range(2):
        found = []
        for index in range(CLASSES):
            rows = [row for row in range(n * BOXES, (n + 1) * BOXES) if float(scores[row, index]) >= 0.6]
            mine = [refined(places, moves, row, index) for row in rows]
            values = [float(scores[row, index]) for row in rows]
            found += [
                (values[i], [*mine[i], index, *behind(names, given, places, rows[i], index)])
                for i in slow.nms(mine, values, 0.2, BOXES)
            ]
        expected = [row for _, row in sorted(found, key=lambda item: -item[0])][:BOXES]
        expected += [[0.0] * out.shape[1]] * (BOXES - len(expected))
        assert torch.allclose(out[n * BOXES : (n + 1) * BOXES], torch.tensor(expected, dtype=torch.float64), atol=1e-12)


def test_evaluation_of_parts_and_templates_is_the_same():
    values = [x.float() for x in (*inputs(), *carried(COUNTS).values())]
    made = carrying("ApplyNMS=1", *COUNTS)
    assert torch.equal(made.evaluate(*(Coded(x) for x in values)).values, made(*values))
