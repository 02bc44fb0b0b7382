"""From a run of learning to a snapshot of it, and back: whatever the next batch depends on, and all that was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from n2d2py.errors import LearningError, Place
from n2d2py.learn.checkpoint import Saved, Snapshot
from n2d2py.learn.history import Log, Success
from n2d2py.learn.metrics import Confusion
from n2d2py.learn.mistakes import Mistaken
from n2d2py.learn.solving import Solving
from n2d2py.learn.tally import Tally
from n2d2py.learn.targets import Comparison
from n2d2py.learn.testing import Result
from n2d2py.learn.validation import Validation

NETWORK, SOLVER, TALLY, RANDOM = "network.", "solver.", "tally.", "random."
LOSSES = "losses"


@dataclass
class Position:
    """Where learning is: ``done`` batches into ``epoch``, whose draws began at the generator's state ``begun``.

    ``report`` and ``log`` are the stimuli at which learning by stimuli reports and logs next; ``pending``: the log
    of what is done is still to come.
    """

    epoch: int = 0
    done: int = 0
    begun: dict[str, Any] | None = None
    report: int = 0
    log: int = 0
    pending: bool = False


@dataclass
class Progress:
    """All of a run that a checkpoint holds beside network, solvers and random streams."""

    validation: Validation
    tallies: list[Tally]
    mistaken: list[Mistaken]
    position: Position = field(default_factory=Position)
    batches: int = 0
    seconds: float = 0.0
    logs: list[Log] = field(default_factory=list)
    losses: list[Tensor] = field(default_factory=list)
    """Those of the batches since the last log."""
    tested: list[Comparison] = field(default_factory=list)
    """The targets that score in a test."""


def of_network(network: nn.Module) -> dict[str, Tensor]:
    """Its parameters and statistics, and what its quantizers know."""
    return _on_cpu({f"{NETWORK}{name}": tensor for name, tensor in network.state_dict().items()})


def of_solvers(solving: Solving) -> tuple[list[dict[str, int]], dict[str, Tensor]]:
    """Counters of each solver, and its tensors."""
    tensors = {
        f"{SOLVER}{index}.{name}": tensor
        for index, group in enumerate(solving.groups)
        for name, tensor in group.held().items()
    }
    return [group.counts() for group in solving.groups], _on_cpu(tensors)


def of_streams(device: torch.device) -> dict[str, Tensor]:
    """The states of torch's random streams, from which dropout draws."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_streams(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Go on from states that :func:`of_streams` gave."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)


@dataclass(frozen=True, eq=False)
class Counted:
    """What was estimated for what since the last log: the confusion matrix, and the mistakes."""

    confusion: NDArray[np.int64]
    mistaken: NDArray[np.int64]


def take(
    network: nn.Module,
    solving: Solving,
    progress: Progress,
    streams: list[dict[str, Tensor]],
    counted: Sequence[Counted],
) -> Snapshot:
    """The state between two batches; ``streams`` and ``counted``, of each tally, are those of all processes."""
    counts, held = of_solvers(solving)
    tensors = of_network(network) | held
    for number, states in enumerate(streams):
        tensors |= {f"{RANDOM}{number}.{name}": state for name, state in states.items()}
    for index, (tally, one) in enumerate(zip(progress.tallies, counted, strict=True)):
        tensors[f"{TALLY}{index}.sums"] = torch.from_numpy(tally.table().copy())
        tensors[f"{TALLY}{index}.confusion"] = torch.from_numpy(one.confusion)
        tensors[f"{TALLY}{index}.mistaken"] = torch.from_numpy(one.mistaken)
    if progress.losses:
        tensors[LOSSES] = torch.stack(progress.losses).detach().cpu()
    if progress.logs:
        for index, success in enumerate(progress.logs[-1].learning):
            tensors[f"{TALLY}{index}.logged confusion"] = torch.from_numpy(success.confusion.matrix)
            tensors[f"{TALLY}{index}.logged mistaken"] = torch.from_numpy(success.mistaken)
    validation = progress.validation
    values = {
        "solvers": counts,
        "position": dict(vars(progress.position)),
        "batches": progress.batches,
        "seconds": progress.seconds,
        "bests": sorted(validation.bests.items()),
        "lower": validation.lower,
        "stopped": validation.stopped,
        "logs": [_values_of(log) for log in progress.logs],
    }
    return Snapshot(values, tensors)


def load_network(network: nn.Module, saved: Saved) -> None:
    """Give a network the state of a snapshot. Raises :class:`LearningError` if it is of another network."""
    given = _below(saved.snapshot.tensors, NETWORK)
    expected = network.state_dict()
    for name in sorted({*given, *expected}):
        now, then = (tuple(one[name].shape) if name in one else None for one in (expected, given))
        if now != then:
            raise LearningError(
                f"the checkpoint is of another network: its tensor {name} is {_words(then)}",
                place=Place(file=str(saved.folder)),
                expected=_words(now),
                remedy="give the INI file with which it was written",
            )
    network.load_state_dict(given)


def load_solvers(solving: Solving, saved: Saved) -> None:
    """Give the solvers the state of a snapshot. Raises :class:`LearningError` if they are others."""
    counts, tensors = saved.snapshot.values["solvers"], _below(saved.snapshot.tensors, SOLVER)
    groups = solving.groups
    kinds = [set(group.counters) for group in groups]
    if [set(one) for one in counts] != kinds:
        raise LearningError(
            f"the checkpoint is of {len(counts)} solvers, the network has {len(groups)}, or they are of other types",
            place=Place(file=str(saved.folder)),
            remedy="give the INI file with which it was written, or take its weights alone: -w",
        )
    for index, (group, one) in enumerate(zip(groups, counts, strict=True)):
        group.go_on(one, _below(tensors, f"{index}."))


def streams_of(saved: Saved, number: int) -> dict[str, Tensor]:
    """The states of the random streams of a process of the run."""
    return _below(saved.snapshot.tensors, f"{RANDOM}{number}.")


def go_on(progress: Progress, saved: Saved) -> None:
    """Give ``progress`` the state of a snapshot, whose run has the same targets."""
    values, tensors = saved.snapshot.values, _below(saved.snapshot.tensors, TALLY)
    for index, (tally, mistaken) in enumerate(zip(progress.tallies, progress.mistaken, strict=True)):
        tally.go_on(tensors[f"{index}.sums"].numpy(), tensors[f"{index}.confusion"].numpy())
        mistaken.go_on(tensors[f"{index}.mistaken"].numpy())
    progress.position = Position(**values["position"])
    progress.batches, progress.seconds = values["batches"], values["seconds"]
    progress.validation.bests = {int(index): score for index, score in values["bests"]}
    progress.validation.lower, progress.validation.stopped = values["lower"], values["stopped"]
    progress.logs = [_log_of(one, progress.tallies, progress.tested) for one in values["logs"]]
    if progress.logs:
        progress.logs[-1] = _detailed(progress.logs[-1], tensors)
    losses = saved.snapshot.tensors.get(LOSSES)
    progress.losses = [] if losses is None else list(losses.unbind())


def _values_of(log: Log) -> dict[str, Any]:
    return {
        "epoch": log.epoch,
        "batches": log.batches,
        "stimuli": log.stimuli,
        "seconds": log.seconds,
        "rate": log.rate,
        "learning": [success.recent for success in log.learning],
        "validation": [[result.rate, result.top_rate] for result in log.validation],
        "score": log.score,
        "best": log.best,
        "saved": None if log.saved is None else str(log.saved),
        "test": [[result.rate, result.top_rate] for result in log.test],
        "loss": log.loss,
        "validation_loss": log.validation_loss,
        "test_loss": log.test_loss,
    }


def _detailed(log: Log, tensors: Mapping[str, Tensor]) -> Log:
    """The last log, of which confusion and mistakes of learning are kept."""
    learning = [
        replace(
            success,
            confusion=replace(success.confusion, matrix=tensors[f"{index}.logged confusion"].numpy()),
            mistaken=tensors[f"{index}.logged mistaken"].numpy(),
        )
        for index, success in enumerate(log.learning)
    ]
    return replace(log, learning=learning)


def _log_of(values: dict[str, Any], tallies: list[Tally], tested: list[Comparison]) -> Log:
    """A log of which only the numbers are kept: no confusion, no mistakes, no estimates."""
    learning = [
        Success(one.comparison.target, recent, one.successes()[: values["batches"]], _nothing(one.comparison), _none())
        for one, recent in zip(tallies, values["learning"], strict=True)
    ]
    results = {
        name: [
            Result(
                one.target, name.capitalize(), rate, top, _nothing(one), np.empty((0, 2)),
                np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64),
            )
            for one, (rate, top) in zip(tested, values[name], strict=False)
        ]
        for name in ("validation", "test")
    }  # fmt: skip
    saved = None if values["saved"] is None else Path(values["saved"])
    return Log(**{**values, **results, "learning": learning, "saved": saved})


def _nothing(comparison: Comparison) -> Confusion:
    classes = comparison.classes + comparison.has_none
    return Confusion(np.zeros((classes, classes), np.int64), comparison.has_none)


def _none() -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.empty((0, 4), np.int64)


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _on_cpu(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}


def _words(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "not there"
    return "x".join(map(str, shape)) or "one number"
