"""``[NAME@FILE]``: a section whose properties are the variables of a template, and the text that takes its place.

FILE may hold ``${NAME}`` of the process environment, and is relative to the folder of the main INI file, also where
a template includes the next one.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from n2d2py import console
from n2d2py.errors import IniError, ParameterError, Place, nearest
from n2d2py.ini import template
from n2d2py.ini.evaluate import LONGEST_NAME, shortened
from n2d2py.ini.rendering import Budget, Rendered, render
from n2d2py.ini.section import Section
from n2d2py.ini.source import TEMPLATE, read_source
from n2d2py.ini.template import Template

if TYPE_CHECKING:
    from n2d2py.ini.document import Document

MAX_DEPTH = 20
"""Most templates that include each other, one in the other."""

_RENDER_STEPS = 100
"""What a section that includes a template costs beside the pieces of the template."""

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")


class Opened(NamedTuple):
    """A template that is being read, and how places inside it lead back to the section that includes it."""

    path: str
    real_path: str
    chain: tuple[str, ...]


class Templates:
    """The templates of one document: each file is read once, and all of them share one budget."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._budget = Budget()
        self._trees: dict[str, Template] = {}
        self._real_paths: dict[str, str] = {}

    def render(self, section: Section, file: str, around: tuple[Opened, ...]) -> tuple[Rendered, Opened]:
        """The text that a section includes, and what it is to the templates inside it.

        ``file`` is as the header writes it; ``around`` are the templates in which the section stands, outermost
        first. Raises :class:`IniError` at the header, at a property, or at a line of the template.
        """
        place = section.place
        path = self._resolved(file, place)
        tree = self._load(path, place, file)
        outside = around[-1].chain if around else ()
        chain = (f"rendered for [{section.name}] ({place.file}:{place.line})", *outside)
        opened = Opened(path, self._real_paths[path], chain)
        self._check_circle(opened, around, place)
        variables = self._variables(section, path)
        rendered = render(
            tree,
            variables,
            chain=opened.chain,
            budget=self._budget,
            load=lambda file, place: self._load(file, place, file),
        )
        if not tree.includes:
            self._answer(section, tree, variables)
        return rendered, opened

    def _resolved(self, file: str, place: Place) -> str:
        """The path of a template. What the environment does not know may be a variable of the file."""

        def expanded(match: re.Match[str]) -> str:
            name = match.group(1)
            value = os.environ.get(name)
            if value is None and (holder := self._document.variable("", name)) is not None:
                value = self._document.evaluate(*holder, "").text
            return value or ""

        path = _VARIABLE.sub(expanded, file)
        if not path.strip():
            raise IniError(f"no template file is named by [...@{shortened(file)}]", place=place, remedy=_unset(file))
        if path.startswith(("/", "\\")) or re.match("[A-Za-z]:", path):
            return path
        return os.path.join(os.path.dirname(self._document.file), path)

    def _check_circle(self, opened: Opened, around: tuple[Opened, ...], place: Place) -> None:
        paths = [other.real_path for other in around]
        if opened.real_path in paths:
            circle = [*(other.path for other in around[paths.index(opened.real_path) :]), opened.path]
            raise IniError(f"templates include each other in a circle: {' -> '.join(circle)}", place=place)
        if len(around) >= MAX_DEPTH:
            raise IniError(f"templates are nested more than {MAX_DEPTH} deep", place=place)

    def _load(self, path: str, place: Place, named: str) -> Template:
        """The template of a file; ``place`` is where the text ``named`` names it."""
        if path not in self._trees:
            try:
                text = read_source(path, TEMPLATE)
            except IniError as error:
                if error.place is None or error.place.line is None:
                    remedy = "; ".join(filter(None, (_unset(named), error.remedy)))
                    raise IniError(error.what, place=place, expected=error.expected, remedy=remedy) from None
                raise
            self._trees[path] = template.parse(text, path)
            self._real_paths[path] = os.path.realpath(path)
        return self._trees[path]

    def _variables(self, section: Section, path: str) -> dict[str, str]:
        variables = {}
        for key in section.properties:
            value = self._document.evaluate(section.name, key, section.name)
            try:
                self._budget.spend(characters=len(value.text), steps=1)
            except ValueError as error:
                raise IniError(str(error), place=value.place) from None
            variables[key] = value.text
        try:
            self._budget.spend(steps=_RENDER_STEPS)
        except ValueError as error:
            raise IniError(str(error), place=section.place) from None
        return {**variables, "SECTION_NAME": section.name, "SECTION_FILE_NAME": path}

    def _answer(self, section: Section, tree: Template, variables: dict[str, str]) -> None:
        """Warn of the properties of the section that its template does not speak of: N2D2 ignores them."""
        arrays = tuple(f"{name}[" for name in tree.names)
        for key in section.own_keys():
            if key in tree.names or key.startswith(("$", *arrays)):
                continue
            if not self._document.strict and not self._document.first_warning(section.name, key):
                continue
            match = nearest(key, sorted(tree.names - variables.keys()))
            error = ParameterError(
                f"parameter {shortened(key)} is not used by template {tree.file}",
                place=section.place_of(key),
                remedy=f"did you mean {match}?" if match else "remove it, or check its spelling",
            )
            if self._document.strict:
                raise error
            console.warning(f"{error.what} ({error.remedy}), at: {error.place}")


def split(name: str) -> tuple[str, str] | None:
    """The name and the file of a header ``NAME@FILE``; None for a plain name."""
    parts = [part for part in name.split("@", LONGEST_NAME) if part]
    return (parts[0], parts[1]) if len(parts) == 2 else None


def _unset(file: str) -> str | None:
    unset = [name for name in _VARIABLE.findall(file) if name not in os.environ]
    return f"the environment variable {unset[0]} is not set" if unset else None
