"""How the stimuli of a set are made: what is done once, what is done to each batch, and how reals come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.data import conversion
from n2d2py.data.chain import split_chain
from n2d2py.data.conversion import Conversion, Quantization
from n2d2py.data.draws import Draws
from n2d2py.data.frame import Frame
from n2d2py.data.pipeline import Pipeline, depth_after
from n2d2py.data.transformations.base import Transformation
from n2d2py.data.transformations.random_resize_crop import RandomResizeCropTransformation

Step = tuple[int, Transformation]
"""A transformation with the number of its random stream."""


@dataclass(frozen=True)
class Plan:
    """``fixed`` transformations give the same result each time, ``rest`` do not, or follow one that does not.

    What they give has the depth ``dtype``, of which ``conversion`` makes the network's input. A pipeline with
    channels is run as it stands.
    """

    pipeline: Pipeline
    fixed: tuple[Step, ...]
    rest: tuple[Step, ...]
    dtype: np.dtype[Any]
    conversion: Conversion
    scales: bool

    @property
    def repeats(self) -> bool:
        """Whether the result is the same each time."""
        return not self.rest and not (self.pipeline.channels and self.pipeline.drawn)

    @property
    def batched(self) -> bool:
        """Whether ``rest`` can be done to many images at once."""
        return not self.pipeline.channels and all(step.batched for _, step in self.rest)

    def begin(self, frame: Frame, draws: Draws) -> Frame:
        """What is done once; all of it where everything is fixed."""
        frame = _run(self.fixed, frame, draws)
        return self._channels(frame, draws) if self.repeats else frame

    def finish(self, frame: Frame, draws: Draws) -> Frame:
        """What is done each time, to what :meth:`begin` gave."""
        if self.repeats:
            return frame
        return self._channels(_run(self.rest, frame, draws), draws)

    def whole(self, frame: Frame, draws: Draws) -> Frame:
        """:meth:`begin` and :meth:`finish`; where a random part is all that is kept of an image, only that is made."""
        steps = (*self.fixed, *self.rest)
        place = next((place for place, (_, step) in enumerate(steps) if not step.by_pixel), len(steps))
        if place == len(steps) or self.repeats or frame.labelled_by_pixel:
            return self.finish(self.begin(frame, draws), draws)
        number, step = steps[place]
        if not isinstance(step, RandomResizeCropTransformation):
            return self.finish(self.begin(frame, draws), draws)
        height, width, channels = frame.image.shape
        ((x, y, columns, rows),) = step.parts((width, height, channels), draws.child(number)).tolist()
        part = _run(steps[:place], frame.with_image(frame.image[y : y + rows, x : x + columns]), draws)
        resized = part.with_image(step.resized(part.image))
        return self._channels(_run(steps[place + 1 :], resized, draws), draws)

    def finish_batch(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        """As :meth:`finish`, for images (count, height, width, channels) without labels a pixel."""
        for number, step in self.rest:
            images = step.apply(images, draws.child(number))
        return images

    def _channels(self, frame: Frame, draws: Draws) -> Frame:
        if not self.pipeline.channels:
            return frame
        return self.pipeline.transform(frame, draws, start=len(self.pipeline.steps))


def _run(steps: Sequence[Step], frame: Frame, draws: Draws) -> Frame:
    for number, step in steps:
        frame = step.transform(frame, draws.child(number) if step.drawn else draws)
    return frame


def make_plan(
    pipeline: Pipeline, depth: np.dtype[Any], channels: int, signed: bool, quantization: Quantization | None
) -> Plan:
    """The plan for images of ``depth`` that have ``channels`` channels in the end."""
    steps, tail = (pipeline.steps, ()) if pipeline.channels else split_chain(pipeline.steps, depth)
    numbers = {id(step): number for number, step in enumerate(pipeline.steps)}
    numbered = tuple((numbers[id(step)], step) for step in steps)
    fixed = next((index for index, step in enumerate(steps) if step.drawn), len(steps))
    dtype = pipeline.out_dtype(depth) if pipeline.channels else depth_after(steps, depth)
    scales = False
    if tail:
        made: Conversion = conversion.tabulate(tail, channels, quantization)
    elif np.issubdtype(dtype, np.integer):
        made, scales = conversion.scaling(signed, quantization, dtype.name), True
    else:
        made = conversion.Real(quantization=quantization)
    return Plan(pipeline, numbered[:fixed], numbered[fixed:], dtype, made, scales)
