"""Distributions in few numbers: what of a million weights goes into a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.quant.grid import Coded

if TYPE_CHECKING:
    from n2d2py.layers.network import TorchNetwork
    from n2d2py.quant.grid import Grid

_BINS = 48
_MOST_LEVELS = 64
"""Up to this many levels each has a bar of its own."""

_MOST_CODES = 1 << 16
"""Codes of more levels are shown as the real values that they stand for."""


@dataclass(frozen=True)
class Histogram:
    """Counts in equal bins from ``low`` to ``high``, or on ``levels`` levels from the lowest to the highest.

    ``levels`` is 0 for real values; ``used`` is how many levels occur; ``zeros`` the share of values that are 0.
    """

    low: float
    high: float
    counts: list[int]
    mean: float
    deviation: float
    zeros: float
    levels: int = 0
    used: int = 0

    @property
    def total(self) -> int:
        """How many values there are."""
        return sum(self.counts)


def of_values(values: Tensor) -> Histogram | None:
    """Of the finite ones among real values; None without any."""
    flat = values.detach().reshape(-1).float().cpu()
    flat = flat[flat.isfinite()]
    if not flat.numel():
        return None
    low, high = (float(end) for end in flat.aminmax())
    spread = (float(flat.double().mean()), float(flat.double().std(correction=0)), float((flat == 0).float().mean()))
    if not high - low > max(abs(low), abs(high)) * 1e-6:
        return Histogram(low, high, [flat.numel()], *spread)
    counts = torch.histc(flat, _BINS, low, high).long().tolist()
    return Histogram(low, high, counts, *spread)


def of_codes(codes: Tensor, grid: Grid) -> Histogram | None:
    """Of codes on a grid, as real values; a code that is no level (an absent connection) is left out."""
    flat = codes.detach().reshape(-1).cpu().numpy().astype(np.int64)
    levels = np.asarray(grid.codes, dtype=np.int64)
    places = np.searchsorted(levels, flat)
    places = places[levels[np.minimum(places, levels.size - 1)] == flat]
    if not places.size:
        return None
    counts = np.bincount(places, minlength=levels.size)
    values = levels[places] * grid.scale
    spread = (float(values.mean()), float(values.std()), float((values == 0).mean()))
    used = int((counts > 0).sum())
    if levels.size > _MOST_LEVELS:
        counts = np.add.reduceat(counts, np.linspace(0, levels.size, _BINS, endpoint=False).astype(int))
    ends = (float(levels[0] * grid.scale), float(levels[-1] * grid.scale))
    return Histogram(*ends, counts.tolist(), *spread, levels=int(levels.size), used=used)


@torch.no_grad()
def of_weights(network: TorchNetwork) -> dict[str, Histogram]:
    """The real weights of every cell that has some; those of the gates of a recurrent cell together."""
    found: dict[str, list[Tensor]] = {}
    for cell, learned in network.learned():
        if "weights" in learned.name:
            found.setdefault(cell, []).append(learned.tensor.detach().reshape(-1))
    histograms = {cell: of_values(torch.cat(parts)) for cell, parts in found.items()}
    return {cell: one for cell, one in histograms.items() if one is not None}


@torch.no_grad()
def of_levels(network: TorchNetwork) -> dict[str, Histogram]:
    """The quantized weights of every cell that has some; weights that are clamped only, as the real values they are."""
    found = {}
    for name, layer in network.layers.items():
        if not isinstance(layer, WeightedLayer):
            continue
        if layer.quantizes:
            codes, grid = layer.weight_codes()
            made = of_codes(codes if layer.mask is None else codes[layer.mask.expand_as(codes)], grid)
        elif layer.weights_quantizer is not None:
            made = of_values(layer.weights_quantizer(layer.full_weights()))
        else:
            continue
        if made is not None:
            found[name] = made
    return found


def of_outputs(network: TorchNetwork, stimuli: Coded) -> dict[str, Histogram]:
    """What every cell gives for some stimuli; codes where its output is on a grid."""
    found = {}
    for name, output in network.evaluate(stimuli).items():
        layer = network.layers[name]
        quantizer = layer.quantizer if isinstance(layer, ActivatedLayer) else None
        if quantizer is not None and quantizer.ready and (grid := quantizer.grid()).levels <= _MOST_CODES:
            codes = output.values if output.grid is not None else (output.real() / grid.scale).round()
            made = of_codes(codes, grid)
        else:
            made = of_values(output.real())
        if made is not None:
            found[name] = made
    return found
