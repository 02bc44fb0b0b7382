"""Testing a network on a set of stimuli: recognition rate, confusion, and what was mistaken for what."""

# ruff: noqa: PT028 - what is called test here tests networks

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from n2d2py import console
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn.comparing import comparisons, scoring
from n2d2py.learn.matching import region_lines
from n2d2py.learn.metrics import Confusion, final_lines, percent
from n2d2py.learn.mistakes import Mistake, mistakes
from n2d2py.learn.progress import Bar
from n2d2py.learn.tally import Tally
from n2d2py.learn.targets import Comparison, flat
from n2d2py.parts.targets import Target
from n2d2py.quant.entry import encoded, table_grid
from n2d2py.quant.grid import Coded, Grid

if TYPE_CHECKING:
    from n2d2py.data.stimuli import Batch, Stimuli
    from n2d2py.graph.network import Network
    from n2d2py.learn.distributed import Group


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

    Where a target scores regions an entry is a pair of a region that is there (its label; -1: none) and one that was
    found (-1: none), ``names`` are those of the classes, and ``found`` (boxes, 8) what was found: id of the stimulus,
    x, y, width, height, class, score (NaN: there is none), overlap with the region that it has found (0: with none).
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
    names: tuple[str, ...] = ()
    found: NDArray[np.float64] | None = None

    @property
    def mistakes(self) -> list[Mistake]:
        """What was estimated wrongly, in the order of the set."""
        return mistakes(self.ids, self.labels, self.estimated)

    def lines(self) -> list[str]:
        """The block that ends a test."""
        if self.found is not None:
            return region_lines(self.rate, self.confusion, self.found)
        return final_lines(self.rate, self.confusion)


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


def stimuli_of(batch: Batch, network: Tested, device: torch.device, grid: Grid | None = None) -> Coded:
    """What a network is evaluated on: the codes of the stimuli if it is quantized and they have codes.

    ``grid``: that on which a quantized network meets stimuli that have none of their own, see :func:`grid_of`.
    """
    if network.quantized and batch.codes is not None:
        return Coded(batch.codes.values.to(device), batch.codes.grid)
    if grid is not None:
        return encoded(batch.inputs.to(device), grid)
    return Coded(batch.inputs.to(device))


def grid_of(network: Tested, stimuli: Stimuli, name: str) -> Grid | None:
    """The grid of normalized bytes, on which the integer network meets them too: so both give the same codes."""
    if not (isinstance(network, TorchNetwork) and network.quantized and stimuli.size(name)):
        return None
    table = stimuli.byte_table(name, network.network.stimuli.channels)
    return table_grid(table) if table is not None and bool(table.isfinite().all()) else None


class _Gathered:
    """Results of one target, added up over the batches of a set."""

    def __init__(self, comparison: Comparison, keep_outputs: bool) -> None:
        self.tally = Tally(comparison)
        self._keep = keep_outputs
        self._labels: list[Tensor] = []
        self._estimated: list[Tensor] = []
        self._ids: list[NDArray[np.int64]] = []
        self._outputs: list[Tensor] = []
        self._found: list[NDArray[np.float64]] = []

    def add(self, outputs: Mapping[str, Coded], batch: Batch) -> None:
        comparison = self.tally.comparison
        cell = comparison.target.cell
        # Codes order outputs as their real values do, and without rounding; a threshold needs real values.
        needed = comparison.needs_values or outputs[cell].offset is not None
        values = {name: outputs[name].exact() for name in comparison.cells if needed or name != cell}
        values.setdefault(cell, outputs[cell].values)
        data = (batch.inputs if batch.target_data is None else batch.target_data).to(values[cell].device)
        judged = self.tally.add(values, comparison.tested(values, batch), data)
        self._labels.append(judged.labels)
        self._estimated.append(judged.estimated)
        self._ids.append(judged.ids(batch.ids))
        if judged.found is not None:
            stimuli = batch.ids[judged.found[:, 0].astype(np.int64)]
            self._found.append(np.concatenate([stimuli[:, None], judged.found[:, 1:]], 1))
        elif self._keep:
            self._outputs.append(flat(outputs[cell].real()).float().cpu())

    def share(self, numbers: list[int], group: Group) -> None:
        """Let process 0 have the batches of all processes, in their order; ``numbers`` are those of the own ones."""
        kept: list[list[Any]] = [self._labels, self._estimated, self._ids, self._outputs, self._found]
        parts = group.to_first((numbers, [_on_cpu(one) for one in kept], self.tally.table(), self.tally.confusion))
        if parts is None:
            return
        order = np.argsort(np.concatenate([np.array(part[0], np.int64) for part in parts]), kind="stable").tolist()
        for index, one in enumerate(kept):
            every = [batch for part in parts for batch in part[1][index]]
            one[:] = [every[place] for place in order] if every else []
        tables = np.concatenate([part[2] for part in parts])
        self.tally.go_on(tables[order], np.sum([part[3].matrix for part in parts], axis=0))

    def result(self, name: str) -> Result:
        tally, ids = self.tally, self._ids
        return Result(
            target=tally.comparison.target,
            set=name,
            rate=tally.rate,
            top_rate=tally.top_rate,
            confusion=tally.confusion,
            successes=tally.successes(),
            ids=np.concatenate(ids) if ids else np.empty(0, np.int64),
            labels=_joined(self._labels),
            estimated=_joined(self._estimated),
            outputs=torch.cat(self._outputs).numpy() if self._outputs else None,
            names=tally.comparison.class_names,
            found=np.concatenate(self._found) if self._found else None,
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
    group: Group | None = None,
) -> list[Result]:
    """Results of every scoring target on the set ``name`` (Learn, Validation or Test), in the order of the targets.

    A quantized network is computed on integer codes. Every ``report`` stimuli a line ``Testing #256   75%``
    says how it goes (0: no lines). ``between`` is called before each batch, and may raise. With a ``group`` each of its
    processes, which have the same network, tests its share of the batches, and process 0 gets the results that it would
    find alone; those of the others are not complete. Raises :class:`LearningError` if a label has no output.
    """
    targets = scoring(comparisons(network, stimuli))
    size = stimuli.size(name)
    for target in targets:
        if size:
            target.check_set(stimuli, name)
    gathered = [_Gathered(target, keep_outputs) for target in targets]
    cells = list(dict.fromkeys(cell for target in targets for cell in target.cells))
    device = device_of(network)
    grid = grid_of(network, stimuli, name)
    numbers: list[int] = []
    processes = 1 if group is None else group.size
    done, due = 0, report
    with at_rest(network), Bar(title, size) as bar:
        for number, batch in _batches(stimuli, name, group):
            if between is not None:
                between()
            outputs = network.evaluate(stimuli_of(batch, network, device, grid), cells)
            numbers.append(number)
            for item in gathered:
                item.add(outputs, batch)
            last = done + len(batch.ids) * processes >= size
            if report and (done >= due or last):
                due += report
                text = " ".join(percent(item.tally.rate) for item in gathered)
                bar.to(done, text)
                if not bar.drawn:
                    console.line(f"{title} #{done}   {text}")
            done += len(batch.ids) * processes
            bar.to(min(done, size))
    if group is not None:
        stimuli.faults.bad |= {key: why for bad in group.to_first(stimuli.faults.bad) or () for key, why in bad.items()}
        for item in gathered:
            item.share(numbers, group)
    return [item.result(name) for item in gathered]


def _batches(stimuli: Stimuli, name: str, group: Group | None) -> Iterator[tuple[int, Batch]]:
    """The batches of a set, or the share of a process of them, that have good stimuli, with their numbers."""
    first, step = (0, 1) if group is None else group.part
    for place, batch in enumerate(stimuli.passes(name, share=(first, step), gaps=True)):
        if len(batch.ids):
            yield first + place * step, batch


def _on_cpu(batches: list[Any]) -> list[Any]:
    return [one.cpu() if isinstance(one, Tensor) else one for one in batches]


def test(
    network: Tested,
    stimuli: Stimuli,
    name: str = "Test",
    *,
    report: int = 100,
    keep_outputs: bool = True,
    group: Group | None = None,
) -> list[Result]:
    """:func:`evaluate`, with lines of progress and the final block of each target on the console."""
    results = evaluate(network, stimuli, name, report=report, keep_outputs=keep_outputs, group=group)
    for result in results:
        for line in result.lines():
            console.line(line)
    return results
