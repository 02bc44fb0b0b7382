"""ExpandLabelTransformation: the label of the stimulus for each of its pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.transformations.base import Transformation
from n2d2py.errors import DataError
from n2d2py.registry import register


@register("transformation", "ExpandLabelTransformation")
@dataclass(frozen=True, kw_only=True)
class ExpandLabelTransformation(Transformation):
    """Every pixel gets the label of the stimulus, as CompositeStimuli=1 wants it."""

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        if frame.labelled_by_pixel:
            height, width = frame.labels.shape
            raise DataError(
                f"stimulus {frame.stimulus} has {width}x{height} labels already",
                place=self.place(),
                expected="one label a stimulus",
                remedy="CompositeLabel=None in [database], or no ExpandLabelTransformation",
            )
        labels = np.full(frame.image.shape[:2], frame.labels[0, 0], np.int32)
        return replace(frame, labels=labels)
