"""Conv: an exact convolution of codes; a connection map that is no set of groups leaves zeros in the weights."""

from __future__ import annotations

import numpy as np

from n2d2py.cells.conv import Conv
from n2d2py.integer.lowering.weighted import Bias, lower_weighted
from n2d2py.integer.network import Convolution
from n2d2py.integer.site import Site
from n2d2py.layers.conv import ConvLayer
from n2d2py.quant.grid import Grid
from n2d2py.registry import register


@register("lowering", "Conv")
def lower(site: Site) -> None:
    """Convolution, then the cell's own activation."""
    cell, layer = site.node.cell, site.layer
    assert isinstance(cell, Conv)
    assert isinstance(layer, ConvLayer)
    source, inputs = site.source()
    groups, taps = layer.groups, cell.kernel[0] * cell.kernel[1]

    def of_outputs(bounds: np.ndarray) -> np.ndarray:
        """Bounds of the inputs of each output, (outputs, channels of its group * taps)."""
        by_group = np.repeat(bounds.reshape(groups, -1), taps, axis=1)
        return np.repeat(by_group, cell.nb_outputs // groups, axis=0)

    def make(name: str, weights: np.ndarray, grid: Grid, bias: Bias) -> Convolution:
        return Convolution(
            name,
            site.name,
            (source.name,),
            weights,
            grid,
            *bias,
            stride=(cell.stride[0], cell.stride[1]),
            padding=(cell.padding[0], cell.padding[1]),
            dilation=(cell.dilation[0], cell.dilation[1]),
            sub_sample=(cell.sub_sample[0], cell.sub_sample[1]),
            groups=groups,
        )

    lower_weighted(site, source, inputs, (of_outputs(source.low), of_outputs(source.high)), make)
