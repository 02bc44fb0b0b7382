"""The float network that is calibrated: BatchNorm absorbed, every cell with weights of its own and biases."""

from __future__ import annotations

from dataclasses import replace

import torch

from n2d2py.cells.base import WeightedCell
from n2d2py.errors import IntegerError
from n2d2py.graph.lint import lint
from n2d2py.layers.fusion import absorb_batchnorm
from n2d2py.layers.network import TorchNetwork
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.learn.keeping import carry


@torch.no_grad()
def prepared(learned: TorchNetwork) -> TorchNetwork:
    """A new network that computes the same as a float one; its weights may be changed without changing the first.

    Raises :class:`IntegerError` for a network that is quantized already.
    """
    quantizers = [
        node
        for node in learned.network
        if getattr(node.cell, "weights_quantizer", None) or getattr(node.cell, "activation_quantizer", None)
    ]
    for node in quantizers:
        raise IntegerError(
            f"-calib gives quantizers to a float network, and {node.cell.type_name} cell {node.name} has one",
            place=node.cell.place("weights_quantizer") or node.cell.place("activation_quantizer") or node.cell.place(),
            expected="cells without QWeight and QAct",
            remedy="-qat-sat makes the integer network of one that learned quantized; or calibrate the float network",
        )
    fused = absorb_batchnorm(learned)
    nodes = tuple(
        replace(node, cell=node.cell.with_plain_weights()) if isinstance(node.cell, WeightedCell) else node
        for node in fused.network
    )
    graph = replace(fused.network, nodes=nodes)
    lint(graph)
    plain = TorchNetwork(graph).to(next(fused.parameters()).device)
    carry(fused, plain)
    for name, layer in plain.layers.items():
        if isinstance(layer, WeightedLayer):
            before = fused.layers[name]
            assert isinstance(before, WeightedLayer)
            layer.weights.copy_(before.connected(before.full_weights()))
    return plain.eval()
