"""What learns: a network with its solvers and targets, batch by batch, and the weights that are saved of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from n2d2py import console
from n2d2py.errors import LearningError
from n2d2py.learn import distillation, losses, regions, solving, weights
from n2d2py.learn.comparing import comparisons
from n2d2py.learn.compiling import compile_passes
from n2d2py.learn.detection import BoxComparison
from n2d2py.learn.finiteness import LossWatch, first_unsound, unsound_parameter
from n2d2py.learn.history import Log, Plan, Watcher
from n2d2py.learn.interruption import Interruption
from n2d2py.learn.mistakes import Mistaken
from n2d2py.learn.precision import prepared
from n2d2py.learn.progress import Due, Pace
from n2d2py.learn.quantizing import progressing
from n2d2py.learn.snapshots import Position
from n2d2py.learn.tally import Tally
from n2d2py.learn.testing import device_of
from n2d2py.learn.validation import Validation
from n2d2py.quant.layouts import widened

if TYPE_CHECKING:
    from n2d2py.data.random import Generator
    from n2d2py.data.stimuli import Batch, Stimuli
    from n2d2py.layers.network import TorchNetwork
    from n2d2py.learn.checkpoint import Checkpoints
    from n2d2py.learn.distributed import Group

INITIAL, LAST, BEST = "weights_init", "weights", "weights_validation"
"""Folders of weights: before learning, at the last log without validation, at the best validation."""
STATES = {LAST: "net_state", BEST: "net_state_validation"}
"""The folder of the whole state beside each of them."""

_LOOKING = 1.0  # seconds between two looks at what a GPU has counted


class Learner:
    """The state of a learning run."""

    def __init__(
        self,
        network: TorchNetwork,
        stimuli: Stimuli,
        plan: Plan,
        generator: Generator,
        watcher: Watcher | None,
        checkpoints: Checkpoints | None,
        group: Group | None,
    ) -> None:
        self.network, self.stimuli, self.plan, self.watcher = network, stimuli, plan, watcher
        self.generator, self.checkpoints, self.group = generator, checkpoints, group
        self.device = device_of(network)
        if plan.compiled:
            compile_passes(network, self.device)
        self.precision, self.hooks = prepared(plan.precision, network)
        self.size, self.batch_size = stimuli.size("Learn"), stimuli.batch_size
        self.solving = solving.build(network.learned(), self.batch_size)
        self.parameters = [tensor for one in self.solving.groups for tensor in one.tensors]
        self.targets = comparisons(network, stimuli)
        self.learned = [target for target in self.targets if target.target.learns]
        self.regions = regions.of_cells(network, stimuli)
        self._check()
        self.tallies = {id(target): Tally(target) for target in self.learned if target.target.judges_learning}
        self.mistaken = {key: Mistaken() for key in self.tallies}
        self.valued = {target.target.cell for target in self.targets if target.needs_values}
        self.teachers = distillation.teachers(network)
        self.advancing = progressing(network)
        self.window = plan.window // self.batch_size
        self.watch = LossWatch()
        self.pace = Pace()
        self.seldom = Due(_LOOKING)
        self.interruption = Interruption()
        self.validation = Validation(plan.metric, plan.stop_after)
        self.position = Position(report=plan.report, log=plan.log_stimuli)
        self.batches = 0
        self.logs: list[Log] = []
        self.loss: Tensor | None = None
        self.losses: list[Tensor] = []
        """Those of the batches since the last log."""
        self.asked = torch.zeros(2)
        """With several processes: how many were asked to stop, and whether a checkpoint is due."""

    def _check(self) -> None:
        if self.size == 0:
            raise LearningError(
                "there is nothing to learn from: the learning set is empty",
                remedy="check the partition of the database (Learn, Validation)",
            )
        if not self.learned and not self.regions:
            raise LearningError(
                "the network has no target to learn", remedy="add a section such as [softmax.Target] to the INI file"
            )
        if not self.solving.groups:
            raise LearningError(
                "no cell of the network learns", remedy="is BackPropagate=0, or are there no cells with weights?"
            )
        for target in self.learned:
            target.check_set(self.stimuli, "Learn")
        for one in self.regions.values():
            one.check(self.stimuli, "Learn")

    @property
    def _may_look(self) -> bool:
        """Whether it is time to ask what was counted: on a device that is waited for, once in a while."""
        return self.device.type == "cpu" or bool(self.seldom)

    @property
    def _part(self) -> tuple[int, int]:
        return (0, 1) if self.group is None else self.group.part

    @property
    def _checkpoint_is_due(self) -> bool:
        return self._writes and self.checkpoints is not None and self.checkpoints.due

    @property
    def _writes(self) -> bool:
        return self.group is None or self.group.first

    @property
    def log_period(self) -> int:
        """Stimuli from one log to the next."""
        if self.plan.epochs:
            return (self.plan.log_epochs or self.plan.epochs) * self.size
        return self.plan.log_stimuli

    def _step(self, batch: Batch, epoch: int | None) -> None:
        """Forward, loss, backward, update: one batch."""
        if not len(batch.ids):
            if self.group is not None:
                raise LearningError(
                    "all stimuli of a part of a batch are bad: the processes cannot learn it together",
                    remedy="mend or remove the stimuli named above, or learn in fewer processes",
                )
            return
        inputs = batch.inputs.to(self.device, non_blocking=True)
        self.network.labels = lambda output: self.learned[0].labels(batch.labels, output)
        if self.regions:
            self.network.truth = {cell: one.of(batch.regions) for cell, one in self.regions.items()}
        outputs = self._outputs(inputs)
        wanted = self._wanted(outputs, batch)
        data = inputs if batch.target_data is None else batch.target_data.to(self.device, non_blocking=True)
        loss = self._loss(outputs, wanted, inputs, data)

        def again() -> Tensor:
            return self._loss(self._outputs(inputs), wanted, inputs, data)

        if self.group is None:
            self._look_at(loss, inputs, again, epoch)
            loss.backward()
        else:
            asked = (self.interruption.asked is not None, self._checkpoint_is_due)
            loss, self.asked = self.group.backward(loss, self.parameters, asked)
            self._look_at(loss, inputs, again, epoch)
        self.loss = loss.detach()
        self.losses.append(self.loss)
        self.solving.step()
        self.batches += 1
        for layer in self.advancing:
            layer.advance(self.batches * self.batch_size, self.log_period)
        judged = {
            cell: losses.outputs(self.network.loss_form(cell), output.detach(), cell in self.valued)
            for cell, output in outputs.items()
        }
        for comparison, labels in zip(self.learned, wanted, strict=True):
            if (tally := self.tallies.get(id(comparison))) is not None:
                self.mistaken[id(comparison)].add(batch.ids, tally.add(judged, labels, data))

    def _outputs(self, inputs: Tensor) -> dict[str, Tensor]:
        """What the network gives in learning, float32."""
        with self.precision.forward(self.device):
            outputs = self.network(inputs)
        return {cell: widened(output) for cell, output in outputs.items()}

    def _look_at(self, loss: Tensor, inputs: Tensor, again: Callable[[], Tensor], epoch: int | None) -> None:
        if not self.watch.add(loss):
            self._fail(epoch, first_unsound(self.network, inputs, again))

    def _wanted(self, outputs: dict[str, Tensor], batch: Batch) -> list[Tensor]:
        return [target.wanted(outputs, batch) for target in self.learned]

    def _loss(self, outputs: dict[str, Tensor], wanted: list[Tensor], inputs: Tensor, data: Tensor) -> Tensor:
        """The sum of what the targets ask of their cells, and what cells ask for themselves.

        Of several targets of one cell the last one asks. ``data``: what the outputs of targets with DataAsTarget are
        compared with.
        """
        pairs = zip(self.learned, wanted, strict=True)
        asked = {comparison.target.cell: (comparison, labels) for comparison, labels in pairs}
        parts = self.network.own_losses() if self.regions else []
        for cell, (comparison, labels) in asked.items():
            target = comparison.target
            if isinstance(comparison, BoxComparison):
                parts.append(comparison.loss(self.network.loss_form(cell), outputs, labels))
            elif target.data_as_target:
                parts.append(losses.reconstruction_error(outputs[cell], data))
            else:
                parts.append(losses.error(self.network.loss_form(cell), target, outputs[cell], labels))
            if (teacher := self.teachers.get(target.name)) is not None:
                parts[-1] = teacher.mixed(parts[-1], outputs[cell], inputs)
        return sum(parts[1:], parts[0])

    def _recent(self) -> list[float]:
        return [tally.recent(self.window) for tally in self.tallies.values()]

    def _share(self) -> None:
        """Let this process know what all of them have counted."""
        if self.group is not None:
            for tally in self.tallies.values():
                tally.share(self.group.add)

    def save(self, name: str) -> Path:
        """Save the weights into a folder of the plan's folder."""
        folder = self.plan.folder / name
        if self._writes:
            weights.save(self.network, folder)
        return folder

    def _try_to_save(self, name: str, last: bool) -> Path | None:
        """Save the weights; before the ``last`` log a disk that does not take them is no reason to stop learning."""
        try:
            return self.save(name)
        except OSError as error:
            if last:
                raise
            reason = error.strerror or error
            console.warning(f"the weights could not be saved into {name}: {reason}; learning goes on to the next log")
            return None

    def _make_sure(self, epoch: int | None) -> None:
        if not self.watch.look():
            self._fail(epoch, unsound_parameter(self.network) or "the loss")
        parameter = unsound_parameter(self.network)
        if parameter is not None:
            self._fail(epoch, parameter)

    def _fail(self, epoch: int | None, what: str) -> None:
        when = f"batch {self.batches}" + ("" if epoch is None else f" (epoch {epoch})")
        saved = [log.saved for log in self.logs if log.saved is not None]
        kept = f"the last good weights are in {saved[-1]}" if saved else f"those of the start are in {INITIAL}"
        rates = ", ".join(f"{rate:g}" for rate in dict.fromkeys(self.solving.rates().values()))
        raise LearningError(
            f"learning broke down at {when}: there is a number that is not finite in {what}",
            expected="finite values everywhere",
            remedy=f"a lower LearningRate (it was {rates}), a smaller Momentum, or other fillers; {kept}",
        )

    def rescue(self) -> None:
        """Save what an interrupted run has learned, unless it is not finite."""
        if self.batches == 0 or not self._writes:
            return  # nothing was learned, and weights of an earlier run may be there
        parameter = unsound_parameter(self.network)
        if parameter is not None:
            console.warning(f"interrupted; nothing was saved, because a number in {parameter} is not finite")
            return
        folder = self.save(LAST)
        console.notice(f"interrupted after {self.batches} batches; the weights are saved in {folder}")
