"""``-qat-sat`` and ``-fuse`` as the user sees them: the fused network, its proof, its files, its test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from n2d2py import console, outcome
from n2d2py.data.conversion import Leveled, Quantization, Scaled, scaling
from n2d2py.errors import IntegerError
from n2d2py.graph import picture
from n2d2py.integer import ends, manifest, table
from n2d2py.integer.evaluation import IntegerEvaluation
from n2d2py.integer.lower import lower
from n2d2py.integer.network import IntegerNetwork, Weighted
from n2d2py.integer.requantize import SHIFT_MODES
from n2d2py.integer.verify import Verification, verify
from n2d2py.layers.fusion import absorb_batchnorm
from n2d2py.learn import labels
from n2d2py.report import distributions, fused
from n2d2py.session import Session

FOLDER = Path("weights_quantized")
_ROUND_MODES = ("wt-round-mode", "b-round-mode", "c-round-mode")


def test_integer(session: Session) -> None:
    """Make the integer network, print its proof, write it, test it, and compare every code with the learned one.

    Raises :class:`IntegerError` if the network has no integer form, or if any code or label differs although the
    rescaling mode is one of those whose forms are proved (all but the shifts).
    """
    _explain_modes(session)
    console.line("Fuse the QAT Graph for hardware compatibility...")
    mode: str = session.line["act-rescaling-mode"]
    network = lower(session.learned, session.stimuli.grid("Test"), mode)
    for line in table.lines(table.rows(network)):
        console.line(line)
    console.line(table.verdict(network))
    if network.islands:
        console.line(f"computed on real numbers, outside of the integer network: {', '.join(network.islands)}")
    outcome.draw_graph(session, fused.picture_of(network))
    _write(session, network)
    console.line()
    if outcome.scores(session.network):
        outcome.test(session, IntegerEvaluation(session.network, network))
    if not session.stimuli.size("Test"):
        console.warning("there are no stimuli to compare the two networks on; what holds is the proof above")
        return
    verification = verify(session.learned, network, session.stimuli.passes("Test"))
    _report(verification)
    if not verification.all_equal and mode not in SHIFT_MODES:
        raise IntegerError(
            f"the integer network is not the learned one: {verification.first_differing or 'a label'} differs first",
            expected="0 differing codes and labels",
            remedy="this is a defect of n2d2py: please report it with the INI file and the weights",
        )


def _explain_modes(session: Session) -> None:
    given = [f"-{name} {session.line[name]}" for name in _ROUND_MODES if name in session.line.given]
    if given:
        console.notice(
            f"{', '.join(given)}: nothing is left to choose; weights are always integers, and biases and clipping "
            "are integers that are proved exact"
        )


def _write(session: Session, network: IntegerNetwork) -> None:
    names = session.stimuli.label_names
    targets = [ends.target(one, network, names, labels.lookup(one, names)) for one in session.network.targets]
    manifest.write(network, FOLDER, session.ini.read_bytes(), _preprocessing(session), targets)
    for operation in network:
        if isinstance(operation, Weighted):
            distributions.write_levels(FOLDER, operation.cell, operation.connected_weights, operation.weights_grid)
    console.line(f"[LOG] Integer weights, biases and scales ({FOLDER}/*.syntxt, {FOLDER / manifest.MANIFEST})")


def _preprocessing(session: Session) -> dict[str, Any]:
    """How an image of the test set becomes codes; real stimuli have been refused before."""
    provider, settings = session.provider, session.source.settings
    levels = provider.quantization_levels
    quantization = Quantization(levels, settings.quantization_min, settings.quantization_max) if levels else None
    conversion = scaling(provider.data_signed_mapping, quantization)
    assert isinstance(conversion, Scaled | Leveled)
    return ends.preprocessing(session.source.chains["Test"], conversion)


def _report(verification: Verification) -> None:
    console.line("The integer network beside the learned one, code by code (float forward: the fake-quantized float32")
    console.line("network that learns; it may give another code where a value lies halfway between two):")
    for line in verification.lines():
        console.line(line)
    codes = sum(row.codes for row in verification.cells)
    console.line(
        f"{verification.differing} of {codes} codes differ, {verification.differing_labels} of "
        f"{verification.labels} labels differ ({verification.stimuli} stimuli)"
    )


def test_fused(session: Session) -> None:
    """Test the float network whose BatchNorm cells are absorbed into the Conv and Fc before them."""
    if session.learned.quantized:
        raise IntegerError(
            "-fuse would change the quantized weights of the network",
            remedy="-qat-sat absorbs BatchNorm into the integer network and keeps every code",
        )
    network = absorb_batchnorm(session.learned)
    outcome.draw_graph(session, picture.picture_of(network.network))
    outcome.test(session, network)
