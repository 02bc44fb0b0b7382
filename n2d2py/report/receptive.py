"""``receptive_fields.log``: how many stimulus pixels one output of each cell depends on.

With window k, dilation d and stride s, a field of r pixels and a jump of j pixels between neighbouring values
become r + d (k - 1) j and j s (Araujo, Norris and Sim 2019, equations 1 and 2).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from n2d2py.cells.base import PROVIDER, WeightedCell
from n2d2py.graph.files import write
from n2d2py.graph.network import Network, Node
from n2d2py.report.style import quoted


class Field(NamedTuple):
    """Along one axis: size in pixels of the stimulus, and distance of neighbouring fields."""

    size: int
    jump: int


def receptive_fields(network: Network) -> dict[str, tuple[Field, Field]]:
    """For each cell its field along x and y; of several inputs the largest, border effects left out."""
    fields = {PROVIDER: (Field(1, 1), Field(1, 1))}
    for node in network:
        before = [fields[parent] for parent in node.parents]
        axes = []
        for axis in (0, 1):
            size, jump = max(field[axis] for field in before)
            window, step = _window(node, axis)
            axes.append(Field(size + (window - 1) * jump, jump * step))
        fields[node.name] = (axes[0], axes[1])
    del fields[PROVIDER]
    return fields


def write_receptive_fields(path: str | Path, network: Network) -> Path:
    """A line for each cell: name, width x height in pixels, and the same as a part of the stimulus."""
    lines = ["Name R.F. R.F./env\n"]
    width, height = network.stimuli.width, network.stimuli.height
    for name, (x, y) in receptive_fields(network).items():
        lines.append(f"{quoted(name)} {x.size}x{y.size} {x.size / width:.4g}x{y.size / height:.4g}\n")
    return write(path, "".join(lines))


def _window(node: Node, axis: int) -> tuple[int, int]:
    """Reach and step of a cell in values of its input: a kernel or pool, the whole input, or one value."""
    cell = node.cell
    window = getattr(cell, "kernel", None) or getattr(cell, "pool", None)
    if window is not None:
        dilation = getattr(cell, "dilation", (1, 1))[axis]
        step = getattr(cell, "stride", (1, 1))[axis] * getattr(cell, "sub_sample", (1, 1))[axis]
        return dilation * (window[axis] - 1) + 1, step
    if isinstance(cell, WeightedCell):
        return max(dims[axis] for dims in node.inputs), 1
    return 1, 1
