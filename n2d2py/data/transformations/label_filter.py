"""LabelFilterTransformation: only some labels, all but some, or some of them as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from n2d2py.data.draws import Draws
from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.rois import Roi
from n2d2py.data.transformations.base import Transformation
from n2d2py.errors import DataError, ParameterError, did_you_mean
from n2d2py.kinds import integer, list_of, one_of, text
from n2d2py.parameters import REQUIRED, parameter
from n2d2py.registry import register

_OF_DATABASE = -2  # DefaultLabel that stands for the database's own


@dataclass(frozen=True)
class _Known:
    """Labels by their ids: those that are filtered, and what takes the place of one that goes."""

    ids: tuple[int, ...]
    default: int


@register("transformation", "LabelFilterTransformation")
@dataclass(frozen=True, kw_only=True)
class LabelFilterTransformation(Transformation):
    """Keep: labels that are not listed become DefaultLabel, their regions go. Remove: so do those that are listed.
    Merge: listed labels become the first of them. That holds for labels of stimuli, of pixels and of regions.
    """

    labels: tuple[str, ...] = parameter("Labels", list_of(text), REQUIRED, "names of labels")
    filter: str = parameter("Filter", one_of("Keep", "Remove", "Merge"), "Remove", "what is done to them")
    default_label: int = parameter(
        "DefaultLabel", integer, _OF_DATABASE, "label of what is removed; -2: the database's default label, else -1"
    )
    known: _Known | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.labels:
            raise ParameterError("Labels is empty", place=self.place("labels"), expected="the name of a label")

    def with_labels(self, names: Sequence[str], default: int = IGNORE) -> LabelFilterTransformation:
        """The same transformation with the ids of its labels. Raises ParameterError for one that does not exist."""
        for name in self.labels:
            if name not in names:
                raise ParameterError(
                    f"there is no label {name!r} in the database",
                    place=self.place("labels"),
                    expected="names of labels",
                    remedy=did_you_mean(name, names),
                )
        fallback = default if self.default_label == _OF_DATABASE else self.default_label
        return replace(self, known=_Known(tuple(list(names).index(name) for name in self.labels), fallback))

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        if self.known is None:
            raise DataError(
                "LabelFilterTransformation needs the labels of a database",
                place=self.place(),
                expected="a transformation of stimuli",
            )
        ids, default = self.known.ids, self.known.default
        listed = np.isin(frame.labels, ids)
        rois: tuple[Roi, ...]
        if self.filter == "Merge":
            labels = np.where(listed, ids[0], frame.labels)
            rois = tuple(replace(roi, label=ids[0]) if roi.label in ids else roi for roi in frame.rois)
        else:
            keeps = self.filter == "Keep"
            labels = np.where(listed == keeps, frame.labels, default)
            rois = tuple(roi for roi in frame.rois if (roi.label in ids) == keeps)
        return replace(frame, labels=labels.astype(np.int32), rois=rois)
