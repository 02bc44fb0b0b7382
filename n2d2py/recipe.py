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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from n2d2py import console, ini
from n2d2py.cells.base import ActivatedCell, WeightedCell
from n2d2py.data import publish_epoch_size
from n2d2py.data.random import Generator
from n2d2py.errors import GraphError, Place, UsageError
from n2d2py.graph.build import build
from n2d2py.graph.files import write
from n2d2py.graph.network import Network
from n2d2py.graph.quantizing import quantized
from n2d2py.ini import Document
from n2d2py.options import Line
from n2d2py.parameters import declarations
from n2d2py.parts.lsq import LsqActivations, LsqWeights
from n2d2py.parts.quantizers import SatWeights
from n2d2py.parts.recipes import Recipe, parse

DONE = "done.json"
_ENDS = 255
"""Range of the weights of the first and of the last cell."""
_FIELDS = (
    "weights_quantizer",
    "weights_quantizer_solver",
    "activation",
    "activation_quantizer",
    "activation_quantizer_solver",
)
_PREFIXES = ("QWeight", "QAct", "ActivationFunction")


@dataclass(frozen=True)
class Stage:
    """A stage: its folder, the network that it makes of the given one, and the words of its run."""

    name: str
    change: Callable[[Network], Network]
    words: tuple[str, ...]


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
    weights = ""
    made = stages(recipe, line["learn-epoch"])
    for number, stage in enumerate(made, start=1):
        text = rewritten(document, network, stage.change(network), f"{path} by -recipe {line['recipe']}, {stage.name}")
        words = [word.format(weights=weights) for word in stage.words]
        _run(line, root / stage.name, f"{stage.name}.ini", text, words, number)
        weights = "weights_validation" if (root / stage.name / "weights_validation").exists() else "weights"
        _write_page(root, path.name, line["recipe"], [one.name for one in made])
    _report(root, line)


def _read(path: Path, strict: bool) -> tuple[Document, Network]:
    document = ini.load(path, strict=strict)
    publish_epoch_size(document, Generator(1), tolerant=True)
    with console.without_lines():
        return document, build(document, path.name)


def _run(line: Line, folder: Path, name: str, text: str, words: list[str], number: int) -> None:
    """One stage, unless it is finished; what it depends on is its text, its words and the seed."""
    options = {key: value for key, value in line.given.items() if key not in ("recipe", "learn-epoch")}
    key = hashlib.sha256(json.dumps([text, words, sorted(map(str, options.items()))]).encode()).hexdigest()
    state = _state(folder / DONE)
    if state.get("key") == key and state.get("done"):
        console.line(f"Stage {number}, {folder.name}: finished before, nothing to do")
        return
    if state and state.get("key") != key and state.get("done"):
        console.notice(f"{folder} was made with other options or another file: it is made anew")
    goes_on = state.get("key") == key and "-learn-epoch" in words and any(folder.glob("checkpoints/*/state.json"))
    write(folder / name, text)
    write(folder / DONE, json.dumps({"key": key, "done": False}))
    from n2d2py.options import parse as parse_line
    from n2d2py.run import run

    stage = parse_line([name, *words, *(["-resume"] if goes_on else [])])
    if goes_on:
        stage = Line(stage.network, {option: value for option, value in stage.given.items() if option != "w"})
    elif "seed" not in options and "-learn-epoch" not in words:
        write(folder / "seed.dat", (folder.parent / "stage2_quantize/seed.dat").read_bytes())
    stage = Line(stage.network, {**options, **stage.given})
    console.line(f"Stage {number}, {folder.name}: n2d2py {name} {' '.join(words)}")
    with _inside(folder):
        run(stage)
    write(folder / DONE, json.dumps({"key": key, "done": True}))


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
        return cell

    return _each(made, with_solvers)


def _each(network: Network, change: Callable[[Any], Any]) -> Network:
    return replace(network, nodes=tuple(replace(node, cell=change(node.cell)) for node in network))


# ----------------------------------------------------------------------------------------------- the text


def rewritten(document: Document, before: Network, after: Network, title: str) -> str:
    """The sections of a document, inheritance and templates written out, with the cells of ``after``.

    A cell that differs has a comment above the keys that it got. Paths of files that are there become absolute, so
    that the text can stand in another folder. Raises :class:`GraphError` for a cell that has no section.
    """
    lines = [f"; {title}"]
    for name, section in document.sections.items():
        changes: dict[str, str] = {}
        if any(node.name == name for node in before):
            changes = _changes(before[name].cell, after[name].cell)
        lines += ["", f"[{name}]"] if name else []
        for key, text in section.properties.items():
            if not changes or not _is_of_quantizers(key):
                lines.append(f"{key}={_written(document, text)}")
        if changes:
            lines.append("; of the recipe:")
            lines += [f"{key}={text}" for key, text in changes.items()]
    for node in before:
        if node.name not in document.sections and before[node.name].cell != after[node.name].cell:
            raise GraphError(
                f"the recipe changes cell {node.name}, which has no section of its own",
                place=node.cell.place() or Place(document.file),
                remedy=f"a section [{node.name}] for it; cells of an ONNX model can have one",
            )
    return "\n".join(lines) + "\n"


def _changes(before: Any, after: Any) -> dict[str, str]:
    """The keys of all that belongs to quantizers, if any of it differs."""
    if before == after:
        return {}
    known = declarations(type(after))
    found: dict[str, str] = {}
    for field in _FIELDS:
        if field in known and getattr(after, field) is not None:
            found |= known[field].written(getattr(after, field))
    return {key: text for key, text in found.items() if text}


def _is_of_quantizers(key: str) -> bool:
    return key.startswith(_PREFIXES)


def _written(document: Document, text: str) -> str:
    """A value as it is written again: quoted where it must be, the path of a file that is there made absolute."""
    for base in (Path.cwd(), Path(document.file).parent):
        if text and "$" not in text and ("/" in text or "." in text) and (base / text).exists():
            return f'"{(base / text).resolve()}"'
    return f'"{text}"' if re.search(r"[;#]", text) and '"' not in text else text
