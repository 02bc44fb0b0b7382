"""``-export`` and ``-verify`` as the user sees them: the integer network in a folder, and proved by execution."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from n2d2py import console, fusion
from n2d2py.errors import DataError, IntegerError, UsageError
from n2d2py.export import folder, verification
from n2d2py.export.base import Export
from n2d2py.integer.evaluation import entering
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Weighted
from n2d2py.integer.requantize import SHIFT_MODES
from n2d2py.learn.testing import device_of
from n2d2py.quant.grid import Coded
from n2d2py.registry import find, names
from n2d2py.session import Session

_EXECUTORS = {
    "C": ("C",),
    "ONNX": ("ONNX Runtime",),
    "ONNX-QDQ": ("ONNX Runtime, QDQ",),
    "ONNX-packed": ("ONNX Runtime, packed",),
    "QONNX": ("QONNX",),
}
"""Executors that run what is exported, by exporter."""
_REFERENCE = ("interpreter", "torch")
_USUAL = ("interpreter", "torch", "ONNX Runtime", "C")


def deliver(session: Session) -> None:
    """Export and verify as the options say.

    Raises :class:`UsageError` for an unknown export or too few bits, :class:`IntegerError` if a code or label differs
    in any executor, and what the integer network or an exporter raises.
    """
    line = session.line
    kind = _exporter(line["export"]) if line["export"] else ""
    network = fusion.integer_of(session.learned, session.stimuli, line["act-rescaling-mode"])
    if kind:
        bits = _bits(network, line["nbbits"] if "nbbits" in line.given else None)
        _export(session, network, kind, Path(f"export_{kind}_int{bits}"))
    if line["verify"]:
        _verify(session, network, kind)


def _exporter(word: str) -> str:
    known = names("exporter")
    for name in known:
        if name.lower() == word.lower():
            return name
    raise UsageError(f"-export {word}: there is no such export", expected=f"one of {', '.join(known)}")


def _bits(network: IntegerNetwork, wanted: int | None) -> int:
    """The bits that the folder is named after: those of the widest weights, or more if ``-nbbits`` says so."""
    widest = max((operation.stored_bits for operation in network if isinstance(operation, Weighted)), default=1)
    if wanted is None:
        return widest
    if wanted < widest:
        raise UsageError(
            f"-nbbits {wanted}: the network has learned weights of {widest} bits",
            remedy=f"learn with fewer levels (QWeight.Range), or leave -nbbits out: every layer keeps its own bits "
            f"and {widest} is the widest",
        )
    return wanted


def _export(session: Session, network: IntegerNetwork, kind: str, path: Path) -> None:
    export = _with_stimuli(session, network, session.line["db-export"])
    exporter = find("exporter", kind)
    for text in folder.write(path, kind, export.facts(), lambda fresh: exporter(export, fresh)):
        console.line(text)
    count = len(export.stimuli)
    console.line(f"[LOG] Export {kind}: {path}/, with {count} stimuli and the outputs that they must give")


def _with_stimuli(session: Session, network: IntegerNetwork, count: int) -> Export:
    """An export with the first stimuli of the test set; -1: all of them."""
    most = session.stimuli.size("Test") if count < 0 else min(count, session.stimuli.size("Test"))
    dims = network.stimuli.dims
    parts = [np.zeros((0, *dims.shape), dtype=np.int64)]
    taken = 0
    for batch in session.stimuli.passes("Test") if most else ():
        coded = entering(network, Coded(batch.inputs) if batch.codes is None else batch.codes)
        parts.append(coded.values.cpu().numpy().astype(np.int64)[: most - taken])
        taken += len(parts[-1])
        if taken >= most:
            break
    return _made(session, network, np.concatenate(parts))


def _made(session: Session, network: IntegerNetwork, stimuli: np.ndarray) -> Export:
    targets = tuple((target.cell, target.binary_threshold) for target in session.network.targets)
    device = str(device_of(session.learned))
    return Export(network, session.ini.read_bytes(), stimuli, tuple(dict.fromkeys(targets)), device)


def _verify(session: Session, network: IntegerNetwork, kind: str) -> None:
    if not session.stimuli.size("Test"):
        raise DataError("-verify: the test set is empty", remedy="give the database test stimuli")
    export = _with_stimuli(session, network, 1)
    wanted = (*_REFERENCE, *_EXECUTORS[kind]) if kind else _USUAL
    report = verification.compare(session.learned, export, session.stimuli.passes("Test"), wanted, bool(kind))
    session.page.executed(report)
    console.line("The trained network beside each executor: differing codes of each cell (-: not stored)")
    for text in report.lines():
        console.line(text)
    if report.first_differing is None:
        console.line(f"0 codes differ ({report.stimuli} stimuli)")
        return
    executor, cell = report.first_differing
    forced = session.line["act-rescaling-mode"] in SHIFT_MODES
    raise IntegerError(
        f"{executor} is not the trained network: {cell} differs first",
        expected="0 differing codes and labels",
        remedy="leave out -act-rescaling-mode: shifts alone are not exact"
        if forced
        else "this is a defect of n2d2py: please report it with the INI file and the weights",
    )
