"""What a run finds out, and writes into the working directory: pictures, logs and tables of ``report/``."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from n2d2py import console
from n2d2py.cells.anchors import json_of
from n2d2py.cells.base import WeightedCell
from n2d2py.data.databases.dir import DirDatabase
from n2d2py.errors import LearningError
from n2d2py.graph import picture
from n2d2py.graph.drawing import draw
from n2d2py.graph.files import write
from n2d2py.graph.network import Network
from n2d2py.layers import accumulators
from n2d2py.layers.network import TorchNetwork
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.learn import anchors, labels, testing
from n2d2py.learn.loop import History, Log
from n2d2py.learn.names import path_of
from n2d2py.learn.testing import Result
from n2d2py.parts.solvers import SGD
from n2d2py.parts.targets import Target, TargetBBox
from n2d2py.report import (
    classes,
    confusion,
    curves,
    dataset,
    distributions,
    formats,
    kernels,
    maps,
    receptive,
    regions,
    samples,
    schedule,
    stats,
    transformations,
)
from n2d2py.report.labels import write_labels_mapping
from n2d2py.session import Session

_SETS = ("Learn", "Validation", "Test")
RESULTS = Path("results.csv")
_REDRAWN = 20.0
"""Seconds between two drawings of the learning curve; drawing it takes about half of one."""


def write_network(session: Session) -> None:
    """The picture of the network, its maps, its statistics, its learning rates, and which output is which label."""
    network = session.network
    draw_graph(session, picture.picture_of(network))
    maps.write_maps("map", network)
    stats.write_stats("stats", network)
    receptive.write_receptive_fields("receptive_fields.log", network)
    console.line("[LOG] Connection maps (map/), statistics (stats/), receptive fields (receptive_fields.log)")
    for target in network.targets:
        _write_labels(session, target)


def write_stimuli(session: Session) -> bool:
    """What the network will see: a sheet of each set and the graph of transformations; more where it is asked for.

    Returns whether it was asked for: ``-pre-samples`` or ``-log-db-stats``.
    """
    stimuli, index = session.stimuli, session.line["pre-samples"]
    if not any(stimuli.size(name) for name in _SETS):
        return False
    if isinstance(session.source.database, DirDatabase):
        console.line(f"[LOG] Sets of files ({', '.join(str(file) for file in dataset.write_partition(stimuli))})")
    sheets = samples.write_sheets(stimuli)
    drawn = transformations.write_transformations(stimuli)
    console.line(f"[LOG] Stimuli ({', '.join(str(file) for file in [*sheets, *drawn])})")
    if index >= 0:
        console.line(f"[LOG] Samples of stimulus {index} ({samples.write_samples(stimuli, index)}/)")
    if session.line["log-db-stats"]:
        dataset.write_statistics(stimuli)
        console.line("[LOG] Statistics of the database (dbstats/)")
    return bool(index >= 0 or session.line["log-db-stats"])


def write_anchors(session: Session) -> None:
    """``anchors.json`` of each target that asks for anchors made of the data."""
    for target in session.network.targets:
        if isinstance(target, TargetBBox) and target.generate_anchors:
            made = anchors.of_stimuli(target, session.network, session.stimuli)
            sizes = [(round(width, 2), round(height, 2)) for width, height in made.sizes.tolist()]
            file = write(folder_of(target) / "anchors.json", json_of(sizes))
            console.line(
                f"[LOG] {len(sizes)} anchors of the regions of Learn, of mean overlap {100 * made.overlap:.1f}% with "
                f"them ({file})"
            )


def draw_graph(session: Session, pictured: picture.Picture, caption: str = "Network") -> None:
    """``<ini>.dot``, ``.png`` and ``.svg``; ``caption`` says in the report what is drawn."""
    files = draw(picture.dot(pictured, session.title), session.title)
    session.page.drawn(caption, files)
    console.line(f"[LOG] Network graph ({', '.join(str(file) for file in files)})")


def _write_labels(session: Session, target: Target) -> None:
    names = session.stimuli.label_names
    lookup = labels.lookup(target, names)
    outputs = list(range(len(names))) if lookup is None else lookup[:-1].tolist()
    counted = {name: session.stimuli.labels(name) for name in _SETS}
    found = {name: session.stimuli.region_labels(name) for name in _SETS}
    write_labels_mapping(folder_of(target), names, outputs, counted, found)


def folder_of(target: Target) -> Path:
    """The folder of the results of a target."""
    return Path(path_of(target.name))


class Curves:
    """Watches the learning and keeps its curve up to date; see :class:`~n2d2py.learn.loop.Watcher`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        targets = session.network.targets
        self._points: dict[str, list[curves.Point]] = {
            target.name: [] for target in targets if target.scores
        }
        self._scores: list[tuple[int, float]] = []
        self._drawn = 0.0
        self._rows: list[list[str]] = []

    def resumed(self, logs: list[Log]) -> None:
        """Have the points of the logs before a checkpoint."""
        for log in logs:
            self._add(log)

    def logged(self, log: Log) -> None:
        """Add a point to the curve of each target and a row to the table; draw, unless it was drawn just before."""
        self._add(log)
        self._write_table()
        if time.monotonic() - self._drawn > _REDRAWN:
            self.draw()

    def _add(self, log: Log) -> None:
        place = log.epoch + 1 if log.epoch is not None else log.batches
        learning = {success.target.name: success.recent for success in log.learning}
        validation = {result.target.name: result.rate for result in log.validation}
        test = {result.target.name: result.rate for result in log.test}
        for name, points in self._points.items():
            point = curves.Point(place, learning.get(name), validation.get(name), test.get(name), log.rate)
            points.append(point)
        if log.score is not None:
            self._scores.append((log.batches, log.score))
        self._rows.append(
            [
                "" if log.epoch is None else str(log.epoch),
                str(log.batches),
                str(log.stimuli),
                f"{log.seconds:.3f}",
                f"{log.stimuli / max(log.seconds, 1e-9):.1f}",
                f"{log.rate:g}",
                *(_cell(found.get(name)) for name in self._points for found in (learning, validation, test)),
                _cell(log.score),
                str(int(log.best)),
                "" if log.saved is None else str(log.saved),
            ]
        )

    def _write_table(self) -> None:
        """``results.csv``: a row a log. It is written whole, so that a resumed run has no row twice."""
        sets = ("learning", "validation", "test")
        head = ["epoch", "batches", "stimuli", "seconds", "stimuli_per_second", "learning_rate"]
        head += [f"{name}:{part}" for name in self._points for part in sets]
        head += [f"score:{self._session.line['valid-metric']}", "best", "saved"]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([head, *self._rows])
        write(RESULTS, text.getvalue())

    def draw(self) -> None:
        """Write the curve of each target, and the validation scores of the primary one, as they are now."""
        axis = "epoch" if self._session.line["learn-epoch"] else "batch"
        for index, (name, points) in enumerate(self._points.items()):
            if not points:
                continue
            folder = Path(path_of(name))
            curves.write_curve(folder / "learning_curve.png", points, f"{self._session.title}: learning", axis)
            rows = [
                f"{point.epoch:g} {_number(point.learning)} {_number(point.validation)} {_number(point.test)}"
                for point in points
            ]
            write(folder / "learning_curve.dat", "\n".join([f"{axis} learning validation test", *rows, ""]))
            if self._scores and index == 0:
                curves.write_validation(folder, self._scores)
        self._drawn = time.monotonic()


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def write_learning(session: Session, history: History, watched: Curves) -> None:
    """Curves and confusion of the learning, and its learning rates."""
    watched.draw()
    last = history.logs[-1]
    window = session.line["ws"] // session.stimuli.batch_size
    for success in last.learning:
        folder = folder_of(success.target)
        names = _class_names(session, success.target)
        curves.write_success(folder, "learning", success.successes[:, 0], window)
        confusion.write_confusion(folder, "learning", success.confusion, names, success.confusion.has_none)
        confusion.write_mistakes(folder, "learning", success.mistakes, session.stimuli.name)
    _write_schedules(session, [log.batches for log in history.logs])


def _write_schedules(session: Session, logs: list[int]) -> None:
    """``logs`` are the batches after which learning logged; it ended with a log."""
    size, batch_size = session.stimuli.size("Learn"), session.stimuli.batch_size
    for cell, learned in session.learned.learned():
        if isinstance(learned.solver, SGD):
            found = list(schedule.changes(learned.solver, batch_size, size, logs[-1], logs))
            schedule.write_schedule("schedule", cell, learned.name, found)


def write_weights(session: Session, folder: Path) -> None:
    """The distributions of the weights of ``folder``, which the network has now, and with -log-kernels its kernels."""
    write_distributions(session, folder)
    if session.line["log-kernels"]:
        files = kernels.write_kernels("kernels", _weights(session))
        console.line(f"[LOG] Kernels ({', '.join(str(file) for file in files if file.suffix == '.png')})")


def _weights(session: Session) -> dict[str, np.ndarray]:
    layers = session.learned.layers.items()
    return {name: layer.weights.detach().cpu().numpy() for name, layer in layers if isinstance(layer, WeightedLayer)}


@torch.no_grad()
def write_distributions(session: Session, folder: Path) -> None:
    """How the weights are spread: real ones, those of the grid (or clamped), and biases of every cell."""
    for name, layer in session.learned.layers.items():
        if not isinstance(layer, WeightedLayer):
            continue
        distributions.write_real(folder, name, "weights", layer.weights.cpu().numpy())
        if layer.biases is not None:
            distributions.write_real(folder, name, "biases", layer.biases.cpu().numpy())
        if layer.quantizes:
            codes, grid = layer.weight_codes()
            connected = codes if layer.mask is None else codes[layer.mask.expand_as(codes)]
            distributions.write_levels(folder, name, connected.cpu().numpy(), grid)
        elif layer.weights_quantizer is not None:
            clamped = layer.weights_quantizer(layer.full_weights())
            distributions.write_real(folder, name, "weights_quant", clamped.cpu().numpy())
    console.line(f"[LOG] Distributions of the weights ({folder}/*.distrib.png)")


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
        confusion.write_confusion(
            folder, name, result.confusion, _names(session, result), result.confusion.has_none
        )
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
    return list(result.names) or _class_names(session, result.target)


def _class_names(session: Session, target: Target) -> list[str]:
    """Names of the outputs: those of the labels, unless a file maps them."""
    return [] if target.labels_mapping else session.stimuli.label_names
