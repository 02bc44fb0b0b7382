"""Knowledge distillation: a network with quantizers learns from the same network without them.

With logits z of the learner and t of the teacher, temperature T and share a, the loss of a target becomes

    (1 - a) loss + a T^2 KL(softmax(t / T) || softmax(z / T))

summed over the batch (Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network", arXiv:1503.02531,
section 2; T^2 keeps the size of the gradient).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from n2d2py import console
from n2d2py.errors import LearningError, WeightsError
from n2d2py.graph.floating import without_quantizers
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import weights
from n2d2py.learn.targets import flat
from n2d2py.parts.targets import Target

_SMALLEST = 1e-30
"""Probabilities of a teacher's softmax below this count as this much."""


class Teacher:
    """A network at rest, with learned weights, for one target."""

    def __init__(self, network: TorchNetwork, target: Target) -> None:
        self.network = network
        self.target = target

    def mixed(self, loss: Tensor, output: Tensor, inputs: Tensor) -> Tensor:
        """The loss of the target with what the teacher wants; ``output`` are the learner's logits."""
        share = self.target.distill_share
        return (1 - share) * loss + share * divergence(output, self.logits(inputs), self.target.distill_temperature)

    @torch.no_grad()
    def logits(self, inputs: Tensor) -> Tensor:
        """The teacher's logits; the logarithm of its probabilities if it ends in a softmax."""
        output = self.network(inputs)[self.target.cell]
        if self.network.loss_form(self.target.cell) == "cross-entropy":
            return output.clamp_min(_SMALLEST).log()
        return output


def divergence(learner: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T^2 KL(softmax(teacher / T) || softmax(learner / T)) of logits (batch, outputs, ..), over the batch summed.

    Where there are pixels, each stimulus counts the mean over them.
    """
    wanted = (flat(teacher) / temperature).log_softmax(1)
    given = (flat(learner) / temperature).log_softmax(1)
    pixels = max(1, given[0, 0].numel())
    total = functional.kl_div(given, wanted, reduction="sum", log_target=True)
    return total * (temperature**2 / pixels)


def teachers(network: TorchNetwork) -> dict[str, Teacher]:
    """The teacher of each target with ``Distill``, by the name of the target.

    Raises :class:`LearningError` for a target that compares with the data, and WeightsError for the folder.
    """
    graph = network.network
    found: dict[str, Teacher] = {}
    known: dict[str, TorchNetwork] = {}
    for target in graph.targets:
        if not target.distill:
            _warn_of_idle(target)
            continue
        if target.data_as_target or graph[target.cell].output.channels < 2:
            raise LearningError(
                f"target {target.name} has Distill and no classes to distil",
                place=target.place("distill"),
                expected="a cell with an output for each class, and DataAsTarget=0",
                remedy="remove Distill",
            )
        if target.distill not in known:
            teacher = TorchNetwork(without_quantizers(graph))
            try:
                weights.load(teacher, target.distill)
            except WeightsError as error:
                where = f", at: {error.place}" if error.place is not None else ""
                raise WeightsError(
                    f"the teacher of target {target.name}: {error.what}{where}",
                    place=target.place("distill"),
                    expected="the folder of weights that the network without quantizers has learned",
                    remedy="learn it first, and keep its folder weights under another name, as weights_float",
                ) from None
            known[target.distill] = teacher.to(_device(network)).eval().requires_grad_(False)
        found[target.name] = Teacher(known[target.distill], target)
    return found


def _warn_of_idle(target: Target) -> None:
    for name in ("distill_share", "distill_temperature"):
        place = target.places.get(name)
        if place is not None:
            console.warning(f"{place.key} has no effect without Distill, at: {place}")


def _device(network: TorchNetwork) -> torch.device:
    return next(network.parameters()).device
