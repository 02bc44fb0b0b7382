"""``-fuse``: a float network whose BatchNorm cells are absorbed into the Conv and Fc before them."""

from __future__ import annotations

import torch

from n2d2py import console
from n2d2py.graph.fusing import without_batchnorm
from n2d2py.layers.batchnorm import BatchNormLayer
from n2d2py.layers.network import TorchNetwork
from n2d2py.layers.weighted import WeightedLayer


@torch.no_grad()
def absorb_batchnorm(learned: TorchNetwork) -> TorchNetwork:
    """A new network that computes the same: weights * f, bias (b - mean) f + beta, f = gamma / sqrt(variance + eps).

    The weights are those that the cell computes with: clamped ones (QWeight.ApplyQuantization=0) stay what they
    were. A BatchNorm that no linear Conv or Fc precedes stays, with a notice.
    """
    graph, absorbed = without_batchnorm(learned.network)
    fused = TorchNetwork(graph)
    fused.eval()
    for name, layer in fused.layers.items():
        old = {item.name: item.tensor for item in learned.layers[name].stored()}
        for item in layer.stored():
            if item.name in old:
                item.tensor.copy_(old[item.name])
    for name, host in absorbed.items():
        norm, layer = learned.layers[name], fused.layers[host]
        assert isinstance(norm, BatchNormLayer)
        assert isinstance(layer, WeightedLayer)
        assert layer.biases is not None  # the pass has given it one
        normal = norm.normalisation()
        before = learned.layers[host]
        assert isinstance(before, WeightedLayer)
        bias = torch.zeros_like(normal.mean) if before.biases is None else before.biases.double()
        shape = (-1, *[1] * (layer.weights.dim() - 1))
        weights = before.full_weights()
        if before.weights_quantizer is not None:
            weights = before.weights_quantizer(weights)
        layer.weights.copy_(weights.double() * normal.factor.view(shape))
        layer.biases.copy_((bias - normal.mean) * normal.factor + normal.bias)
    for name, layer in fused.layers.items():
        if isinstance(layer, BatchNormLayer):
            console.notice(f"{name} is not fused: it does not follow a linear Conv or Fc of its own")
    return fused.to(next(learned.parameters()).device)
