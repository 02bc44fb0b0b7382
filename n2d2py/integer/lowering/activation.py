"""Activation: a rescaling if it has a quantizer; functions of straight pieces keep integers.

With a quantizer the cell may also stand behind a float island: real values become codes there.
"""

from __future__ import annotations

from n2d2py.integer.site import Site
from n2d2py.registry import register


@register("lowering", "Activation")
def lower(site: Site) -> None:
    """The function and the quantizer of the cell."""
    site.finish(site.quantizable())
