"""Connection maps as layers use them: of all parents together, and what is regular about them."""

from __future__ import annotations

import numpy as np

from n2d2py.graph.network import Node


def concatenated_map(node: Node) -> np.ndarray | None:
    """The map of all inputs one after the other, bool (channels, outputs); None if everything is connected."""
    blocks = []
    for name, dims in zip(node.parents, node.inputs, strict=True):
        full = np.ones((dims.channels, node.output.channels), dtype=bool)
        blocks.append(np.asarray(node.maps.get(name, full), dtype=bool))
    together = np.concatenate(blocks)
    return None if together.all() else together


def group_count(connections: np.ndarray) -> int:
    """Number of equal groups if the map is block-diagonal with equal blocks, in order; else 1."""
    channels, outputs = connections.shape
    width = int(connections[:, 0].sum())
    if width == 0 or channels % width or outputs % (channels // width):
        return 1
    groups = channels // width
    blocks = np.kron(np.eye(groups, dtype=bool), np.ones((width, outputs // groups), dtype=bool))
    return groups if np.array_equal(blocks, connections) else 1
