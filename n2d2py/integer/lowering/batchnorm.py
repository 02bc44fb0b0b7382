"""BatchNorm: with a quantizer absorbed into the rescaling of what comes in, else a linear function with wide codes."""

from __future__ import annotations

import torch

from n2d2py.integer.site import Site, device_of
from n2d2py.layers.batchnorm import BatchNormLayer
from n2d2py.registry import register


@register("lowering", "BatchNorm")
def lower(site: Site) -> None:
    """One rescaling, proved equal to normalisation, activation function and quantizer together; or wide codes."""
    layer = site.layer
    assert isinstance(layer, BatchNormLayer)
    source = site.quantizable()
    if layer.quantizer is None:
        offset = None if source.offset is None else torch.from_numpy(source.offset).to(device_of(layer))
        site.check_finite(layer.normalisation(), offset)
        with site.refusing():
            form = layer.affine(site.grid_of(source), offset)
        source = site.align([source], form, "normalised")
    site.finish(source)
