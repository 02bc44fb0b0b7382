"""OutputsRemap: the order in which a cell's outputs stand in its files of weights."""

from __future__ import annotations

from n2d2py.cells.base import Cell
from n2d2py.errors import ParameterError

EXPECTED = "outputs between commas, each of them once: 2,0,1"

_MOST = 1 << 20


def remapped(cell: Cell, field: str) -> tuple[int, ...]:
    """The outputs in the order that the text in ``field`` of a cell gives; empty if it is their own.

    Raises :class:`ParameterError` unless every output is named once.
    """
    text: str = getattr(cell, field)
    if not text:
        return ()
    count = cell.nb_outputs
    if count > _MOST:
        raise _wrong(cell, field, f"{cell.name} has {count} outputs, more than {_MOST} are not put in order")
    order: dict[int, None] = {}
    for item in text.split(","):
        if not item.isdecimal() or len(item) > 9:
            raise _wrong(cell, field, f"{item!r} is no output")
        output = int(item)
        if output >= count:
            raise _wrong(cell, field, f"there is no output {output}, {cell.name} has {count}")
        if output in order:
            raise _wrong(cell, field, f"output {output} is named twice")
        order[output] = None
    if len(order) != count:
        missing = next(output for output in range(count) if output not in order)
        raise _wrong(cell, field, f"output {missing} is not named, {cell.name} has {count}")
    return () if list(order) == sorted(order) else tuple(order)


def _wrong(cell: Cell, field: str, why: str) -> ParameterError:
    return ParameterError(f"OutputsRemap={getattr(cell, field)}: {why}", place=cell.place(field), expected=EXPECTED)
