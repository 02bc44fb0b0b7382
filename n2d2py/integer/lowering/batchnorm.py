"""BatchNorm with a quantizer: absorbed into the rescaling of the accumulators that come in."""

from __future__ import annotations

from n2d2py.integer.site import Site
from n2d2py.layers.batchnorm import BatchNormLayer
from n2d2py.registry import register


@register("lowering", "BatchNorm")
def lower(site: Site) -> None:
    """One rescaling, proved equal to normalisation, activation function and quantizer together."""
    assert isinstance(site.layer, BatchNormLayer)
    if site.layer.quantizer is None:
        raise site.error(
            "a BatchNorm without a quantizer gives real values",
            "add ActivationFunction=Linear and QAct=SAT (with QAct.Range) to the cell",
            "activation_quantizer",
        )
    source, _ = site.source()
    site.activate(source)
