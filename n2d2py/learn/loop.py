"""The learning loop: epochs or steps, logs with validation and saving, and a clean end whatever happens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from n2d2py import console
from n2d2py.learn import snapshots
from n2d2py.learn.expected import mean_loss
from n2d2py.learn.history import History, Log, Plan, Success, Watcher
from n2d2py.learn.learner import BEST, INITIAL, LAST
from n2d2py.learn.metrics import percent
from n2d2py.learn.precision import FULL
from n2d2py.learn.progress import Bar, Due, Pace, course, epoch_line, shown, step_line
from n2d2py.learn.quantizing import report_still, report_zeros
from n2d2py.learn.stopping import Stoppable
from n2d2py.learn.testing import Result, evaluate
from n2d2py.learn.validation import LIKELIHOOD, Verdict

if TYPE_CHECKING:
    from n2d2py.data.random import Generator
    from n2d2py.data.stimuli import Batch, Stimuli
    from n2d2py.layers.network import TorchNetwork
    from n2d2py.learn.checkpoint import Checkpoints, Saved
    from n2d2py.learn.distributed import Group


def learn(
    network: TorchNetwork,
    stimuli: Stimuli,
    plan: Plan,
    generator: Generator,
    watcher: Watcher | None = None,
    checkpoints: Checkpoints | None = None,
    start: Saved | None = None,
    begin: Saved | None = None,
    group: Group | None = None,
) -> History:
    """Let ``network`` learn from ``stimuli`` as ``plan`` says; returns what happened.

    ``generator`` draws the batches; dropout draws from torch's own generator, which the caller seeds. With
    ``checkpoints`` the whole state is kept at each log and now and then; ``start`` is one from which learning goes
    on as if it had never stopped, ``begin`` one whose solvers it begins with. ``group``: the processes that learn
    together; the first one tests and writes.

    Raises :class:`LearningError` if a value is no longer finite (the weights saved last stay as they are). Asked to
    stop by Ctrl-C or SIGTERM it ends after the present batch and raises KeyboardInterrupt or :class:`Terminated`,
    once the state is kept; after Ctrl-C the weights are saved into ``weights`` too.
    """
    learner = _Course(network, stimuli, plan, generator, watcher, checkpoints, group)
    network.train()
    try:
        with learner.interruption.watch(), learner.precision.products(learner.device):
            if start is not None:
                learner.go_on(start)
            else:
                learner.save(INITIAL)
                if begin is not None:
                    snapshots.load_solvers(learner.solving, begin)
                report_zeros(network)
            if group is not None:
                group.agree(network)
            if plan.epochs:
                learner.learn_epochs()
            elif plan.stimuli:
                learner.learn_stimuli()
            report_still(network)
    except KeyboardInterrupt:
        learner.rescue()
        raise
    finally:
        network.eval()
        for hook in learner.hooks:
            hook.remove()
    validation = learner.validation if stimuli.size("Validation") else None
    return History(learner.logs, validation.best if validation else None, learner.validation.stopped)


class _Course(Stoppable):
    """The course of learning: its epochs or steps, and its logs."""

    def learn_epochs(self) -> None:
        """``plan.epochs`` shuffled passes over the learning set."""
        plan, total, position = self.plan, -(-self.size // self.batch_size), self.position
        for epoch in range(position.epoch, plan.epochs):
            if self.validation.stopped:
                return
            pace, first, due_line = Pace(), position.done, Due()
            position.begun = self.generator.state
            with self._bar(f"Learning #epoch {epoch}", total) as bar:
                for batch in self.stimuli.epoch(self.generator, first, self._part, True):
                    self._step(batch, epoch)
                    position.done += 1
                    text = self._shown(self._recent()) if bar.drawn and self._report_is_due(batch) else None
                    bar.to(position.done, text)
                    if not bar.drawn and due_line:
                        share = 100.0 * position.done / total
                        self._say(f"Learning #epoch {epoch} ({share:.1f}%) {self._shown(self._recent())}")
                    self._between(epoch)
            self._share()
            speed = pace.speed((total - first) * self.batch_size)
            self._say(epoch_line(epoch, 1.0, self._recent(), pace.seconds, speed))
            self._say(f"    {self._course()}")
            last = epoch + 1 == plan.epochs
            due = last or (plan.log_epochs and (epoch + 1) % plan.log_epochs == 0)
            log = self._log(epoch, last) if due else None
            position.epoch, position.done, position.begun = epoch + 1, 0, self.generator.state
            self._end_log(epoch, log)

    def learn_stimuli(self) -> None:
        """Batches of independent draws, until ``plan.stimuli`` stimuli were seen."""
        plan, total, position = self.plan, -(-self.plan.stimuli // self.batch_size), self.position
        first = position.done
        if position.begun is None:
            position.begun = self.generator.state
        if position.pending:
            self._end_log(None, self._log(None, first == total))
        if self.validation.stopped:
            return
        with self._bar("Learning", total) as bar:
            for batch in self.stimuli.draws(total, self.generator, first, self._part, True):
                stimulus, last = position.done * self.batch_size, position.done + 1 == total
                self._step(batch, None)
                position.done += 1
                bar.to(position.done)
                if stimulus >= position.report or last:
                    position.report += plan.report
                    self._share()
                    if last or self._may_look:
                        self._report(bar, stimulus)
                log = None
                if stimulus >= position.log or last:
                    position.log += plan.log_stimuli
                    self._say(f"    {self._course()}")
                    position.pending = True
                    log = self._log(None, last)
                self._end_log(None, log)
                if self.validation.stopped:
                    return

    def _report(self, bar: Bar, stimulus: int) -> None:
        """Where learning stands: beside the bar, or in a line."""
        recent = self._recent()
        bar.to(self.position.done, self._shown(recent))
        if not bar.drawn:
            seen = stimulus + self.batch_size
            self._say(step_line(stimulus, self.size, recent, self.pace.speed(seen)))

    def _bar(self, title: str, total: int) -> Bar:
        return Bar(title, total, hidden=not self._writes)

    def _say(self, text: str) -> None:
        if self._writes:
            console.line(text)

    def _report_is_due(self, batch: Batch) -> bool:
        every = max(1, self.plan.report // max(1, len(batch.ids)))
        return self.batches % every == 0 and self._may_look

    def _shown(self, recent: list[float]) -> str:
        speed = self.pace.speed(self.batches * self.batch_size)
        return f"{shown(recent)} at {speed:.0f} p./s, {self._course()}"

    def _course(self) -> str:
        """Loss of the last batch, best score, learning rate, and the time that is left at the pace so far."""
        plan, per_epoch = self.plan, -(-self.size // self.batch_size)
        total = plan.epochs * per_epoch or -(-plan.stimuli // self.batch_size)
        left = self.pace.seconds * (total - self.batches) / max(1, self.batches)
        loss = None if self.loss is None else float(self.loss) / self.batch_size
        return course(loss, self.validation.bests.get(0), self.solving.rate, left)

    def _log(self, epoch: int | None, last: bool) -> Log | None:
        """Validate or save, test if wanted, tell the watcher; a process that does not write gives None.

        Until all is computed nothing is changed, so that an interruption comes before the log or after it.
        """
        self._make_sure(epoch)
        self._share()
        # All processes test their share.
        validation = self._evaluate("Validation", "Validation") if self.stimuli.size("Validation") else []
        test = self._evaluate("Test", "Testing") if self.plan.test_at_logs else []
        log = self._written(epoch, last, validation, test) if self._writes else None
        learning = self._successes()
        if log is None:
            self.losses = []
        else:
            log = replace(log, learning=learning)
            self.logs.append(log)
            if self.watcher is not None:
                self.watcher.logged(log)
        if self.group is not None:
            self.validation.stopped = self.group.from_first(self.validation.stopped)
        return log

    def _written(self, epoch: int | None, last: bool, results: list[Result], test: list[Result]) -> Log:
        """The log, without what was learned; ``results`` are those of the validation set, if there is one."""
        if self.stimuli.size("Validation"):
            verdict = self.validation.judge(results, lambda: self._try_to_save(BEST, last), BEST)
        else:
            verdict = Verdict(None, False, self._try_to_save(LAST, last))
        for result in test:
            console.line(f"Test at this log (for information only): {percent(result.rate)}")
        return Log(
            epoch=epoch,
            batches=self.batches,
            stimuli=self.batches * self.batch_size,
            seconds=self.pace.seconds,
            rate=self.solving.rate,
            learning=[],
            validation=results,
            score=verdict.score,
            best=verdict.best,
            saved=verdict.saved,
            test=test,
            loss=self._mean_loss(),
            validation_loss=results[0].loss if results else None,
            test_loss=test[0].loss if test else None,
        )

    def _evaluate(self, name: str, title: str) -> list[Result]:
        # Where others wait for this process it tests to the end.
        between = self._stop_if_asked if self.group is None else None
        wanted = self.plan.losses or self.plan.metric == LIKELIHOOD
        if self.group is not None:
            self.group.agree(self.network)  # without -sync-bn each process has statistics of its own
        with FULL.products(self.device):
            found = evaluate(
                self.network, self.stimuli, name, title=title, between=between, keep_outputs=wanted, group=self.group
            )
        if not wanted or not self._writes:
            return found
        return [replace(one, loss=mean_loss(self.network, one), outputs=None) for one in found]

    def _mean_loss(self) -> float | None:
        """That of the batches since the last log, by stimulus; what comes after counts anew."""
        losses, self.losses = self.losses, []
        return float(torch.stack(losses).double().mean()) / self.batch_size if losses else None

    def _successes(self) -> list[Success]:
        found = []
        for (key, tally), counted in zip(self.tallies.items(), self._counted(), strict=True):
            confusion = replace(tally.confusion, matrix=counted.confusion)
            recent, target = tally.recent(self.window), tally.comparison.target
            found.append(Success(target, recent, tally.successes(), confusion, counted.mistaken))
            tally.clear_confusion()
            self.mistaken[key].take()
        return found
