"""Dropout: the identity."""

from __future__ import annotations

from n2d2py.integer.network import Identity
from n2d2py.integer.site import Site
from n2d2py.registry import register


@register("lowering", "Dropout")
def lower(site: Site) -> None:
    """Codes as they are."""
    source, _ = site.source()
    site.keep(Identity(site.name, site.name, (source.name,)), source)
