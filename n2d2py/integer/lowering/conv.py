"""Conv and Deconv: exact sums of codes; a connection map that is no set of groups leaves zeros in the weights."""

from __future__ import annotations

import math

import numpy as np

from n2d2py.cells.conv import Conv
from n2d2py.cells.kernels import KernelCell
from n2d2py.integer.lowering.weighted import Bias, lower_weighted
from n2d2py.integer.operations import Convolution, Deconvolution, Edge
from n2d2py.integer.site import Site
from n2d2py.layers.kernels import KernelLayer
from n2d2py.quant.grid import Grid
from n2d2py.registry import register


@register("lowering", "Conv")
def lower_conv(site: Site) -> None:
    """Convolution, then the cell's own activation."""
    cell = site.node.cell
    assert isinstance(cell, Conv)
    _lower(site, Convolution, cell.sub_sample)


@register("lowering", "Deconv")
def lower_deconv(site: Site) -> None:
    """Transposed convolution, then the cell's own activation."""
    _lower(site, Deconvolution, (1, 1, 1))


def _lower(site: Site, kind: type[Convolution], sub_sample: tuple[int, ...]) -> None:
    cell, layer = site.node.cell, site.layer
    assert isinstance(cell, KernelCell)
    assert isinstance(layer, KernelLayer)
    geometry, axes = cell.geometry, 3 if layer.in_space else 2
    groups, taps = layer.groups, math.prod(geometry.window[:axes])
    source, _ = site.source()

    def bounds(source: Edge) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of the inputs of each output, (outputs, channels of its group * taps)."""
        by_group = [np.repeat(end.reshape(groups, -1), taps, axis=1) for end in (source.low, source.high)]
        low, high = (np.repeat(end, cell.nb_outputs // groups, axis=0) for end in by_group)
        return low, high

    def make(name: str, source: str, weights: np.ndarray, grid: Grid, bias: Bias) -> Convolution:
        return kind(
            name,
            site.name,
            (source,),
            weights,
            grid,
            *bias,
            stride=geometry.stride[:axes],
            padding=geometry.padding[:axes],
            dilation=geometry.dilation[:axes],
            sub_sample=(*sub_sample, 1)[:axes],
            groups=groups,
        )

    lower_weighted(site, source, bounds, make)
