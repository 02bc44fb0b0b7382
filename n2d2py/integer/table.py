"""The table that the console shows after fusion: a row for each cell with weights, and every proof."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, fields, replace

import numpy as np

from n2d2py import tables
from n2d2py.integer.arithmetic import Alignment
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Edge, Requantization, Weighted
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
    """A row for each weighted operation with the rescaling behind it, each alignment, and each other rescaling.

    The accumulators of an alignment are its sums before the shift; it is exact because the learned network is evaluated
    by the same integers.
    ``weights`` and ``activations`` are bits of the levels; ``+ mask`` says that 0, which is no level of the weights,
    stands for connections that are absent.
    """
    found: list[Row] = []
    shown: set[str] = set()
    for operation in network:
        if isinstance(operation, Weighted):
            row = _row(operation.cell, network.edges[operation.name])
            row = replace(row, weights=_weights(operation))
            takers = [taker for taker in network.consumers(operation.name) if isinstance(taker, Requantization)]
            if takers:
                row = _with_rescaling(row, takers[0])
                shown.add(takers[0].name)
            found.append(row)
        elif isinstance(operation, Alignment):
            found.append(_aligned(network, operation))
        elif isinstance(operation, Requantization) and operation.name not in shown:
            (source,) = network.sources(operation)
            found.append(_with_rescaling(_row(operation.cell, source), operation))
    return found


def _row(cell: str, edge: Edge) -> Row:
    """What is known of accumulators alone."""
    low, high = int(edge.low.min()), int(edge.high.max())
    bits = word_bits(low, high)
    return Row(cell, "", f"{_bits(bits)}, wide", low, high, bits)


def _aligned(network: IntegerNetwork, operation: Alignment) -> Row:
    low, high = (int(end) for end in operation.sums(network.sources(operation)))
    row = _row(operation.name, network.edges[operation.name])
    multiplier = max((int(np.abs(array).max(initial=0)) for array in operation.multipliers), default=0).bit_length() + 1
    return replace(
        row,
        low=low,
        high=high,
        accumulator_bits=word_bits(low, high),
        multiplier=_bits(multiplier),
        shift=str(operation.shift),
        form="alignment",
        proof="exact by definition",
    )


def _weights(operation: Weighted) -> str:
    return _bits(operation.level_bits) + (" + mask" if operation.zero_is_extra else "")


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
    return tables.table(
        HEADINGS,
        [
            (
                row.cell,
                row.weights,
                row.activations,
                f"{row.low}..{row.high}",
                row.accumulator_bits,
                row.multiplier,
                row.shift,
                row.form,
                row.proof,
            )
            for row in table
        ],
    )


def as_csv(table: list[Row]) -> str:
    """The rows with the names of their fields, as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Row)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in table)
    return text.getvalue()


def as_json(table: list[Row]) -> str:
    """A list with an object a row, as JSON."""
    return json.dumps([asdict(row) for row in table], indent=1) + "\n"


def verdict(network: IntegerNetwork) -> str:
    """The sentence below the table: how many channels are proved exact, or are not, and what words they need."""
    rescalings = [operation for operation in network if isinstance(operation, Requantization)]
    if not rescalings:
        return "nothing is rescaled: all codes are exact sums"
    channels = sum(operation.rescaling.channels for operation in rescalings)
    counted = f"{_count(channels, 'channel')} in {_count(len(rescalings), 'rescaling')}"
    wrong = sum(operation.proof.wrong_channels for operation in rescalings)
    if wrong:
        proved = f"{wrong} of {counted} {'is' if wrong == 1 else 'are'} not exact on the whole reachable range"
    else:
        proved = f"{counted}: every one proved exact on its whole reachable range"
    multiplier = max(operation.rescaling.multiplier_bits for operation in rescalings)
    counting = sum(len(operation.rescaling.tables) for operation in rescalings)
    parts = [f"multipliers of at most {_bits(multiplier)}"] if multiplier else []
    parts += [f"{_count(counting, 'channel')} by thresholds"] if counting else []
    parts.append(f"accumulators of at most {_bits(max(row.accumulator_bits for row in rows(network)))}")
    return f"{proved} ({', '.join(parts)})"


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
