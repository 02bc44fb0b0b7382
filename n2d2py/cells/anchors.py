"""Anchors: the boxes that a detector moves and stretches, and the keys that define them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from n2d2py.cells.base import ActivatedCell
from n2d2py.cells.kernels import Listing
from n2d2py.errors import ParameterError, Place
from n2d2py.kinds import Kind, boolean, integer, list_of, one_of, positive, real, text, unsigned
from n2d2py.parameters import Declaration, Keys, check_available, declare, parameter

ANCHORINGS = ("TopLeft", "Centered", "Original", "OriginalFlipped")
_LENGTHS = {"Anchor": 2, "AnchorBBOX": 4, "AnchorXY": 2}
_MEANT = {"Anchor": "root area and ratio", "AnchorBBOX": "x y width height", "AnchorXY": "x y"}


class Box(NamedTuple):
    """A box by its top left corner and its size, in pixels; an anchor's corner is relative to its position."""

    x: float
    y: float
    width: float
    height: float


class Shape(NamedTuple):
    """An anchor as it is written: ``form`` is Anchor, AnchorBBOX or AnchorXY, ``numbers`` are its values.

    * Anchor: root area r and ratio a, a box of r^2 pixels: width round(sqrt(r^2 / a)), height round(width * a),
      placed by the Anchoring;
    * AnchorBBOX: the box itself;
    * AnchorXY: its corner (x, y), the size being |2 x| by |2 y|.
    """

    form: str
    numbers: tuple[float, ...]

    def box(self, anchoring: str) -> Box:
        """The box; ``anchoring`` is one of :data:`ANCHORINGS`."""
        if self.form == "AnchorBBOX":
            return Box(*self.numbers)
        if self.form == "AnchorXY":
            x, y = self.numbers
            return Box(x, y, abs(2 * x), abs(2 * y))
        root, ratio = self.numbers
        return shaped(root, ratio, 1.0, anchoring)


def shaped(root: float, ratio: float, scale: float, anchoring: str) -> Box:
    """The box of root area ``root`` and ratio height / width, times ``scale``, placed by ``anchoring``.

    * TopLeft: its corner is at the position;
    * Centered: its centre is there;
    * Original: its centre is that of the square of side ``root`` whose corner is there (Ren et al. 2015);
    * OriginalFlipped: its centre is that of the square that ends there.

    >>> shaped(16, 0.5, 1.0, "Original")
    Box(x=-3.5, y=2.0, width=23.0, height=12.0)
    """
    width = _rounded(math.sqrt(root * root / ratio))
    height = _rounded(width * ratio)
    return placed(width * scale, height * scale, root, anchoring)


def placed(width: float, height: float, root: float, anchoring: str) -> Box:
    """A box of that size where :func:`shaped` puts one of root area ``root``."""
    if anchoring == "TopLeft":
        return Box(0.0, 0.0, width, height)
    centre = {"Centered": 0.0, "Original": root / 2, "OriginalFlipped": -root / 2}[anchoring]
    return Box(centre - width / 2, centre - height / 2, width, height)


def _rounded(value: float) -> float:
    """The nearest integer to a value of at least 0, halves up."""
    return float(math.floor(value + 0.5))


def sizes_of(file: str, order: str, place: Place | None = None) -> tuple[tuple[float, float], ...]:
    """(width, height) of each anchor of a JSON file: ``[[height, width], ...]`` in pixels, the reverse in order XY.

    ``place`` is that of the key that names it, for errors. Raises :class:`ParameterError`.
    """
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(
            f"cannot read the anchors of {file}: {error.strerror}",
            place=place,
            remedy="GenerateAnchors=1 of a TargetBBox writes such a file",
        ) from None
    except (ValueError, RecursionError):
        content = None
    pairs = content if isinstance(content, list) else []
    if not pairs or not all(isinstance(pair, list) and len(pair) == 2 and all(map(_is_size, pair)) for pair in pairs):
        raise ParameterError(
            f"{file} is no file of anchors",
            place=place,
            expected="pairs of numbers above 0 in JSON: [[height, width], ...], with JSONFormat=XY the reverse",
        )
    found = ((float(first), float(second)) for first, second in pairs)
    return tuple(found) if order == "XY" else tuple((second, first) for first, second in found)


def json_of(sizes: Iterable[tuple[float, float]]) -> str:
    """What :func:`sizes_of` reads in its order YX as these widths and heights."""
    lines = ",\n".join(f"  {json.dumps([height, width])}" for width, height in sizes)
    return f"[\n{lines}\n]\n"


def _is_size(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


@dataclass(frozen=True)
class _Shapes(Declaration):
    """``Anchor[i]``, ``AnchorBBOX[i]`` or ``AnchorXY[i]``, i from 0 without a gap; the value is a tuple of Shape."""

    @property
    def type_name(self) -> str:
        return "two real numbers, or four in AnchorBBOX[i], for each i from 0"

    def spelled(self, prefixes: Sequence[str]) -> list[str]:
        return [f"{prefix}{form}[i]" for prefix in prefixes for form in _LENGTHS]

    def read(self, keys: Keys, prefixes: Sequence[str]) -> tuple[Any, Place | None]:
        shapes: list[Shape] = []
        first: Place | None = None
        for form in _LENGTHS:
            found = self._read_form(keys, form)
            if found and shapes:
                raise ParameterError(
                    f"anchors are given as {shapes[0].form} and as {form}",
                    place=found[0][1],
                    expected="one of the two",
                )
            shapes += [shape for shape, _ in found]
            first = found[0][1] if found else first
        return tuple(shapes), first

    def _read_form(self, keys: Keys, form: str) -> list[tuple[Shape, Place]]:
        found: list[tuple[Shape, Place]] = []
        kind = _sized(form)
        while (value := keys.find(f"{form}[{len(found)}]")) is not None:
            found.append((Shape(form, kind.read(value)), value.place))
        given = keys.listed(f"{form}[") if isinstance(keys, Listing) else []
        for key in given:
            number = key.removeprefix(f"{form}[").removesuffix("]")
            if number.isdecimal() and str(int(number)) == number and int(number) < len(found):
                continue
            value = keys.find(key)
            raise ParameterError(
                f"{key} stands without {form}[{len(found)}]",
                place=value.place if value is not None else keys.place,
                expected="anchors numbered from 0 without a gap",
            )
        return found

    def format(self, value: Any) -> str:
        return "; ".join(list_of(real).format(shape.numbers) for shape in value)

    def written(self, value: Any) -> dict[str, str]:
        return {
            f"{shape.form}[{number}]": list_of(real).format(shape.numbers) for number, shape in enumerate(value)
        }


def _sized(form: str) -> Kind:
    """The numbers of an anchor, whose sizes are above 0."""
    numbers = list_of(real, _LENGTHS[form])

    def parse(text: str, place: Place) -> tuple[float, ...]:
        values: tuple[float, ...] = numbers.parse(text, place)
        sizes = values[-2:]
        if form == "AnchorXY" and 0 in sizes:
            raise ValueError("a box of width or height 0")
        if form != "AnchorXY" and min(sizes) <= 0:
            raise ValueError("the last two numbers are sizes, above 0")
        return values

    return Kind(f"{_LENGTHS[form]} numbers: {_MEANT[form]}", parse, numbers.format)


def _above_zero(text: str, place: Place) -> float:
    value: float = real.parse(text, place)
    if value <= 0:
        raise ValueError(f"{text} is not above 0")
    return value


_sizes = list_of(Kind("a real number above 0", _above_zero, real.format))


@dataclass(frozen=True, kw_only=True)
class AnchoredCell(ActivatedCell):
    """A cell with anchors: those of ``Anchor...[i]``, of a file, or one for each of Ratios and, for each, of Scales."""

    nb_outputs: int = parameter("NbOutputs", unsigned, 0, "channels of the output; 0: as many as there are")
    shapes: tuple[Shape, ...] = declare(
        _Shapes(
            key="Anchor[i]",
            default=(),
            meaning="an anchor: root area and height / width; AnchorBBOX[i]: x y width height; AnchorXY[i]: "
            "x y, of size |2x| by |2y|",
            unit="pixels",
        )
    )
    anchoring: str = parameter(
        "Anchoring", one_of(*ANCHORINGS), "TopLeft", "where an anchor of a root area lies around its position"
    )
    root_area: int = parameter("RootArea", positive, 16, "root area of the anchors of Ratios", unit="pixels")
    ratios: tuple[float, ...] = parameter("Ratios", _sizes, (), "height / width of each anchor")
    scales: tuple[float, ...] = parameter("Scales", _sizes, (1.0,), "factors of the size, for each of Ratios")
    anchor_json: str = parameter("AnchorJSON", text, "", "file of anchors: [[height, width], ...]", unit="pixels")
    json_format: str = parameter("JSONFormat", one_of("YX", "XY"), "YX", "order of the coordinates in that file")
    generate_anchors: bool = parameter(
        "GenerateAnchors", boolean, False, "1: an error that says how anchors are made of the data"
    )
    nb_class: int = parameter("NbClass", integer, -1, "how many classes of boxes; -1: one")

    def __post_init__(self) -> None:
        if self.generate_anchors:
            raise ParameterError(
                "a cell has its anchors before anything is known of the data",
                place=self.place("generate_anchors"),
                remedy="GenerateAnchors=1 of a TargetBBox writes anchors.json, which AnchorJSON= reads here",
            )
        ways = {"shapes": self.shapes and self.shapes[0].form, "anchor_json": self.anchor_json and "AnchorJSON",
                "ratios": self.ratios and "Ratios"}  # fmt: skip
        given = {name: key for name, key in ways.items() if key}
        if len(given) > 1:
            *_, last = given
            raise ParameterError(
                f"anchors are given as {' and as '.join(map(str, given.values()))}",
                place=self.place(last),
                expected="one of them",
            )
        if not self.anchor_json:
            check_available(self, "json_format")  # without a file it would have no effect
        _ = self.sizes_read  # a file that cannot be read is told now
        if self.nb_class < 1 and self.nb_class != -1:
            raise ParameterError(
                f"NbClass={self.nb_class}", place=self.place("nb_class"), expected="at least 1, or -1 for one class"
            )

    @cached_property
    def sizes_read(self) -> tuple[tuple[float, float], ...]:
        """Width and height of each anchor of the file, none without one; it is read once."""
        if not self.anchor_json:
            return ()
        return sizes_of(self.anchor_json, self.json_format, self.place("anchor_json"))

    @property
    def classes(self) -> int:
        """How many classes of boxes there are."""
        return max(self.nb_class, 1)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The anchors, relative to their position."""
        if self.shapes:
            return tuple(shape.box(self.anchoring) for shape in self.shapes)
        if self.anchor_json:
            return tuple(placed(width, height, self.root_area, self.anchoring) for width, height in self.sizes_read)
        return tuple(
            shaped(self.root_area, ratio, scale, self.anchoring) for ratio in self.ratios for scale in self.scales
        )
