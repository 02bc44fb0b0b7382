"""A network with its data and what it has learned, as Python sees it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from numbers import Integral
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from n2d2py import console, data
from n2d2py.api.fused import Fused, result_of
from n2d2py.cells.base import Cell
from n2d2py.data.given import Stimuli as Given
from n2d2py.data.given import content_of
from n2d2py.data.random import Generator
from n2d2py.data.source import Source
from n2d2py.errors import DataError, UsageError
from n2d2py.graph.build import build, read_provider, report_unused
from n2d2py.graph.dump import dump
from n2d2py.graph.lint import lint
from n2d2py.graph.network import Network
from n2d2py.graph.quantizing import quantized
from n2d2py.graph.solvers import warn_of_solvers
from n2d2py.ini import Document
from n2d2py.parts.quantizers import ActivationQuantizer, WeightQuantizer

if TYPE_CHECKING:
    import torch

    from n2d2py.calibration.quantization import Range
    from n2d2py.data.stimuli import Stimuli
    from n2d2py.layers.network import TorchNetwork
    from n2d2py.learn.history import History, Watcher
    from n2d2py.learn.testing import Result
    from n2d2py.learn.weights import Missing


class Net:
    """A network, its data and what it has learned.

    ``network`` is the graph of cells, ``module`` the torch module that computes it, ``stimuli`` the data of the INI
    file; the last two are made when they are first needed.
    """

    def __init__(
        self,
        document: Document,
        title: str,
        *,
        path: Path | None = None,
        seed: int = 1,
        device: str | torch.device = "",
        workers: int | None = None,
        on_bad: str | None = None,
    ) -> None:
        _whole("seed", seed, 0)
        self.title = title
        self.path = path
        self.seed = seed
        self.document = document
        self.generator = Generator(seed)
        self.source = data.publish_epoch_size(document, self.generator)
        self.network: Network = build(document, title)
        report_unused(document)
        self.provider = read_provider(document)
        self._device = device
        self._workers, self._on_bad = workers, on_bad
        self._module: TorchNetwork | None = None

    def __str__(self) -> str:
        return dump(self.network)

    def __repr__(self) -> str:
        return f"Net({self.title!r}, {len(self.network)} cells)"

    # -------------------------------------------------------------------------------------------- looking

    @property
    def cells(self) -> Mapping[str, Cell]:
        """The cells by name, in the order in which they are computed."""
        return MappingProxyType({node.name: node.cell for node in self.network})

    def check(self) -> list[str]:
        """Lint the network; gives warnings of what makes learning impossible. Raises :class:`GraphError`."""
        lint(self.network)
        with console.kept_warnings() as warnings:
            warn_of_solvers(self.network)
        return list(warnings)

    def draw(self, base: str | Path) -> list[Path]:
        """Draw the graph into ``base`` with the endings .dot, .png and .svg; gives the files that were written."""
        from n2d2py.graph.drawing import draw
        from n2d2py.graph.picture import dot, picture_of

        return draw(dot(picture_of(self.network), self.title), base)

    @property
    def module(self) -> TorchNetwork:
        """The torch module, with the values of the fillers or of the model until something else is learned."""
        if self._module is None:
            import torch

            from n2d2py.devices import choose_device
            from n2d2py.layers.network import TorchNetwork

            torch.manual_seed(self.seed)
            wanted = self._device
            device = choose_device(wanted, self.document) if isinstance(wanted, str) else wanted
            self._module = TorchNetwork(self.network)
            self._module.fill(torch.Generator().manual_seed(self.seed))
            self._module.to(device)
        return self._module

    @cached_property
    def stimuli(self) -> Stimuli:
        """The data of the INI file."""
        return self._stimuli_of(self.source)

    # ------------------------------------------------------------------------------------------- changing

    def quantize(
        self,
        pattern: str = "*",
        weights: WeightQuantizer | int | None = None,
        activations: ActivationQuantizer | int | None = None,
    ) -> None:
        """Give quantizers to the cells whose names match; see :func:`n2d2py.graph.quantizing.quantized`.

        What was learned stays. A number is the range of a SAT quantizer: 15 is 4 bits.
        """
        before = self._module
        self.network = quantized(self.network, pattern, weights, activations)
        self._module = None
        if before is not None:
            from n2d2py.learn.keeping import carry

            carry(before, self.module)

    def load_weights(self, folder: str | Path, missing: Missing = "error") -> None:
        """Take the weights of a folder that a run or :meth:`save` wrote.

        A file that is not there: "error"; "notice" and "ignore" leave the value that there is, unless it is a folder of
        another network ("ignore" accepts that too). Raises :class:`WeightsError`.
        """
        from n2d2py.learn import weights

        weights.load(self.module, folder, missing)

    def save(self, folder: str | Path) -> None:
        """Write the weights into a folder, as a run does: one text file a tensor."""
        from n2d2py.learn import weights

        weights.save(self.module, folder)

    # ------------------------------------------------------------------------------------------- learning

    def learn(
        self,
        epochs: int = 1,
        data: Given | None = None,
        validation: Given | None = None,
        *,
        folder: str | Path | None = None,
        metric: str = "Sensitivity",
        stop_after: int = 0,
        amp: str = "",
        tf32: bool = False,
        watcher: Watcher | None = None,
    ) -> History:
        """Learn from the data of the INI file, or from ``data``; the best weights stay in the network.

        ``validation`` chooses them by ``metric``, and after ``stop_after`` validations without a better one learning
        ends (0: never); without validation they are the last. ``folder`` keeps the folders of weights that a run
        writes. ``amp`` and ``tf32`` are -amp and -tf32: less precise products. Raises :class:`LearningError`.
        """
        from n2d2py.learn import loop, precision
        from n2d2py.learn.keeping import keep_best

        _whole("epochs", epochs, 0)

        stimuli = self._stimuli(Learn=data, Validation=validation)
        with _folder(folder) as place:
            plan = loop.Plan(
                epochs=epochs,
                metric=metric,
                stop_after=stop_after,
                precision=precision.read(amp, tf32),
                folder=place,
            )
            history = loop.learn(self.module, stimuli, plan, self.generator, watcher)
            keep_best(self.module, history, place)
        return history

    def test(self, data: Given | None = None, *, set: str = "Test", target: str | None = None) -> Result:
        """What the test of a set of the INI file, or of ``data``, gives for a target (the first that scores).

        Raises :class:`LearningError` without a target, :class:`DataError` without stimuli.
        """
        from n2d2py.learn import testing

        return result_of(testing.test(self.module, self._filled(data, set), set), target)

    def calibrate(
        self,
        count: int = -1,
        *,
        bits: int = 8,
        data: Given | None = None,
        weights: str = "None",
        activations: str = "MSE",
        quantile: float = 0.9999,
        per_output: bool = False,
        equalize: bool = True,
    ) -> tuple[Range, ...]:
        """Quantize a float network without learning, as ``-calib`` does; gives the ranges that were chosen.

        The steps come from the first ``count`` stimuli (-1: all) of ``data``, or of the validation set, or of the test
        set if there is none. ``weights`` and ``activations`` are the words of ``-wt-clipping-mode`` and
        ``-act-clipping-mode``. BatchNorm cells are absorbed into the cells before them. Raises :class:`IntegerError`
        for a network that is quantized already, :class:`UsageError` for a word or number of bits that is none,
        :class:`DataError` without stimuli.
        """
        from n2d2py.calibration import equalization, places, preparation, quantization, statistics

        if count != -1:
            _whole("count", count, 1)

        choices = quantization.Choices(bits, weights, activations, quantile, per_output=per_output)
        plain = preparation.prepared(self.module)
        given = self._stimuli(Validation=data)
        name = "Validation" if given.size("Validation") else "Test"
        stimuli = self._filled(None, name) if data is None else given
        if equalize:
            equalization.equalize(plain)
        size = stimuli.size(name)
        cells = places.quantized_outputs(plain.network)
        seen = statistics.collect(plain, cells, stimuli.passes(name), size if count < 0 else min(count, size), name)
        calibrated = quantization.quantized(plain, seen, choices)
        self._module, self.network = calibrated.network, calibrated.network.network
        return calibrated.ranges

    def fuse(self, data: Given | None = None, *, mode: str = "Floating-point") -> Fused:
        """The integer network that the quantized one becomes, proved and compared with it on the test set or ``data``.

        ``mode`` is the word of ``-act-rescaling-mode``. Raises :class:`IntegerError` if there is no integer form, or
        if any code differs although the mode is one whose forms are proved.
        """
        from n2d2py import fusion

        stimuli = self._filled(data, "Test")
        integer = fusion.integer_of(self.module, stimuli, mode)
        return Fused(self, integer, fusion.compare(self.module, integer, stimuli, mode), stimuli)

    # --------------------------------------------------------------------------------------------- stimuli

    def _filled(self, given: Given | None, name: str) -> Stimuli:
        stimuli = self._stimuli(**{name: given})
        if not stimuli.size(name):
            raise DataError(
                f"the set {name} of {self.title} is empty",
                remedy="give data=(images, labels), or an INI file with a [database]",
            )
        return stimuli

    def _stimuli(self, **sets: Given | None) -> Stimuli:
        """The data of the INI file, or those that are given in place of all of them."""
        if all(given is None for given in sets.values()):
            return self.stimuli
        content = content_of(sets, self.generator)
        with console.without_lines():
            return self._stimuli_of(Source(self.document, self.generator, content=content))

    def _stimuli_of(self, source: Source) -> Stimuli:
        from n2d2py.learn.testing import device_of

        device = device_of(self.module)
        return data.build(
            self.document, self.provider, self.generator, source, device, workers=self._workers, on_bad=self._on_bad
        )


def _whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < least:
        raise UsageError(f"{name}={value!r}", expected=f"an integer of at least {least}")


@contextlib.contextmanager
def _folder(wanted: str | Path | None) -> Iterator[Path]:
    """The folder that is wanted, or one that is gone afterwards."""
    if wanted is not None:
        yield Path(wanted)
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)
