"""Several processes that learn one network, as ``torchrun`` starts them: each takes its part of every batch.

``torchrun --nproc-per-node 4 -m n2d2py net.ini -learn-epoch 90``. The parts of a batch are contiguous, gradients are
sums over the batch, and what is added up over the processes is therefore the gradient of the whole batch: the update
is that of one process, but for the order in which floats are added. Each tests its share of the batches of a set,
as one process would test them; process 0 puts the results together, writes and prints.
"""

from __future__ import annotations

import contextlib
import datetime
import math
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn

from n2d2py.errors import LearningError, UsageError
from n2d2py.layers.batchnorm import BatchNormLayer
from n2d2py.learn.syncing import synchronised_batch_norm
from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.steps import LearnedStep

_PATIENCE = datetime.timedelta(hours=2)
"""How long the others wait for process 0, which alone writes, fuses and exports."""

_T = TypeVar("_T")


class Group:
    """The processes of a run. ``rank`` is the number of this one, ``size`` how many there are."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size
        self.device = torch.device("cpu")
        """Where the exchanges of arrays take place."""

    @property
    def first(self) -> bool:
        """Whether this one tests, writes and prints."""
        return self.rank == 0

    @property
    def part(self) -> tuple[int, int]:
        """Its part of each batch."""
        return self.rank, self.size

    def check(self, batch_size: int) -> None:
        """Raise :class:`UsageError` if a batch cannot be divided among the processes."""
        if batch_size < self.size:
            raise UsageError(
                f"a batch of {batch_size} cannot be divided among {self.size} processes",
                remedy=f"torchrun with at most {batch_size} processes, or a larger BatchSize",
            )

    def backward(
        self, loss: Tensor, parameters: Sequence[nn.Parameter], requests: Sequence[bool]
    ) -> tuple[Tensor, Tensor]:
        """As ``loss.backward()``, of the sum of the losses of all processes: gradients are added to those there are.

        Gives that sum, and for each of ``requests`` how many processes made it (float32). One exchange a batch.
        """
        waiting = [parameter.grad for parameter in parameters]
        for parameter in parameters:
            parameter.grad = None
        loss.backward()
        reached = [parameter.grad is not None for parameter in parameters]
        extra = torch.tensor([*map(float, reached), *map(float, requests)], device=loss.device)
        parts = [
            parameter.grad.reshape(-1) if parameter.grad is not None else parameter.new_zeros(parameter.numel())
            for parameter in parameters
        ]
        whole = torch.cat([*(part.float() for part in parts), extra, loss.detach().reshape(1).float()])
        self._together(lambda: dist.all_reduce(whole))
        start = 0
        for index, (parameter, before) in enumerate(zip(parameters, waiting, strict=True)):
            values = whole[start : start + parameter.numel()].view_as(parameter).to(parameter.dtype)
            start += parameter.numel()
            # What no target reaches has a gradient in no process, and none is looked for on a device.
            parameter.grad = values if reached[index] else None
            if before is not None:
                parameter.grad = before if parameter.grad is None else parameter.grad.add_(before)
        return whole[-1], whole[-1 - len(requests) : -1]

    def add(self, values: NDArray[Any]) -> NDArray[Any]:
        """The sum of the arrays of all processes."""
        tensor = torch.from_numpy(np.ascontiguousarray(values)).to(self.device)
        self._together(lambda: dist.all_reduce(tensor))
        return tensor.cpu().numpy()

    def gather(self, value: _T) -> list[_T]:
        """What each process gives, in their order."""
        found: list[Any] = [None] * self.size
        self._together(lambda: dist.all_gather_object(found, value))
        return found

    def to_first(self, value: _T) -> list[_T] | None:
        """What each process gives, in their order, for process 0; None for the others."""
        found: list[Any] | None = [None] * self.size if self.first else None
        self._together(lambda: dist.gather_object(value, found))
        return found

    def from_first(self, value: _T) -> _T:
        """What process 0 gives."""
        found: list[Any] = [value]
        self._together(lambda: dist.broadcast_object_list(found))
        result: _T = found[0]
        return result

    def agree(self, network: nn.Module) -> None:
        """Give all processes the parameters, statistics and quantizers of process 0."""
        tensors = [tensor for tensor in network.state_dict().values() if isinstance(tensor, Tensor)]
        for tensor in tensors:
            self._together(lambda tensor=tensor: dist.broadcast(tensor, 0))  # type: ignore[misc]

    def prepare(self, network: nn.Module, sync_batch_norm: bool) -> None:
        """Let quantizers begin by the whole first batch, and with ``sync_batch_norm`` BatchNorm normalise by it."""
        for module in network.modules():
            if isinstance(module, ActivationQuantization):
                self._prepare_together(module, lambda module=module: module.ready)  # type: ignore[misc]
                for step in module.modules():
                    if isinstance(step, LearnedStep):
                        self._prepare_together(step, lambda step=step: step.known)  # type: ignore[misc]
                        # The gradient of a step is divided by the root of the values of the whole batch.
                        step.rate_factor /= math.sqrt(self.size)
            elif isinstance(module, BatchNormLayer) and sync_batch_norm:
                module.normalise = synchronised_batch_norm

    def _prepare_together(self, module: Any, ready: Callable[[], bool]) -> None:
        """What the first batch decides, let the parts of all processes decide."""
        prepare = module.prepare

        def together(values: Tensor) -> None:
            if not ready():
                parts = self.gather(values.detach().cpu())
                values = torch.cat(parts).to(values.device)
            prepare(values)

        module.prepare = together

    def _together(self, exchange: Callable[[], object]) -> None:
        try:
            exchange()
        except RuntimeError as error:
            raise LearningError(
                f"process {self.rank} of {self.size} has lost the others: {str(error).splitlines()[0]}",
                remedy="what the others say tells why; -resume goes on from the last checkpoint",
            ) from None


def wanted() -> bool:
    """Whether ``torchrun`` has started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def device_number() -> int:
    """The number of this process on its machine, which is that of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))


@contextlib.contextmanager
def joined() -> Iterator[Group | None]:
    """Be one of the processes that ``torchrun`` has started; None if it has not."""
    if not wanted():
        yield None
        return
    if dist.is_initialized():  # by who runs several stages one after the other
        yield Group(dist.get_rank(), dist.get_world_size())
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=_PATIENCE)
    try:
        yield Group(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
