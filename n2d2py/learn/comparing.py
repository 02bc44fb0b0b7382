"""The targets of a network, each ready to compare outputs with the labels of a database, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from n2d2py.errors import LearningError
from n2d2py.learn import detection, labels, pixel_regions
from n2d2py.learn.targets import Comparison
from n2d2py.parts.targets import PlainTarget, Target, TargetROIs

if TYPE_CHECKING:
    from n2d2py.data.stimuli import Stimuli
    from n2d2py.graph.network import Network, Node
    from n2d2py.learn.testing import Tested


def comparisons(network: Tested, stimuli: Stimuli) -> list[Comparison]:
    """The targets of a network at work on the labels of ``stimuli``, in their order.

    Raises :class:`LearningError` for a target that cannot be learned or tested, and for a network of spikes.
    """
    graph = network.network
    for node in graph.spiking:
        raise LearningError(
            f"cell {node.name} has the model {node.model}: n2d2py computes no spikes",
            place=node.cell.place(),
            expected="the model Frame",
            remedy="DefaultModel=Frame, to learn the network by back-propagation",
        )
    for target in graph.targets:
        if target.absent:
            raise LearningError(
                f"target {target.name} can be neither learned nor tested: {target.absent}",
                place=target.place(),
                remedy=f"remove [{target.name}], or give it Type=TargetScore",
            )
        boxes = _boxes_before(graph, target.cell)
        if boxes is not None and not target.wants_regions and not isinstance(target, PlainTarget):
            raise LearningError(
                f"target {target.name} can be neither learned nor tested: behind {boxes.cell.type_name} cell "
                f"{boxes.name} there is an output for each box, and no label for it",
                place=target.place(),
                expected="a target of a cell that gives one output for each stimulus",
                remedy=f"remove [{target.name}]; the network can be used for inference",
            )
    named = {target.name: target for target in graph.targets}
    found = []
    for target in graph.targets:
        if _asks_nothing(graph, target):
            continue
        outputs = graph[target.cell].output.channels
        lookup = labels.lookup(target, stimuli.label_names)
        mask = named[target.mask_label_target] if target.masks else None
        if target.wants_regions:
            found.append(detection.comparison(target, graph, stimuli))
        elif isinstance(target, TargetROIs):
            found.append(pixel_regions.comparison(target, outputs, lookup, mask, graph, stimuli))
        else:
            found.append(Comparison(target, outputs, lookup, mask))
    return found


def _asks_nothing(graph: Network, target: Target) -> bool:
    """Whether its cell learns by itself or gives boxes, so that a plain target there says nothing, as in N2D2."""
    node = graph[target.cell]
    if not isinstance(target, PlainTarget):
        if node.cell.learns_alone and not target.wants_regions:
            raise LearningError(
                f"target {target.name} can be neither learned nor tested: {node.cell.type_name} cell {node.name} "
                "learns from the labelled regions by itself",
                place=target.place(),
                remedy="Type=Target, or a TargetBBox of the RP or ObjectDet cell behind it",
            )
        return False
    return node.cell.learns_alone or node.cell.found_in(node.inputs) is not None


def _boxes_before(graph: Network, cell: str) -> Node | None:
    """The first cell, of all that ``cell`` needs and itself, of which the outputs belong to boxes."""
    needed = {cell}
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed.update(node.parents)
    return next((node for node in graph.nodes if node.name in needed and node.cell.changes_rows), None)


def scoring(targets: list[Comparison]) -> list[Comparison]:
    """The targets that score; the first of them is the primary one."""
    return [target for target in targets if target.target.scores]
