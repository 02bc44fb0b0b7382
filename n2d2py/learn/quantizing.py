"""What learning tells quantizers, and what it tells of them at its beginning."""

from __future__ import annotations

import torch
from torch import Tensor

from n2d2py import console
from n2d2py.layers.base import Layer
from n2d2py.layers.network import TorchNetwork
from n2d2py.layers.weighted import WeightedLayer

FEW, MANY = 0.01, 0.9
"""Shares of zero weights outside of which a level at 0 hardly serves, or hardly anything else does."""
STILL = 0.1
"""The share of weights that no gradient reaches of which learning tells."""


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
            shares[name] = _share(layer, codes == 0)
    return shares


def _share(layer: WeightedLayer, which: Tensor) -> float:
    """How many of the connected weights are among ``which``."""
    connected = which if layer.mask is None else which[layer.mask.expand_as(which)]
    return float(connected.double().mean())


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


@torch.no_grad()
def still_shares(network: TorchNetwork) -> dict[str, tuple[float, str]]:
    """The share of weights that no gradient reaches any more, in each cell where there may be such, and the remedy."""
    shares = {}
    for name, layer in network.layers.items():
        if not isinstance(layer, WeightedLayer) or layer.weights_quantizer is None:
            continue
        still = layer.weights_quantizer.still(layer.full_weights())
        if still is not None:
            shares[name] = _share(layer, still), layer.weights_quantizer.stirred_by
    return shares


def report_still(network: TorchNetwork) -> None:
    """A line a remedy, after learning, with the cells of which many weights have come to where nothing moves them."""
    cells: dict[str, list[str]] = {}
    for name, (share, remedy) in still_shares(network).items():
        if share > STILL:
            cells.setdefault(remedy, []).append(f"{name} {100 * share:.3g}%")
    for remedy, listed in cells.items():
        where = ", ".join(listed)
        console.line(
            f"Weights beyond the outermost level or Clip, which no gradient reaches: {where}. Remedy: {remedy}."
        )
