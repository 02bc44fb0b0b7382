"""``-tensorboard``: the numbers of each log, and the weights of each cell, for TensorBoard to show while it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from n2d2py.errors import UsageError
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn.history import Log
from n2d2py.report.page_histograms import Histogram, of_weights

FOLDER = Path("tensorboard")


def check_installed() -> None:
    """Raise :class:`UsageError` if TensorBoard is not there."""
    try:
        import torch.utils.tensorboard  # noqa: F401 - asked before hours of learning
    except ImportError:
        raise UsageError(
            "-tensorboard needs the package tensorboard, which is not installed", remedy="pip install tensorboard"
        ) from None


class TensorBoard:
    """Watches the learning; steps are batches. A resumed run goes on with the curves that it began."""

    def __init__(self, network: TorchNetwork, metric: str, folder: Path = FOLDER) -> None:
        self._network, self._metric, self._folder = network, metric, folder
        self._writer: Any = None
        self._from = 0
        self._last = (0, 0.0)

    def resumed(self, logs: list[Log]) -> None:
        """Drop what was written after the last of the logs before a checkpoint."""
        if logs:
            self._from = logs[-1].batches + 1
            self._last = (logs[-1].stimuli, logs[-1].seconds)

    def logged(self, log: Log) -> None:
        """Write the numbers of a log, and see that a reader finds them."""
        from torch.utils.tensorboard import SummaryWriter

        if self._writer is None:
            # Events of this step and later ones, of an earlier run or of one that was cut short, are no longer shown.
            self._writer = SummaryWriter(str(self._folder), purge_step=self._from)
        for tag, value in self._scalars(log).items():
            if value is not None:
                self._writer.add_scalar(tag, value, log.batches)
        for cell, histogram in of_weights(self._network).items():
            self._add(f"weights/{cell}", histogram, log.batches)
        self._writer.flush()

    def _scalars(self, log: Log) -> dict[str, float | None]:
        stimuli, seconds = log.stimuli - self._last[0], log.seconds - self._last[1]
        self._last = (log.stimuli, log.seconds)
        found: dict[str, float | None] = {f"{one.target.name}/learning": one.recent for one in log.learning}
        found |= {f"{one.target.name}/validation": one.rate for one in log.validation}
        found |= {f"{one.target.name}/test": one.rate for one in log.test}
        return found | {
            "loss/learning": log.loss,
            "loss/validation": log.validation_loss,
            "loss/test": log.test_loss,
            f"score/{self._metric}": log.score,
            "learning_rate": log.rate,
            "stimuli_per_second": stimuli / max(seconds, 1e-9),
        }

    def _add(self, tag: str, histogram: Histogram, step: int) -> None:
        """A histogram that is counted already: TensorBoard's own way would count a million weights in Python."""
        count, bins = histogram.total, len(histogram.counts)
        width = (histogram.high - histogram.low) / bins or 1e-12
        self._writer.add_histogram_raw(
            tag,
            min=histogram.low,
            max=histogram.high,
            num=count,
            sum=histogram.mean * count,
            sum_squares=(histogram.deviation**2 + histogram.mean**2) * count,
            bucket_limits=[histogram.low + width * (index + 1) for index in range(bins)],
            bucket_counts=histogram.counts,
            global_step=step,
        )

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
