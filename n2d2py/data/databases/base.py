"""What all databases have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from n2d2py.data.content import Content, Loading
from n2d2py.data.partition import SETS
from n2d2py.data.paths import data_root, data_root_remedy, expand, path
from n2d2py.data.random import Generator
from n2d2py.errors import ParameterError, Place
from n2d2py.kinds import boolean, list_of, one_of, text, unsigned
from n2d2py.parameters import Record, declarations, parameter

if TYPE_CHECKING:
    from n2d2py.ini.scope import Scope

Sections = Callable[[str, "Place | None"], "Scope"]
"""Gives the keys of another section of the document; a name that does not exist is an error at the place."""


@dataclass(frozen=True, kw_only=True)
class Database(Record):
    """A collection of labelled stimuli, and how it is divided into learning, validation and test sets."""

    random_partitioning: bool = parameter(
        "RandomPartitioning", boolean, True, "1: the stimuli of each set are drawn at random; 0: in loading order"
    )
    default_label: str = parameter("DefaultLabel", text, "", "label of pixels outside of all regions of interest")
    rois_margin: int = parameter("ROIsMargin", unsigned, 0, "unlabelled ring around each region", unit="pixels")
    data_file_label: bool = parameter("DataFileLabel", boolean, True, "read for N2D2's files; has no effect")
    composite_label: str = parameter(
        "CompositeLabel",
        one_of("None", "Auto", "Default", "Disjoint", "Combine"),
        "Auto",
        "which stimuli have one label a pixel: None, Auto: those whose own label is -1, Default, Disjoint, Combine",
    )
    target_data_path: str = parameter("TargetDataPath", text, "", "folder of images that are the targets")
    multi_channel_match: str = parameter("MultiChannelMatch", text, "", "pattern of files that hold one channel")
    multi_channel_replace: tuple[str, ...] = parameter(
        "MultiChannelReplace", list_of(text), (), "names of the files of the other channels"
    )

    def load(self, generator: Generator) -> Content:
        """All stimuli, partitioned with draws from ``generator``. Raises DataError if the data are not there."""
        raise NotImplementedError

    def loading(self) -> Loading:
        """The options that say how a stimulus becomes an image and labels."""
        folder = expand(self.target_data_path, self.place("target_data_path")) if self.target_data_path else None
        return Loading(
            self.default_label,
            self.rois_margin,
            self.composite_label,
            folder,
            self.multi_channel_match,
            self.multi_channel_replace,
        )

    def nominal_size(self) -> int | None:
        """Learning stimuli of the collection as its authors published it, with this partition; None if unknown.

        For a network that is checked where its data are not.
        """
        return None

    def completed(self, sections: Sections) -> Database:
        """This record with what other sections of the document say of it (``LoadMore``, ``Databases``)."""
        return self

    def begin(self, generator: Generator, label_names: Sequence[str] = (), in_memory: bool = False) -> Content:
        """Content without stimuli yet; the default label, if there is one, comes before ``label_names``."""
        first = [self.default_label] if self.default_label else []
        return Content(generator, self.random_partitioning, (*first, *label_names), self.loading(), in_memory)

    def check_plain(self) -> None:
        """Refuse what only databases of image files have: raises :class:`ParameterError`."""
        per_pixel = self.composite_label not in ("None", "Auto")
        for name, key, given in (
            ("default_label", f"DefaultLabel={self.default_label}", bool(self.default_label)),
            ("composite_label", f"CompositeLabel={self.composite_label}", per_pixel),
            ("target_data_path", "TargetDataPath", bool(self.target_data_path)),
            ("multi_channel_match", "MultiChannelMatch", bool(self.multi_channel_match)),
            ("multi_channel_replace", "MultiChannelReplace", bool(self.multi_channel_replace)),
        ):
            if given:
                raise ParameterError(
                    f"{key} is not possible with this database",
                    place=self.place(name),
                    expected="a database whose stimuli are files of their own, not one file with one label each",
                )


@dataclass(frozen=True, kw_only=True)
class FolderDatabase(Database):
    """A published collection in a folder that has a usual place below $N2D2_DATA."""

    data_path: str = parameter("DataPath", path, "", "folder of the collection; by default below $N2D2_DATA")

    usual_folder: ClassVar[str] = ""
    """Where the collection lies below $N2D2_DATA, if DataPath does not say."""

    def folder(self) -> Path:
        """Where the collection is looked for."""
        return self.located("data_path", self.usual_folder)

    def located(self, name: str, usual: str) -> Path:
        """The path that field ``name`` gives, else ``usual`` below $N2D2_DATA."""
        given: str = getattr(self, name)
        return expand(given, self.place(name)) if given else data_root() / usual

    def remedy(self, name: str = "data_path") -> str:
        """What to do if the path of field ``name`` is not there."""
        key = declarations(type(self))[name].key
        if getattr(self, name):
            return f"{key}= in [{self._section()}] names it: check its spelling, or unpack the collection there"
        return f"{data_root_remedy()}; {key}= in [{self._section()}] names another place"

    def where(self, name: str = "data_path") -> Place | None:
        """The place of field ``name``, else of the section."""
        return self.place(name)

    def _section(self) -> str:
        place = self.place()
        return place.section if place is not None and place.section else "database"


def split_rest(content: Content, learn: float, validation: float, place: Place | None = None) -> None:
    """Fractions of the stimuli in no set to learn and to validate, and to test with what 1 leaves of them."""
    content.partition.split(learn, validation, max(0.0, 1 - learn - validation), place)


def split_per_label(
    content: Content, learn: float, validation: float, test: float, equal: bool, place: Place | None = None
) -> None:
    """Fractions of the stimuli of each label; raises :class:`ParameterError` if they exceed 1 together."""
    if learn + validation > 1 + 1e-9:
        raise ParameterError(
            f"the fractions {learn:g} + {validation:g} of learning and validation exceed 1",
            place=place,
            expected="Learn and Validation of at least 0 whose sum is at most 1: a share of the stimuli of each label",
            remedy="PerLabelPartitioning=0 if they are numbers of stimuli",
        )
    content.split_per_label(learn, validation, test, equal, place)


def move(content: Content, learn: int, validation: int, test: int, place: Place | None = None) -> None:
    """Numbers of stimuli to the three sets; raises :class:`ParameterError` if there are not as many."""
    for name, count in zip(SETS, (learn, validation, test), strict=True):
        left = len(content.partition.unpartitioned)
        if not 0 <= count <= left:
            raise ParameterError(
                f"{count} stimuli are wanted for {name}, {left} are left",
                place=place,
                expected="Learn, Validation and Test as numbers of stimuli that are there (PerLabelPartitioning=0)",
            )
        content.partition.move(count, name)


def all_to(content: Content, name: str) -> None:
    """Move the stimuli that are in no set yet to the set called ``name``."""
    content.partition.move(len(content.partition.unpartitioned), name)


def assign(content: Content, sets: Sequence[str]) -> None:
    """The stimuli that are in no set yet to the set that is named for each of them: nothing is drawn."""
    for stimulus, name in zip(content.partition.unpartitioned, sets, strict=True):
        content.partition.sets[name].append(stimulus)
    content.partition.unpartitioned = []
