"""Files of regions of interest: one a line, with the file that it belongs to and the name of its label (A.9).

``file [width height] x1 y1 x2 y2 label``, values between commas, semicolons, blanks or tabs; ``#`` begins a
comment. The second corner does not belong to the region. Whether the size is there depends on the collection.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from n2d2py import console
from n2d2py.data.content import Content
from n2d2py.data.databases import lines
from n2d2py.data.rois import Roi, rectangle
from n2d2py.errors import Place


class Region(NamedTuple):
    """A rectangle in the image called ``name``, with the name of its label; the second corner is outside."""

    name: str
    left: int
    top: int
    right: int
    bottom: int
    label: str


def read(file: Path, sized: bool, place: Place | None = None, remedy: str | None = None) -> Iterator[Region]:
    """The regions of a file in its order. ``sized``: the size of the image follows its name.

    A line whose size is no number is a header, and left out with a warning. Raises :class:`DataError` with the
    line for whatever else is not as it should be.
    """
    columns = ("file", "width", "height") if sized else ("file",)
    expected = "; ".join((*columns, "x1", "y1", "x2", "y2", "label"))
    for line in lines.read_lines(file, expected, place, remedy, comment="#"):
        tokens = line.tokens()
        if sized and len(tokens) >= 3 and not all(_is_number(token) for token in tokens[1:3]):
            console.warning(
                f"the line is left out, its size of the image is no number: {line.text!r}, at: {line.place}"
            )
            continue
        if len(tokens) != len(columns) + 5:
            raise line.fail(expected, f"{len(tokens)} values, {len(columns) + 5} are expected")
        corners = lines.integers(line, tokens[-5:-1], expected)
        yield Region(tokens[0], corners[0], corners[1], corners[2], corners[3], tokens[-1])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def match(
    content: Content, paths: Sequence[str], regions: Iterable[Region], path_of: Callable[[str], str]
) -> dict[str, list[Roi]]:
    """The regions of each of ``paths`` that has any, labels getting their ids in the order of the regions.

    ``path_of`` gives the path of the image from the name in the file: it is tried with the name, then with the
    name without its extension. Regions of images that are not there are left out with one warning.
    """
    found: dict[str, list[Roi]] = {}
    there = set(paths)
    lost: dict[str, None] = {}
    for region in regions:
        candidates = (path_of(region.name), path_of(os.path.splitext(region.name)[0]))
        path = next((candidate for candidate in candidates if candidate in there), None)
        if path is None:
            lost[region.name] = None
            continue
        roi = rectangle(content.label_id(region.label), region.left, region.top, region.right, region.bottom)
        found.setdefault(path, []).append(roi)
    if lost:
        shown = ", ".join(list(lost)[:3]) + (", ..." if len(lost) > 3 else "")
        console.warning(f"there are regions of {len(lost)} images that are not there: {shown}")
    return found


def in_order(paths: Sequence[str], found: Mapping[str, Sequence[Roi]]) -> list[tuple[Roi, ...]]:
    """The regions of each path, as :meth:`Content.add_files` takes them."""
    return [tuple(found.get(path, ())) for path in paths]
