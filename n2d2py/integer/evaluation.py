"""The integer network in the place of a learned one, for tests: same call, same kind of result."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from torch import nn

from n2d2py.errors import IntegerError
from n2d2py.graph.network import Network
from n2d2py.integer import interpreter
from n2d2py.integer.network import Edge, IntegerNetwork
from n2d2py.quant.grid import Coded


class IntegerEvaluation(nn.Module):
    """Evaluates an integer network as a :class:`~n2d2py.layers.network.TorchNetwork` is evaluated.

    ``network`` is the graph of cells, for targets and dimensions.
    """

    quantized = True

    def __init__(self, network: Network, integer: IntegerNetwork) -> None:
        super().__init__()
        self.network = network
        self.integer = integer

    def evaluate(self, stimuli: Coded, wanted: Collection[str] | None = None) -> dict[str, Coded]:
        """Outputs of the ``wanted`` cells (all, if None), computed by the reference interpreter.

        Codes come as float64 tensors where that holds them (below 2^53), real islands as float32. Raises
        :class:`IntegerError` for stimuli without codes.
        """
        if stimuli.grid is None:
            raise IntegerError("the stimuli have no integer codes", remedy="test on 8-bit images")
        names = self.integer.outputs if wanted is None else {name: self.integer.outputs[name] for name in wanted}
        codes = stimuli.values.cpu().numpy().astype(np.int64)
        results = interpreter.run(self.integer, codes, set(names.values()))
        edges = self.integer.edges
        return {name: coded(edges[operation], results[operation]) for name, operation in names.items()}


def coded(edge: Edge, values: np.ndarray) -> Coded:
    """What the interpreter gives on an edge as a learned network gives it: codes as float64, reals as float32."""
    tensor = torch.from_numpy(values)
    if edge.grid is None:
        return Coded(tensor.float())
    return Coded(tensor.double(), edge.grid, None if edge.offset is None else torch.from_numpy(edge.offset))
