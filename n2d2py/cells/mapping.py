"""Connection maps: which channel of a parent is connected to which output, as ``Mapping...`` keys say it."""

from __future__ import annotations

import math
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from n2d2py.errors import GraphError, Place
from n2d2py.kinds import Kind, boolean, list_of, positive, unsigned
from n2d2py.parameters import Declaration, Keys, declare
from n2d2py.parts import provider

_PAIRS = tuple(f"{key}{axis}" for key in ("Size", "Stride", "Offset") for axis in ("", "X", "Y"))
_KEYS = (*_PAIRS, "NbIterations", "NbGroups", "ChannelsPerGroup")

MOST_PAIRS = 1 << 30
"""Most pairs of a channel and an output that a map may have: each is a byte, and the largest real maps have 10^7."""


@dataclass(frozen=True)
class Mapping:
    """The map of one parent, in one of three forms, of which the first that is given counts.

    * ``nb_groups`` or ``channels_per_group``: channels and outputs are split into groups, in order;
    * ``matrix``: an explicit map, row by row (a row an input channel, a column an output);
    * a pattern: for i in 0 .. nb_iterations - 1 the patch of ``size`` at ``offset + i * stride`` is connected,
      on the axes (output, channel) and modulo their lengths. A size of 0 is the whole axis, 0 iterations are
      as many as the longer axis is long. ``size`` (1, 1) alone is the unit map: output i from channel i.
    """

    matrix: tuple[bool, ...] | None = None
    nb_groups: int | None = None
    channels_per_group: int | None = None
    size: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    offset: tuple[int, int] = (0, 0)
    nb_iterations: int = 0
    place: Place | None = field(default=None, compare=False, repr=False)

    def connections(self, channels: int, outputs: int) -> np.ndarray:
        """Bool (channels, outputs); raises :class:`GraphError` if the map does not fit these numbers."""
        if channels * outputs > MOST_PAIRS:
            raise GraphError(
                f"a map of {channels} channels and {outputs} outputs is too large",
                place=self.place,
                expected=f"at most {MOST_PAIRS} pairs of a channel and an output",
            )
        if self.nb_groups is not None or self.channels_per_group is not None:
            return self._grouped(channels, outputs)
        if self.matrix is not None:
            return self._explicit(self.matrix, channels, outputs)
        return self._patched(channels, outputs)

    def text(self) -> str:
        """In words, as the INI file has it: ``Size=1 1``."""
        if self.nb_groups is not None:
            return f"NbGroups={self.nb_groups}"
        if self.channels_per_group is not None:
            return f"ChannelsPerGroup={self.channels_per_group}"
        if self.matrix is not None:
            return f"a matrix of {len(self.matrix)} values"
        given = {"Size": self.size, "Stride": self.stride, "Offset": self.offset}
        usual = {"Stride": (1, 1), "Offset": (0, 0)}
        words = [f"{key}={x} {y}" for key, (x, y) in given.items() if usual.get(key) != (x, y)]
        return ", ".join([*words, *([f"NbIterations={self.nb_iterations}"] if self.nb_iterations else [])])

    def _explicit(self, matrix: tuple[bool, ...], channels: int, outputs: int) -> np.ndarray:
        if len(matrix) != channels * outputs:
            raise GraphError(
                f"the map has {len(matrix)} values",
                place=self.place,
                expected=f"{channels} rows (input channels) of {outputs} values (outputs): {channels * outputs}",
            )
        return np.array(matrix, dtype=bool).reshape(channels, outputs)

    def _grouped(self, channels: int, outputs: int) -> np.ndarray:
        if self.nb_groups is not None and self.channels_per_group is not None:
            raise GraphError(
                "Mapping.NbGroups and Mapping.ChannelsPerGroup exclude each other",
                place=self.place,
                remedy="remove one of them",
            )
        key, number = ("NbGroups", self.nb_groups) if self.nb_groups else ("ChannelsPerGroup", self.channels_per_group)
        assert number is not None  # one of the two is given
        if channels % number:
            raise GraphError(
                f"Mapping.{key}={number} does not divide {channels} channels",
                place=self.place,
                expected=f"a divisor of {channels}",
            )
        groups = number if self.nb_groups else channels // number
        if groups > outputs:
            raise GraphError(
                f"{groups} groups of channels share {outputs} outputs",
                place=self.place,
                expected=f"at least one output a group: NbOutputs of at least {groups}",
            )
        result = np.zeros((channels, outputs), dtype=bool)
        width, first = channels // groups, 0
        for group in range(groups):
            count = (outputs - first) // (groups - group)
            result[group * width : (group + 1) * width, first : first + count] = True
            first += count
        return result

    def _patched(self, channels: int, outputs: int) -> np.ndarray:
        width, height = min(self.size[0] or outputs, outputs), min(self.size[1] or channels, channels)
        # Both axes are cyclic, so that nothing new comes after their common period.
        iterations = min(self.nb_iterations or max(outputs, channels), math.lcm(outputs, channels))
        result = np.zeros((channels, outputs), dtype=bool)
        for step in range(iterations):
            x = ((self.offset[0] + step * self.stride[0]) % outputs + np.arange(width)) % outputs
            y = ((self.offset[1] + step * self.stride[1]) % channels + np.arange(height)) % channels
            result[np.ix_(y, x)] = True
        return result


@dataclass(frozen=True)
class _Mappings(Declaration):
    """All ``Mapping.K``, ``Mapping(P).K`` and ``Mapping(P)`` keys; the value is a dict parent -> Mapping.

    The parents are those of ``Input``; the provider of stimuli may be called sp, env or cenv and is ``env``.
    """

    @property
    def type_name(self) -> str:
        return "a connection map; for one parent P alone: Mapping(P).Size and so on, or Mapping(P)= a matrix of 0 and 1"

    def spelled(self, prefixes: Sequence[str]) -> list[str]:
        return [f"{self.key}.{key}" for key in _KEYS]

    def read(self, keys: Keys, prefixes: Sequence[str]) -> tuple[Any, Place | None]:
        keys.claim(f"{self.key}.", _KEYS)
        parents = keys.find("Input")
        names = [name.strip() for name in parents.text.split(",")] if parents is not None else []
        maps = {("env" if name in provider.NAMES else name): _read(keys, self.key, name) for name in names}
        given = {name: mapping for name, mapping in maps.items() if mapping is not None}
        return given, next((mapping.place for mapping in given.values()), None)

    def format(self, value: Any) -> str:
        return "; ".join(f"{parent}: {mapping.text()}" for parent, mapping in value.items())


def mappings() -> Any:
    """Declare the connection maps of a cell: a dict parent -> :class:`Mapping`, of the parents that have one."""
    return declare(_Mappings(key="Mapping", default={}, meaning="which channels are connected to which outputs"))


def _read(keys: Keys, base: str, parent: str) -> Mapping | None:
    heads = [f"{base}({alias})" for alias in (provider.NAMES if parent in provider.NAMES else (parent,))]
    places: list[Place] = []

    def find(key: str, kind: Kind) -> Any:
        value = keys.find(*(f"{head}.{key}" for head in heads), f"{base}.{key}")
        if value is None:
            return None
        places.append(value.place)
        return kind.read(value)

    def pair(key: str, default: int) -> tuple[int, int]:
        # What is said for this parent alone comes before what is said for all, SizeX before Size.
        axes = []
        for axis in "XY":
            spelled = [f"{prefix}.{key}{suffix}" for prefix in (*heads, base) for suffix in (axis, "")]
            value = keys.find(*spelled)
            if value is not None:
                places.append(value.place)
            axes.append(default if value is None else unsigned.read(value))
        return axes[0], axes[1]

    for head in heads:
        keys.claim(f"{head}.", _KEYS)
    matrix = keys.find(*heads)
    if matrix is not None:
        places.append(matrix.place)
    sizes, strides, offsets = pair("Size", 1), pair("Stride", 1), pair("Offset", 0)
    groups, width = find("NbGroups", positive), find("ChannelsPerGroup", positive)
    iterations = find("NbIterations", unsigned)
    if not places:
        return None
    return Mapping(
        matrix=None if matrix is None else list_of(boolean).read(matrix),
        nb_groups=groups,
        channels_per_group=width,
        size=sizes,
        stride=strides,
        offset=offsets,
        nb_iterations=iterations or 0,
        place=places[0],
    )


def connections(
    mapping: Dictionary[str, Mapping], parents: Sequence[str], channels: Sequence[int], outputs: int
) -> dict[str, np.ndarray]:
    """For each parent that is not fully connected its map, bool (channels, outputs)."""
    maps = {
        parent: mapping[parent].connections(count, outputs)
        for parent, count in zip(parents, channels, strict=True)
        if parent in mapping
    }
    return {parent: matrix for parent, matrix in maps.items() if not matrix.all()}


def connected_pairs(
    maps: Dictionary[str, np.ndarray], parents: Sequence[str], channels: Sequence[int], outputs: int
) -> int:
    """Number of connected pairs (channel, output) over all parents."""
    return sum(
        int(maps[parent].sum()) if parent in maps else count * outputs
        for parent, count in zip(parents, channels, strict=True)
    )
