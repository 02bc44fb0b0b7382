"""GRU: layers with a memory that is their output, on sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from n2d2py.cells.recurrent import Recurrent
from n2d2py.registry import register


@register("cell", "GRU")
@dataclass(frozen=True, kw_only=True)
class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014, arXiv:1406.1078), with the reset after the product. Not a cell of N2D2.

    r, z = logistic(W x + b + R h + c); n = tanh(W x + b + r (R h + c)); h = (1 - z) n + z h.
    Quantized: v = QGateAcc(R h + c), n = QTanh(tanh(QGateAcc(QGateAcc(W x + b) + r v))), the memory
    s = QState(QState((1 - z) n) + QState(z s)), h = QOutput(s).

    Sequences, sizes and outputs are those of LSTM.
    """

    gates: ClassVar[tuple[str, ...]] = ("reset", "update", "new")
