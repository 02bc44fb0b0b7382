"""Where stimuli come from: the ``[database]`` section, the provider's, and those of its transformations."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from n2d2py import console, registry
from n2d2py.data.chain import read_chains
from n2d2py.data.content import Content
from n2d2py.data.databases.base import Database
from n2d2py.data.databases.labels_only import LabelsOnly
from n2d2py.data.random import Generator
from n2d2py.data.settings import read_settings, section_name
from n2d2py.errors import ParameterError
from n2d2py.parameters import read
from n2d2py.parts import provider

if TYPE_CHECKING:
    from n2d2py.ini import Document

SECTION = "database"

_LATER_SECTIONS = ("database.sortAndDropLabels", "database.filterROIs", "database.slicing")

_LATER_TYPES = (
    *("Actitracker", "CIFAR10", "CIFAR100", "CKP", "CSV", "Caltech101_DIR", "Caltech256_DIR", "CaltechPedestrian"),
    *("CelebA", "Cityscapes", "DIR", "DOTA", "Daimler", "FDDB", "GTSDB_DIR", "GTSRB_DIR", "ILSVRC2012", "IMDBWIKI"),
    *("KITTI", "KITTI_Object", "KITTI_Road", "LITISRouen", "N_MNIST"),
)


class Source:
    """What a document says of its stimuli, read strictly and at once; the data are loaded at first use.

    Loading draws the partition from ``generator``, once.
    """

    def __init__(self, document: Document, generator: Generator) -> None:
        self._generator = generator
        self.section = section_name(document)
        """Name of the provider's section."""
        self.database = read_database(document)
        self.settings = read_settings(document, self.section)
        self.chains = read_chains(document, self.section)

    @cached_property
    def content(self) -> Content:
        """Images, labels and sets. Raises :class:`DataError` for data that are missing or damaged."""
        if self.database is None:
            return Content(self._generator)
        return self.database.load(self._generator)


def read_database(document: Document) -> Database | None:
    """The record that ``[database]`` describes; without that section None, with a warning.

    An unknown type or key is a :class:`ParameterError`.
    """
    if SECTION not in document.sections:
        console.warning(f"there is no section [{SECTION}] in {document.file}: there are no stimuli")
        return None
    for name in _LATER_SECTIONS:
        if name in document.sections:
            raise ParameterError(
                f"section [{name}] is not available in this version of n2d2py",
                place=document.sections[name].place,
                remedy="without it the sets would not be those that the section asks for: remove it to go on",
            )
    scope = document.scope(SECTION)
    kind = scope.find("Type")
    if kind is None:
        if scope.find("LabelPath") is None:
            raise ParameterError(
                "missing key Type",
                place=scope.place,
                expected=f"one of {', '.join(registry.names('database'))}, or LabelPath= alone: names of labels",
            )
        entry: type[Database] = LabelsOnly
    else:
        name = kind.text.strip()
        if not registry.known("database", name) and name.removesuffix("_Database") in _LATER_TYPES:
            raise ParameterError(
                f"database {name} is not available in this version of n2d2py",
                place=kind.place,
                expected=f"one of {', '.join(registry.names('database'))}",
            )
        entry = registry.find("database", name, kind.place)
    record = read(entry, scope)
    scope.close(strict=True)
    return record


def publish_epoch_size(document: Document, generator: Generator) -> Source:
    """Read what the document says of its stimuli, and let the graph's expressions read ``[sp]_EpochSize``.

    ``_EpochSize`` is the number of learning stimuli. The data are loaded when the first expression needs it, else
    by :func:`n2d2py.data.build`, to which the returned source must be given, so that the partition is drawn once.
    """
    source: list[Source] = []
    for section in provider.NAMES:
        if section in document.sections:
            # Published before the sections are read, whose own values may refer to it.
            document.publish(section, "_EpochSize", lambda: source[0].content.size("Learn"))
    source.append(Source(document, generator))
    return source[0]
