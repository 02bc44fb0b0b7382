"""``transformations.dot`` and ``.png``: what is done to the stimuli of each set, with sizes and depths on the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from n2d2py import registry
from n2d2py.data.channels import DEPTHS
from n2d2py.data.pipeline import Pipeline
from n2d2py.data.stimuli import Stimuli
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.errors import N2d2Error
from n2d2py.graph.drawing import draw
from n2d2py.parameters import declarations

if TYPE_CHECKING:
    import graphviz

SETS = ("Learn", "Validation", "Test")
_UNKNOWN = "?x?"
_MOST_KEYS = 6
_FIXED, _DRAWN, _END = "#dbeafe", "#fde2cf", "#e8f5ee"


def write_transformations(stimuli: Stimuli, base: str | Path = "transformations") -> list[Path]:
    """Write the graph, with one column a set that has stimuli; returns the files."""
    return draw(graph_of(stimuli), base)


def graph_of(stimuli: Stimuli) -> graphviz.Digraph:
    """One chain of boxes a set: the database, each transformation, and what enters the network."""
    import graphviz

    graph = graphviz.Digraph("transformations")
    graph.attr("node", shape="box", style="rounded,filled", fontname="Helvetica", fontsize="10", fillcolor=_FIXED)
    graph.attr("edge", fontname="Helvetica", fontsize="9", color="#5b6770")
    for name in SETS:
        if stimuli.size(name):
            with graph.subgraph(name=f"cluster_{name}") as part:
                words = f"{name}: {stimuli.size(name)} stimuli"
                part.attr(label=words, fontname="Helvetica-Bold", fontsize="11", margin="14", color="#c3ccd5")
                _draw_set(part, stimuli, name)
    return graph


def _draw_set(part: Any, stimuli: Stimuli, name: str) -> None:
    pipeline = stimuli.pipeline(name)
    dims, dtype = _raw_dims(stimuli, name), stimuli.content.depth
    part.node(f"{name}_in", "database", fillcolor=_END)
    last = [(f"{name}_in", _size(dims, dtype))]
    last = _draw_steps(part, f"{name}_", pipeline.steps, last, dims, dtype)
    if pipeline.channels:
        dims, dtype = _after(pipeline, dims, dtype)
        ends = []
        for number, channel in enumerate(pipeline.channels):
            ends += _draw_steps(part, f"{name}_c{number}_", channel.steps, last, dims, dtype)
        last = ends
    width, height, channels = stimuli.dims
    words = "implicit scaling" if stimuli.scales_implicitly(name) else "as they are"
    part.node(f"{name}_out", f"network\\n{width}x{height}x{channels} 32F\\n{words}", fillcolor=_END)
    for node, label in last:
        part.edge(node, f"{name}_out", label=f" {label}")


def _draw_steps(
    part: Any,
    prefix: str,
    steps: tuple[Transformation, ...],
    last: list[tuple[str, str]],
    dims: Dims | None,
    dtype: np.dtype[Any],
) -> list[tuple[str, str]]:
    """Boxes one below the other; returns the last one, with the size of what leaves it."""
    for number, step in enumerate(steps):
        node = f"{prefix}{number}"
        part.node(node, _words(step), fillcolor=_DRAWN if step.drawn else _FIXED)
        for before, label in last:
            part.edge(before, node, label=f" {label}")
        dims, dtype = _step(step, dims, dtype)
        last = [(node, _size(dims, dtype))]
    return last


def _after(pipeline: Pipeline, dims: Dims | None, dtype: np.dtype[Any]) -> tuple[Dims | None, np.dtype[Any]]:
    for step in pipeline.steps:
        dims, dtype = _step(step, dims, dtype)
    return dims, dtype


def _step(step: Transformation, dims: Dims | None, dtype: np.dtype[Any]) -> tuple[Dims | None, np.dtype[Any]]:
    """Size and depth after a transformation; of images of different sizes only some give one size."""
    try:
        return (step.out_dims(dims) if dims is not None else _settled(step)), step.out_dtype(dtype)
    except N2d2Error:
        return None, dtype


def _settled(step: Transformation) -> Dims | None:
    """The size that images of any size get, if two different ones get the same."""
    found = []
    for trial in ((700, 500, 3), (430, 610, 3)):
        try:
            found.append(step.out_dims(trial))
        except N2d2Error:
            return None
    return found[0] if found[0] == found[1] else None


def _raw_dims(stimuli: Stimuli, name: str) -> Dims | None:
    """The size of the stimuli of a set before all transformations; None if the first and the last one differ."""
    ids = stimuli.ids(name)
    try:
        shapes = [stimuli.content.frame(int(ids[place])).image.shape for place in (0, len(ids) // 2, -1)]
    except N2d2Error:
        return None
    if len(set(shapes)) > 1:
        return None
    height, width, channels = shapes[0]
    return (width, height, channels)


def _size(dims: Dims | None, dtype: np.dtype[Any]) -> str:
    words = _UNKNOWN if dims is None else f"{dims[0]}x{dims[1]}x{dims[2]}"
    return f"{words} {DEPTHS.get(dtype.name, dtype.name)}"


def _words(step: Transformation) -> str:
    """The type, and the parameters that are not their defaults."""
    lines = [registry.name_of("transformation", type(step)).removesuffix("Transformation")]
    for name, declaration in declarations(type(step)).items():
        value = getattr(step, name)
        if name != "apply_to" and value != declaration.default:
            lines.append(f"{declaration.key} = {declaration.format(value)}")
    if len(lines) > _MOST_KEYS + 1:
        lines = [*lines[:_MOST_KEYS], "..."]
    return "\\n".join(lines)
