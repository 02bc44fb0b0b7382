"""What the labelled regions of stimuli are to cells and targets: boxes in their image, with classes of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py.errors import LearningError, Place
from n2d2py.learn import labels
from n2d2py.learn.targets import IGNORED

if TYPE_CHECKING:
    from n2d2py.cells.base import BoxRows
    from n2d2py.data.stimuli import Stimuli
    from n2d2py.graph.network import Network
    from n2d2py.layers.network import TorchNetwork
    from n2d2py.parts.targets import Target

Scale = tuple[float, float]
"""Pixels of the image of boxes for one pixel of the stimuli, across and down."""


@dataclass(frozen=True, eq=False)
class Regions:
    """How regions are told: ``lookup`` gives the class of each label (-1: it is none), then that of what has none.

    ``names`` are those of the classes, ``scale`` that of the image in which boxes lie; ``asker`` and ``place`` are for
    errors.
    """

    lookup: NDArray[np.int64]
    names: tuple[str, ...]
    asker: str
    place: Place | None = None
    scale: Scale = (1.0, 1.0)

    def of(self, regions: Sequence[Tensor] | None) -> list[Tensor]:
        """Those of each stimulus of a batch that are of a class: (regions, 5), x, y, width, height, class.

        Raises :class:`LearningError` if a batch has none because it was not asked to.
        """
        if regions is None:
            raise LearningError(f"{self.asker} needs the regions of stimuli, which have none", place=self.place)
        table = torch.from_numpy(self.lookup)
        found = []
        for boxes in regions:
            classes = table[boxes[:, 4].long()]
            mapped = torch.cat([boxes[:, :4] * boxes.new_tensor([*self.scale, *self.scale]), classes[:, None]], 1)
            found.append(mapped[classes >= 0].float())
        return found

    def check(self, stimuli: Stimuli, name: str) -> None:
        """Raise :class:`LearningError` if the regions of a set have no class, or one that is not told apart."""
        found = stimuli.region_labels(name)
        classes = self.lookup[found]
        if not (classes >= 0).any():
            raise LearningError(
                f"{self.asker} needs labelled regions, and the set {name} has none"
                + (f" but {len(found)} without a class" if len(found) else ""),
                place=self.place,
                expected="a database with regions (ROIFile, ROIDir, ...) whose stimuli are not cropped to theirs",
                remedy="CompositeLabel=None in [database], or stimuli without a label of their own (LabelDepth=-1)",
            )
        largest = int(classes.max())
        if largest >= len(self.names):
            raise LearningError(
                f"{self.asker} tells {len(self.names)} classes apart (0 to {len(self.names) - 1}), and there are "
                f"regions of class {largest} ({stimuli.label_names[int(found[classes.argmax()])]})",
                place=self.place,
                remedy="more classes for the cells that give boxes, or a file that maps labels (LabelsMapping of a "
                "target, LabelMapping of an Anchor cell)",
            )


def numbered(stimuli: Stimuli) -> NDArray[np.int64]:
    """The class of each label where no file says it: the labels in their order, without DefaultLabel; -1 for none."""
    count, default = len(stimuli.label_names), stimuli.default_label
    classes = np.arange(count + 1)
    if default >= 0:
        classes[default + 1 :] -= 1
        classes[default] = IGNORED
    classes[count] = IGNORED
    return classes


def _told(lookup: NDArray[np.int64], count: int, stimuli: Stimuli, others: str) -> tuple[str, ...]:
    """A name for each of ``count`` classes: its labels, ``others`` for the one that has none."""
    names = stimuli.label_names
    by_class = [", ".join(names[label] for label in np.flatnonzero(lookup[:-1] == index)) for index in range(count)]
    return tuple(name or others for name in by_class)


def of_cells(network: TorchNetwork, stimuli: Stimuli) -> dict[str, Regions]:
    """What the regions are to each layer that learns from them; batches will have them from now on."""
    found = {}
    for name, layer in network.without_target.items():
        cell = layer.node.cell
        file, count = cell.label_mapping, cell.classes  # type: ignore[attr-defined]  # those of an AnchoredCell
        lookup = numbered(stimuli)
        if file:
            lookup = labels.mapped(file, cell.place("label_mapping"), stimuli.label_names)
        if count == 1:
            lookup = np.minimum(lookup, 0)
        names = _told(lookup, count, stimuli, "-")
        scale = _scale(network.network, name)
        found[name] = Regions(lookup, names, f"{cell.type_name} cell {name}", cell.place(), scale)
    if found:
        stimuli.give_regions()
    return found


def of_proposals(target: Target, graph: Network, stimuli: Stimuli, classes: int) -> tuple[Regions, int]:
    """Regions as outputs of a TargetRP on a cell that tells ``classes`` apart, and the output of the background."""
    stimuli.give_regions()
    default = stimuli.default_label
    if target.labels_mapping:
        known = labels.lookup(target, stimuli.label_names)
        assert known is not None  # there is a file
        lookup, background = known.copy(), max(int(known[-1]), 0)
        lookup[lookup == background] = IGNORED
    else:
        lookup, background = numbered(stimuli) + 1, 0
        lookup[-1] = IGNORED
        if default >= 0:
            lookup[default] = IGNORED
    lookup[-1] = IGNORED
    names = _told(lookup, classes, stimuli, "background")
    return Regions(lookup, names, f"target {target.name}", target.place(), _scale(graph, target.cell)), background


def of_boxes(target: Target, graph: Network, stimuli: Stimuli, rows: BoxRows) -> Regions:
    """Regions as the classes of an output of boxes."""
    if rows.background:
        return of_proposals(target, graph, stimuli, rows.classes)[0]
    stimuli.give_regions()
    lookup = labels.lookup(target, stimuli.label_names)
    if lookup is None:
        lookup = numbered(stimuli)
    if rows.classes == 1:
        lookup = np.minimum(lookup, 0)
    names = ("object",) if rows.classes == 1 else _told(lookup, rows.classes, stimuli, "-")
    return Regions(lookup, names, f"target {target.name}", target.place(), _scale(graph, target.cell))


def before(graph: Network, cell: str) -> set[str]:
    """The names of all that a cell needs."""
    needed = set(graph[cell].parents)
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed.update(node.parents)
    return needed


def _scale(graph: Network, cell: str) -> Scale:
    """The scale of the boxes of a cell: that of the image (FeatureMapWidth, ..) of the Anchor cell that finds them."""
    needed = {cell, *before(graph, cell)}
    for node in reversed(graph.nodes):
        width, height = getattr(node.cell, "map_width", 0), getattr(node.cell, "map_height", 0)
        if node.name in needed and (width or height):
            stimuli = graph.stimuli
            return (width or stimuli.width) / stimuli.width, (height or stimuli.height) / stimuli.height
    return 1.0, 1.0
