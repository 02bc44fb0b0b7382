"""What a test finds out, of the learned network or of one made of it."""

from __future__ import annotations

from dataclasses import replace

from n2d2py import console
from n2d2py.cells.base import WeightedCell
from n2d2py.errors import LearningError
from n2d2py.graph.network import Network
from n2d2py.layers import accumulators
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import testing
from n2d2py.learn.testing import Result
from n2d2py.outcome.places import class_names, folder_of
from n2d2py.report import classes, confusion, curves, formats, regions
from n2d2py.session import Session


def test(session: Session, network: testing.Tested, what: str) -> list[Result]:
    """Test a network, which has the cells of the session's, on the test set; print, write and give what was found.

    ``what`` is what the report calls it.

    An empty test set is a warning. Raises :class:`LearningError` if no target scores.
    """
    if not scores(network.network):
        raise LearningError(
            "the network has no target to test", remedy="add a section such as [softmax.Target] to the INI file"
        )
    if not session.stimuli.size("Test"):
        console.warning("the test set is empty: nothing was tested")
        return []
    group = session.group if network is session.learned else None
    if group is not None:
        group.agree(session.learned)
    results = testing.test(network, session.stimuli, report=session.line["report"], group=group)
    write_test(session, results)
    for result in results:
        session.page.tested(what, [result], _names(session, result))
    if session.line["class-report"]:
        for result in results:
            for text in classes.lines(result, _names(session, result)):
                console.line(text)
    if isinstance(network, TorchNetwork):
        report_numbers(session, network)
    return results


def help_to_test(session: Session) -> None:
    """What another process does of :func:`test` on the learned network: its share of the batches."""
    group = session.group
    if group is not None and scores(session.network) and session.stimuli.size("Test"):
        group.agree(session.learned)
        testing.evaluate(session.learned, session.stimuli, "Test", keep_outputs=True, group=group)


def report_numbers(session: Session, network: TorchNetwork) -> None:
    """Fixed-point formats, and the proof of what ``QAcc.Bits`` promises; raises IntegerError where it is broken."""
    formats.print_formats(formats.formats(network))
    if not any(isinstance(node.cell, WeightedCell) and node.cell.accumulator_bits for node in network.network):
        return
    if not session.stimuli.size("Test"):
        console.warning("QAcc.Bits is not checked: the test set, whose codes the sums are made of, is empty")
        return
    batch = next(iter(session.stimuli.passes("Test")))
    grid = testing.grid_of(network, session.stimuli, "Test")
    stimuli = testing.stimuli_of(batch, network, testing.device_of(network), grid)
    found = accumulators.accumulators(network, replace(stimuli, values=stimuli.values[:1]))
    formats.print_accumulators(found)
    accumulators.check(found, network.network)


def scores(network: Network) -> bool:
    """Whether a target of the network scores, so that it can be tested."""
    return any(target.scores for target in network.targets)


def write_test(session: Session, results: list[Result], name: str = "test") -> None:
    """Confusion matrix, mistakes, success and outputs of a test, in the folder of each target."""
    for result in results:
        folder = folder_of(result.target)
        confusion.write_confusion(folder, name, result.confusion, _names(session, result), result.confusion.has_none)
        confusion.write_mistakes(folder, name, result.mistakes, session.stimuli.name)
        if len(result.successes):
            curves.write_success(folder, name, result.successes[:, 0])
            if result.target.top_n > 1:
                curves.write_success(folder, name, result.successes[:, 1], suffix="TopN")
                rate = f"{100 * result.top_rate:g}%"
                console.line(f"[LOG] Top-{result.target.top_n} rate of {result.target.name}: {rate}")
        if result.found is not None:
            file = regions.write_regions(folder, name, result.found, _names(session, result), session.stimuli.name)
            console.line(f"[LOG] Regions that were found ({file})")
        if result.outputs is not None and result.labels.ndim == 1:
            confusion.write_classifications(
                folder, name, result.ids, result.labels, result.estimated,
                result.outputs.reshape(len(result.ids), -1), session.stimuli.name,
            )  # fmt: skip
        console.line(f"[LOG] Test results ({folder}/ConfusionMatrix_{name}.png, {folder}/Misclassified_{name}.dat)")


def _names(session: Session, result: Result) -> list[str]:
    """Names of the classes of a result."""
    return list(result.names) or class_names(session, result.target)
