"""Activation: a rescaling if it has a quantizer; a plain rectifier keeps codes on their grid."""

from __future__ import annotations

from n2d2py.integer.network import Identity
from n2d2py.integer.site import Site
from n2d2py.registry import register


@register("lowering", "Activation")
def lower(site: Site) -> None:
    """The function and the quantizer of the cell."""
    source, _ = site.source()
    if site.activates:
        site.activate(source)
    else:
        site.keep(Identity(site.name, site.name, (source.name,)), source)
