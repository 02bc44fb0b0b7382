"""Checkpoints of a course of learning, being asked to stop, and going on from where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from n2d2py import console
from n2d2py.learn import snapshots
from n2d2py.learn.comparing import scoring
from n2d2py.learn.finiteness import EVERY
from n2d2py.learn.learner import STATES, Learner
from n2d2py.learn.progress import Pace
from n2d2py.learn.snapshots import Counted, Progress

if TYPE_CHECKING:
    from n2d2py.learn.checkpoint import Saved
    from n2d2py.learn.history import Log


class Stoppable(Learner):
    """What learns so that its whole state is kept now and then, and can be stopped after any batch."""

    def _end_log(self, epoch: int | None, log: Log | None) -> None:
        """Keep the state if there was a log, for the weights that it saved too; then as after any batch."""
        logged = log is not None if self.group is None else self.group.from_first(log is not None)
        self.position.pending = False
        if logged:
            saved = log.saved if log is not None else None
            self._keep(() if saved is None else (saved.with_name(STATES[saved.name]),))
        self._between(epoch)

    def _between(self, epoch: int | None) -> None:
        """After a batch: keep the state if it is time to, and stop if somebody asked for it."""
        asked, due = self.interruption.asked is not None, self._checkpoint_is_due
        if self.group is not None:
            if self.device.type != "cpu" and self.batches % EVERY:
                return  # looking would wait for the device
            asked, due = (count > 0 for count in self.asked.tolist())
            self.asked = torch.zeros(2)
        if asked or due:
            self._make_sure(epoch)
            self._keep()
        if asked:
            self._stop()

    def _stop_if_asked(self) -> None:
        if self.interruption.asked is not None:
            self._keep()
            self._stop()

    def _stop(self) -> None:
        if self._writes and self.checkpoints is not None and self.checkpoints.newest is not None:
            newest = self.checkpoints.newest
            console.notice(f"asked to stop after {self.batches} batches; -resume goes on from {newest}")
        self.interruption.act()

    def _progress(self) -> Progress:
        return Progress(
            self.validation,
            list(self.tallies.values()),
            list(self.mistaken.values()),
            self.position,
            self.batches,
            self.pace.seconds,
            self.logs,
            self.losses,
            scoring(self.targets),
        )

    def _keep(self, copies: Sequence[Path] = ()) -> None:
        """Write a checkpoint, and the same state into the folders ``copies``."""
        streams = [snapshots.of_streams(self.device)]
        if self.group is not None:
            streams = [one[0] for one in self.group.gather(streams)]
        self._share()
        counted = self._counted()
        if self.checkpoints is not None and self._writes:
            snapshot = snapshots.take(self.network, self.solving, self._progress(), streams, counted)
            self.checkpoints.save(self.batches, snapshot, copies)

    def _counted(self) -> list[Counted]:
        """What all processes have counted since the last log, of each tally."""
        found = []
        for key, tally in self.tallies.items():
            matrix, mistaken = tally.confusion.matrix, self.mistaken[key].seen()
            if self.group is not None:
                matrix, mistaken = self.group.add(matrix), np.concatenate(self.group.gather(mistaken))
                # By stimulus: which process saw it, and whether before or after a stop, does not matter.
                mistaken = mistaken[np.lexsort(mistaken.T[::-1])]
            found.append(Counted(matrix, mistaken))
        return found

    def go_on(self, saved: Saved) -> None:
        """Be in the state that was kept: of network and solvers only, if it says nothing of the course of a run."""
        snapshots.load_network(self.network, saved)
        snapshots.load_solvers(self.solving, saved)
        progress = self._progress()
        snapshots.go_on(progress, saved)
        number = 0 if self.group is None else self.group.rank
        snapshots.set_streams(snapshots.streams_of(saved, number), self.device)
        self.position, self.batches, self.logs = progress.position, progress.batches, progress.logs
        self.losses = [loss.to(self.device) for loss in progress.losses] if self._writes else []
        if not self._writes:
            # What all had counted is what the first process has; the others count on from nothing.
            for key, tally in self.tallies.items():
                tally.clear_confusion()
                self.mistaken[key].take()
        self.pace = Pace(progress.seconds)
        if self.position.begun is not None:
            self.generator.state = self.position.begun
        if self.watcher is not None:
            self.watcher.resumed(self.logs)
