"""The integer network that a learned one became, and its proof."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from n2d2py.errors import LearningError

if TYPE_CHECKING:
    from n2d2py.api.net import Net
    from n2d2py.data.stimuli import Stimuli
    from n2d2py.integer.network import IntegerNetwork
    from n2d2py.integer.verify import Verification
    from n2d2py.learn.testing import Result


@dataclass(frozen=True, eq=False)
class Fused:
    """An integer network, and what comparing it with the learned one on every stimulus gave."""

    net: Net
    integer: IntegerNetwork
    verification: Verification
    stimuli: Stimuli

    @property
    def exact(self) -> bool:
        """Whether no code and no label differs."""
        return self.verification.all_equal

    def __str__(self) -> str:
        from n2d2py.integer import table

        lines = [*table.lines(table.rows(self.integer)), table.verdict(self.integer), *self.verification.lines()]
        return "\n".join(lines)

    def test(self, target: str | None = None) -> Result:
        """What the test gives on integers alone, on the stimuli of :meth:`Net.fuse`."""
        from n2d2py.integer.evaluation import IntegerEvaluation
        from n2d2py.learn import testing

        return result_of(testing.test(IntegerEvaluation(self.net.network, self.integer), self.stimuli), target)

    def save(self, folder: str | Path) -> None:
        """Write integers, scales and the manifest, as ``-qat-sat`` does into ``weights_quantized``."""
        from n2d2py import fusion

        net = self.net
        ini = net.path.read_bytes() if net.path is not None else None
        fusion.write(self.integer, Path(folder), net.network, net.source, net.provider, self.stimuli.label_names, ini)


def result_of(results: list[Result], name: str | None) -> Result:
    """The result of the target of that name, or the first one. Raises :class:`LearningError` if there is none."""
    for result in results:
        if name in (None, result.target.name):
            return result
    known = ", ".join(result.target.name for result in results) or "none"
    raise LearningError(
        "the network has no target that scores" if name is None else f"no target that scores is called {name!r}",
        expected=f"one of {known}" if results else "a section such as [softmax.Target] in the INI file",
    )
