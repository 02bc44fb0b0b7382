"""Several databases as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from n2d2py import registry
from n2d2py.data.content import Content, Loading
from n2d2py.data.databases.base import Database, Sections
from n2d2py.data.random import Generator
from n2d2py.errors import ParameterError
from n2d2py.kinds import list_of, text
from n2d2py.parameters import REQUIRED, parameter, read
from n2d2py.registry import register


@register("database", "CompositeDatabase")
@dataclass(frozen=True, kw_only=True)
class CompositeDatabase(Database):
    """The databases that other sections describe, one behind the other, each with its own partition.

    Labels of one name in two of them remain two labels.
    """

    databases: tuple[str, ...] = parameter(
        "Databases", list_of(text), REQUIRED, "sections that describe a database each"
    )

    parts: tuple[Database, ...] = ()
    """The databases, once :meth:`completed` has read them."""

    changes: tuple[Sequence[Callable[[Content, Generator], None]], ...] = ()
    """What is done to each of them once it is loaded, before they are joined."""

    def completed(self, sections: Sections) -> CompositeDatabase:
        """This record with the databases that it consists of."""
        place = self.place("databases")
        if not self.databases:
            raise ParameterError("Databases names no section", place=place, expected="at least one section")
        parts = []
        for name in self.databases:
            scope = sections(name, place)
            kind = scope.find("Type")
            if kind is None:
                raise ParameterError(
                    "missing key Type", place=scope.place, expected=f"one of {', '.join(registry.names('database'))}"
                )
            entry: type[Database] = registry.find("database", kind.text.strip(), kind.place)
            if entry is CompositeDatabase:
                raise ParameterError(
                    "a CompositeDatabase cannot be part of another",
                    place=kind.place,
                    expected="the sections of its databases in the list of the first one",
                )
            record = read(entry, scope)
            scope.close(strict=True)
            parts.append(record.completed(sections))
        return replace(self, parts=tuple(parts))

    def load(self, generator: Generator) -> Content:
        content = self.begin(generator)
        content.loading = self._common_loading()
        for index, part in enumerate(self.parts):
            loaded = part.load(generator)
            for change in self.changes[index] if self.changes else ():
                change(loaded, generator)
            content.in_memory |= loaded.in_memory
            content.targets_are_regions |= loaded.targets_are_regions
            content.extend(loaded)
        return content

    def _common_loading(self) -> Loading:
        """How stimuli are read: the options of the section, else those that all parts have."""
        own, first = self.loading(), self.parts[0].loading()
        if own == Loading():
            if any(part.loading() != first for part in self.parts):
                raise ParameterError(
                    "the databases differ in how their stimuli are read",
                    place=self.place("databases"),
                    expected="DefaultLabel, ROIsMargin, CompositeLabel, TargetDataPath and MultiChannel* alike",
                    remedy="write them in the section of the CompositeDatabase, where they hold for all",
                )
            return first
        return own

    def nominal_size(self) -> int | None:
        sizes = [part.nominal_size() for part in self.parts]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None
