"""Where an emitter works: integers in float32 or float64 tensors, wherever these hold them exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from n2d2py.errors import IntegerError
from n2d2py.export.base import no_form
from n2d2py.export.qlinear.graph import EXACT, Graph, Value
from n2d2py.export.writing import Writing
from n2d2py.registry import names

KIND = "qonnx operation"
DOMAIN = "qonnx.custom_op.general"


@dataclass(eq=False)
class Site(Writing):
    """One operation that is being written."""

    def give(self, value: Value) -> None:
        """What the operation gives."""
        self.values[self.operation.name] = value

    def type_for(self, bound: int) -> str:
        """float where it holds integers up to a magnitude, else double; an error where neither does."""
        type_ = next((name for name in ("float", "double") if bound < EXACT[name]), None)
        if type_ is None:
            raise self.no_form("its integers need more than 53 bits")
        return type_

    def no_form(self, why: str = "") -> IntegerError:
        """The error that the operation cannot be written."""
        return no_form(self.operation, "QONNX", names(KIND), why)


def quant(graph: Graph, value: str, scale: float, zero: float, bits: int, signed: bool, output: str) -> str:
    """A Quant node: ``(clip(rint(value / scale + zero)) - zero) * scale``."""
    numbers = [graph.constant(number, "float") for number in (scale, zero, bits)]
    return graph.node(
        "Quant", [value, *numbers], output, domain=DOMAIN, signed=int(signed), narrow=0, rounding_mode="ROUND"
    )


def weights(graph: Graph, name: str, codes: np.ndarray, low: int, high: int, step: int, uneven: bool) -> str:
    """Weight codes behind the Quant node that says their bits; codes low, low + step, ... have their level's bits."""
    stored = graph.constant(codes, "float", f"{name}_w")
    if not uneven and (levels := (high - low) // step + 1) & (levels - 1) == 0 and levels > 1:
        return quant(graph, stored, step, -low / step, (levels - 1).bit_length(), False, f"{name}_w_quant")
    bits = 1 + max(max(high, 0).bit_length(), (-min(low, 0) - 1).bit_length() if low < 0 else 0)
    return quant(graph, stored, 1.0, 0.0, bits, True, f"{name}_w_quant")
