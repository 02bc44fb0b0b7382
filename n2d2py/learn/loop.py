"""The learning loop: epochs or steps, logs with validation and saving, and a clean end whatever happens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from n2d2py import console
from n2d2py.errors import LearningError
from n2d2py.learn import losses, solving, weights
from n2d2py.learn.finiteness import LossWatch, first_unsound, unsound_parameter
from n2d2py.learn.history import History, Log, Plan, Success, Watcher
from n2d2py.learn.metrics import metric_lines, percent
from n2d2py.learn.mistakes import Mistaken
from n2d2py.learn.progress import Bar, Pace, epoch_line, shown, step_line
from n2d2py.learn.targets import Comparison, Tally
from n2d2py.learn.testing import Result, comparisons, device_of, evaluate, scoring

if TYPE_CHECKING:
    from n2d2py.data.random import Generator
    from n2d2py.data.stimuli import Batch, Stimuli
    from n2d2py.layers.network import TorchNetwork

INITIAL, LAST, BEST = "weights_init", "weights", "weights_validation"
"""Folders of weights: before learning, at the last log without validation, at the best validation."""
_DOTS = "." * 20


def learn(
    network: TorchNetwork, stimuli: Stimuli, plan: Plan, generator: Generator, watcher: Watcher | None = None
) -> History:
    """Let ``network`` learn from ``stimuli`` as ``plan`` says; returns what happened.

    ``generator`` draws the batches; dropout draws from torch's own generator, which the caller seeds. Raises
    :class:`LearningError` if a value is no longer finite (the weights saved last stay as they are), and
    KeyboardInterrupt, after the weights were saved into ``weights``, if the user interrupts.
    """
    learner = _Learner(network, stimuli, plan, watcher)
    network.train()
    try:
        learner.save(INITIAL)
        if plan.epochs:
            learner.learn_epochs(generator)
        elif plan.stimuli:
            learner.learn_stimuli(generator)
    except KeyboardInterrupt:
        learner.rescue()
        raise
    finally:
        network.eval()
    return History(learner.logs, learner.best, learner.stopped)


class _Learner:
    """The state of a learning run."""

    def __init__(self, network: TorchNetwork, stimuli: Stimuli, plan: Plan, watcher: Watcher | None) -> None:
        self.network, self.stimuli, self.plan, self.watcher = network, stimuli, plan, watcher
        self.device = device_of(network)
        self.size, self.batch_size = stimuli.size("Learn"), stimuli.batch_size
        self.solving = solving.build(network.learned(), self.batch_size)
        self.targets = comparisons(network, stimuli)
        self._check()
        self.tallies = {id(target): Tally(target) for target in scoring(self.targets)}
        self.mistaken = {key: Mistaken() for key in self.tallies}
        self.window = plan.window // self.batch_size
        self.watch = LossWatch()
        self.pace = Pace()
        self.batches = 0
        self.logs: list[Log] = []
        self.best: float | None = None
        self.bests: dict[int, float] = {}
        self.lower = 0
        self.stopped = False

    def _check(self) -> None:
        if self.size == 0:
            raise LearningError(
                "there is nothing to learn from: the learning set is empty",
                remedy="check the partition of the database (Learn, Validation)",
            )
        if not self.targets:
            raise LearningError(
                "the network has no target to learn", remedy="add a section such as [softmax.Target] to the INI file"
            )
        if not self.solving.groups:
            raise LearningError(
                "no cell of the network learns", remedy="is BackPropagate=0, or are there no cells with weights?"
            )
        for target in self.targets:
            target.check(self.stimuli.labels("Learn"))

    # Learning

    def learn_epochs(self, generator: Generator) -> None:
        """``plan.epochs`` shuffled passes over the learning set."""
        plan, total = self.plan, -(-self.size // self.batch_size)
        for epoch in range(plan.epochs):
            pace = Pace()
            with Bar(f"Learning #epoch {epoch}", total) as bar:
                for done, batch in enumerate(self.stimuli.epoch(generator), start=1):
                    self._step(batch, epoch)
                    text = shown(self._recent()) if bar.drawn and self._report_is_due(batch) else None
                    bar.to(done, text)
            speed = pace.speed(total * self.batch_size)
            console.line(epoch_line(epoch, 1.0, self._recent(), pace.seconds, speed))
            last = epoch + 1 == plan.epochs
            if last or (plan.log_epochs and (epoch + 1) % plan.log_epochs == 0):
                self._log(epoch)
            if self.stopped:
                return

    def learn_stimuli(self, generator: Generator) -> None:
        """Batches of independent draws, until ``plan.stimuli`` stimuli were seen."""
        plan, total = self.plan, -(-self.plan.stimuli // self.batch_size)
        report, log = plan.report, plan.log_stimuli
        with Bar("Learning", total) as bar:
            for index, batch in enumerate(self.stimuli.draws(total, generator)):
                self._step(batch, None)
                stimulus, last = index * self.batch_size, index + 1 == total
                bar.to(index + 1)
                if stimulus >= report or last:
                    report += plan.report
                    recent = self._recent()
                    bar.to(index + 1, shown(recent))
                    if not bar.drawn:
                        seen = stimulus + self.batch_size
                        console.line(step_line(stimulus, self.size, recent, self.pace.speed(seen)))
                if stimulus >= log or last:
                    log += plan.log_stimuli
                    self._log(None)
                if self.stopped:
                    return

    def _report_is_due(self, batch: Batch) -> bool:
        every = max(1, self.plan.report // len(batch.ids))
        return self.batches % every == 0

    def _step(self, batch: Batch, epoch: int | None) -> None:
        """Forward, loss, backward, update: one batch."""
        inputs = batch.inputs.to(self.device, non_blocking=True)
        outputs = self.network(inputs)
        wanted = self._wanted(outputs, batch)
        loss = self._loss(outputs, wanted, inputs)
        if not self.watch.add(loss):
            unsound = first_unsound(self.network, inputs, lambda: self._loss(self.network(inputs), wanted, inputs))
            self._fail(epoch, unsound)
        loss.backward()
        self.solving.step()
        self.batches += 1
        for comparison, labels in zip(self.targets, wanted, strict=True):
            if (tally := self.tallies.get(id(comparison))) is not None:
                output = losses.outputs(self._form(comparison), outputs[comparison.target.cell].detach())
                self.mistaken[id(comparison)].add(batch.ids, tally.add(output, labels))

    def _form(self, comparison: Comparison) -> str:
        return self.network.loss_form(comparison.target.cell)

    def _wanted(self, outputs: dict[str, Tensor], batch: Batch) -> list[Tensor]:
        return [target.labels(batch.labels, outputs[target.target.cell]) for target in self.targets]

    def _loss(self, outputs: dict[str, Tensor], wanted: list[Tensor], inputs: Tensor) -> Tensor:
        """The sum of what all targets ask of their cells."""
        parts = []
        for comparison, labels in zip(self.targets, wanted, strict=True):
            output = outputs[comparison.target.cell]
            if comparison.target.data_as_target:
                parts.append(losses.reconstruction_error(output, inputs))
            else:
                parts.append(losses.error(self._form(comparison), comparison.target, output, labels))
        return sum(parts[1:], parts[0])

    def _recent(self) -> list[float]:
        return [tally.recent(self.window) for tally in self.tallies.values()]

    # Logs

    def _log(self, epoch: int | None) -> None:
        """Validate or save, test if wanted, tell the watcher."""
        self._make_sure(epoch)
        learning = [self._success(key, tally) for key, tally in self.tallies.items()]
        validation, score, best, saved = self._validate() if self.stimuli.size("Validation") else self._keep()
        test = self._test() if self.plan.test_at_logs else []
        log = Log(
            epoch=epoch,
            batches=self.batches,
            stimuli=self.batches * self.batch_size,
            seconds=self.pace.seconds,
            rate=self.solving.rate,
            learning=learning,
            validation=validation,
            score=score,
            best=best,
            saved=saved,
            test=test,
        )
        self.logs.append(log)
        if self.watcher is not None:
            self.watcher.logged(log)

    def _success(self, key: int, tally: Tally) -> Success:
        success = Success(
            target=tally.comparison.target,
            recent=tally.recent(self.window),
            successes=tally.successes(),
            confusion=tally.confusion,
            mistaken=self.mistaken[key].take(),
        )
        tally.clear_confusion()
        return success

    def _keep(self) -> tuple[list[Result], float | None, bool, Path | None]:
        return [], None, False, self.save(LAST)

    def _validate(self) -> tuple[list[Result], float | None, bool, Path | None]:
        """Score the validation set, save the weights if the primary target has never been better."""
        results = evaluate(self.network, self.stimuli, "Validation", title="Validation")
        console.line(f"Validation{_DOTS}")
        saved: Path | None = None
        primary_best = False
        for index, result in enumerate(results):
            score = result.confusion.average(self.plan.metric)
            before = self.bests.get(index, 0.0)
            if score > before:
                self.bests[index] = score
                console.line(f"+++ BEST validation score: {percent(score)} [{self.plan.metric}]")
                if index == 0:
                    primary_best = True
                    saved = self.save(BEST)
                    console.line(f"    '{BEST}' saved!")
            else:
                console.line(
                    f"--- LOWER validation score: {percent(score)} [{self.plan.metric}] (best was {percent(before)})"
                )
            for line in metric_lines(result.confusion):
                console.line(line)
        self.best = self.bests.get(0, 0.0)
        self._count(primary_best)
        return results, results[0].confusion.average(self.plan.metric) if results else None, primary_best, saved

    def _count(self, best: bool) -> None:
        """Stop learning after too many validations in a row without a better one."""
        self.lower = 0 if best else self.lower + 1
        if self.plan.stop_after and self.lower >= self.plan.stop_after:
            console.line(f"--- Validation did not improve after {self.lower} steps")
            console.line("--- STOPPING THE LEARNING")
            self.stopped = True

    def _test(self) -> list[Result]:
        results = evaluate(self.network, self.stimuli, "Test")
        for result in results:
            console.line(f"Test at this log (for information only): {percent(result.rate)}")
        return results

    # Weights, and what can go wrong

    def save(self, name: str) -> Path:
        """Save the weights into a folder of the plan's folder."""
        folder = self.plan.folder / name
        weights.save(self.network, folder)
        return folder

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
        if self.batches == 0:
            return  # nothing was learned, and weights of an earlier run may be there
        parameter = unsound_parameter(self.network)
        if parameter is not None:
            console.warning(f"interrupted; nothing was saved, because a number in {parameter} is not finite")
            return
        folder = self.save(LAST)
        console.notice(f"interrupted after {self.batches} batches; the weights are saved in {folder}")
