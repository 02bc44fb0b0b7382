"""``-resume``, ``-l`` and the checkpoints of a run: what they belong to, and whether that is what is asked for now."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from n2d2py import console
from n2d2py.data.pipeline import fingerprint
from n2d2py.errors import LearningError, Place, UsageError
from n2d2py.graph.dump import dump
from n2d2py.learn import checkpoint
from n2d2py.learn.checkpoint import Checkpoints, Saved
from n2d2py.options import Line
from n2d2py.session import Session

FOLDER = Path("checkpoints")

_KEPT = (
    "learn", "learn-epoch", "log", "log-epoch", "log-test", "ws", "valid-metric", "stop-valid", "compile", "sync-bn",
    "tf32", "amp", "w", "l",
)  # fmt: skip
"""The options on which the course of learning depends, beside the seed."""
_OF_ONE_COMMAND = {"resume", "traceback", "multidev", "recipe"}
"""Options that are not those of a run. Any other is taken over, and may be given anew."""
_SETS = ("Learn", "Validation", "Test")
_LENGTHS = ("learn", "learn-epoch")
"""The options that may grow: the run is then continued beyond its first end."""


def find() -> Saved | None:
    """The checkpoint to go on from; None, with a notice, if there is none, and learning starts at its beginning."""
    saved = checkpoint.latest(FOLDER)
    if saved is None:
        console.notice(f"-resume: {_nothing()}, learning starts at its beginning")
    else:
        console.line(f"Going on from checkpoint {saved.folder}")
    return saved


def _nothing() -> str:
    """Why there is no checkpoint to go on from."""
    earlier = sorted(str(file.parent) for file in FOLDER.glob(f"*/{checkpoint.STATE}"))
    if not earlier:
        return f"there is no checkpoint in {FOLDER}"
    return (
        f"the run that was begun last has no checkpoint yet, {', '.join(earlier)} belong to the one before "
        f"(to go on from those, remove {FOLDER / checkpoint.RUN})"
    )


def completed(line: Line, saved: Saved | None) -> Line:
    """The line with the options of the run that goes on, none of which has to be given again.

    Raises :class:`UsageError` if one is given and differs, or if there is nothing to go on from and to learn.
    """
    if saved is None:
        if not (line["learn-epoch"] or line["learn"]):
            raise UsageError(f"-resume: {_nothing()}", remedy="begin with -learn-epoch N or -learn N")
        return line
    kept: dict[str, Any] = saved.identity["options"]
    for name in line.given:
        if name not in kept:
            continue
        then, now = kept[name], line[name]
        longer = name in _LENGTHS and then and now >= then
        if now != then and not longer and not (name == "seed" and now == 0):
            had = f"had -{name} {then}" if then else f"had no -{name}"
            raise UsageError(
                f"-resume: the run of {saved.folder} {had}, now it is {now}",
                expected="the options of that run; those that are left out are taken from it",
                remedy=f"leave out -{name}, or begin a new run without -resume",
            )
    given = {name: value for name, value in line.given.items() if name != "seed"}
    missing = {name: value for name, value in kept.items() if name in ("seed", *_KEPT) and value}
    return Line(line.network, {**saved.identity.get("given", {}), **missing, **given})


def identity(session: Session) -> dict[str, Any]:
    """What a checkpoint of this run belongs to: options, data, and the network line by line."""
    stimuli, line = session.stimuli, session.line
    return {
        "given": {name: value for name, value in line.given.items() if name not in _OF_ONE_COMMAND},
        "options": {"seed": session.generator.seed, **{name: line[name] for name in _KEPT}},
        "processes": 1 if session.group is None else session.group.size,
        "stimuli": {name: stimuli.size(name) for name in _SETS},
        "transformations": {name: fingerprint(stimuli.pipeline(name).all_steps) for name in _SETS},
        "network": dump(session.network).splitlines()[1:],  # the first line has the name of the file
        "batch": stimuli.batch_size,
    }


def check(session: Session, saved: Saved) -> None:
    """Raise :class:`LearningError` if a checkpoint is not of this network, these data and as many processes."""
    now, then = identity(session), saved.identity
    place = Place(file=str(saved.folder))
    remedy = "-resume with what the run began with, or begin a new one without -resume; -w takes its weights alone"
    changes = [
        line
        for line in difflib.ndiff(then["network"], now["network"])
        if line.startswith(("- ", "+ ")) and line[2:].strip()
    ]
    if changes:
        shown = "; ".join(" ".join(line.split()) for line in changes[:4])
        raise LearningError(
            f"the checkpoint is of another network (- then, + now): {shown}", place=place, remedy=remedy
        )
    for name, words in {
        "stimuli": "other data: sets of",
        "transformations": "other transformations:",
        "batch": "another BatchSize:",
        "processes": "another number of processes:",
    }.items():
        if now[name] != then[name]:
            raise LearningError(
                f"the checkpoint is of {words} {then[name]}, now {now[name]}", place=place, remedy=remedy
            )


def checkpoints(session: Session, start: Saved | None) -> Checkpoints:
    """Where this run keeps its checkpoints."""
    line = session.line
    made = Checkpoints(FOLDER, identity(session), 60.0 * line["checkpoint-every"], line["checkpoints"])
    if start is not None:
        made.go_on(start)
    elif session.writes:
        made.begin()
    return made
