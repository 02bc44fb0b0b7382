"""Noticing that values are no longer finite, and finding the cell where that began."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from n2d2py.layers.base import Layer
from n2d2py.learn.syntxt import is_finite

if TYPE_CHECKING:
    from n2d2py.layers.network import TorchNetwork

EVERY = 64
"""Batches between two looks at the losses where a look waits for the device."""


class LossWatch:
    """Sees losses and says whether one was not finite.

    On the CPU every loss is looked at when it comes, before its gradient does harm. On another device looking
    means waiting, so that losses are gathered and looked at now and then.
    """

    def __init__(self) -> None:
        self._waiting: list[Tensor] = []

    def add(self, loss: Tensor) -> bool:
        """Whether all is well so far, as far as it has been looked at."""
        self._waiting.append(loss.detach())
        if loss.device.type == "cpu" or len(self._waiting) >= EVERY:
            return self.look()
        return True

    def look(self) -> bool:
        """Whether every loss since the last look was finite."""
        waiting, self._waiting = self._waiting, []
        return not waiting or is_finite(torch.stack(waiting))


def unsound_parameter(network: TorchNetwork) -> str | None:
    """The first parameter, in the order of the cells, that is not finite, in words; None if all are."""
    for cell, items in network.stored().items():
        for item in items:
            if not is_finite(item.tensor):
                return f"{item.name} of cell {cell}"
    return None


def first_unsound(network: TorchNetwork, inputs: Tensor, loss: Callable[[], Tensor]) -> str:
    """What is not finite first: a parameter, else an output, else a gradient; with its cell, in words.

    ``inputs`` are those of the batch that gave the alarm; ``loss`` computes its loss once more (forward).
    """
    if not is_finite(inputs):
        return "the stimuli"
    parameter = unsound_parameter(network)
    if parameter is not None:
        return parameter
    unsound: list[str] = []
    sizes: dict[str, float] = {}

    def look(module: torch.nn.Module, _: object, output: object) -> None:
        if isinstance(module, Layer) and isinstance(output, Tensor):
            sizes[module.node.name] = float(output.detach().abs().max())
            if not is_finite(output):
                unsound.append(f"the output of cell {module.node.name}")

    hooks = [module.register_forward_hook(look) for module in network.modules() if isinstance(module, Layer)]
    carried, network.carries_codes = network.carries_codes, False  # codes travel past the hooks; reals are the same
    try:
        value = loss()
    finally:
        network.carries_codes = carried
        for hook in hooks:
            hook.remove()
    if unsound:
        return unsound[0]
    if value.requires_grad:
        value.backward()
    for cell, item in network.learned():
        if item.tensor.grad is not None and not is_finite(item.tensor.grad):
            return f"the gradient of {item.name} of cell {cell}"
    largest = max(sizes, key=lambda name: sizes[name], default=None)
    # Finite outputs can have a square that is not.
    return "the loss" if largest is None else f"the loss (outputs of cell {largest} reach {sizes[largest]:.3g})"
