"""Transformation: a transformation of stimuli as a cell of the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from n2d2py import registry
from n2d2py.cells.base import ActivatedCell, Dims, concatenated
from n2d2py.cells.spatial import check_flat
from n2d2py.errors import GraphError, Place
from n2d2py.parameters import REQUIRED, Declaration, Keys, declare, read, written
from n2d2py.registry import register


@dataclass(frozen=True)
class _Transformed(Declaration):
    """``Transformation=<type>`` and, beside it, the keys of that type of transformation."""

    @property
    def type_name(self) -> str:
        return f"a transformation: {', '.join(registry.names('transformation'))}"

    def read(self, keys: Keys, prefixes: Sequence[str]) -> tuple[Any, Place | None]:
        value = keys.find(*self.spelled(prefixes))
        if value is None:
            return self.absent(keys, prefixes), None
        name = value.text.strip()
        whole = name if name.endswith("Transformation") else f"{name}Transformation"
        entry = registry.find("transformation", whole, value.place)
        return read(entry, keys, prefixes), value.place

    def format(self, value: Any) -> str:
        return registry.name_of("transformation", type(value))

    def written(self, value: Any) -> dict[str, str]:
        return {self.key: self.format(value), **written(value)}


@register("cell", "Transformation")
@dataclass(frozen=True, kw_only=True)
class Transformation(ActivatedCell):
    """Every image goes through the transformation, in learning and in test; no gradient comes back.

    The types are those of ``[sp.Transformation]``; their keys stand in the section of the cell.
    """

    transformation: Any = declare(
        _Transformed(key="Transformation", default=REQUIRED, meaning="what is done with every image")
    )

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = concatenated(self, inputs)
        check_flat(self, dims)
        given = self.transformation.out_dims((dims.width, dims.height, dims.channels))
        if given is None:
            raise GraphError(
                f"Transformation cell {self.name}: the size of the output depends on the image",
                place=self.place("transformation"),
                expected="a transformation that gives every image one size",
            )
        width, height, channels = given
        self.check_outputs(channels)
        return Dims(width, height, channels)

    def label(self, inputs: Sequence[Dims], output: Dims) -> list[str]:
        lines = super().label(inputs, output)
        lines.insert(1, registry.name_of("transformation", type(self.transformation)))
        return lines
