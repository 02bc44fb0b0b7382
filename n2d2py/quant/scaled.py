"""Integer codes beside their scale, as they flow through learning with ``QWeight.Mode=Integer``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Scaled:
    """A tensor of learning: value = ``values`` * ``scale``.

    ``values`` (batch, channels, height, width) holds codes of at most ``high`` in magnitude if there is a ``scale``
    (a scalar tensor without gradient), and real values if there is none. The gradient of a code is that of its value
    times the scale.
    """

    values: Tensor
    scale: Tensor | None = None
    high: int = 0

    def real(self) -> Tensor:
        """The real values, with their gradient."""
        return self.values if self.scale is None else self.values * self.scale


def shared(inputs: Sequence[Scaled]) -> tuple[Tensor, int] | None:
    """(scale, largest magnitude of a code) of inputs that are codes of one scale, else None."""
    first = inputs[0].scale
    if first is None:
        return None
    for x in inputs[1:]:
        if x.scale is None or (x.scale is not first and bool(x.scale != first)):
            return None
    return first, max(x.high for x in inputs)
