"""How gradients change parameters: one solver for all tensors that share a record.

Gradients are sums over the batch, so that a rule that wants their mean divides its rate by the batch size.
All tensors of a solver are updated together (``torch._foreach_*``): a network of many small tensors costs a
few kernel launches, not a few for each tensor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from n2d2py.layers.base import Learned
from n2d2py.parts.solvers import Solver
from n2d2py.registry import find, name_of


class Updates:
    """A solver at work on tensors that share its record; ``updates`` counts the updates done."""

    counters: ClassVar[tuple[str, ...]] = ("updates",)
    """Names of the attributes that count."""
    moments: ClassVar[tuple[str, ...]] = ()
    """Names of the attributes that hold a tensor for each of the tensors, or None before the first update."""

    def __init__(self, record: Solver, tensors: Sequence[nn.Parameter], batch_size: int) -> None:
        self.record = record
        self.tensors = list(tensors)
        self.batch_size = batch_size
        self.updates = 0

    @property
    def rate(self) -> float:
        """The learning rate of the next update."""
        raise NotImplementedError

    def step(self) -> None:
        """Use the gradients of one batch, and forget them once they have been used."""
        raise NotImplementedError

    def counts(self) -> dict[str, int]:
        """The counters, for a checkpoint."""
        return {name: getattr(self, name) for name in self.counters}

    def held(self) -> dict[str, Tensor]:
        """What it holds beside the tensors, for a checkpoint: moments, and gradients that wait for more batches."""
        moments = {name: getattr(self, name) or [] for name in self.moments}
        found = {f"{name}.{index}": tensor for name, tensors in moments.items() for index, tensor in enumerate(tensors)}
        waiting = {f"gradient.{index}": one.grad for index, one in enumerate(self.tensors) if one.grad is not None}
        return found | waiting

    def go_on(self, counts: Mapping[str, int], held: Mapping[str, Tensor]) -> None:
        """Be as another one was when it gave :meth:`counts` and :meth:`held`."""
        for name in self.counters:
            setattr(self, name, counts[name])
        for name in self.moments:
            if f"{name}.0" in held:
                found = [torch.empty_like(one).copy_(held[f"{name}.{i}"]) for i, one in enumerate(self.tensors)]
                setattr(self, name, found)
        for index, tensor in enumerate(self.tensors):
            if (gradient := held.get(f"gradient.{index}")) is not None:
                tensor.grad = torch.empty_like(tensor).copy_(gradient)

    def _pull(self) -> list[int]:
        """Indices of the tensors that have a gradient; a cell that no target reaches has none."""
        return [index for index, tensor in enumerate(self.tensors) if tensor.grad is not None]

    def _forget(self) -> None:
        for tensor in self.tensors:
            tensor.grad = None


class Solving:
    """All solvers of a network; see :func:`build`."""

    def __init__(self, groups: Sequence[Updates]) -> None:
        self.groups = list(groups)

    @torch.no_grad()
    def step(self) -> None:
        """One learning step: call it after the backward pass of each batch."""
        for group in self.groups:
            group.step()

    def rates(self) -> dict[Solver, float]:
        """The learning rate of the next update, by solver record."""
        return {group.record: group.rate for group in self.groups}

    @property
    def rate(self) -> float:
        """The learning rate of the first solver, the one to show where there is room for one."""
        return self.groups[0].rate if self.groups else 0.0


def build(learned: Iterable[tuple[str, Learned]], batch_size: int) -> Solving:
    """Solvers for what a network learns (``TorchNetwork.learned()``).

    Tensors of equal records (and of one device and type) share a solver: with equal records they share rate
    and counters anyway, and each has its own velocity. A tensor that stands twice (shared weights) is updated
    once. Raises the :meth:`~n2d2py.parts.solvers.Solver.flaw` of a solver that cannot learn.
    """
    groups: dict[tuple[Solver, torch.device, torch.dtype], list[nn.Parameter]] = {}
    known: set[int] = set()
    for _, item in learned:
        if id(item.tensor) in known:
            continue
        known.add(id(item.tensor))
        if (flaw := item.solver.flaw()) is not None:
            raise flaw
        groups.setdefault((item.solver, item.tensor.device, item.tensor.dtype), []).append(item.tensor)
    return Solving(
        [
            find("solving", name_of("solver", type(record)))(record, tensors, batch_size)
            for (record, _, _), tensors in groups.items()
        ]
    )


def clamp(tensors: list[Tensor], bounds: tuple[float | None, float | None]) -> None:
    """Clip tensors in place to (lower, upper); None means no bound."""
    low, high = bounds
    if low is not None:
        torch._foreach_clamp_min_(tensors, low)
    if high is not None:
        torch._foreach_clamp_max_(tensors, high)
