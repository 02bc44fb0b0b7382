"""Boxes the slow way, in plain Python, for the tests of the cells that find objects."""

from __future__ import annotations

import math


def iou(first, second):
    """Intersection over union of two boxes (x, y, width, height)."""
    sides = []
    for axis in (0, 1):
        low = max(first[axis], second[axis])
        high = min(first[axis] + first[axis + 2], second[axis] + second[axis + 2])
        sides.append(max(0.0, high - low))
    common = sides[0] * sides[1]
    union = first[2] * first[3] + second[2] * second[3] - common
    return common / union if union > 0 else 0.0


def nms(boxes, scores, threshold, most):
    """Indices of the boxes that stay, the best first."""
    chosen = []
    for index in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        if len(chosen) < most and all(iou(boxes[index], boxes[other]) <= threshold for other in chosen):
            chosen.append(index)
    return chosen


def decode(box, offsets):
    """A box moved and stretched."""
    x, y, width, height = box
    tx, ty, tw, th = offsets
    return [x + tx * width, y + ty * height, width * math.exp(tw), height * math.exp(th)]


def clip(box, width, height):
    """The part of a box that is in the image."""
    x, y, w, h = box
    left, right = min(max(x, 0), width), min(max(x + w, 0), width)
    top, bottom = min(max(y, 0), height), min(max(y + h, 0), height)
    return [left, top, max(0, right - left), max(0, bottom - top)]


def mirror(box, width):
    """A box after left and right of an image of that width are exchanged."""
    x, y, w, h = box
    return [width - (x + w), y, w, h]
