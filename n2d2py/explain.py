"""``-explain NAME`` and ``-list KIND PATTERN``: what there is and how it is written, from the declarations alone."""

from __future__ import annotations

import fnmatch
import textwrap
from collections.abc import Iterable, Iterator

from n2d2py import catalogue, options
from n2d2py.catalogue import Parameter, Support, Topic, plural
from n2d2py.errors import UsageError, did_you_mean, nearest
from n2d2py.tables import table

_WIDTH = 124
_YES, _NO, _NOTHING = "yes", "no", "-"

KEPT = "QWeight: weights that learn quantized; QAct: an output that is quantized; Integer: part of the integer network"
ABSORBED = "* not quantized while it learns; fusion absorbs it into the integer network"


def explain(name: str) -> list[str]:
    """Everything that ``name`` means: a type, a section, a key of an INI file, an option of the command line.

    Raises :class:`UsageError`, with the nearest known name, if it means nothing.
    """
    blocks = [_topic(topic) for topic in catalogue.named(name)]
    blocks += [_key(parameter, topics) for parameter, topics in catalogue.with_key(name)]
    blocks += _below(name)
    blocks += [_option(option) for option in options.OPTIONS if f"-{option.name}" in (name, f"-{name}")]
    if not blocks:
        known = {topic.name for topic in catalogue.topics()} | catalogue.keys() | set(options.BY_NAME)
        raise UsageError(
            f"nothing is called {name!r}",
            remedy=f"did you mean {match}?" if (match := nearest(name, known)) else "n2d2py -list shows what there is",
        )
    return [line for block in blocks for line in (*block, "")][:-1]


def _topic(topic: Topic) -> list[str]:
    lines = [topic.title, *_indented(topic.doc, "  ")]
    for parameter in topic.parameters():
        lines += ["", *_parameter(parameter)]
    return lines


def _parameter(parameter: Parameter) -> Iterator[str]:
    yield f"  {parameter.key}{_shown_default(parameter)}"
    yield from _indented(parameter.meaning, "      ")
    yield from _indented(parameter.type_name, "      ")
    if others := parameter.spellings[1:]:
        yield from _indented(f"also {', '.join(others)}", "      ")


def _shown_default(parameter: Parameter) -> str:
    return f"  [{parameter.default}]" if parameter.default else ""


def _key(parameter: Parameter, topics: list[Topic]) -> list[str]:
    of = ", ".join(f"{kind}: {', '.join(names)}" for kind, names in _by_kind(topics).items())
    return [f"key {parameter.key} of {of}", *list(_parameter(parameter))[1:], *_indented(_usual(parameter), "      ")]


def _usual(parameter: Parameter) -> str:
    return f"default {parameter.default}" if parameter.default else ""


def _by_kind(topics: Iterable[Topic]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for topic in topics:
        found.setdefault(topic.kind, []).append(topic.name)
    return found


def _below(name: str) -> list[list[str]]:
    """A key of a part, written below the key that names the part: ``QWeight.Range``, ``Solvers.LearningRate``."""
    base, dot, key = name.rpartition(".")
    if not dot:
        return []
    kinds = {
        kind
        for topic in catalogue.topics()
        for parameter in topic.parameters()
        if base.lower() in (spelled.lower() for spelled in parameter.spellings)
        and (kind := parameter.part) is not None
    }
    return [
        _key(parameter, within)
        for parameter, topics in catalogue.with_key(key)
        if (within := [topic for topic in topics if topic.kind in kinds])
    ]


def _option(option: options.Option) -> list[str]:
    shown = f"  [{option.shown_default}]" if option.shown_default else ""
    kind = [] if option.kind is None else _indented(option.kind.name, "      ")
    later = ["      known from N2D2, not there yet"] if option.later else []
    return [f"option {option.usage}{shown}", *_indented(option.meaning, "      "), *kind, *later]


def _indented(text: str, indent: str) -> list[str]:
    """The paragraphs of a text, wrapped; lines that are indented themselves are kept."""
    lines: list[str] = []
    for line in text.splitlines():
        inner = indent + line[: len(line) - len(line.lstrip())]
        wrapped = textwrap.wrap(line, _WIDTH, initial_indent=inner, subsequent_indent=inner, break_on_hyphens=False)
        lines += wrapped or [""]
    return lines


# ---------------------------------------------------------------------------------------------- listing


def listing(kind: str | None = None, pattern: str = "*") -> list[str]:
    """The kinds and how much there is of each, or the types of a kind whose names match a pattern.

    Raises :class:`UsageError` for a kind that does not exist, or if nothing matches.
    """
    if kind is None:
        counts = [(plural(name), len(catalogue.of_kind(name))) for name in catalogue.kinds()]
        return [*table(("kind", "types"), counts), "", "n2d2py -list cells 'Conv*'; n2d2py -explain Conv"]
    lines: list[str] = []
    for found in kinds_called(kind):
        topics = [topic for topic in catalogue.of_kind(found) if fnmatch.fnmatch(topic.name.lower(), pattern.lower())]
        if topics:
            lines += [*([""] if lines else []), *_list(found, topics)]
    if not lines:
        names = [topic.name for found in kinds_called(kind) for topic in catalogue.of_kind(found)]
        raise UsageError(f"no name in {kind} matches {pattern!r}", remedy=did_you_mean(pattern.strip("*"), names))
    return lines


def kinds_called(name: str) -> list[str]:
    """The kinds that a word names: ``cell``, ``cells``, ``weight-quantizers``, ``quantizers`` (of both kinds)."""
    folded = name.lower().replace("-", " ").replace("_", " ")
    known = catalogue.kinds()
    found = [kind for kind in known if folded in (kind.lower(), plural(kind).lower())]
    found = found or [kind for kind in known if folded in (kind.split()[-1], plural(kind.split()[-1]))]
    if not found:
        raise UsageError(f"there is no kind {name!r}", remedy=did_you_mean(name, [plural(kind) for kind in known]))
    return found


def _list(kind: str, topics: list[Topic]) -> list[str]:
    if kind != "cell":
        return table((kind, "what it is"), [(topic.name, topic.summary) for topic in topics])
    rows = [(topic.name, *support_words(catalogue.support(topic)), topic.summary) for topic in topics]
    notes = [KEPT, *([ABSORBED] if any(row[1].endswith("*") for row in rows) else [])]
    return [*table((kind, "QWeight", "QAct", "Integer", "what it is"), rows), "", *notes]


def support_words(support: Support) -> tuple[str, str, str]:
    """The columns of the compatibility table: weights, output, integer network."""
    weights = _NOTHING if support.weights is None else _YES if support.weights else _NO
    return weights + "*" * support.absorbed, _YES if support.activation else _NO, _YES if support.integer else _NO
