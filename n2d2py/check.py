"""``-check`` and ``-report-net``: a network is read, built and linted; nothing is learned, and torch is not needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from n2d2py import console
from n2d2py.data.chain import BYTES, depth_of, split_chain
from n2d2py.data.random import Generator
from n2d2py.data.source import Source, publish_epoch_size
from n2d2py.errors import N2d2Error, UsageError
from n2d2py.graph import cost
from n2d2py.graph.build import build, read_provider, report_unused
from n2d2py.graph.files import write
from n2d2py.graph.network import Network
from n2d2py.graph.solvers import warn_of_solvers
from n2d2py.graph.totals import report_totals
from n2d2py.ini import Document
from n2d2py.opening import open_network
from n2d2py.options import Line
from n2d2py.parts import provider

_SEED = 1
"""Sizes do not depend on it."""

_BYTE = 8
"""Bits of a value of an image."""

Tell = Callable[[N2d2Error], None]
"""What is done with an error that does not end the check."""


def check(line: Line, tell: Tell) -> bool:
    """Say everything about a network that can be said without learning; whether it is right.

    ``tell`` is called for each error. With ``-strict`` a network is not right if there is any warning.
    """
    path = _network(line)
    told: list[N2d2Error] = []

    def on_error(error: N2d2Error) -> None:
        if str(error) not in map(str, told):  # what many cells read is wrong for each of them
            told.append(error)
            tell(error)

    with console.kept_warnings() as warnings:
        network = _checked(path, line, on_error)
    counted = _count(len(network), "cell") if network is not None else "not built"
    errors = _count(len(told), "error") if told else "no errors"
    because = ", which is an error" if len(warnings) == 1 else ", which are errors"
    strictly = f"{because} because of -strict" if warnings and line["strict"] else ""
    console.line(f"{path.name}: {counted}, {errors}, {_count(len(warnings), 'warning')}{strictly}")
    return not told and not strictly


def report_cost(line: Line) -> None:
    """Print the cost table alone, and write it where ``-report-csv`` says; raises the first :class:`N2d2Error`."""
    document = open_network(_network(line), strict=line["strict"])
    with console.without_lines():
        source = publish_epoch_size(document, Generator(_SEED), tolerant=True)
        network = build(document, _network(line).name)
    _report(network, stimuli_bits(document, source), line["report-csv"])


def stimuli_bits(document: Document, source: Source) -> int:
    """Bits of the values of the stimuli: of the levels that are asked for, else those of images that stay bytes.

    What a function of single values makes of bytes still has 256 values.
    """
    if levels := read_provider(document).quantization_levels:
        return (levels - 1).bit_length()
    kept, _ = split_chain(source.chains["Test"])
    return _BYTE if depth_of(kept) == BYTES else cost.REAL


def _network(line: Line) -> Path:
    if line.network is None:
        raise UsageError("there is no network file to check", remedy="n2d2py -check LeNet.ini")
    return Path(line.network)


def _checked(path: Path, line: Line, on_error: Tell) -> Network | None:
    """The network, its report printed; None if it has an error."""
    failed = False

    def failing(error: N2d2Error) -> None:
        nonlocal failed
        failed = True
        on_error(error)

    try:
        document = open_network(path)
        source = _source(document, failing)
        with console.without_lines():
            network = build(document, path.name, on_error=failing)
        if failed or source is None:
            return None
        report_unused(document)
        warn_of_solvers(network)
        report_totals(network)
        console.line()
        _report(network, stimuli_bits(document, source), line["report-csv"])
        console.line()
        return network
    except N2d2Error as error:
        on_error(error)
        return None


def _source(document: Document, on_error: Tell) -> Source | None:
    """What the document says of its stimuli; if that is wrong, the cells are checked with one batch an epoch."""
    try:
        with console.without_lines():
            return publish_epoch_size(document, Generator(_SEED), tolerant=True)
    except N2d2Error as error:
        sections = [section for section in provider.NAMES if section in document.sections]
        if not sections:
            raise
        on_error(error)
        for section in sections:
            document.publish(section, "_EpochSize", lambda: read_provider(document).batch_size)
        return None


def _report(network: Network, bits: int, file: str) -> None:
    rows = cost.rows(network, bits)
    for text in cost.lines(rows):
        console.line(text)
    if file:
        write(file, cost.csv_text(rows))
        console.line(f"[LOG] Cost of each cell ({file})")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
