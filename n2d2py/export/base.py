"""What an exporter is given: the integer network, stimuli to test with, and how outputs become labels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from n2d2py.cells.base import PROVIDER
from n2d2py.errors import IntegerError
from n2d2py.integer import interpreter
from n2d2py.integer.arithmetic import FloatBits
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Edge, Operation


@dataclass(frozen=True)
class Decision:
    """How a target reads the integers of an output.

    ``operation`` gives them. With several channels the label is the first largest one. With one it is 1 if the code
    is at least ``first``, the smallest code whose real value is above the target's threshold.
    """

    cell: str
    operation: str
    first: int | None

    def labels(self, codes: np.ndarray) -> np.ndarray:
        """int64 (batch, height, width) of codes (batch, channels, height, width)."""
        if self.first is None:
            return codes.argmax(axis=1)
        return (codes[:, 0] >= self.first).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Export:
    """A network that is exported. ``ini`` is the text of its INI file, ``stimuli`` int64 codes (count, C, H, W).

    ``targets`` are (cell, threshold of a single neuron) pairs. ``device`` is where the executor ``torch`` computes.
    """

    network: IntegerNetwork
    ini: bytes
    stimuli: np.ndarray
    targets: tuple[tuple[str, float], ...] = ()
    device: str = "cpu"

    @property
    def ini_hash(self) -> str:
        """SHA-256 of the INI file."""
        return hashlib.sha256(self.ini).hexdigest()

    @cached_property
    def operations(self) -> list[Operation]:
        """The operations on integers; real-number islands at the end are left out."""
        islands = set(self.network.islands)
        return [operation for operation in self.network if operation.name not in islands]

    @cached_property
    def outputs(self) -> list[str]:
        """Names of the operations whose codes the exported network gives: what nothing integer takes, and what
        targets read."""
        taken = {name for operation in self.operations for name in operation.inputs}
        read = {decision.operation for decision in self.decisions}
        return [op.name for op in self.operations if op.name not in taken or op.name in read]

    @cached_property
    def decisions(self) -> list[Decision]:
        """One for each target. Raises :class:`IntegerError` for an output that integers alone cannot label."""
        return [self._decision(cell, threshold) for cell, threshold in self.targets]

    def _decision(self, cell: str, threshold: float) -> Decision:
        name = self.network.outputs[cell]
        edge = self.network.edges[name]
        if edge.grid is None:  # probabilities have the order of their logits
            operation = self.network[name]
            if type(operation).__name__ != "Softmax" or edge.dims.channels == 1:
                raise IntegerError(
                    f"the output {name} has real values, which are not exported",
                    remedy="let a target read a quantized cell, or a Softmax over several outputs",
                )
            name = operation.inputs[0]
            edge = self.network.edges[name]
        if edge.offset is not None and edge.dims.channels > 1:
            raise IntegerError(
                f"the output {name} still waits for a real bias, so that its codes alone do not give labels",
                remedy="write NoBias=1 in the cell, or quantize its activation (QAct=SAT)",
            )
        return Decision(cell, name, None if edge.dims.channels > 1 else _first_above(edge, threshold))

    @cached_property
    def expected(self) -> dict[str, np.ndarray]:
        """Codes of the outputs for the stimuli, by the reference interpreter."""
        return interpreter.run(self.network, self.stimuli, set(self.outputs))

    def pixels(self, codes: np.ndarray) -> np.ndarray | None:
        """uint8 stimuli of which the network's table of bytes makes ``codes`` (count, C, ...); None without table.

        Raises :class:`IntegerError` for a code that no byte has.
        """
        lookup = self.network.lookup
        if lookup is None:
            return None
        pixels = np.empty(codes.shape, dtype=np.uint8)
        for channel, row in enumerate(np.broadcast_to(lookup.table, (codes.shape[1], 256))):
            order = np.argsort(row, kind="stable")
            places = np.searchsorted(row[order], codes[:, channel]).clip(max=255)
            pixels[:, channel] = order[places]
        if not np.array_equal(lookup.codes(pixels), codes):
            raise IntegerError("the stimuli have codes that no byte has", remedy="take stimuli of the test set")
        return pixels

    def facts(self) -> dict[str, Any]:
        """What every export says of itself."""
        network = self.network
        return {
            "network": network.name,
            "ini_sha256": self.ini_hash,
            "exact": network.exact,
            "bits": {name: network.edges[name].bits for name in [PROVIDER, *(op.name for op in self.operations)]},
        }


def _first_above(edge: Edge, threshold: float) -> int:
    """The smallest code of [low, high + 1] whose real value is above ``threshold``; real values are monotone."""
    assert edge.grid is not None
    offset = 0.0 if edge.offset is None else float(edge.offset[0])
    low, high = int(edge.low[0]), int(edge.high[0]) + 1
    while low < high:
        middle = (low + high) // 2
        if float(middle) * edge.grid.scale + offset > threshold:
            high = middle
        else:
            low = middle + 1
    return low


def no_form(operation: Operation, what: str, known: Sequence[str], why: str = "") -> IntegerError:
    """The error that an operation cannot be exported."""
    remedy = "export to another format, or leave the cell out"
    if isinstance(operation, FloatBits):
        taken = operation.inputs[0]
        why = f"{taken} before it computes with real numbers, which are not the same on every machine"
        remedy = f"leave {taken} out, or let nothing but targets take what it gives"
    return IntegerError(
        f"{type(operation).__name__} {operation.name} of cell {operation.cell} has no {what} form"
        + (f": {why}" if why else ""),
        expected=f"operations among {', '.join(known)}",
        remedy=remedy,
    )
