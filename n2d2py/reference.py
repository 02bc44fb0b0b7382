"""The reference pages of the documentation, made from the declarations: ``python -m n2d2py.reference docs/reference``.

One page a kind of type, one for the sections that have no type, one for the command line. The same program gives
the same bytes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from n2d2py import catalogue, options
from n2d2py.catalogue import Parameter, Topic, plural
from n2d2py.explain import ABSORBED, KEPT, support_words
from n2d2py.graph.files import write

COMMAND = "python -m n2d2py.reference docs/reference"
_MARK = f"<!-- made by {COMMAND}; changes belong into the declarations -->"

_INTRODUCTIONS = {
    "cell": "A section with `Input` is a cell; `Type` names one of these. Keys stand in the section of the cell or in "
    "one that its `ConfigSection` names. What every cell section begins with is under [sections](sections.md).",
    "activation": "`ActivationFunction=` in a cell names one of these; its parameters are written below it: "
    "`ActivationFunction.LeakSlope=0.1`.",
    "filler": "`WeightsFiller=` and `BiasFiller=` name one of these: `WeightsFiller=HeFiller`, "
    "`WeightsFiller.Scaling=0.5`.",
    "solver": "`Solvers=`, `WeightsSolver=` and so on name one of these: `Solvers.LearningRate=0.05`.",
    "policy": "`LearningRatePolicy=` of the solver SGD names one of these. `s` counts steps of `LearningRateStepSize` "
    "stimuli.",
    "weight quantizer": "`QWeight=` names one of these: `QWeight=SAT`, `QWeight.Range=15`.",
    "activation quantizer": "`QAct=` names one of these: `QAct=SAT`, `QAct.Range=15`.",
    "database": "`Type=` of the section `[database]` names one of these.",
    "transformation": "`Type=` of a section `[sp.Transformation-1]` or `[sp.OnTheFlyTransformation-1]` names one of "
    "these.",
    "target": "`Type=` of a section `[<cell>.Target]` names one of these; TargetScore if there is none.",
    "ONNX operator": "What a section of type `ONNX` imports, and as which cells.",
    "kernel": "`Kernel=` of a FilterTransformation names one of these.",
    "recipe": "`-recipe` names one of these: `n2d2py LeNet.ini -learn-epoch 20 -recipe sat4`. Each stage is "
    "an ordinary run in a folder of its own ([resuming](../resume.md)).",
    "section": "What stands before the first section, and sections that have no type.",
}


def pages() -> dict[str, str]:
    """The text of each page by the name of its file."""
    found = {f"{_page(kind)}.md": _kind_page(kind) for kind in catalogue.kinds()}
    found["options.md"] = _options_page()
    links = [f"* [{name.removesuffix('.md').replace('-', ' ')}]({name})" for name in sorted(found)]
    found["README.md"] = _text(
        "# Reference",
        "Everything that an INI file and the command line can name. `n2d2py -explain NAME` and `n2d2py -list KIND` "
        "print the same.",
        "\n".join(links),
    )
    return dict(sorted(found.items()))


def write_pages(folder: Path) -> list[Path]:
    """Write all pages, and remove those that were made before and are no longer; returns what was written."""
    made = pages()
    for old in folder.glob("*.md"):
        if old.name not in made and old.read_text(encoding="utf-8").startswith(_MARK):
            old.unlink()
    return [write(folder / name, text) for name, text in made.items()]


# --------------------------------------------------------------------------------------------- one page


def _page(kind: str) -> str:
    return plural(kind).replace(" ", "-").lower()


def _kind_page(kind: str) -> str:
    topics = catalogue.of_kind(kind)
    many = plural(kind)
    blocks = [f"# {many[0].upper()}{many[1:]}", _INTRODUCTIONS.get(kind, "")]
    if kind == "cell":
        blocks.append(_support_table(topics))
    for topic in topics:
        blocks += [f"## {topic.name}", _prose(topic.doc), _parameters(topic.parameters())]
    return _text(*blocks)


def _support_table(topics: Iterable[Topic]) -> str:
    rows = [
        (f"[{topic.name}](#{topic.name.lower()})", *map(_escaped, support_words(catalogue.support(topic))))
        for topic in topics
    ]
    return "\n\n".join([_table(("cell", "QWeight", "QAct", "Integer"), rows), _escaped(f"{KEPT}. {ABSORBED}.")])


def _parameters(parameters: Sequence[Parameter]) -> str:
    if not parameters:
        return ""
    rows = [
        (
            f"`{parameter.key}`",
            _type(parameter),
            f"`{parameter.default}`" if parameter.default else "",
            _escaped(parameter.meaning),
            ", ".join(f"`{key}`" for key in parameter.spellings[1:]),
        )
        for parameter in parameters
    ]
    return _table(("key", "type", "default", "meaning", "also written"), rows)


def _type(parameter: Parameter) -> str:
    if parameter.part is not None:
        return f"{_article(parameter.part)} [{parameter.part}]({_page(parameter.part)}.md)"
    return _escaped(parameter.type_name)


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


def _options_page() -> str:
    def rows(later: bool) -> list[tuple[str, ...]]:
        return [
            (
                f"`{option.usage}`",
                "" if option.kind is None or option.words else _escaped(option.kind.name),
                f"`{option.shown_default}`" if option.shown_default else "",
                _escaped(option.meaning),
            )
            for option in sorted(options.OPTIONS, key=lambda option: option.name.lower())
            if option.later is later
        ]

    headers = ("option", "value", "default", "meaning")
    return _text(
        "# Options",
        "`n2d2py <net> [options]`, in any order.",
        _table(headers, rows(False)),
        "## Known from N2D2, not there yet",
        _table(headers, rows(True)),
    )


# --------------------------------------------------------------------------------------------- Markdown


def _text(*blocks: str) -> str:
    return "\n\n".join([_MARK, *(block for block in blocks if block)]) + "\n"


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


_CODE = re.compile(r"``(.+?)``|:\w+:`~?(?:[\w.]+\.)?(\w+)`")


def _escaped(text: str) -> str:
    """Plain text with code in double backticks, as docstrings have it, in Markdown."""
    parts, last = [], 0
    for match in _CODE.finditer(text):
        parts += [_plain(text[last : match.start()]), f"`{match.group(1) or match.group(2)}`"]
        last = match.end()
    return "".join([*parts, _plain(text[last:])])


def _plain(text: str) -> str:
    return re.sub(r"([*_<>\[\]`])", r"\\\1", text)


def _prose(doc: str) -> str:
    """A docstring: its paragraphs and lists as they are, and what is indented as code."""
    lines = []
    for line in doc.replace("::\n", ":\n").splitlines():
        bullet = "* " if line.startswith("* ") else ""
        body = line.removeprefix(bullet)
        lines.append(line if line.startswith("    ") else bullet + _escaped(body))
    return "\n".join(lines)


if __name__ == "__main__":
    for page in write_pages(Path(sys.argv[1])):
        sys.stdout.write(f"{page}\n")
