"""What is done to the stimuli of a set, in order: transformations of whole images, then those of single channels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py import registry
from n2d2py.data.draws import Draws
from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.errors import DataError, Place
from n2d2py.parameters import declarations

_CHANNEL_STREAMS = 1000  # numbers of the random streams of one channel begin this far behind those of the one before


@dataclass(frozen=True)
class Channel:
    """The transformations that make one channel from what the common ones give."""

    cacheable: tuple[Transformation, ...] = ()
    on_the_fly: tuple[Transformation, ...] = ()

    @property
    def steps(self) -> tuple[Transformation, ...]:
        """All of them, in the order in which they run."""
        return self.cacheable + self.on_the_fly


@dataclass(frozen=True)
class Pipeline:
    """The transformations of a set: all cacheable ones, then those on the fly, then channel by channel."""

    cacheable: tuple[Transformation, ...] = ()
    on_the_fly: tuple[Transformation, ...] = ()
    channels: tuple[Channel, ...] = ()

    @property
    def steps(self) -> tuple[Transformation, ...]:
        """The transformations of whole images, in the order in which they run."""
        return self.cacheable + self.on_the_fly

    @property
    def all_steps(self) -> tuple[Transformation, ...]:
        """Those of channels too."""
        return self.steps + tuple(step for channel in self.channels for step in channel.steps)

    @property
    def drawn(self) -> bool:
        """Whether anything is drawn at random."""
        return any(step.drawn for step in self.all_steps)

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """The depth of the result for images of depth ``dtype``: of several channels the widest one."""
        common = depth_after(self.steps, dtype)
        depths = [depth_after(channel.steps, common) for channel in self.channels]
        return np.result_type(*depths) if depths else common

    def out_dims(self, dims: Dims) -> Dims | None:
        """The dimensions of the result; None if they depend on the image."""
        common = dims_after(self.steps, dims)
        if not self.channels or common is None:
            return common
        parts = {dims_after(channel.steps, common) for channel in self.channels}
        if len(parts) != 1 or None in parts:
            return None
        (part,) = parts
        assert part is not None  # as was just asked
        return (part[0], part[1], part[2] * len(self.channels))

    def with_labels(self, names: Sequence[str], default: int = IGNORE) -> Pipeline:
        """The same, once the labels of the database are known."""

        def known(steps: tuple[Transformation, ...]) -> tuple[Transformation, ...]:
            return tuple(step.with_labels(names, default) for step in steps)

        channels = tuple(Channel(known(one.cacheable), known(one.on_the_fly)) for one in self.channels)
        return Pipeline(known(self.cacheable), known(self.on_the_fly), channels)

    def transform(self, frame: Frame, draws: Draws, start: int = 0) -> Frame:
        """All transformations from number ``start`` on. Raises DataError if a channel is not one plane."""
        frame = run(self.steps[start:], frame, draws, start)
        if not self.channels:
            return frame
        made = []
        for number, channel in enumerate(self.channels):
            result = run(channel.steps, replace(frame, rois=()), draws, (number + 1) * _CHANNEL_STREAMS)
            if result.image.shape[2] != 1:
                raise DataError(
                    f"channel {number} has {result.image.shape[2]} planes after its transformations",
                    place=channel.steps[0].place() if channel.steps else Place(),
                    expected="one plane: a ChannelExtractionTransformation gives one",
                )
            made.append(result)
        sizes = {result.image.shape[:2] for result in made}
        if len(sizes) > 1:
            words = " and ".join(f"{width}x{height}" for height, width in sorted(sizes))
            raise DataError(
                f"channels of {words} pixels cannot be one image",
                place=self.channels[0].steps[0].place() if self.channels[0].steps else Place(),
                expected="channels of one size",
            )
        return replace(made[0], image=np.concatenate([result.image for result in made], axis=2), rois=frame.rois)

    def apply(self, images: NDArray[Any], draws: Draws, start: int = 0) -> NDArray[Any]:
        """The transformations of whole images from number ``start`` on, all of them ``batched``."""
        for number, step in enumerate(self.steps[start:], start=start):
            images = step.apply(images, draws.child(number))
        return images

    def fixed(self) -> int:
        """How many transformations of whole images, from the first on, give the same result each time."""
        for number, step in enumerate(self.steps):
            if step.drawn:
                return number
        return len(self.steps)


def run(steps: tuple[Transformation, ...], frame: Frame, draws: Draws, number: int) -> Frame:
    """One transformation after the other, each with random streams of its own from ``number`` on."""
    for stream, step in enumerate(steps, start=number):
        frame = step.transform(frame, draws.child(stream))
    return frame


def depth_after(steps: Sequence[Transformation], dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The depth of images after some transformations."""
    for step in steps:
        dtype = step.out_dtype(dtype)
    return dtype


def dims_after(steps: Sequence[Transformation], dims: Dims) -> Dims | None:
    """(width, height, channels) of images after some transformations; None if that depends on the image."""
    for step in steps:
        found = step.out_dims(dims)
        if found is None:
            return None
        dims = found
    return dims


def fingerprint(steps: Sequence[Transformation]) -> str:
    """A hash of what some transformations are: their types, all their parameters, and files that these name."""
    found = hashlib.sha256()
    for step in steps:
        words = [registry.name_of("transformation", type(step))]
        words += [f"{one.key}={getattr(step, name)!r}" for name, one in declarations(type(step)).items()]
        found.update("\n".join(words).encode())
        found.update(hashlib.sha256(step.read_from_files()).digest())
    return found.hexdigest()
