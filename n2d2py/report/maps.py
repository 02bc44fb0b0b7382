"""``map/<cell>_map.dat``: which channels of the inputs are connected to which outputs, as a matrix of 0 and 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from n2d2py.graph.files import write
from n2d2py.graph.network import Network, Node
from n2d2py.learn.names import path_of


def write_maps(folder: str | Path, network: Network) -> list[Path]:
    """A file for each cell that has weights or a map. A line is a channel, inputs one after the other.

    The file of a cell that knows no map, such as Fc, is empty, as N2D2's is.
    """
    written = []
    for node in network:
        maps_exist = hasattr(node.cell, "mapping")
        if not maps_exist and not hasattr(node.cell, "weights_quantizer"):
            continue
        rows = connections(node) if maps_exist else np.zeros((0, 0), bool)
        text = "".join(" ".join("1" if bit else "0" for bit in row) + "\n" for row in rows.tolist())
        written.append(write(Path(folder) / f"{path_of(node.name)}_map.dat", text))
    return written


def connections(node: Node) -> np.ndarray:
    """The map of all inputs of a node together: bool (channels, outputs)."""
    parts = []
    for parent, dims in zip(node.parents, node.inputs, strict=True):
        full = np.ones((dims.channels, node.output.channels), bool)
        parts.append(node.maps.get(parent, full))
    return np.concatenate(parts)
