"""The reference pages: made from the declarations, and up to date in docs/reference."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from n2d2py import catalogue, options, reference

PAGES = Path(__file__).parents[1] / "docs" / "reference"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Pages made by a process of their own, in which no other test has registered anything."""
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, "-m", "n2d2py.reference", str(folder)], check=True, capture_output=True)
    return folder


def test_the_pages_are_up_to_date(made):
    new = {page.name: page.read_text() for page in made.glob("*.md")}
    old = {page.name: page.read_text() for page in PAGES.glob("*.md")}
    stale = sorted(name for name in new.keys() | old.keys() if new.get(name) != old.get(name))
    assert not stale, f"stale pages in docs/reference: {', '.join(stale)}; run: {reference.COMMAND} (or make docs)"


def test_every_topic_and_every_option_has_its_place(made):
    text = "\n".join(page.read_text() for page in made.glob("*.md"))
    for topic in catalogue.topics():
        assert f"## {topic.name}\n" in text
    for option in options.OPTIONS:
        assert f"`{option.usage}`" in text


def test_rows_have_as_many_cells_as_their_header(made):
    for page in made.glob("*.md"):
        columns = 0
        for line in page.read_text().splitlines():
            if not line.startswith("| "):
                columns = 0
                continue
            count = line.replace("\\|", "").count("|")
            columns = columns or count
            assert count == columns, f"{page.name}: {line}"


def test_links_lead_to_pages(made):
    index = (made / "README.md").read_text()
    for page in made.glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index


def test_pages_that_are_no_longer_made_are_removed(tmp_path):
    (tmp_path / "old.md").write_text(reference.pages()["README.md"])
    (tmp_path / "mine.md").write_text("written by hand")
    reference.write_pages(tmp_path)
    assert not (tmp_path / "old.md").exists()
    assert (tmp_path / "mine.md").exists()


def test_docstrings_become_markdown():
    assert reference._escaped("a ``*`` of :class:`~n2d2py.cells.base.Cell` | x_k*y") == "a `*` of `Cell` | x\\_k\\*y"
