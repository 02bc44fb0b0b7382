"""Targets of boxes: what a proposal is wanted to be, losses and gradients beside slow ones, and what is told apart."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from n2d2py import ini
from n2d2py.errors import LearningError
from n2d2py.graph.build import build
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import regions
from n2d2py.learn.comparing import comparisons
from tests.layers import boxes as slow

NET = """
DefaultModel=Frame
[sp]
Size=32 24 1
BatchSize=2
[head]
Type=Conv
Input=sp
KernelSize=4
Stride=4
NbOutputs=20
[anchor]
Type=Anchor
Input=head
DetectorType=SSD
Ratios=1 2
RootArea=6
Scales=1 2
{anchor}
[rp]
Type=RP
Input=anchor
NbAnchors=4
NbProposals=4
[pooled]
Type=ROIPooling
Input=rp,head
NbOutputs=20
OutputsWidth=2
OutputsHeight=2
Pooling=Average
[s]
Type=Fc
Input=pooled
NbOutputs=3
[s.Target]
Type=TargetRP
MinOverlap=0.5
{cls}
[t]
Type=Fc
Input=pooled
NbOutputs={moves}
[t.Target]
Type=TargetRP
TargetType=BBox
LossLambda=3
[final]
Type=Proposal
Input=rp,t,s
NbProposals=4
WithCls=1
MeansFactor=0.1 0 0 0.2
StdFactor=0.1 0.2 0.5 0.25
[final.Target]
Type=TargetBBox
"""
PROPOSALS = [(2, 2, 10, 10), (20, 10, 6, 8), (0, 0, 0, 0), (2, 2, 10, 4)]
MORE = [(1, 1, 4, 4), (10, 10, 8, 8), (10, 11, 8, 8), (0, 0, 30, 20)]
THERE = [[(2, 3, 10, 9, 0), (19, 10, 8, 8, 1)], [(11, 10, 8, 8, 1)]]


class Data:
    """As much of the stimuli as targets ask for."""

    def __init__(self, names=("a", "b"), default=-1, found=(0, 1)):
        self.label_names, self.default_label, self.found = list(names), default, np.array(found, np.int64)
        self.asked = False

    def give_regions(self):
        self.asked = True

    def region_labels(self, name):
        return self.found


def made(text=None, **keys):
    text = (text or NET).format(**{"anchor": "", "cls": "", "moves": 12, **keys})
    network = TorchNetwork(build(ini.loads(text, file="boxes.ini"), "boxes.ini"))
    network.fill(1)
    return network


def targets(data=None, **keys):
    found = comparisons(made(**keys), data or Data())
    return {one.target.name.removesuffix(".Target"): one for one in found}


def batch(there=THERE):
    return SimpleNamespace(regions=tuple(torch.tensor(one, dtype=torch.float32).reshape(-1, 5) for one in there))


def column(*rows):
    return torch.tensor([row for part in rows for row in part], dtype=torch.float64)[:, :, None, None]


def outputs(channels, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(8, channels, 1, 1, generator=generator, dtype=torch.float64, requires_grad=True)


def belongs(boxes, there):
    """For each proposal the region that it overlaps most, if by half at least; None for a background."""
    found = []
    for box, regions_there in boxes:
        shared = [slow.iou(box, region) for region in regions_there]
        best = max(range(len(shared)), key=lambda index: (shared[index], -index)) if shared else None
        found.append(regions_there[best] if best is not None and shared[best] >= 0.5 and box[2] > 0 else None)
    return found


def pairs():
    return [(box, THERE[0]) for box in PROPOSALS] + [(box, THERE[1]) for box in MORE]


def test_a_proposal_has_the_class_of_its_region():
    wanted = targets()["s"].wanted({"rp": column(PROPOSALS, MORE)}, batch())
    # 0 is the background, and -1 what only fills up.
    assert wanted.tolist() == [1, 2, -1, 0, 0, 2, 2, 0]
    expected = [0 if region is None else int(region[4]) + 1 for region in belongs(pairs(), THERE)]
    expected[2] = -1
    assert wanted.tolist() == expected


def test_a_stimulus_without_regions_is_background():
    wanted = targets()["s"].wanted({"rp": column(PROPOSALS, MORE)}, batch([THERE[0], []]))
    assert wanted.tolist() == [1, 2, -1, 0, 0, 0, 0, 0]


def test_the_loss_of_classes_beside_a_slow_one():
    one, rp = targets()["s"], column(PROPOSALS, MORE)
    mine, theirs = outputs(3), outputs(3)
    wanted = one.wanted({"rp": rp}, batch())
    one.loss("cross-entropy", {"s": mine, "rp": rp}, wanted).backward()
    total = 0.0
    for row, label in zip(theirs[:, :, 0, 0], wanted.tolist(), strict=True):
        if label >= 0:
            total = total + (torch.logsumexp(row, 0) - row[label]) / 4
    total.backward()
    assert torch.allclose(mine.grad, theirs.grad, atol=1e-14)
    assert not mine.grad[2].any()


@pytest.mark.parametrize("moves", [12, 4])
def test_the_loss_of_offsets_beside_a_slow_one(moves):
    one, rp = targets(moves=moves)["t"], column(PROPOSALS, MORE)
    mine, theirs = outputs(moves), outputs(moves)
    wanted = one.wanted({"rp": rp}, batch())
    loss = one.loss("square", {"t": mine, "rp": rp}, wanted)
    loss.backward()
    total = 0.0
    for row, (box, _), region in zip(theirs[:, :, 0, 0], pairs(), belongs(pairs(), THERE), strict=True):
        if region is None:
            continue
        x, y, width, height = box
        offsets = [(region[0] - x) / width, (region[1] - y) / height]
        offsets += [math.log(region[2] / width), math.log(region[3] / height)]
        first = 4 * (int(region[4]) + 1) if moves == 12 else 0
        # Proposal makes t * StdFactor + MeansFactor of what is learned.
        for place, (offset, mean, factor) in enumerate(
            zip(offsets, (0.1, 0, 0, 0.2), (0.1, 0.2, 0.5, 0.25), strict=True)
        ):
            difference = row[first + place] - (offset - mean) / factor
            near = abs(float(difference.detach())) < 1
            total = total + 3 * (0.5 * difference**2 if near else abs(difference) - 0.5) / 4
    total.backward()
    assert float(loss.detach()) == pytest.approx(float(total.detach()))
    assert torch.allclose(mine.grad, theirs.grad, atol=1e-14)
    assert mine.grad.any()


def test_what_is_learned_makes_the_proposal_cell_give_the_region():
    network = made()
    one = {found.target.name: found for found in comparisons(network, Data())}["t.Target"]
    rp = column(PROPOSALS, MORE)
    wanted = one.wanted({"rp": rp}, batch())
    moves = torch.zeros(8, 3, 4, dtype=torch.float64)
    scores = torch.zeros(8, 3, dtype=torch.float64)
    for row, label in enumerate(wanted[:, 4].long().tolist()):
        if label >= 0:
            moves[row, label], scores[row, label] = wanted[row, :4], 1.0
    found = network.layers["final"].eval()(rp, moves.flatten(1)[:, :, None, None], scores[:, :, None, None])
    expected = [region for region in belongs(pairs(), THERE) if region is not None]
    known = [row.tolist() for row in found[:, :, 0, 0] if row[4] > 0]
    assert len(known) == len(expected) == 4
    for row, region in zip(known, expected, strict=True):
        assert row[:4] == pytest.approx(region[:4], abs=1e-6)
        assert row[4] == region[4] + 1


def test_offsets_have_a_gradient_without_any_region():
    one, rp, given = targets()["t"], column(PROPOSALS, MORE), outputs(12)
    loss = one.loss("square", {"t": given, "rp": rp}, one.wanted({"rp": rp}, batch([[], []])))
    loss.backward()
    assert float(loss.detach()) == 0
    assert given.grad is not None
    assert not given.grad.any()


def test_detected_boxes():
    one = targets()["final"]
    rows = [(2, 3, 10, 9, 1), (19, 10, 8, 8, 1), (0, 0, 0, 0, 0), (0, 0, 5, 5, 0)], [(11, 10, 8, 8, 2)] + [(0,) * 5] * 3
    given = {"final": column(*rows)}
    judged = one.judge(given, one.tested(given, batch()), torch.zeros(0))
    # Class 0 is the background: such a box is none.
    assert list(zip(judged.labels.tolist(), judged.estimated.tolist(), strict=True)) == [(1, 1), (2, 1), (2, 2)]
    assert judged.rows.tolist() == [0, 0, 1]
    assert one.class_names == ("background", "a", "b")
    assert np.isnan(judged.found[:, 6]).all()


def test_what_boxes_carry_changes_no_target():
    text = NET.replace("Input=rp,t,s\n", "Input=rp,t,s,p\nNumParts=0 1 2\n") + (
        "[p]\nType=Fc\nInput=pooled\nNbOutputs=9\n"
    )
    found = {one.target.name: one for one in comparisons(made(text), Data())}
    assert found["t.Target"].factors == targets()["t"].factors
    one = found["final.Target"]
    rows = [[2, 3, 10, 9, 1, *[7.0] * 6], [0] * 11, [0] * 11, [0] * 11]
    given = {"final": column(rows, [[0] * 11] * 4)}
    judged = one.judge(given, one.tested(given, batch()), torch.zeros(0))
    plain = targets()["final"]
    given = {"final": given["final"][:, :5]}
    expected = plain.judge(given, plain.tested(given, batch()), torch.zeros(0))
    assert judged.labels.tolist() == expected.labels.tolist()
    assert judged.estimated.tolist() == expected.estimated.tolist()
    assert np.array_equal(judged.found, expected.found, equal_nan=True)


def test_defaults_are_found():
    found = targets()
    assert found["s"].target.proposals == found["t"].target.proposals == "rp"
    assert found["t"].regions.names == ("background", "a", "b")
    assert targets(moves=4)["t"].regions.names == ("object",)


def test_batches_are_asked_for_regions():
    data = Data()
    targets(data)
    assert data.asked


# ------------------------------------------------------------------------------------------------- labels


def test_classes_are_the_labels_in_their_order_without_the_default():
    assert regions.numbered(Data()).tolist() == [0, 1, -1]
    assert regions.numbered(Data(("none", "a", "b"), 0)).tolist() == [-1, 0, 1, -1]
    assert regions.numbered(Data(("a", "none", "b"), 1)).tolist() == [0, -1, 1, -1]


def test_the_default_label_is_the_background():
    one = targets(Data(("none", "a", "b"), 0, (1, 2)))["s"]
    assert one.regions.lookup.tolist() == [-1, 1, 2, -1]
    assert one.background == 0


def test_a_file_says_which_label_is_which_output(tmp_path):
    (tmp_path / "map.dat").write_text("a 2\nb 1\n* 0\n")
    one = targets(cls=f"LabelsMapping={tmp_path}/map.dat")["s"]
    assert one.regions.lookup.tolist() == [2, 1, -1]
    (tmp_path / "map.dat").write_text("a 0\nb 1\n* 2\n")
    one = targets(cls=f"LabelsMapping={tmp_path}/map.dat")["s"]
    assert (one.regions.lookup.tolist(), one.background) == ([0, 1, -1], 2)


def test_regions_of_anchors(tmp_path):
    (tmp_path / "map.dat").write_text("a -1\nb 0\n")
    (one,) = regions.of_cells(made(anchor=f"LabelMapping={tmp_path}/map.dat"), Data()).values()
    (first, second) = one.of(batch().regions)
    assert first.tolist() == [[19, 10, 8, 8, 0]]
    assert second.tolist() == [[11, 10, 8, 8, 0]]
    (one,) = regions.of_cells(made(), Data()).values()
    assert one.of(batch().regions)[0][:, 4].tolist() == [0, 0]  # one class: there is something
    (one,) = regions.of_cells(made(anchor="NbClass=2"), Data()).values()
    assert one.of(batch().regions)[0][:, 4].tolist() == [0, 1]


def test_regions_are_those_of_the_image_of_the_anchors():
    network = made(anchor="FeatureMapWidth=64\nFeatureMapHeight=72")
    (one,) = regions.of_cells(network, Data()).values()
    assert one.of(batch().regions)[1].tolist() == [[22, 30, 16, 24, 0]]
    assert {found.regions.scale for found in comparisons(network, Data())} == {(2.0, 3.0)}


def test_a_set_without_regions_is_said():
    with pytest.raises(LearningError) as caught:
        targets()["s"].check_set(Data(found=()), "Learn")
    text = str(caught.value)
    assert "target s.Target needs labelled regions, and the set Learn has none" in text
    assert "boxes.ini" in text
    assert "to do: CompositeLabel=None" in text
    data = Data(("none",), 0, (0,))
    with pytest.raises(LearningError, match="has none but 1 without a class"):
        regions.of_cells(made(), data)["anchor"].check(data, "Learn")


def test_a_class_too_many_is_said():
    data = Data(("a", "b", "c"), -1, (0, 2))
    with pytest.raises(LearningError, match=r"tells 3 classes apart \(0 to 2\).*regions of class 3 \(c\)"):
        targets(data)["s"].check_set(data, "Learn")
    with pytest.raises(LearningError, match="Anchor cell anchor tells 2 classes apart"):
        regions.of_cells(made(anchor="NbClass=2"), data)["anchor"].check(data, "Learn")


def test_a_batch_that_was_not_asked():
    with pytest.raises(LearningError, match=r"target s.Target needs the regions of stimuli"):
        targets()["s"].wanted({"rp": column(PROPOSALS, MORE)}, SimpleNamespace(regions=None))


# ------------------------------------------------------------------------------------- cells that do not suit


@pytest.mark.parametrize(
    ("old", "new", "said", "expected"),
    [
        ("[head]\n", "[head.Target]\nType=TargetBBox\n[head]\n", "Conv cell head does not suit it", "boxes, which"),
        ("[head]\n", "[head.Target]\nType=TargetRP\n[head]\n", "Conv cell head does not suit it", "behind the RP cell"),
        ("TargetType=BBox\n", "TargetType=BBox\nRP=anchor\n", "Fc cell t does not suit it", "anchor does not give"),
        ("NbOutputs={moves}\n", "NbOutputs=6\n[u]\nType=Fc\nInput=t\nNbOutputs=12\n", "Fc cell t does", "4 outputs"),
        ("[head]\n", "[anchor.Target]\n[head]\n", "Anchor cell anchor learns from the labelled", "anchor.Target"),
        ("[head]\n", "[rp.Target]\n[head]\n", "behind RP cell rp there is an output for each box", "rp.Target"),
        ("Type=TargetRP\nM", "Type=TargetRP\nDistill=w\nM", "has Distill", "remove Distill"),
    ],
)
def test_targets_that_do_not_suit_their_cell(old, new, said, expected):
    text = NET.replace(old, new).replace("Input=rp,t,s", "Input=rp,u,s" if "[u]" in new else "Input=rp,t,s")
    with pytest.raises(LearningError) as caught:
        comparisons(made(text), Data())
    assert said in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize("cell", ["anchor", "rp"])
def test_a_plain_target_of_such_a_cell_asks_nothing(cell):
    text = NET.replace("[head]\n", f"[{cell}.Target]\nType=Target\n[head]\n")
    assert len(comparisons(made(text), Data())) == 3
