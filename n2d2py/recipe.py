"""``-recipe sat4``: the stages that make an integer network of a floating-point one, each in a folder of its own.

==========  ======================================  =========================================
stage       sat1 .. sat8                            lsq1 .. lsq8
==========  ======================================  =========================================
1           ``stage1_clamp``: weights clamped       ``stage1_float``: as the file says
2           ``stage2_quantize``: weights and activations on their grids, from the weights of stage 1
3           ``stage3_fuse``: the integer network, proved equal and tested
==========  ======================================  =========================================

The number is that of bits; the first and the last cell with weights have 8. Each stage is an ordinary run of an
ordinary INI file, which stands in its folder: it can be read, changed and run by hand. A finished stage is not
repeated, and one that was cut short goes on from its last checkpoint, if the same command is given again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from n2d2py import console, ini
from n2d2py.cells.base import ActivatedCell, WeightedCell
from n2d2py.data import publish_epoch_size
from n2d2py.data.random import Generator
from n2d2py.errors import UsageError
from n2d2py.graph.build import build
from n2d2py.graph.files import write
from n2d2py.graph.network import Network
from n2d2py.graph.quantizing import quantized
from n2d2py.ini import Document
from n2d2py.options import Line
from n2d2py.parts.lsq import LsqActivations, LsqWeights
from n2d2py.parts.quantizers import SatWeights
from n2d2py.parts.recipes import Recipe, parse
from n2d2py.rewriting import rewritten

if TYPE_CHECKING:
    from n2d2py.learn.distributed import Group

DONE = "done.json"
_ENDS = 255
"""Range of the weights of the first and of the last cell."""
_WITHOUT_EFFECT = {
    "workers", "traceback", "checkpoint-every", "checkpoints", "report", "tensorboard", "history", "class-report",
    "log-levels", "log-kernels", "log-db-stats", "pre-samples", "strict",
}  # fmt: skip
"""Options with which a stage comes out the same."""


@dataclass(frozen=True)
class Stage:
    """A stage: its folder, the network that it makes of the given one, and the words of its run."""

    name: str
    change: Callable[[Network], Network]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """A stage at work: its folder, the text of its file, the words of its run, and the key of the stage before."""

    folder: Path
    text: str
    words: tuple[str, ...]
    number: int
    before: str

    @property
    def file(self) -> str:
        """The name of its INI file."""
        return f"{self.folder.name}.ini"

    def key(self, options: Mapping[str, Any]) -> str:
        """What its result depends on: text, words, the options of the recipe, and all that of the stage before."""
        parts = [self.text, self.words, sorted(map(str, options.items())), self.before]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def stages(recipe: Recipe, epochs: int) -> list[Stage]:
    """The stages in their order."""
    learn = ("-learn-epoch", str(epochs))
    first = Stage("stage1_clamp", _clamped, learn) if recipe.method == "sat" else Stage("stage1_float", _same, learn)
    made = lambda network: _on_grids(network, recipe)  # noqa: E731
    return [
        first,
        Stage("stage2_quantize", made, (*learn, "-w", f"../{first.name}/{{weights}}")),
        Stage("stage3_fuse", made, ("-test", "-qat-sat", "-w", "../stage2_quantize/{weights}")),
    ]


def follow(line: Line) -> None:
    """Run the stages that are not finished yet; raises what a stage raises."""
    recipe = parse(line["recipe"])
    assert line.network is not None  # the command line was checked for it
    path = Path(line.network)
    if not line["learn-epoch"]:
        raise UsageError("-recipe needs the epochs of each stage", remedy="-learn-epoch 20")
    if path.suffix == ".onnx":
        raise UsageError("-recipe changes an INI file", remedy="write an INI file with a section of Type=ONNX")
    given = [name for name in line.given if name not in ("recipe", "learn-epoch")]
    refused = sorted({"w", "l", "learn", "test", "fuse", "qat-sat", "resume", "multidev"}.intersection(given))
    if refused:
        raise UsageError(
            f"-{refused[0]} has no place beside -recipe", remedy="the stages see to it; or run the stages by hand"
        )
    document, network = _read(path, line["strict"])
    root = Path(f"{path.stem}_{line['recipe']}")
    weights = key = ""
    made = stages(recipe, line["learn-epoch"])
    from n2d2py.learn import distributed
    from n2d2py.learn.lock import LOCK, locked

    with distributed.joined() as group:
        first = group is None or group.first
        root.mkdir(exist_ok=True)
        # One recipe at a time, before anything of another one is written over.
        with locked(root / LOCK) if first else contextlib.nullcontext():
            for number, stage in enumerate(made, start=1):
                title = f"{path} by -recipe {line['recipe']}, {stage.name}"
                text = rewritten(document, network, stage.change(network), title)
                words = [word.format(weights=weights) for word in stage.words]
                task = Task(root / stage.name, text, tuple(words), number, key)
                key = _run(line, task, group)
                if group is not None:
                    group.from_first(None)  # what the first process has written is there for all
                weights = "weights_validation" if (task.folder / "weights_validation").exists() else "weights"
                if first:
                    _write_page(root, path.name, line["recipe"], [one.name for one in made])
    if first:
        _report(root, line)


def _read(path: Path, strict: bool) -> tuple[Document, Network]:
    document = ini.load(path, strict=strict)
    publish_epoch_size(document, Generator(1), tolerant=True)
    with console.without_lines():
        return document, build(document, path.name)


def _run(line: Line, task: Task, group: Group | None) -> str:
    """One stage, unless it is finished; gives its key."""
    from n2d2py.options import parse as parse_line
    from n2d2py.run import run

    folder, learns = task.folder, "-learn-epoch" in task.words
    options = {name: value for name, value in line.given.items() if name not in ("recipe", "learn-epoch")}
    key = task.key({name: value for name, value in options.items() if name not in _WITHOUT_EFFECT})
    first = group is None or group.first
    done, goes_on = _begun(task, key) if first else (False, False)
    if group is not None:
        done, goes_on = group.from_first((done, goes_on))
    if done:
        console.line(f"Stage {task.number}, {folder.name}: finished before, nothing to do")
        return key
    stage = parse_line([task.file, *task.words, *(["-resume"] if goes_on else [])])
    if first and not learns and "seed" not in options:
        write(folder / "seed.dat", (folder.parent / "stage2_quantize/seed.dat").read_bytes())
    stage = Line(stage.network, {**options, **stage.given})
    console.line(f"Stage {task.number}, {folder.name}: n2d2py {task.file} {' '.join(task.words)}")
    with _inside(folder):
        run(stage)
    if first:
        write(folder / DONE, json.dumps({"key": key, "done": True}))
    return key


def _begun(task: Task, key: str) -> tuple[bool, bool]:
    """Whether a stage is finished, and else whether it goes on from a checkpoint; it is begun anew if it does not."""
    from n2d2py.learn import checkpoint

    folder = task.folder
    state, checkpoints = _state(folder / DONE), folder / "checkpoints"
    if state.get("key") == key and state.get("done"):
        return True, False
    goes_on = state.get("key") == key and "-learn-epoch" in task.words and bool(checkpoint.candidates(checkpoints))
    if state and state.get("key") != key:
        console.notice(f"{folder} was made with other options, of another file or of another stage: it is made anew")
    if not goes_on and checkpoints.exists():
        checkpoint.begin(checkpoints)  # those that are there are of the stage as it was
    write(folder / task.file, task.text)
    write(folder / DONE, json.dumps({"key": key, "done": False}))
    return False, goes_on


def _state(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _write_page(root: Path, network: str, recipe: str, names: list[str]) -> None:
    """The pages of the stages that are finished, side by side."""
    from n2d2py.report.page_stages import write_stages

    write_stages(root, f"{network} by {recipe}", names)


def _report(root: Path, line: Line) -> None:
    console.line(f"[LOG] Report of all stages ({root / 'report.html'})")
    console.line(f"Recipe {line['recipe']} is done; its results:")
    for folder in sorted(root.glob("stage*")):
        for score in sorted(folder.glob("*/ConfusionMatrix_test_score.dat")):
            average = score.read_text(encoding="utf-8").split("- AVG")[-1].split()
            console.line(f"  {folder.name}: {score.parent.name}, mean sensitivity {100 * float(average[0]):.2f}%")


# ----------------------------------------------------------------------------------------------- the changes


def _same(network: Network) -> Network:
    return network


def _clamped(network: Network) -> Network:
    """Weights clamped by SAT, activations as they are."""
    return _each(
        quantized(network, "*", weights=_ENDS),
        lambda cell: replace(cell, weights_quantizer=replace(cell.weights_quantizer, apply_quantization=False))
        if isinstance(cell, WeightedCell) and isinstance(cell.weights_quantizer, SatWeights)
        else cell,
    )


def _on_grids(network: Network, recipe: Recipe) -> Network:
    """Weights and activations on grids of the recipe's bits; the ends have weights of 8."""
    steps, lsq = recipe.steps, recipe.method == "lsq"
    activations = LsqActivations(range=steps) if lsq else steps
    made = quantized(network, "*", LsqWeights(range=steps) if lsq else steps, activations)
    weighted = [node.name for node in network if isinstance(node.cell, WeightedCell)]
    for name in dict.fromkeys((weighted[0], weighted[-1])):
        pattern = re.sub(r"([*?[])", r"[\1]", name)
        made = quantized(made, pattern, LsqWeights(range=_ENDS) if lsq else _ENDS)
    solver = next(node.cell for node in network if isinstance(node.cell, WeightedCell)).weights_solver

    def with_solvers(cell: Any) -> Any:
        # The parameters of quantizers learn as the weights of the network do.
        if isinstance(cell, WeightedCell) and lsq:
            cell = replace(cell, weights_quantizer_solver=cell.weights_solver)
        if isinstance(cell, ActivatedCell) and cell.activation_quantizer is not None:
            cell = replace(cell, activation_quantizer_solver=solver)
            # Bytes times bytes: with integer biases the int8 kernels of ONNX Runtime compute the very network.
            if lsq and steps == _ENDS and cell.activation is not None and cell.activation.in_units(1.0) is not None:
                cell = replace(cell, activation_quantizer=replace(cell.activation_quantizer, integer_bias=True))
        return cell

    return _each(made, with_solvers)


def _each(network: Network, change: Callable[[Any], Any]) -> Network:
    return replace(network, nodes=tuple(replace(node, cell=change(node.cell)) for node in network))
