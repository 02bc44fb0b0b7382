"""Testing a network on a set of stimuli: recognition rate, confusion, and what was mistaken for what."""

# ruff: noqa: PT028 - what is called test here tests networks

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from n2d2py import console
from n2d2py.errors import LearningError
from n2d2py.learn import labels
from n2d2py.learn.metrics import Confusion, final_lines, percent
from n2d2py.learn.mistakes import Mistake, mistakes
from n2d2py.learn.progress import Bar
from n2d2py.learn.targets import Comparison, Judged, Tally, flat
from n2d2py.parts.targets import Target
from n2d2py.quant.grid import Coded

if TYPE_CHECKING:
    from n2d2py.data.stimuli import Batch, Stimuli
    from n2d2py.graph.network import Network, Node


class Tested(Protocol):
    """What is asked of a network that is tested: a torch module that knows its graph and can be evaluated.

    The learned network is one, and so is the integer network that it becomes.
    """

    training: bool

    @property
    def network(self) -> Network:
        """The graph of cells, for targets and dimensions."""
        ...

    @property
    def quantized(self) -> bool:
        """Whether it is computed on codes."""
        ...

    def evaluate(self, stimuli: Coded, wanted: Collection[str] | None = None) -> dict[str, Coded]:
        """Outputs of the ``wanted`` cells."""
        ...

    def train(self, mode: bool = True) -> object:
        """Learning mode, or evaluation mode; as torch's modules have it."""
        ...

    def parameters(self) -> Iterator[nn.Parameter]:
        """As torch's modules have it."""
        ...

    def buffers(self) -> Iterator[Tensor]:
        """As torch's modules have it."""
        ...


@dataclass(frozen=True, eq=False)
class Result:
    """What a test found for one target. Rates are ratios; entry i of the arrays belongs to stimulus ``ids[i]``.

    ``successes``: (batches, 2), success and TopN success of each batch. ``labels`` and ``estimated``: output
    indices, -1 where a label is ignored. ``outputs``: float32 (stimuli, outputs[, height, width]), if asked for;
    ``loss``: the mean by stimulus, if asked for.
    """

    target: Target
    set: str
    rate: float
    top_rate: float
    confusion: Confusion
    successes: NDArray[np.float64]
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    estimated: NDArray[np.int64]
    outputs: NDArray[np.float32] | None = None
    loss: float | None = None

    @property
    def mistakes(self) -> list[Mistake]:
        """What was estimated wrongly, in the order of the set."""
        return mistakes(self.ids, self.labels, self.estimated)

    def lines(self) -> list[str]:
        """The block that ends a test."""
        return final_lines(self.rate, self.confusion)


def comparisons(network: Tested, stimuli: Stimuli) -> list[Comparison]:
    """The targets of a network at work on the labels of ``stimuli``, in their order.

    Raises :class:`LearningError` for a target that cannot be learned or tested, and for a network of spikes.
    """
    graph = network.network
    for node in graph.spiking:
        raise LearningError(
            f"cell {node.name} has the model {node.model}: n2d2py computes no spikes",
            place=node.cell.place(),
            expected="the model Frame",
            remedy="DefaultModel=Frame, to learn the network by back-propagation",
        )
    for target in graph.targets:
        if target.absent:
            raise LearningError(
                f"target {target.name} can be neither learned nor tested: {target.absent}",
                place=target.place(),
                remedy=f"remove [{target.name}], or give it Type=TargetScore",
            )
        boxes = _boxes_before(graph, target.cell)
        if boxes is not None:
            raise LearningError(
                f"target {target.name} can be neither learned nor tested: behind {boxes.cell.type_name} cell "
                f"{boxes.name} there is an output for each box, and no label for it",
                place=target.place(),
                expected="a target of a cell that gives one output for each stimulus",
                remedy=f"remove [{target.name}]; the network can be used for inference",
            )
    named = {target.name: target for target in graph.targets}
    return [
        Comparison(
            target,
            graph[target.cell].output.channels,
            labels.lookup(target, stimuli.label_names),
            named[target.mask_label_target] if target.masks else None,
        )
        for target in graph.targets
    ]


def _boxes_before(graph: Network, cell: str) -> Node | None:
    """The first cell, of all that ``cell`` needs and itself, of which the outputs belong to boxes."""
    needed = {cell}
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed.update(node.parents)
    return next((node for node in graph.nodes if node.name in needed and node.cell.changes_rows), None)


def scoring(targets: list[Comparison]) -> list[Comparison]:
    """The targets that score; the first of them is the primary one."""
    return [target for target in targets if target.target.scores]


def device_of(network: Tested) -> torch.device:
    """The device of the network's tensors; the CPU if it has none."""
    for tensor in (*network.parameters(), *network.buffers()):
        return tensor.device
    return torch.device("cpu")


@contextmanager
def at_rest(network: Tested) -> Iterator[None]:
    """The network in evaluation mode and without gradients; afterwards it is as it was."""
    learning = network.training
    network.train(False)
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(learning)


def stimuli_of(batch: Batch, network: Tested, device: torch.device) -> Coded:
    """What a network is evaluated on: the codes of the stimuli if it is quantized and they have codes."""
    if network.quantized and batch.codes is not None:
        return Coded(batch.codes.values.to(device), batch.codes.grid)
    return Coded(batch.inputs.to(device))


class _Gathered:
    """Results of one target, added up over the batches of a set."""

    def __init__(self, comparison: Comparison, keep_outputs: bool) -> None:
        self.tally = Tally(comparison)
        self._keep = keep_outputs
        self._judged: list[Judged] = []
        self._outputs: list[Tensor] = []

    def add(self, outputs: Mapping[str, Coded], batch: Batch) -> None:
        comparison = self.tally.comparison
        cell = comparison.target.cell
        # Codes order outputs as their real values do, and without rounding; a threshold needs real values.
        needed = comparison.needs_values or outputs[cell].offset is not None
        values = {name: outputs[name].exact() for name in comparison.cells if needed or name != cell}
        values.setdefault(cell, outputs[cell].values)
        data = (batch.inputs if batch.target_data is None else batch.target_data).to(values[cell].device)
        self._judged.append(self.tally.add(values, comparison.labels(batch.labels, values[cell]), data))
        if self._keep:
            self._outputs.append(flat(outputs[cell].real()).float().cpu())

    def result(self, name: str, ids: list[NDArray[np.int64]]) -> Result:
        tally, judged = self.tally, self._judged
        return Result(
            target=tally.comparison.target,
            set=name,
            rate=tally.rate,
            top_rate=tally.top_rate,
            confusion=tally.confusion,
            successes=tally.successes(),
            ids=np.concatenate(ids) if ids else np.empty(0, np.int64),
            labels=_joined([item.labels for item in judged]),
            estimated=_joined([item.estimated for item in judged]),
            outputs=torch.cat(self._outputs).numpy() if self._outputs else None,
        )


def _joined(parts: list[Tensor]) -> NDArray[np.int64]:
    return torch.cat(parts).cpu().numpy() if parts else np.empty(0, np.int64)


def evaluate(
    network: Tested,
    stimuli: Stimuli,
    name: str,
    *,
    report: int = 0,
    keep_outputs: bool = False,
    title: str = "Testing",
    between: Callable[[], None] | None = None,
) -> list[Result]:
    """Results of every scoring target on the set ``name`` (Learn, Validation or Test), in the order of the targets.

    A quantized network is computed on integer codes. Every ``report`` stimuli a line ``Testing #256   75%``
    says how it goes (0: no lines). ``between`` is called before each batch, and may raise. Raises
    :class:`LearningError` if a label has no output.
    """
    targets = scoring(comparisons(network, stimuli))
    for target in targets:
        target.check(stimuli.labels(name))
    gathered = [_Gathered(target, keep_outputs) for target in targets]
    cells = list(dict.fromkeys(cell for target in targets for cell in target.cells))
    device = device_of(network)
    ids: list[NDArray[np.int64]] = []
    size = stimuli.size(name)
    done, due = 0, report
    with at_rest(network), Bar(title, size) as bar:
        for batch in stimuli.passes(name):
            if between is not None:
                between()
            outputs = network.evaluate(stimuli_of(batch, network, device), cells)
            for item in gathered:
                item.add(outputs, batch)
            ids.append(batch.ids)
            last = done + len(batch.ids) >= size
            if report and (done >= due or last):
                due += report
                text = " ".join(percent(item.tally.rate) for item in gathered)
                bar.to(done, text)
                if not bar.drawn:
                    console.line(f"{title} #{done}   {text}")
            done += len(batch.ids)
            bar.to(done)
    return [item.result(name, ids) for item in gathered]


def test(
    network: Tested, stimuli: Stimuli, name: str = "Test", *, report: int = 100, keep_outputs: bool = True
) -> list[Result]:
    """:func:`evaluate`, with lines of progress and the final block of each target on the console."""
    results = evaluate(network, stimuli, name, report=report, keep_outputs=keep_outputs)
    for result in results:
        for line in result.lines():
            console.line(line)
    return results
