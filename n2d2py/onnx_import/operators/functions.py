"""Activation functions that one record stands for: Elu, Gelu, HardSwish and their like."""

from __future__ import annotations

from n2d2py.onnx_import.importer import Importer
from n2d2py.onnx_import.node import OnnxNode, UnsupportedError
from n2d2py.onnx_import.operators.activations import activate
from n2d2py.onnx_import.operators.channels import number
from n2d2py.registry import register

_SELU = {"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875}
"""The constants that the operator has by default."""


@register("operator", "Softplus")
def softplus(node: OnnxNode, importer: Importer) -> None:
    """Softplus; nodes that compute log(1 + exp(alpha x)) / alpha are one too."""
    _become(node, importer, "Softplus", Alpha=float(node.get("alpha", 1.0)))


@register("operator", "Softsign")
def softsign(node: OnnxNode, importer: Importer) -> None:
    """Softsign."""
    _become(node, importer, "Softsign")


@register("operator", "Swish")
def swish(node: OnnxNode, importer: Importer) -> None:
    """Swish; nodes that compute x sigmoid(alpha x) are one too."""
    _become(node, importer, "Swish", Alpha=float(node.get("alpha", 1.0)))


@register("operator", "HardSwish")
def hard_swish(node: OnnxNode, importer: Importer) -> None:
    """HardSwish."""
    _become(node, importer, "HardSwish")


@register("operator", "HardSigmoid")
def hard_sigmoid(node: OnnxNode, importer: Importer) -> None:
    """HardSigmoid."""
    alpha = float(node.get("alpha", 0.2))
    if alpha < 0:
        raise UnsupportedError(f"alpha={alpha:g} is not supported, 0 and more is")
    _become(node, importer, "HardSigmoid", Alpha=alpha, Beta=float(node.get("beta", 0.5)))


@register("operator", "Elu")
def elu(node: OnnxNode, importer: Importer) -> None:
    """Elu."""
    _become(node, importer, "Elu", Alpha=float(node.get("alpha", 1.0)))


@register("operator", "Selu")
def selu(node: OnnxNode, importer: Importer) -> None:
    """Selu."""
    given = {name.capitalize(): float(node.get(name, usual)) for name, usual in _SELU.items()}
    _become(node, importer, "Selu", **given)


@register("operator", "Celu")
def celu(node: OnnxNode, importer: Importer) -> None:
    """Celu."""
    alpha = float(node.get("alpha", 1.0))
    if alpha <= 0:
        raise UnsupportedError(f"alpha={alpha:g} is not supported, more than 0 is")
    _become(node, importer, "Celu", Alpha=alpha)


@register("operator", "Gelu")
def gelu(node: OnnxNode, importer: Importer) -> None:
    """Gelu, with the error function or with tanh."""
    approximate = {"none": "None", "tanh": "Tanh"}.get(str(node.get("approximate", "none")))
    if approximate is None:
        raise UnsupportedError(f"approximate={node.get('approximate', '')} is not known")
    _become(node, importer, "Gelu", Approximate=approximate)


@register("operator", "Mish")
def mish(node: OnnxNode, importer: Importer) -> None:
    """Mish."""
    _become(node, importer, "Mish")


def _become(node: OnnxNode, importer: Importer, function: str, **parameters: float | str) -> None:
    texts = {name: value if isinstance(value, str) else number(value) for name, value in parameters.items()}
    keys = {f"ActivationFunction.{name}": text for name, text in texts.items()}
    activate(node, importer, {"ActivationFunction": function, **keys})
