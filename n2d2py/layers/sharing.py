"""Tensors that several cells have in common: the layers of all of them hold the very same one."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from n2d2py.errors import GraphError
from n2d2py.graph.network import Network
from n2d2py.layers.base import Layer
from n2d2py.layers.once import Once
from n2d2py.layers.weighted import WeightedLayer


def share(network: Network, layers: Mapping[str, Layer]) -> None:
    """Give each cell of ``network.shared`` the tensors of the cells that it names, which have their own.

    Raises :class:`GraphError` for a tensor that one of the two does not have, or that has another shape.
    """
    for name, tensors in network.shared.items():
        for tensor, owner in tensors.items():
            mine, its = (getattr(layers[cell], tensor, None) for cell in (name, owner))
            if not isinstance(mine, Tensor) or not isinstance(its, Tensor) or mine.shape != its.shape:
                raise GraphError(
                    f"cell {name} cannot share the {tensor} of cell {owner}: its own are {_shape(mine)}, "
                    f"those are {_shape(its)}",
                    place=network[name].cell.place(f"{tensor}_sharing"),
                    expected=f"a {network[name].cell.type_name} with {tensor} of the same shape",
                )
            setattr(layers[name], tensor, its)


def quantize_once(network: Network, layers: Mapping[str, Layer]) -> list[Once]:
    """Let cells that share weights quantize them once a pass, if their quantizers are equal and learn nothing."""
    found: dict[str, Once] = {}
    for name, tensors in network.shared.items():
        borrower, owner = layers[name], layers[tensors.get("weights", name)]
        if borrower is owner or not isinstance(borrower, WeightedLayer) or not isinstance(owner, WeightedLayer):
            continue
        if _quantize_alike(borrower, owner):
            owner.once = borrower.once = found.setdefault(tensors["weights"], Once())
    return list(found.values())


def _quantize_alike(one: WeightedLayer, other: WeightedLayer) -> bool:
    mine, its = one.weights_quantizer, other.weights_quantizer
    if mine is None or its is None or mine.record != its.record or mine.advances or mine.learned():
        return False
    return one.weights is other.weights


def _shape(tensor: object) -> str:
    return "x".join(map(str, tensor.shape)) if isinstance(tensor, Tensor) else "not there"
