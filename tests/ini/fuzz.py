"""Mutated INI files and templates: nothing but a document or an error that a user understands may come of them.

    python tests/ini/fuzz.py [--seconds 60] [--seed 1]

The tests run a few hundred rounds; by hand it runs as long as it is told, and names the round and the seed of a
mistake, from which the same files come again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from n2d2py import ini
from n2d2py.errors import N2d2Error

SLOW = 10.0
"""Seconds after which a round that took longer is reported by a run by hand."""

INI = """\
\ufeffDefaultModel=Frame ; comment
$X=4
$Y=$(${X} * 2)
[sp]
SizeX=${Y}
M=1 0 \\
  0 1
[Conv_def]
Type=Conv
K="a ; b" # c
[conv1] Conv_def
Input=sp
NbOutputs=$([sp]SizeX + int('3') if ${X} > 2 else max(1, 2))
[block@a.tpl]Conv_def
N=3
ARR=2
ARR[0].P=x
ARR[1].P=[conv1]NbOutputs
[conv2]conv1 block
v=${SECTION_NAME} ${PREV_SECTION_NAME} []DefaultModel [block_0]w
Mapping(conv1)=10,000,000
"""

TEMPLATES = {
    "a.tpl": """\
$G={{N}}
{% for i in range(N) %}
[{{SECTION_NAME}}_{{i}}] Conv_def
w=$({{i}} + 1)
{% if i == 0 %}first=1{% else %}later={{K}}{% endif %}
{% endfor %}
{% block ARR %}
[{{SECTION_NAME}}.{{#}}@b.tpl]
V={{.P}}
{% endblock %}
""",
    "b.tpl": """\
{% set A %}{{V}}{% if W exists %}{{W}}{% endif %}{% endset %}
{% if W not_exists %}{% include c.tpl %}{% endif %}
[{{SECTION_NAME}}.in]
q={{A}} ${PARENT_SECTION_NAME}
""",
    "c.tpl": "; {{V}}\n",
}

SOURCES = {"net.ini": INI, **TEMPLATES}

PIECES = [
    *("[", "]", "@", "[a]", "[b] a", "[x@a.tpl]", "[x@b.tpl]", "[x@c.tpl]", "[]", "[a]K", "\n[conv1]\n", "[block]N"),
    *("=", '"', ";", "#", "\\", "\\\n", "\n", "\r\n", "\t", " ", "\0", "\ufeff", "\u2028", "\x0c", "é", ","),
    *("$", "${", "}", "${X}", "$X=${X}", "$(", ")", "$(9**9**9)", "$(__import__('os'))", "$(1/0)", "(", "**", "-1"),
    *("{{", "}}", "{%", "%}", "{{A}}", "{{.P}}", "{{#}}", "{% else %}", "{% endif %}", "{% endfor %}", "{% endset %}"),
    *("{% if A exists %}", "{% if A == 1 %}", "{% if A %}", "{% for i in range(9) %}", "{% for j in range(1e9) %}"),
    *("{% for k in range(N, 4) %}", "{% block ARR %}", "{% endblock %}", "{% set A %}", "{% set N %}"),
    *("{% set A %}{{A}}{{A}}{% endset %}", "{% include a.tpl %}", "{% include c.tpl %}", "{% include %}", "{% %}"),
    *("0", "1e9", "1e308", "nan", "999999999999", "a", "SECTION_NAME", "ARR[0]", "K"),
]


def mutated(text: str, draw: random.Random) -> str:
    """The text with a few places of it changed."""
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        start = draw.randrange(len(text) + 1)
        end = min(len(text), start + draw.choice([0, 0, 0, 1, 1, 5, 40]))
        match draw.randrange(5):
            case 0 | 1:
                fresh = draw.choice(PIECES)
            case 2:
                fresh = draw.choice(PIECES) * draw.choice([2, 10, 200])
            case 3:
                fresh = text[draw.randrange(len(text) + 1) :][: draw.choice([3, 30, 300])]
            case _:
                fresh = ""
        text = text[:start] + fresh + text[end:]
    return text


def try_round(number: int, seed: int, folder: Path) -> str:
    """One round: read mutated files and evaluate all that is in them. Gives what came of it, in a word."""
    draw = random.Random(f"{seed} {number}")
    changed = draw.choice([*([name] for name in SOURCES), SOURCES])
    for name, text in SOURCES.items():
        fresh = mutated(text, draw) if name in changed else text
        encoded = fresh.encode(draw.choice(["utf-8", "utf-8", "utf-8", "latin-1"]), errors="replace")
        (folder / name).write_bytes(encoded)
    try:
        document = ini.load(folder / "net.ini", strict=draw.random() < 0.2)
    except N2d2Error as error:
        assert str(error)
        assert error.place is not None
        return type(error).__name__
    wrong = 0
    for name, section in document.sections.items():
        for key in section:
            assert str(section.place_of(key))
            with contextlib.suppress(N2d2Error):
                document.value(name, key)
                continue
            wrong += 1
    document.unused()
    return "wrong values" if wrong else "document"


def main() -> None:
    """Fuzz for some time and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    counts: dict[str, int] = {}
    begin = time.monotonic()
    number = 0
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)  # included files are relative to it
        while time.monotonic() - begin < arguments.seconds:
            start = time.monotonic()
            try:
                result = try_round(number, arguments.seed, Path(name))
            except Exception:
                print(f"round {number} of seed {arguments.seed}", file=sys.stderr)
                raise
            if time.monotonic() - start > SLOW:
                print(f"round {number} of seed {arguments.seed} took {time.monotonic() - start:.0f} s")
            counts[result] = counts.get(result, 0) + 1
            number += 1
    print(f"{number} rounds: {', '.join(f'{count} {result}' for result, count in sorted(counts.items()))}")


if __name__ == "__main__":
    main()
