"""The integer network in the place of a learned one, for tests: same call, same kind of result."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from torch import nn

from n2d2py.errors import IntegerError
from n2d2py.graph.network import Network
from n2d2py.integer import torch_executor
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Edge
from n2d2py.quant.entry import encoded
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
        """Outputs of the ``wanted`` cells (all, if None), computed on torch, where the codes are.

        Codes come as float64 tensors where that holds them (below 2^53), real islands as float32. Real stimuli get the
        codes of the network's input.
        """
        names = self.integer.outputs if wanted is None else {name: self.integer.outputs[name] for name in wanted}
        codes = entering(self.integer, stimuli).values
        results = torch_executor.run(self.integer, codes, set(names.values()))
        edges = self.integer.edges
        return {name: coded(edges[operation], results[operation]) for name, operation in names.items()}


def entering(network: IntegerNetwork, stimuli: Coded) -> Coded:
    """The codes that enter the network: those of the stimuli, or real stimuli rounded to its input's grid."""
    grid = network.stimuli.grid
    assert grid is not None  # an integer network begins with codes
    if stimuli.grid is None:
        return encoded(stimuli.values, grid)
    if stimuli.grid.scale != grid.scale:
        raise IntegerError(
            f"the stimuli have codes of {stimuli.grid.scale:g}, the network was made for codes of {grid.scale:g}",
            remedy="make the integer network with the stimuli that it is to see",
        )
    return stimuli


def coded(edge: Edge, values: np.ndarray | torch.Tensor) -> Coded:
    """What an executor gives on an edge as a learned network gives it: codes as float64, reals as float32."""
    tensor = torch.from_numpy(values) if isinstance(values, np.ndarray) else values
    if edge.grid is None:
        return Coded(tensor.float())
    offset = None if edge.offset is None else torch.from_numpy(edge.offset).to(tensor.device)
    return Coded(tensor.double(), edge.grid, offset)
