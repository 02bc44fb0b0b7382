"""Drawing a ``graphviz`` graph: ``.dot`` always, ``.png`` and ``.svg`` where a program can lay it out.

The program is Graphviz's ``dot``, else ``graphviz-pure``, the same program as a pip package. Neither missing nor
failing ever stops a run: the ``.dot`` file is there, and a notice says what to do.
"""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from n2d2py import console
from n2d2py.graph.files import with_suffix, write

if TYPE_CHECKING:
    import graphviz

FORMATS = ("png", "svg")
_SECONDS = 120
_DPI = 110
_LARGEST = 30_000
"""Pixels of the longer side that picture viewers and renderers still take."""


def draw(digraph: graphviz.Digraph, base: str | Path) -> list[Path]:
    """Write ``base`` + ``.dot``, ``.png``, ``.svg``; returns the files that were written, the ``.dot`` first."""
    source = digraph.source
    written = [write(with_suffix(base, ".dot"), source)]
    candidates = programs()
    problems = []
    for program in candidates:
        try:
            drawn = {form: _render(program, source, form) for form in FORMATS}
        except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
            problems.append(f"{program.name}: {_reason(error)}")
            continue
        return written + [write(with_suffix(base, f".{form}"), drawn[form]) for form in FORMATS]
    why = "; ".join(problems) or "neither dot nor graphviz-pure is installed"
    remedy = "" if candidates else " (pip install graphviz-pure, or install Graphviz, to have the picture)"
    console.notice(f"{written[0]} is written but not drawn: {why}{remedy}")
    return written


def programs() -> list[Path]:
    """The programs that can draw, the preferred one first: ``dot``, then ``graphviz-pure``."""
    found = [shutil.which("dot"), shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))]
    found.append(found[1] or shutil.which("graphviz-pure"))
    return list(dict.fromkeys(Path(program) for program in found if program))


def _render(program: Path, source: str, form: str) -> bytes:
    """The picture as bytes. Dots per inch only matter to pixels, and would scale the units of an SVG."""
    options = [f"-T{form}"]
    if form == "png":
        options.append(f"-Gdpi={_resolution(program, source)}")
    return _run(program, options, source)


def _resolution(program: Path, source: str) -> int:
    """Dots per inch at which the longer side of the picture stays below the largest."""
    plain = _run(program, ["-Tplain"], source).decode(errors="replace").split(maxsplit=4)
    inches = max(float(plain[2]), float(plain[3]))
    return max(10, min(_DPI, int(_LARGEST / max(inches, 1.0))))


def _run(program: Path, options: list[str], source: str) -> bytes:
    done = subprocess.run(
        [str(program), "-q", *options], input=source.encode(), capture_output=True, check=True, timeout=_SECONDS
    )
    if not done.stdout:
        raise subprocess.SubprocessError("it gave no picture")
    return done.stdout


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit status {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"not ready after {_SECONDS} seconds"
    return str(error)
