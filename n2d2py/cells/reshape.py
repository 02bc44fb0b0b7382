"""Reshape: the same values in other dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py.cells.base import ActivatedCell, Dims, alone
from n2d2py.errors import GraphError
from n2d2py.kinds import integer, list_of
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register


@register("cell", "Reshape")
@dataclass(frozen=True, kw_only=True)
class Reshape(ActivatedCell):
    """The values of a stimulus in their order, X fastest, then Y and the channels, in other dimensions."""

    dims: tuple[int, ...] = parameter(
        "Dims", list_of(integer), REQUIRED, "X Y channels, or X Y Z channels; 0: as it is, one -1: what is left"
    )

    @property
    def selects(self) -> bool:
        return True

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        dims = alone(self, inputs)
        if len(self.dims) not in (3, 4) or min(self.dims) < -1 or self.dims.count(-1) > 1:
            raise self._wrong("Dims are X Y channels or X Y Z channels, of which one may be -1", dims)
        in_space = len(self.dims) == 4
        given = (dims.width, dims.height, *((dims.depth,) if in_space else ()), dims.channels)
        sizes = [old if new == 0 else new for old, new in zip(given, self.dims, strict=True)]
        if -1 in sizes:
            known = math.prod(size for size in sizes if size != -1)
            if dims.size % known:
                raise self._wrong(f"{known} does not divide the number of values", dims)
            sizes[sizes.index(-1)] = dims.size // known
        result = Dims(sizes[0], sizes[1], sizes[-1], sizes[2] if in_space else 1)
        if result.size != dims.size:
            raise self._wrong(f"they would be {result.size}", dims)
        self.check_outputs(result.channels)
        return result

    def _wrong(self, why: str, dims: Dims) -> GraphError:
        wanted = " ".join(map(str, self.dims))
        return GraphError(
            f"Reshape cell {self.name} cannot give {dims.size} values ({dims}) the Dims {wanted}",
            place=self.place("dims"),
            expected="Dims with as many values as the input",
            remedy=why,
        )
