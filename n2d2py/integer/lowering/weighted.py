"""What Conv and Fc have in common: weight codes, accumulator ranges, bias, activation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from n2d2py.integer.operations import Edge, Weighted
from n2d2py.integer.ranges import sum_bounds
from n2d2py.integer.site import Site
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.parts.prune import PrunedWeights
from n2d2py.quant.bias import bias_codes, folded_grid
from n2d2py.quant.grid import Grid

Bias = tuple[np.ndarray | None, int]
"""Integer bias (outputs) and the shift of the accumulators; (None, 0) without."""

Make = Callable[[str, str, np.ndarray, Grid, Bias], Weighted]
"""(name, name of the input, weight codes, their grid, bias) -> the operation."""

Bounds = Callable[[Edge], tuple[np.ndarray, np.ndarray]]
"""What comes in -> bounds of the inputs of each output, (outputs, n), or (n,) where all outputs have the same."""


def lower_weighted(site: Site, source: Edge, bounds: Bounds, make: Make) -> None:
    """Add the sum of products and what comes after it.

    Zero always counts as an input, so that every partial sum stays within the accumulators' bounds as well.
    """
    layer = site.layer
    assert isinstance(layer, WeightedLayer)
    codes, grid = weight_codes(site, layer)
    weights = codes.cpu().numpy().astype(np.int64)
    source = site.shorten(source, layer.input_shortening(codes, site.grid_of(source)), "narrow")
    inputs = site.grid_of(source)
    least, most = bounds(source)
    low, high = sum_bounds(weights.reshape(len(weights), -1), np.minimum(least, 0), np.maximum(most, 0), site.name)
    with site.refusing():
        sums = layer.accumulator_grid(codes, grid, inputs)
        offset = layer.offset()
        bias: Bias = (None, 0)
        if offset is not None and _folds(site, layer):
            sums, low, high, bias = _folded(offset, sums, low, high)
            offset = None
    name = f"{site.name}:accumulator" if site.activates else site.name
    kept = None if offset is None else offset.cpu().numpy()
    connected = None if layer.mask is None else layer.mask.expand_as(codes).cpu().numpy()
    operation = replace(make(name, source.name, weights, grid, bias), connected=connected)
    site.finish(site.add(operation, Edge(name, site.node.output, sums, low, high, kept)))


def weight_codes(site: Site, layer: WeightedLayer) -> tuple[torch.Tensor, Grid]:
    """The weight codes of a layer, or the error that it has none."""
    if layer.quantizes:
        return layer.weight_codes()
    record = layer.cell.weights_quantizer
    if record is not None and record.clamps_only:
        raise site.error(
            "its weights are only clamped (QWeight.ApplyQuantization=0)",
            "learn on with QWeight.ApplyQuantization=1 from the clamped weights (-w weights_clamped)",
            "weights_quantizer",
        )
    if isinstance(record, PrunedWeights):
        raise site.error(
            "the weights that Prune leaves are not quantized",
            "add QWeight.Quantizer=LSQ (with QWeight.Quantizer.Range) and learn on from the present weights",
            "weights_quantizer",
        )
    raise site.error(
        "its weights are not quantized",
        "add QWeight=SAT (with QWeight.Range) to the cell and learn on from the present weights",
        "weights_quantizer",
    )


def _folds(site: Site, layer: WeightedLayer) -> bool:
    """Whether the bias becomes an integer: not where a quantizer's step function takes it as a real."""
    if layer.quantizer is not None:
        return False
    return layer.function is not None or layer.folds_bias


def _folded(
    offset: torch.Tensor, sums: Grid, low: np.ndarray, high: np.ndarray
) -> tuple[Grid, np.ndarray, np.ndarray, Bias]:
    bits, codes = bias_codes(offset, sums)
    bias = codes.cpu().numpy().astype(np.int64)
    return folded_grid(sums, bits, codes), (low << bits) + bias, (high << bits) + bias, (bias, bits)
