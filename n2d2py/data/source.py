"""Where stimuli come from: the ``[database]`` section, the provider's, and those of its transformations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from n2d2py import console, registry
from n2d2py.data.chain import Pipelines, read_pipelines
from n2d2py.data.channels import full_scale
from n2d2py.data.content import Content
from n2d2py.data.databases.base import Database
from n2d2py.data.databases.composite import CompositeDatabase
from n2d2py.data.databases.labels_only import LabelsOnly
from n2d2py.data.draws import Draws
from n2d2py.data.frame import IGNORE
from n2d2py.data.partition import SETS
from n2d2py.data.pipeline import Pipeline
from n2d2py.data.random import Generator
from n2d2py.data.selection import read_selections
from n2d2py.data.settings import read_settings, section_name
from n2d2py.data.statistics import KEYS, STAND_INS, Statistics, StimuliData, rounded, write_images
from n2d2py.data.transformations.affine import AffineTransformation
from n2d2py.data.transformations.base import Transformation
from n2d2py.errors import DataError, IniError, ParameterError, Place, did_you_mean
from n2d2py.graph.settings import read_provider
from n2d2py.parameters import read
from n2d2py.parts import provider

if TYPE_CHECKING:
    from n2d2py.ini import Document, Scope

SECTION = "database"


@dataclass(frozen=True)
class Walk:
    """A section of statistics: its name, what it asks for, and the transformations above it."""

    name: str
    record: StimuliData
    pipelines: Pipelines


class Source:
    """What a document says of its stimuli, read strictly and at once; the data are loaded at first use.

    Loading draws the partition from ``generator``, once. The document's expressions can read ``_EpochSize`` of the
    provider's section and what sections of statistics publish; where a value of these is needed, the data are
    loaded. With ``tolerant``, data that cannot be loaded give stand-ins and notices in place of an error. ``content``
    takes the place of what ``[database]`` describes, which is not read then.
    """

    def __init__(
        self, document: Document, generator: Generator, tolerant: bool = False, content: Content | None = None
    ) -> None:
        self._document = document
        self._generator = generator
        self._tolerant = tolerant
        self._given = content
        self._excused = False
        self._found: dict[str, Statistics] = {}
        self.section = section_name(document)
        """Name of the provider's section."""
        for section in provider.NAMES:
            if section in document.sections:
                # Published before the sections are read, whose own values may refer to it.
                document.publish(section, "_EpochSize", self._epoch_size)
        self.database = read_database(document) if content is None else None
        self._selections = read_selections(document, SECTION) if content is None else []
        self.settings = read_settings(document, self.section)
        self.walks: list[Walk] = []
        """The sections of statistics, in file order."""
        self._pipelines = read_pipelines(document, self.section, self._publish)

    @cached_property
    def content(self) -> Content:
        """Images, labels and sets. Raises :class:`DataError` for data that are missing or damaged."""
        if self._given is not None:
            return self._given
        if self.database is None:
            return Content(self._generator)
        content = self.database.load(self._generator)
        for selection in self._selections:
            selection.change(content, self._generator)
        return content

    @cached_property
    def pipelines(self) -> dict[str, Pipeline]:
        """What is done to the stimuli of each set, with the labels of the database known."""
        default = self.content.loading.default_label
        label = self.content.label_id(default) if default else IGNORE
        return {name: one.with_labels(self.content.label_names, label) for name, one in self._pipelines.items()}

    @property
    def chains(self) -> dict[str, tuple[Transformation, ...]]:
        """The transformations of whole images of each set, in the order in which they run."""
        return {name: one.steps for name, one in self._pipelines.items()}

    def statistics(self, name: str) -> Statistics:
        """What the section of statistics of that name finds; the walk over the stimuli is made once."""
        if name not in self._found:
            number, walk = next((number, walk) for number, walk in enumerate(self.walks) if walk.name == name)
            steps = [step for pipeline in walk.pipelines.values() for step in pipeline.all_steps]
            if any(isinstance(step, AffineTransformation) for step in steps):
                for earlier in self.walks[:number]:  # whose mean image may be what such a step reads
                    write_images(earlier.name, earlier.record, self.statistics(earlier.name))
            self._found[name] = _walk(self.content, walk, self._generator.seed)
        return self._found[name]

    def _epoch_size(self) -> int:
        try:
            return self.content.size("Learn")
        except DataError as error:
            self._excuse(error)
        assert self.database is not None  # without one nothing fails to load
        size = self.database.nominal_size()
        if size is None:
            size, why = read_provider(self._document).batch_size, "one batch, because their number is not known"
        else:
            why = "the number of learning stimuli as published"
        console.notice(f"[{self.section}]_EpochSize is {size}: {why}")
        return size

    def _publish(self, name: str, pipelines: Pipelines) -> None:
        scope = self._document.scope(name)
        record = read(StimuliData, scope)
        scope.close(strict=True)
        self.walks.append(Walk(name, record, pipelines))
        for index, key in enumerate(KEYS):
            self._document.publish(name, key, lambda index=index: self._value(name, index))  # type: ignore[misc]
        if record.mean_data:
            self._document.publish(name, "_MeanData", f"{name}/meanData.bin")
        if record.std_dev_data:
            self._document.publish(name, "_StdDevData", f"{name}/stdDevData.bin")

    def _value(self, name: str, index: int) -> str:
        try:
            return rounded(self.statistics(name).values[index])
        except DataError as error:
            self._excuse(error)
        return rounded(STAND_INS[index])

    def _excuse(self, error: DataError) -> None:
        """Let an error of loading pass with one notice, or raise it."""
        if not self._tolerant:
            raise error
        if not self._excused:
            self._excused = True
            console.notice(f"the data are not there ({error.what}): usual values stand for what is read from them")


def read_database(document: Document, section: str = SECTION) -> Database | None:
    """The record that ``[database]`` describes; without that section None, with a warning.

    An unknown type or key is a :class:`ParameterError`.
    """
    if section not in document.sections:
        console.warning(f"there is no section [{section}] in {document.file}: there are no stimuli")
        return None
    scope = document.scope(section)
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
        entry = registry.find("database", kind.text.strip(), kind.place)
    record = read(entry, scope)
    scope.close(strict=True)

    def others(name: str, place: Place | None) -> Scope:
        if name not in document.sections:
            raise IniError(
                f"there is no section [{name}] in INI file {document.file}",
                place=place,
                remedy=did_you_mean(name, [known for known in document.sections if known]),
            )
        return document.scope(name)

    completed = record.completed(others)
    if isinstance(completed, CompositeDatabase):
        selections = [read_selections(document, name) for name in completed.databases]
        return replace(completed, changes=tuple([one.change for one in found] for found in selections))
    return completed


def publish_epoch_size(document: Document, generator: Generator, tolerant: bool = False) -> Source:
    """Read what the document says of its stimuli, and let the graph's expressions read ``[sp]_EpochSize``.

    ``_EpochSize`` is the number of learning stimuli. The data are loaded when the first expression needs them, else
    by :func:`n2d2py.data.build`, to which the returned source must be given, so that the partition is drawn once.
    With ``tolerant``, a network can be read where its data are not: ``_EpochSize`` is then the size of the
    collection as published, and values of statistics are 0, 255, 127.5 and 64.
    """
    return Source(document, generator, tolerant)


def _walk(content: Content, walk: Walk, seed: int) -> Statistics:
    """Look at all stimuli of the sets. Integers are scaled to 1 if any transformation was done to them before."""
    found = Statistics()
    record = walk.record
    by_place = record.mean_data or record.std_dev_data
    for number, name in enumerate(SETS):
        if name not in record.sets:
            continue
        pipeline = walk.pipelines[name].with_labels(content.label_names)
        for stimulus, image in _images(content, name, pipeline, seed + number):
            if pipeline.all_steps and np.issubdtype(image.dtype, np.integer):
                image = image / full_scale(image.dtype)
            found.add(image, stimulus, by_place, record.log_value_range)
    if by_place and len(found.sizes) > 1:
        console.warning(f"[{walk.name}] asks for images of statistics, but the stimuli differ in size: there are none")
    return found


def _images(content: Content, name: str, pipeline: Pipeline, seed: int) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    ids = content.ids(name).tolist()
    draws = Draws.of(seed, 0, range(len(ids)))
    for position, stimulus in enumerate(ids):
        frame = content.frame(stimulus)
        if pipeline.all_steps:
            frame = pipeline.transform(frame, draws.image(position))
        yield stimulus, frame.image
