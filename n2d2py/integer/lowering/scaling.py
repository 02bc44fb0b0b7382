"""Scaling: one positive factor only changes the scale; others give wide codes."""

from __future__ import annotations

from dataclasses import replace

from n2d2py.integer.operations import Identity
from n2d2py.integer.site import Site
from n2d2py.layers.scaling import ScalingLayer
from n2d2py.registry import register


@register("lowering", "Scaling")
def lower(site: Site) -> None:
    """The factors, then the cell's own activation."""
    layer = site.layer
    assert isinstance(layer, ScalingLayer)
    source, grid = site.source()
    if layer.scales_grid:
        name = f"{site.name}:scaled"
        edge = replace(source, name=name, grid=layer.scaled(grid), offset=None)
        site.finish(site.add(Identity(name, site.name, (source.name,)), edge))
        return
    with site.refusing():
        form = layer.affine(grid)
    site.finish(site.align([source], form, "scaled"))
