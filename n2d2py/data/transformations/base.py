"""What all transformations have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py import console
from n2d2py.data.draws import Draws
from n2d2py.data.frame import IGNORE, Frame
from n2d2py.data.partition import APPLY_TO
from n2d2py.kinds import one_of
from n2d2py.parameters import Record, parameter

Dims = tuple[int, int, int]
"""(width, height, channels) of one image."""


@dataclass(frozen=True, kw_only=True)
class Transformation(Record):
    """A change of images before they reach the network: the same for every image, unless it is ``drawn``.

    The depth of images (N2D2's word for the type of their values) is a NumPy type: ``uint8`` is 8U,
    ``float32`` is 32F. A chain that ends in an integer depth is followed by the implicit scaling of the
    provider; so the depth that a transformation gives matters, and :meth:`out_dtype` states it.
    """

    apply_to: str = parameter("ApplyTo", one_of(*APPLY_TO), "All", "sets of stimuli that are transformed")

    warned: set[str] = field(default_factory=set, init=False, compare=False, repr=False)

    batched: ClassVar[bool] = False
    """Whether there is :meth:`apply`, for images whose labels and regions need not be moved with them."""

    pointwise: ClassVar[bool] = False
    """Whether each output value is a function of the channel and of the one input value at its place."""

    leaves_regions: ClassVar[bool] = False
    """Whether pixels move and the regions of a stimulus stay where they are."""

    @property
    def by_pixel(self) -> bool:
        """Whether each output pixel is computed from the input pixel at its place, to the bit the same anywhere."""
        return False

    @property
    def rearranging(self) -> bool:
        """Whether each output value is the input value of its channel at another place, whatever the values are."""
        return False

    @property
    def drawn(self) -> bool:
        """Whether each image is transformed in a way of its own, drawn at random each time it is learned."""
        return False

    def __post_init__(self) -> None:
        others = [name for name in self.sets if name != "Learn"]
        if self.drawn and others:
            console.warning(
                f"images are drawn at random for {' and '.join(others)} as well: ApplyTo=LearnOnly would test on "
                f"the same images each time, at: {self.place('apply_to')}"
            )

    def read_from_files(self) -> bytes:
        """What the transformation takes from files, which its parameters only name; empty without any."""
        return b""

    @property
    def sets(self) -> tuple[str, ...]:
        """Names of the sets that are transformed."""
        return APPLY_TO[self.apply_to]

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """The depth of the output for images of depth ``dtype``.

        Raises ParameterError if images of that depth cannot be transformed.
        """
        return dtype

    def out_dims(self, dims: Dims) -> Dims | None:
        """The dimensions of the output; None if they depend on the image.

        Raises ParameterError if images of ``dims`` cannot be transformed.
        """
        return dims

    def with_labels(self, names: Sequence[str], default: int = IGNORE) -> Transformation:
        """The same transformation once the labels are known: their names by id, and the one of unlabelled pixels."""
        return self

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        """Transform one stimulus: its image and, where they move with it, its labels and regions.

        This is the definition. ``draws`` holds one stream of random numbers.
        """
        return frame.with_image(self.apply(frame.image[np.newaxis], draws)[0])

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        """Transform images (count, height, width, channels), bit for bit as :meth:`transform` does one by one.

        ``draws`` holds a stream of random numbers for each of them.
        """
        raise NotImplementedError

    def on_images(self, images: NDArray[Any], seed: int) -> NDArray[Any]:
        """Transform images (count, height, width, channels) that are in no chain; what is drawn follows ``seed``."""
        draws = Draws.of(seed, 0, range(len(images)))
        if self.batched:
            return self.apply(images, draws)
        none = np.full((1, 1), IGNORE, np.int32)
        made = [self.transform(Frame(image, none), draws.image(index)).image for index, image in enumerate(images)]
        return np.stack(made)

    def warn_once(self, text: str) -> None:
        """A warning about an image, said for the first of them only."""
        if text not in self.warned:
            self.warned.add(text)
            console.warning(f"{text}, at: {self.place()}")


class ImageTransformation(Transformation):
    """A transformation of the image alone, one by one: labels and regions stay what they are."""

    batched: ClassVar[bool] = True

    def change(self, image: NDArray[Any], draws: Draws) -> NDArray[Any]:
        """Transform one image (height, width, channels); one channel may come back without its axis."""
        raise NotImplementedError

    def transform(self, frame: Frame, draws: Draws) -> Frame:
        return frame.with_image(self.change(frame.image, draws))

    def apply(self, images: NDArray[Any], draws: Draws) -> NDArray[Any]:
        if not len(images):
            _, height, width, channels = images.shape
            columns, rows, planes = self.out_dims((width, height, channels)) or (width, height, channels)
            return np.empty((0, rows, columns, planes), self.out_dtype(images.dtype))
        first = self.change(images[0], draws.image(0))
        result = np.empty((len(images), *first.shape), first.dtype)
        result[0] = first
        for index in range(1, len(images)):
            result[index] = self.change(images[index], draws.image(index))
        return result if result.ndim == 4 else result[..., np.newaxis]
