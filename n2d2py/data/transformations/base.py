"""What all transformations have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from n2d2py.data.partition import SETS
from n2d2py.kinds import one_of
from n2d2py.parameters import Record, parameter

Dims = tuple[int, int, int]
"""(width, height, channels) of one image."""

_APPLY_TO = {
    "LearnOnly": ("Learn",),
    "ValidationOnly": ("Validation",),
    "TestOnly": ("Test",),
    "NoLearn": ("Validation", "Test"),
    "NoValidation": ("Learn", "Test"),
    "NoTest": ("Learn", "Validation"),
    "All": SETS,
}


@dataclass(frozen=True, kw_only=True)
class Transformation(Record):
    """A change of images before they reach the network: the same for every image, unless it is ``drawn``.

    The depth of images (N2D2's word for the type of their values) is a NumPy type: ``uint8`` is 8U,
    ``float32`` is 32F. A chain that ends in an integer depth is followed by the implicit scaling of the
    provider; so the depth that a transformation gives matters, and :meth:`out_dtype` states it.
    """

    apply_to: str = parameter("ApplyTo", one_of(*_APPLY_TO), "All", "sets of stimuli that are transformed")

    pointwise: ClassVar[bool] = False
    """Whether each output value is a function of the channel and of the one input value at its place."""

    @property
    def drawn(self) -> bool:
        """Whether each image is transformed in a way of its own, drawn at random each time it is learned."""
        return False

    @property
    def sets(self) -> tuple[str, ...]:
        """Names of the sets that are transformed."""
        return _APPLY_TO[self.apply_to]

    def out_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """The depth of the output for images of depth ``dtype``."""
        return dtype

    def out_dims(self, dims: Dims) -> Dims:
        """The dimensions of the output; raises ParameterError if images of ``dims`` cannot be transformed."""
        return dims

    def apply(self, images: NDArray[Any]) -> NDArray[Any]:
        """Transform images (count, height, width, channels), all of them in the same way."""
        raise NotImplementedError
