"""How a folder or a table of stimuli is divided: shares for each label, or numbers of stimuli."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.data.content import Content
from n2d2py.data.databases.base import Database, all_to, move, split_per_label
from n2d2py.errors import ParameterError, Place
from n2d2py.kinds import boolean, unsigned_real
from n2d2py.parameters import REQUIRED, declarations, parameter


@dataclass(frozen=True, kw_only=True)
class LabelledDatabase(Database):
    """A database that is divided label by label, or by numbers of stimuli."""

    learn: float = parameter("Learn", unsigned_real, REQUIRED, "share of the stimuli of each label, or their number")
    validation: float = parameter(
        "Validation", unsigned_real, 0.0, "share of the stimuli of each label, or their number, to validate"
    )
    test: float | None = parameter(
        "Test", unsigned_real, None, "share or number to test; by default, and with shares always, all that is left"
    )
    per_label: bool = parameter(
        "PerLabelPartitioning", boolean, True, "1: shares of the stimuli of each label; 0: numbers of stimuli"
    )
    equal: bool = parameter(
        "EquivLabelPartitioning", boolean, True, "1: as many stimuli of each label, the smallest one deciding"
    )

    def divide(self, content: Content) -> None:
        """Move the stimuli that are in no set to the sets. Raises :class:`ParameterError`."""
        if self.per_label:
            rest = max(0.0, 1 - self.learn - self.validation)
            test = rest if self.test is None else self.test
            split_per_label(content, self.learn, self.validation, test, self.equal, self.place("learn"))
            all_to(content, "Test")
            return
        learn, validation = self._number("learn"), self._number("validation")
        test = len(content) - learn - validation if self.test is None else self._number("test")
        if self.test is None and test > len(content.partition.unpartitioned) - learn - validation:
            raise ParameterError(
                f"the stimuli that are not to learn or to validate, {test}, are more than are left to divide",
                place=self.place("learn"),
                expected="Test, because sections that were loaded before count as well (LoadMore)",
            )
        move(content, learn, validation, test, self.place("learn"))

    def _number(self, name: str) -> int:
        value = getattr(self, name)
        if value != int(value):
            key = declarations(type(self))[name].key
            raise ParameterError(
                f"{key}={value:g} is not a number of stimuli",
                place=self.place(name),
                expected="an integer, because PerLabelPartitioning=0",
            )
        return int(value)

    def where(self) -> Place | None:
        """The place of DataPath, else of the section."""
        return self.place("data_path") or self.place()
