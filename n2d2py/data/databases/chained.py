"""``LoadMore``: a database of several sections, each of which may name the next one."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import ClassVar, TypeVar

from n2d2py.data.content import Content
from n2d2py.data.databases.base import Database, Sections
from n2d2py.data.databases.dir_partition import LabelledDatabase
from n2d2py.data.random import Generator
from n2d2py.errors import ParameterError
from n2d2py.kinds import text
from n2d2py.parameters import parameter, read

_COMMON = tuple(item.name for item in fields(Database) if item.name != "places")
_Self = TypeVar("_Self", bound="ChainedDatabase")


@dataclass(frozen=True, kw_only=True)
class ChainedDatabase(LabelledDatabase):
    """A database whose section may name another one, with more stimuli of the same kind."""

    load_more: str = parameter("LoadMore", text, "", "section of more stimuli, with the same keys")

    more: ChainedDatabase | None = None
    """What LoadMore names, once :meth:`completed` has read it."""

    inherited: ClassVar[tuple[str, ...]] = ()
    """What stays in force for the sections of LoadMore unless they say it again, beside what all databases have."""

    @classmethod
    def link(cls) -> type[ChainedDatabase]:
        """The type of the record that a section of LoadMore is read as."""
        return cls

    def completed(self: _Self, sections: Sections) -> _Self:
        """This record with those of the sections that LoadMore names."""
        return self._completed(sections, ())

    def _completed(self: _Self, sections: Sections, above: tuple[str, ...]) -> _Self:
        if not self.load_more:
            return self
        if self.load_more in above:
            raise ParameterError(
                f"the sections load each other without an end: {' -> '.join((*above, self.load_more))}",
                place=self.place("load_more"),
                expected="a section that was not loaded yet",
            )
        scope = sections(self.load_more, self.place("load_more"))
        record = read(self.link(), scope)
        scope.close(strict=True)
        kept = {name: getattr(self, name) for name in (*_COMMON, *self.inherited) if name not in record.places}
        more = replace(record, **kept)._completed(sections, (*above, self.load_more))
        return replace(self, more=more)

    def load(self, generator: Generator) -> Content:
        content = self.begin(generator)
        self.load_into(content)
        return content

    def load_into(self, content: Content) -> None:
        """Add the stimuli to ``content`` and divide them, then those of LoadMore."""
        raise NotImplementedError
