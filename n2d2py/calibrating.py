"""``-calib`` as the user sees it: a float network is quantized after learning, and compared with what it was."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from n2d2py import console, fusion, outcome
from n2d2py.calibration import equalization, places, preparation, quantization, statistics
from n2d2py.calibration.quantization import MOST_BITS, Calibrated, Choices, Range
from n2d2py.calibration.statistics import Statistics
from n2d2py.errors import DataError, UsageError
from n2d2py.graph.files import write
from n2d2py.integer.verify import Verification
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import testing, weights
from n2d2py.learn.metrics import percent
from n2d2py.learn.testing import Result
from n2d2py.options import Line
from n2d2py.session import Session
from n2d2py.tables import table

FOLDER = Path("calibration")
WEIGHTS = Path("weights_export")
RESULTS = "results.csv"
CHOSEN = "ranges.csv"

_OF_CALIBRATION = (
    "calibOnly",
    "wt-clipping-mode",
    "act-clipping-mode",
    "act-quantile-value",
    "act-rescale-per-output",
    "no-unsigned",
    "no-cle",
)
_HEADERS = ("cell", "weights within", "min", "max", "outputs within", "clipped", "codes")


def is_wanted(line: Line) -> bool:
    """Whether the line asks for a calibration."""
    return bool(line["calib"] or line["calib-reload"])


def check(line: Line) -> None:
    """Raise :class:`UsageError` for options that cannot be meant together; say which have no effect."""
    if not is_wanted(line):
        idle = [f"-{name}" for name in _OF_CALIBRATION if name in line.given]
        if "-calibOnly" in idle:
            raise UsageError(
                "-calibOnly without -calib", remedy="-calib N, N being the stimuli of the calibration; -calib -1: all"
            )
        if idle:
            console.warning(f"{', '.join(idle)}: no effect without -calib")
        return
    if line["calib"] < -1:
        raise UsageError(f"-calib {line['calib']}", expected="a number of stimuli, or -1 for all")
    if line["qat-sat"]:
        raise UsageError(
            "-calib and -qat-sat exclude each other",
            remedy="-calib quantizes a float network; -qat-sat takes one that has learned quantized",
        )
    if line["calibOnly"] and line["export"]:
        raise UsageError("-calibOnly is a calibration without export", remedy="leave out one of -calibOnly and -export")
    if not 2 <= line["nbbits"] <= MOST_BITS:
        raise UsageError(
            f"-calib with -nbbits {line['nbbits']}",
            expected=f"2 to {MOST_BITS} bits",
            remedy="weights of 1 bit must learn as such (QWeight)" if line["nbbits"] < 2 else None,
        )


def calibrate(session: Session) -> Session:
    """Quantize the network of a session, prove and test what results; gives the session of the quantized network.

    Raises :class:`IntegerError` for a network that is quantized already or has no integer form, :class:`DataError`
    without stimuli or for a saved calibration of another network.
    """
    line = session.line
    console.line("Calibration: the steps of a quantized network for the float one")
    plain = preparation.prepared(session.learned)
    if not line["no-cle"]:
        _equalize(plain)
    cells = places.quantized_outputs(plain.network)
    seen = _statistics(session, plain, cells)
    choices = Choices(
        bits=line["nbbits"],
        weights=line["wt-clipping-mode"],
        activations=line["act-clipping-mode"],
        quantile=line["act-quantile-value"],
        signed_only=line["no-unsigned"],
        per_output=line["act-rescale-per-output"],
    )
    calibrated = quantization.quantized(plain, seen, choices)
    _write_ranges(calibrated, choices)
    weights.save(calibrated.network, WEIGHTS)
    console.line(f"[LOG] Weights and steps ({WEIGHTS}/*.syntxt)")
    result = replace(session, learned=calibrated.network, network=calibrated.network.network)
    tests = outcome.scores(session.network) and session.stimuli.size("Test") > 0
    before = testing.evaluate(session.learned, session.stimuli, "Test") if tests else []
    after = testing.evaluate(calibrated.network, session.stimuli, "Test") if tests else []
    integer, verification = fusion.test_integer(result)
    if tests and verification is not None:
        _compare(choices.bits, before, after, integer, verification)
    return result


def _equalize(plain: TorchNetwork) -> None:
    done = equalization.equalize(plain)
    if not done.pairs:
        console.line("cross-layer equalization: no pair of cells between which factors could move")
        return
    pairs = "1 pair" if len(done.pairs) == 1 else f"{len(done.pairs)} pairs"
    console.line(
        f"cross-layer equalization: {pairs} of cells; the ranges of the channels of a cell are at most "
        f"1:{done.after:.3g} apart, they were 1:{done.before:.3g}"
    )


def _statistics(session: Session, plain: TorchNetwork, cells: Sequence[str]) -> Statistics:
    line, stimuli, mark = session.line, session.stimuli, statistics.fingerprint(plain)
    if line["calib-reload"]:
        seen = statistics.reload(FOLDER, mark, cells)
        console.line(f"calibration of {FOLDER}: {seen.stimuli} stimuli of the {seen.set.lower()} set")
        return seen
    name = "Validation" if stimuli.size("Validation") else "Test"
    size, wanted = stimuli.size(name), line["calib"]
    if not size:
        raise DataError(
            "-calib: there are no stimuli to calibrate on, neither a validation set nor a test set",
            remedy="give the database validation stimuli, for example Validation=0.1",
        )
    if wanted > size:
        console.notice(f"-calib {wanted}: the {name.lower()} set has {size} stimuli, and all of them are taken")
    count = size if wanted < 0 else min(size, wanted)
    if name == "Test":
        console.notice(
            "there is no validation set: the calibration sees stimuli of the test set, as in N2D2, so that the rate of "
            "the test is a little too good; Validation=0.1 sets some apart"
        )
    seen = statistics.collect(plain, cells, stimuli.passes(name), count, name)
    statistics.keep(seen, FOLDER, mark)
    console.line(
        f"[LOG] Calibration on {seen.stimuli} stimuli of the {name.lower()} set "
        f"({FOLDER / statistics.RANGES}, {FOLDER / statistics.HISTOGRAMS})"
    )
    return seen


def _write_ranges(calibrated: Calibrated, choices: Choices) -> None:
    rows = [_row(item, choices.bits) for item in calibrated.ranges]
    for text in table(_HEADERS, rows):
        console.line(text)
    _write_csv(CHOSEN, [_HEADERS, *rows])


def _row(item: Range, bits: int) -> list[str]:
    inside = ""
    if item.weights is not None:
        least, most = item.weights
        inside = f"{most:.4g}" if least == most else f"{least:.4g}..{most:.4g}"
    if item.low is None or item.high is None or item.threshold is None or item.clipped is None:
        return [item.cell, inside, "", "", "", "", "exact sums"]
    codes = f"{-(1 << (bits - 1))}..{(1 << (bits - 1)) - 1}" if item.signed else f"0..{(1 << bits) - 1}"
    numbers = [f"{value:.4g}" for value in (item.low, item.high, item.threshold)]
    return [item.cell, inside, *numbers, f"{100 * item.clipped:.4f}%", codes]


def _write_csv(name: str, rows: Sequence[Sequence[object]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    FOLDER.mkdir(parents=True, exist_ok=True)
    write(FOLDER / name, text.getvalue())


def _compare(
    bits: int, before: list[Result], after: list[Result], integer: list[Result], verification: Verification
) -> None:
    """The float network, the quantized one and the integer one side by side."""
    rows: list[list[str]] = []
    codes = sum(row.codes for row in verification.cells)
    for name, results, differing in (
        ("float", before, ""),
        (f"quantized after learning, {bits} bits", after, ""),
        (f"integer network, {bits} bits", integer, f"{verification.differing} of {codes}"),
    ):
        for result, reference in zip(results, before, strict=True):
            points = "" if results is before else f"{100 * (result.rate - reference.rate):+.2f}"
            rows.append([name, result.target.name, percent(result.rate), points, differing])
    headers = ("network", "target", "rate", "points from float", "differing codes")
    console.line()
    console.line("Float and quantized side by side:")
    for text in table(headers, rows):
        console.line(text)
    _write_csv(RESULTS, [headers, *rows])
    console.line(f"[LOG] Rates ({FOLDER / RESULTS})")
