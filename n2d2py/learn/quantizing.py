"""What learning tells quantizers, and what it tells of them at its beginning."""

from __future__ import annotations

import torch

from n2d2py import console
from n2d2py.layers.base import Layer
from n2d2py.layers.network import TorchNetwork
from n2d2py.layers.weighted import WeightedLayer

FEW, MANY = 0.01, 0.9
"""Shares of zero weights outside of which a level at 0 hardly serves, or hardly anything else does."""


def progressing(network: TorchNetwork) -> list[Layer]:
    """The layers that must be told how many stimuli were learned."""
    return [layer for layer in network.layers.values() if layer.advances]


@torch.no_grad()
def zero_shares(network: TorchNetwork) -> dict[str, float]:
    """The share of weights that are 0 in each cell whose grid has a level at 0."""
    shares = {}
    for name, layer in network.layers.items():
        if not isinstance(layer, WeightedLayer) or not layer.quantizes:
            continue
        codes, grid = layer.weight_codes()
        if 0 in grid.codes:
            connected = codes if layer.mask is None else codes[layer.mask.expand_as(codes)]
            shares[name] = float((connected == 0).double().mean())
    return shares


def report_zeros(network: TorchNetwork) -> None:
    """A line with the share of zero weights after initialisation, and a warning for each that is extreme.

    With three levels or more, a first step that is too large makes nearly all weights 0, and they learn slowly then.
    """
    shares = zero_shares(network)
    if not shares:
        return
    listed = ", ".join(f"{name} {100 * share:.3g}%" for name, share in shares.items())
    console.line(f"Zero weights after initialisation: {listed}")
    for name, share in shares.items():
        layer = network.layers[name]
        assert isinstance(layer, WeightedLayer)  # zero_shares
        levels = layer.weight_codes()[1].levels
        if share > MANY:
            console.warning(
                f"{100 * share:.3g}% of the weights of {name} begin as 0: a smaller step leaves more of them"
            )
        elif levels == 3 and share < FEW:
            console.warning(
                f"only {100 * share:.3g}% of the weights of {name} begin as 0, the middle one of its three levels"
            )
