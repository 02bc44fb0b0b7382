"""The picture of a network as a ``graphviz`` graph: one box a cell, its quantizers as compartments of the box.

A picture is made of plain records, :class:`Box` and names of the boxes that an edge joins, so that the learning
network and the integer network are drawn by the same function.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from n2d2py.cells.base import PROVIDER, ActivatedCell, Dims, WeightedCell
from n2d2py.cells.spatial import Geometry
from n2d2py.graph.network import Network, Node
from n2d2py.parts.solvers import Solver

if TYPE_CHECKING:
    import graphviz

FAMILIES = {
    "stimuli": ("stimuli", "#e5e7eb"),
    "weights": ("weights", "#bfdbf2"),
    "learned": ("scale and bias", "#c7e6cf"),
    "resampling": ("pooling", "#dcd3ee"),
    "plain": ("no parameters", "#f1f3f5"),
    "real": ("real numbers", "#f6d3cf"),
}
"""What a cell is, by its place in the network's arithmetic: words of the legend and colour of the head."""

_TAG_COLOUR = "#fce8b2"
_TAG_WORDS = {"quantizer": "quantizer", "rescaling": "clip then rescale"}
_INK, _PALE_INK, _LINE = "#1f2933", "#52606d", "#7b8794"
_FONT = "Helvetica"
_JOINED = 40
"""Lines of a box are joined up to this number of characters."""


@dataclass(frozen=True)
class Tag:
    """A compartment that stands out at the foot of a box: its text, and on the right a few words (the bits)."""

    text: str
    note: str = ""
    kind: str = "quantizer"


@dataclass(frozen=True)
class Box:
    """One cell: name and type in the head, dimensions beside them, lines in the body, tags at the foot."""

    name: str
    type: str
    dims: str = ""
    lines: tuple[str, ...] = ()
    family: str = "plain"
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True)
class Picture:
    """Boxes and the edges (name of the source, name of the sink) between them; ``caption`` stands below the title."""

    boxes: tuple[Box, ...]
    edges: tuple[tuple[str, str], ...]
    caption: str = ""


def shape(dims: Dims) -> str:
    """Dimensions as N2D2 labels them: channels x height x width.

    >>> shape(Dims(28, 24, 6))
    '6x24x28'
    """
    return f"{dims.channels}x{dims.height}x{dims.width}"


def picture_of(network: Network) -> Picture:
    """The picture of a network before fusion, with its quantizers."""
    boxes = [Box(PROVIDER, "stimuli", shape(network.stimuli), (f"batch of {network.batch_size}",), "stimuli")]
    targets = {target.cell: target.name for target in network.targets}
    for node in network:
        lines = tuple(_body(node))
        if node.name in targets:
            lines = (*lines, f"target {targets[node.name]}")
        type_name = node.cell.type_name
        boxes.append(Box(node.name, type_name, shape(node.output), lines, _family(node), tuple(_tags(node))))
    edges = tuple((parent, node.name) for node in network for parent in node.parents)
    caption = f"{len(network)} cells, {network.cost.synapses:,} synapses, {network.cost.connections:,} connections"
    return Picture(tuple(boxes), edges, caption)


def dot(pictured: Network | Picture, title: str) -> graphviz.Digraph:
    """The graph of a network, or of a picture made from records, with a title and a legend of what occurs in it."""
    import graphviz

    picture = picture_of(pictured) if isinstance(pictured, Network) else pictured
    digraph = graphviz.Digraph(
        name=graphviz.escape(_clean(title)),
        graph_attr={
            "label": _heading(picture, title),
            "labelloc": "t",
            "fontname": _FONT,
            "bgcolor": "white",
            "rankdir": "TB",
            "ranksep": "0.28",
            "nodesep": "0.35",
            "pad": "0.15",
        },
        node_attr={"shape": "plain", "fontname": _FONT, "fontsize": "11", "fontcolor": _INK},
        edge_attr={"color": _LINE, "arrowsize": "0.7"},
    )
    idents = {box.name: f"cell{index}" for index, box in enumerate(picture.boxes)}
    for box in picture.boxes:
        digraph.node(idents[box.name], label=_label(box), tooltip=graphviz.escape(_clean(f"{box.name} {box.type}")))
    for source, sink in picture.edges:
        digraph.edge(idents[source], idents[sink])
    return digraph


def _body(node: Node) -> Iterator[str]:
    """The lines of the cell's label that the head and the tags do not show already."""
    shown = {shape(node.output), *(tag.text for tag in _tags(node))}
    return (line for line in node.cell.label(node.inputs, node.output) if line not in shown)


def _tags(node: Node) -> Iterator[Tag]:
    cell = node.cell
    if isinstance(cell, WeightedCell) and cell.weights_quantizer is not None:
        quantizes = getattr(cell.weights_quantizer, "apply_quantization", True)
        yield Tag(cell.weights_quantizer.label(), _bits(cell.weights_quantizer.bits) if quantizes else "")
    if isinstance(cell, ActivatedCell) and cell.activation_quantizer is not None:
        yield Tag(cell.activation_quantizer.label(), _bits(cell.activation_quantizer.bits))


def _family(node: Node) -> str:
    """Which kind of arithmetic a cell is, from its record alone: no type is known here by name."""
    cell = node.cell
    if isinstance(cell, WeightedCell):
        return "weights"
    own = [field.name for field in fields(cell) if not field.name.endswith("quantizer_solver")]
    if any(isinstance(getattr(cell, name), Solver) for name in own):
        return "learned"
    # A window that moves by one pixel keeps the size.
    if isinstance(getattr(cell, "geometry", None), Geometry):
        return "resampling"
    if any((dims.width, dims.height) != (node.output.width, node.output.height) for dims in node.inputs):
        return "resampling"
    return "plain"


def _bits(count: int) -> str:
    return f"{count} bit" if count == 1 else f"{count} bits"


def _joined(lines: Sequence[str]) -> list[str]:
    """Short lines side by side, so that a deep network stays on a page."""
    rows: list[str] = []
    for line in lines:
        if rows and len(rows[-1]) + len(line) + 3 <= _JOINED:
            rows[-1] += f" | {line}"
        else:
            rows.append(line)
    return rows


def _clean(text: str) -> str:
    """Text without what would end the drawing: control characters, unpaired surrogates."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _escaped(text: str) -> str:
    """Text inside an HTML-like label."""
    return html.escape(_clean(text), quote=True)


def _label(box: Box) -> str:
    """The HTML-like label of a box; two columns: what, and how many."""
    _, colour = FAMILIES.get(box.family, FAMILIES["plain"])
    head = f"<b>{_escaped(box.name)}</b>  {_escaped(box.type)}"
    rows = [_row(head, f"<font color='{_PALE_INK}'>{_escaped(box.dims)}</font>" if box.dims else "", colour)]
    rows.extend(_row(_escaped(line), "", "white") for line in _joined(box.lines))
    rows.extend(_row(_escaped(tag.text), _escaped(tag.note), _TAG_COLOUR) for tag in box.tags)
    return f"<<table border='1' cellborder='0' cellspacing='0' cellpadding='3' color='{_LINE}'>{''.join(rows)}</table>>"


def _row(left: str, right: str, colour: str) -> str:
    if not right:
        return f"<tr><td align='left' colspan='2' bgcolor='{colour}'>{left}</td></tr>"
    return (
        f"<tr><td align='left' bgcolor='{colour}'>{left}</td><td align='right' bgcolor='{colour}'>   {right}</td></tr>"
    )


def _heading(picture: Picture, title: str) -> str:
    """Title, caption, and the legend of the colours that occur."""
    used = {box.family for box in picture.boxes}
    legend = [(words, colour) for family, (words, colour) in FAMILIES.items() if family in used]
    kinds = {tag.kind for box in picture.boxes for tag in box.tags}
    legend += [(words, _TAG_COLOUR) for kind, words in _TAG_WORDS.items() if kind in kinds]
    cells = "".join(f"<td bgcolor='{colour}'><font point-size='9'>{words}</font></td>" for words, colour in legend)
    caption = f"<tr><td><font point-size='10' color='{_PALE_INK}'>{_escaped(picture.caption)}</font></td></tr>"
    return (
        "<<table border='0' cellborder='0' cellspacing='2' cellpadding='2'>"
        f"<tr><td><font point-size='16'><b>{_escaped(title)}</b></font></td></tr>"
        f"{caption if picture.caption else ''}"
        f"<tr><td><table border='0' cellborder='0' cellspacing='4' cellpadding='3'><tr>{cells}</tr></table></td></tr>"
        "</table>>"
    )
