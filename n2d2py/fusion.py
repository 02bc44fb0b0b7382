"""``-qat-sat`` and ``-fuse`` as the user sees them: the fused network, its proof, its files, its test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from n2d2py import console, outcome
from n2d2py.cells.base import PROVIDER
from n2d2py.data.chain import split_chain
from n2d2py.data.conversion import Leveled, Quantization, Scaled, scaling
from n2d2py.data.source import Source
from n2d2py.data.stimuli import Stimuli
from n2d2py.errors import IntegerError
from n2d2py.graph import picture
from n2d2py.graph.files import write as write_file
from n2d2py.graph.network import Network
from n2d2py.integer import ends, manifest, table
from n2d2py.integer.evaluation import IntegerEvaluation
from n2d2py.integer.lower import lower
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Lookup, Weighted
from n2d2py.integer.requantize import SHIFT_MODES
from n2d2py.integer.verify import Verification, verify
from n2d2py.layers.fusion import absorb_batchnorm
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import labels
from n2d2py.learn.testing import Result
from n2d2py.parts.provider import Provider
from n2d2py.quant.entry import encoded, measured_grid, table_grid
from n2d2py.quant.grid import Grid
from n2d2py.report import distributions, fused
from n2d2py.session import Session

FOLDER = Path("weights_quantized")
_ROUND_MODES = ("wt-round-mode", "b-round-mode", "c-round-mode")


def test_integer(session: Session) -> tuple[list[Result], Verification | None]:
    """Make the integer network, print its proof, write it, test it, and compare every code with the learned one.

    Gives what the test found (nothing without targets) and the comparison (None without test stimuli).

    Raises :class:`IntegerError` if the network has no integer form, or if any code or label differs although the
    rescaling mode is one of those whose forms are proved (all but the shifts).
    """
    _explain_modes(session)
    console.line("Fuse the QAT Graph for hardware compatibility...")
    mode: str = session.line["act-rescaling-mode"]
    outcome.report_numbers(session, session.learned)
    network = integer_of(session.learned, session.stimuli, mode)
    for line in table.lines(table.rows(network)):
        console.line(line)
    console.line(table.verdict(network))
    if network.islands:
        console.line(f"computed on real numbers, outside of the integer network: {', '.join(network.islands)}")
    session.page.lowered(network, mode)
    outcome.draw_graph(session, fused.picture_of(network), "Integer network")
    names = session.stimuli.label_names
    write(network, FOLDER, session.network, session.source, session.provider, names, session.ini.read_bytes())
    console.line(f"[LOG] Integer weights, biases and scales ({FOLDER}/*.syntxt, {FOLDER / manifest.MANIFEST})")
    console.line()
    results: list[Result] = []
    if outcome.scores(session.network):
        results = outcome.test(session, IntegerEvaluation(session.network, network), "integer network")
    if not session.stimuli.size("Test"):
        console.warning("there are no stimuli to compare the two networks on; what holds is the proof above")
        return results, None
    verification = verify(session.learned, network, session.stimuli.passes("Test"))
    session.page.compared(verification)
    _report(verification)
    check(verification, mode)
    return results, verification


def integer_of(learned: TorchNetwork, stimuli: Stimuli, mode: str) -> IntegerNetwork:
    """The integer network of a learned one; raises :class:`IntegerError` if there is none."""
    network = lower(learned, _entry(learned, stimuli), mode)
    table = _byte_table(learned, stimuli)
    if table is None:
        return network
    assert network.stimuli.grid is not None  # an integer network begins with codes
    codes = encoded(table, network.stimuli.grid).values.numpy().astype(np.int64)
    return replace(network, lookup=Lookup(PROVIDER, PROVIDER, ("bytes",), codes))


def _byte_table(learned: TorchNetwork, stimuli: Stimuli) -> Tensor | None:
    """The real values of bytes, a row a channel; None for stimuli that have codes, or that no table gives."""
    if stimuli.grid("Test") is not None:
        return None
    table = stimuli.byte_table("Test", learned.network.stimuli.channels)
    return table if table is not None and bool(table.isfinite().all()) else None


def _entry(learned: TorchNetwork, stimuli: Stimuli) -> Grid | None:
    """The grid on which the test set enters: its own, that of the table of its bytes, or 8 bits of its range."""
    grid, count = stimuli.grid("Test"), stimuli.size("Test")
    if grid is not None:
        return grid
    table = _byte_table(learned, stimuli)
    if table is not None:
        return table_grid(table)
    if not count:
        return None
    ends = [(float(batch.inputs.min()), float(batch.inputs.max())) for batch in stimuli.passes("Test")]
    low, high = min(end for end, _ in ends), max(end for _, end in ends)
    grid = measured_grid(low, high)
    console.notice(
        f"the stimuli are real numbers from {low:g} to {high:g}: both networks get them as codes "
        f"{grid.low}..{grid.high} of {grid.scale:g}"
    )
    return grid


def compare(learned: TorchNetwork, network: IntegerNetwork, stimuli: Stimuli, mode: str) -> Verification:
    """What comparing the two on every stimulus of the test set gives; raises what :func:`check` raises."""
    verification = verify(learned, network, stimuli.passes("Test"))
    check(verification, mode)
    return verification


def check(verification: Verification, mode: str) -> None:
    """Raise :class:`IntegerError` if anything differs although the mode is one whose forms are proved."""
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


def write(
    network: IntegerNetwork,
    folder: Path,
    graph: Network,
    source: Source,
    provider: Provider,
    names: list[str],
    ini: bytes | None,
) -> None:
    """Write integers, scales, distributions, the table of the layers and the manifest; ``names``: of the labels."""
    targets = [ends.target(one, network, names, labels.lookup(one, names)) for one in graph.targets]
    manifest.write(network, folder, ini, _preprocessing(source, provider, network), targets)
    rows = table.rows(network)
    write_file(folder / "layers.csv", table.as_csv(rows))
    write_file(folder / "layers.json", table.as_json(rows))
    for operation in network:
        if isinstance(operation, Weighted):
            distributions.write_levels(folder, operation.cell, operation.connected_weights, operation.weights_grid)


def _preprocessing(source: Source, provider: Provider, network: IntegerNetwork) -> dict[str, Any]:
    """How an image of the test set becomes codes."""
    levels, settings = provider.quantization_levels, source.settings
    quantization = Quantization(levels, settings.quantization_min, settings.quantization_max) if levels else None
    pipeline, depth = source.pipelines["Test"], source.content.depth
    grid = network.stimuli.grid
    assert grid is not None  # an integer network begins with codes
    how: Scaled | Leveled | Grid = grid
    given = pipeline.out_dtype(depth)
    if given.kind in "iu":
        conversion = scaling(provider.data_signed_mapping, quantization, given.name)
        if isinstance(conversion, Scaled | Leveled) and conversion.grid == grid:
            how = conversion
    chain, channels = pipeline.steps, [channel.steps for channel in pipeline.channels]
    _, tail = split_chain(chain)
    replaced = [place for place, step in enumerate(chain) if any(step is one for one in tail)]
    return ends.preprocessing(chain, how, network.lookup, replaced, channels=channels, depth=depth.name)


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
    outcome.draw_graph(session, picture.picture_of(network.network), "Network with BatchNorm fused")
    outcome.test(session, network, "BatchNorm fused")
