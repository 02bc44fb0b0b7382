"""What a C export needs: constants in flash, memory, products, step by step."""

from __future__ import annotations

import csv
import io

from n2d2py import tables
from n2d2py.cells.base import PROVIDER
from n2d2py.export.c.source import Source

HEADERS = ("step", "operation", "weight bits", "weights [B]", "constants [B]", "result [B]", "offset [B]", "MACs")


def rows(source: Source) -> list[tuple[object, ...]]:
    """One row a step."""
    result: list[tuple[object, ...]] = []
    if source.lookup:
        result.append((PROVIDER, "Lookup", None, 0, source.lookup, None, None, 0))
    for site in source.sites:
        name, plan = site.step.name, site.plan
        kind = type(site.operation).__name__ + ("+rescaling" if site.step.rescaling is not None else "")
        bits = getattr(site.operation, "stored_bits", None)
        result.append(
            (
                name, kind, bits, site.weights_flash, site.flash - site.weights_flash, plan.bytes_of(name),
                plan.offsets[name], site.macs,
            )
        )  # fmt: skip
    return result


def lines(source: Source) -> list[str]:
    """The table for the console, and its sums."""
    macs = sum(site.macs for site in source.sites)
    return [
        *tables.table(HEADERS, rows(source)),
        f"flash {source.flash} bytes of constants, RAM {source.ram} bytes (arena {source.arena}, row of weights "
        f"{source.rows}), {macs} MACs a stimulus",
    ]


def as_csv(source: Source) -> str:
    """The table as CSV, with the totals in the last row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    table = rows(source)
    writer.writerow(HEADERS)
    writer.writerows(["" if value is None else value for value in row] for row in table)
    weights, macs = sum(site.weights_flash for site in source.sites), sum(site.macs for site in source.sites)
    writer.writerow(["total (flash; RAM; MACs)", "", "", weights, source.flash - weights, source.ram, "", macs])
    return text.getvalue()
