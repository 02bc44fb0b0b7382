"""Sizes of anchors from the labelled regions of the data: k-means where boxes of the same shape are near each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.stimuli import Stimuli
from n2d2py.errors import LearningError
from n2d2py.graph.network import Network
from n2d2py.learn import detection
from n2d2py.parts.targets import TargetBBox

Sizes = NDArray[np.float64]
"""Widths and heights, (count, 2)."""


@dataclass(frozen=True, eq=False)
class Made:
    """Anchors, small ones first, and the mean overlap of a region with the anchor that fits it best."""

    sizes: Sizes
    overlap: float


def overlaps(sizes: Sizes, others: Sizes) -> NDArray[np.float64]:
    """Intersection over union of each of ``sizes`` (n, 2) with each of ``others`` (m, 2), if their corners are one."""
    common = np.minimum(sizes[:, None], others[None]).prod(-1)
    return np.asarray(common / (sizes.prod(-1)[:, None] + others.prod(-1)[None] - common))


def clustered(sizes: Sizes, count: int, iterations: int, seed: int = 1) -> Sizes:
    """``count`` sizes that stand for all: k-means with the distance 1 - IoU, at most so many iterations.

    Redmon and Farhadi 2017 (arXiv:1612.08242), section 2, "Dimension Clusters". It begins with sizes of the data, each
    drawn with the square of its distance to those before it (Arthur and Vassilvitskii 2007), and ends when none changes
    its cluster. A cluster that loses all its sizes stays where it is. ``count`` is at most that of different sizes. The
    seed is no run's: the same data give the same anchors.
    """
    random = np.random.default_rng(seed)
    centres = sizes[[random.integers(len(sizes))]]
    while len(centres) < count:
        distance = (1 - overlaps(sizes, centres).max(1)).clip(0) ** 2
        distance[(sizes[:, None] == centres[None]).all(-1).any(1)] = 0  # exactly, whatever the rounding
        centres = np.concatenate([centres, sizes[[random.choice(len(sizes), p=distance / distance.sum())]]])
    nearest = np.full(len(sizes), -1)
    for _ in range(iterations):
        before, nearest = nearest, overlaps(sizes, centres).argmax(1)
        if (before == nearest).all():
            break
        for number in np.unique(nearest):
            centres[number] = sizes[nearest == number].mean(0)
    return centres[np.lexsort((centres[:, 0], centres.prod(1)))]


def of_stimuli(target: TargetBBox, graph: Network, stimuli: Stimuli) -> Made:
    """The anchors of the regions of the learning set, as they are when the network sees them.

    Raises :class:`LearningError` if there are fewer different ones than anchors.
    """
    comparison = detection.comparison(target, graph, stimuli)
    assert isinstance(comparison, detection.DetectedBoxes)  # that of such a target
    found = comparison.regions
    found.check(stimuli, "Learn")
    boxes = [boxes[:, 2:4].numpy() for batch in stimuli.passes("Learn") for boxes in found.of(batch.regions)]
    sizes = np.concatenate(boxes).astype(np.float64)
    sizes = sizes[(sizes > 0).all(1)]
    different = len(np.unique(sizes, axis=0))
    if different < target.nb_anchors:
        raise LearningError(
            f"target {target.name}: {target.nb_anchors} anchors are wanted of {different} different sizes of regions",
            place=target.place("nb_anchors"),
            expected=f"NbAnchors of at most {different}",
        )
    anchors = clustered(sizes, target.nb_anchors, target.nb_iter)
    return Made(anchors, float(overlaps(sizes, anchors).max(1).mean()))
