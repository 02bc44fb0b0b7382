"""One HTML page that shows a run: metrics, tables and pictures in a single file that loads nothing."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from n2d2py.graph.files import write

_TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg"}

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --pale: #52606d; --line: #d3d9e0; --ground: #fff; --box: #f5f7fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7eb; --pale: #9aa5b1; --line: #3e4c59; --ground: #14191f; --box: #1f2933; }
}
body { color: var(--ink); background: var(--ground); font: 16px/1.5 system-ui, sans-serif; max-width: 62rem;
       margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: 0; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
p.note { color: var(--pale); margin-top: .2rem; }
dl { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0; }
dl div { background: var(--box); border-radius: .5rem; padding: .6rem 1rem; }
dt { color: var(--pale); font-size: .85rem; } dd { margin: 0; font-size: 1.3rem; font-weight: 600; }
pre { background: var(--box); border-radius: .5rem; padding: .7rem 1rem; overflow-x: auto; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
figure { margin: 1rem 0; } figcaption { color: var(--pale); font-size: .9rem; }
img { max-width: 100%; background: #fff; border-radius: .4rem; }
"""


@dataclass(frozen=True)
class Part:
    """A section of the page: text, the commands it comes from, a table, pictures; whatever is not empty."""

    title: str
    text: str = ""
    commands: Sequence[str] = ()
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    pictures: Sequence[Path] = field(default_factory=tuple)


def write_page(
    path: str | Path, title: str, parts: Sequence[Part], metrics: Sequence[tuple[str, str]] = (), note: str = ""
) -> Path:
    """The page, in one file. ``metrics`` are pairs of name and value that stand large at its top."""
    shown = "".join(f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in metrics)
    body = [f"<h1>{_text(title)}</h1>", f'<p class="note">{_text(note)}</p>' if note else ""]
    body += [f"<dl>{shown}</dl>" if shown else "", *(_part(part) for part in parts)]
    return write(
        path,
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(line for line in body if line)
        + "\n</body></html>\n",
    )


def _part(part: Part) -> str:
    pieces = [f"<h2>{_text(part.title)}</h2>"]
    if part.text:
        pieces.append(f"<p>{_text(part.text)}</p>")
    if part.commands:
        pieces.append("<pre>" + "\n".join(_text(command) for command in part.commands) + "</pre>")
    if part.headers:
        head = "".join(f"<th>{_text(header)}</th>" for header in part.headers)
        rows = "".join("<tr>" + "".join(f"<td>{_text(value)}</td>" for value in row) + "</tr>" for row in part.rows)
        pieces.append(f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>')
    pieces += [_picture(Path(picture)) for picture in part.pictures]
    return "\n".join(pieces)


def _picture(path: Path) -> str:
    """A picture as data in the page; one that is not there is said to be missing."""
    name = _text(path.name)
    if not path.is_file() or path.suffix not in _TYPES:
        return f"<p>{name} was not drawn.</p>"
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    image = f'<img src="data:{_TYPES[path.suffix]};base64,{data}" alt="{name}">'
    return f"<figure>{image}<figcaption>{name}</figcaption></figure>"


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)
