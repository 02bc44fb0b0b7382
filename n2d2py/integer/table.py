"""The table that the console shows after fusion: a row for each cell with weights, and every proof."""

from __future__ import annotations

from dataclasses import dataclass, replace

from n2d2py.integer.network import Edge, IntegerNetwork, Requantization, Weighted
from n2d2py.integer.ranges import word_bits


@dataclass(frozen=True)
class Row:
    """Accumulators of a cell and the rescaling that takes them; bits of words, sign included."""

    cell: str
    weights: str
    activations: str
    low: int
    high: int
    accumulator_bits: int
    multiplier: str = ""
    shift: str = ""
    form: str = "none"
    proof: str = "nothing to rescale"


HEADINGS = ("cell", "weights", "output", "accumulator", "bits", "multiplier", "shift", "form", "proof")


def rows(network: IntegerNetwork) -> list[Row]:
    """A row for each weighted operation with the rescaling behind it, and for each rescaling of anything else.

    ``weights`` and ``activations`` are bits of the levels.
    """
    found: list[Row] = []
    shown: set[str] = set()
    for operation in network:
        if isinstance(operation, Weighted):
            row = _row(operation.cell, network.edges[operation.name])
            row = replace(row, weights=_bits((operation.weights_grid.levels - 1).bit_length()))
            takers = [taker for taker in network.consumers(operation.name) if isinstance(taker, Requantization)]
            if takers:
                row = _with_rescaling(row, takers[0])
                shown.add(takers[0].name)
            found.append(row)
        elif isinstance(operation, Requantization) and operation.name not in shown:
            (source,) = network.sources(operation)
            found.append(_with_rescaling(_row(operation.cell, source), operation))
    return found


def _row(cell: str, edge: Edge) -> Row:
    """What is known of accumulators alone."""
    low, high = int(edge.low.min()), int(edge.high.max())
    bits = word_bits(low, high)
    return Row(cell, "", f"{_bits(bits)}, wide", low, high, bits)


def _bits(count: int) -> str:
    return "1 bit" if count == 1 else f"{count} bits"


def _with_rescaling(row: Row, taker: Requantization) -> Row:
    rescaling = taker.rescaling
    multiplies = len(rescaling.tables) < rescaling.channels
    return replace(
        row,
        cell=row.cell if taker.cell == row.cell else f"{row.cell} + {taker.cell}",
        activations=_bits(rescaling.highest.bit_length()),
        multiplier=_bits(rescaling.multiplier_bits) if multiplies else "",
        shift=str(rescaling.shift) if multiplies else "",
        form=rescaling.form,
        proof=str(taker.proof),
    )


def lines(table: list[Row]) -> list[str]:
    """The table as aligned text, headings first."""
    cells = [
        (
            row.cell,
            row.weights,
            row.activations,
            f"{row.low}..{row.high}",
            str(row.accumulator_bits),
            row.multiplier,
            row.shift,
            row.form,
            row.proof,
        )
        for row in table
    ]
    columns = list(zip(HEADINGS, *cells, strict=True))
    widths = [max(len(text) for text in column) for column in columns]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in (HEADINGS, *cells)
    ]
