"""``TorchNetwork``: the torch module of a whole network."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from n2d2py.cells.base import PROVIDER
from n2d2py.errors import GraphError
from n2d2py.graph.network import Network, Node
from n2d2py.layers.base import Labels, Layer, Learned, Stored
from n2d2py.layers.promises import bound_weights
from n2d2py.layers.sharing import share
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.quant.grid import Coded
from n2d2py.quant.scaled import Scaled
from n2d2py.registry import find


class TorchNetwork(nn.Module):
    """The layers of a network, computed in its order.

    ``layers`` gives the layer of each cell by name. ``forward`` is for learning, ``evaluate`` for testing.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self._modules_in_order = nn.ModuleList([build(node) for node in network])
        self.layers: Mapping[str, Layer] = {
            node.name: layer  # type: ignore[misc]  # a ModuleList holds Module
            for node, layer in zip(network, self._modules_in_order, strict=True)
        }
        share(network, self.layers)
        bound_weights(network, self.layers)
        for layer in self.layers.values():
            layer.stimuli = network.stimuli
            layer.refer(self._referred(layer))
        self.outputs = _outputs(network)
        for name, layer in reversed(self.layers.items()):
            children = [self.layers[child.name] for child in network.children(name)]
            layer.gives_logits = not children and name in self.outputs and layer.loss_form != "square"
            layer.gives_codes = any(child.takes_codes for child in children)
            if isinstance(layer, WeightedLayer):
                layer.folds_bias = not children or not all(child.takes_offset for child in children)
        self.carries_codes = any(layer.gives_codes for layer in self.layers.values())
        """Whether learning gives codes to a weighted cell in Integer mode (QWeight.Mode=Integer)."""
        self._needed = _ancestors(network, self.outputs)
        self.labels: Labels | None = None
        """How the layers that want them learn the labels of the batch; set it before each batch of learning."""

    def _referred(self, layer: Layer) -> dict[str, Layer]:
        """The layers that a layer refers to, all of which it must be computed after."""
        node = layer.node
        ancestors = _ancestors(self.network, node.parents) if node.cell.refers_to else set()
        for name in node.cell.refers_to:
            if name not in ancestors:
                raise GraphError(
                    f"cell {node.name} refers to {name}, which does not come before it",
                    place=node.cell.place(),
                    expected=f"a cell on the way from {PROVIDER} to {node.name}",
                )
        return {name: self.layers[name] for name in node.cell.refers_to}

    @property
    def quantized(self) -> bool:
        """Whether any weights or activations are on a grid."""
        return any(layer.quantized for layer in self.layers.values())

    def loss_form(self, cell: str) -> str:
        """What error the target of a cell learns from, all summed over the outputs and the batch.

        "cross-entropy": in learning ``forward`` gives logits; their gradient is softmax(x) - t. "logistic": it
        gives logits; their gradient is logistic(x) - t. "square": it gives outputs y, whose gradient is y - t,
        that of 1/2 (y - t)^2.
        """
        layer = self.layers[cell]
        return layer.loss_form if layer.gives_logits else "square"

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Outputs (batch, channels, height, width) of the cells with a target, or of the last cells without any.

        ``x`` is (batch, channels, height, width), float32. In learning (``training``) a cell whose
        :meth:`loss_form` is not "square" gives its logits.
        """
        for layer in self.layers.values():
            if layer.wants_labels:
                layer.labels = self.labels
        if self.carries_codes:
            return self._forward_scaled(x)
        values = {PROVIDER: x}
        for name, layer in self.layers.items():
            if name in self._needed:
                values[name] = layer(*(values[parent] for parent in layer.node.parents))
        return {name: values[name] for name in self.outputs}

    def _forward_scaled(self, x: Tensor) -> dict[str, Tensor]:
        """As :meth:`forward`, codes and their scales going from activation quantizers to cells in Integer mode."""
        values = {PROVIDER: Scaled(x)}
        for name, layer in self.layers.items():
            if name in self._needed:
                values[name] = layer.forward_scaled(*(values[parent] for parent in layer.node.parents))
        return {name: values[name].real() for name in self.outputs}

    @torch.no_grad()
    def evaluate(self, stimuli: Coded, wanted: Collection[str] | None = None) -> dict[str, Coded]:
        """Outputs of the ``wanted`` cells (all, if None), in evaluation mode whatever the present mode.

        On a quantized network codes are exact integers from end to end. A cell whose sums no float type holds
        exactly computes on reals; so does one whose input or weights are not on a grid.
        """
        needed = set(self.layers) if wanted is None else _ancestors(self.network, wanted)
        mode = self.training
        self.eval()
        try:
            values = {PROVIDER: stimuli}
            uses = _uses(self.network, needed)
            results = {}
            for name, layer in self.layers.items():
                if name not in needed:
                    continue
                values[name] = _evaluate(layer, [values[parent] for parent in layer.node.parents])
                if wanted is None or name in wanted:
                    results[name] = values[name]
                for parent in layer.node.parents:
                    uses[parent] -= 1
                    if not uses[parent]:
                        del values[parent]
        finally:
            self.train(mode)
        return results

    @torch.no_grad()
    def fill(self, seed: int | torch.Generator) -> None:
        """Give all tensors their initial values, cell by cell in the network's order.

        A shared tensor has those of its owner. ``network.initial`` comes after the fillers; its arrays have the shapes
        of the tensors here (weights: outputs, channels of a group, [depth,] height, width, of a Deconv too). Raises
        :class:`GraphError` for one of another shape.
        """
        generator = torch.Generator().manual_seed(seed) if isinstance(seed, int) else seed
        for name, layer in self.layers.items():
            shared = [getattr(layer, tensor) for tensor in self.network.shared.get(name, {})]
            kept = [tensor.clone() for tensor in shared]
            layer.fill(generator)
            for tensor, values in zip(shared, kept, strict=True):
                tensor.copy_(values)
        for name, arrays in self.network.initial.items():
            stored = {item.name: item for item in self.layers[name].stored()}
            for tensor, array in arrays.items():
                _begin_with(self.network[name], stored.get(tensor), tensor, array)

    def learned(self) -> list[tuple[str, Learned]]:
        """(name of the cell, what it learns); a shared tensor is listed once, with its owner and the owner's solver."""
        shared = self.network.shared
        return [
            (name, learned)
            for name, layer in self.layers.items()
            for learned in layer.learned()
            if learned.name not in shared.get(name, {})
        ]

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> TorchNetwork:
        # Moving to a device makes new buffers, one for each cell that shares one.
        super()._apply(fn, recurse)
        share(self.network, self.layers)
        return self

    def stored(self) -> dict[str, list[Stored]]:
        """What weight files hold, by cell."""
        return {name: layer.stored() for name, layer in self.layers.items()}


def build(node: Node) -> Layer:
    """The layer of a node."""
    layer: Layer = find("layer", node.cell.type_name, node.cell.place())(node)
    return layer


def _begin_with(node: Node, stored: Stored | None, tensor: str, array: np.ndarray) -> None:
    """Give a tensor the values of an imported model."""
    shape = None if stored is None else tuple(stored.tensor.shape)
    if stored is None or shape != array.shape:
        raise GraphError(
            f"the imported {tensor} of {node.cell.type_name} cell {node.name} do not fit: {_sizes(array.shape)}",
            place=node.cell.place(),
            expected="none: the cell has no such tensor" if shape is None else _sizes(shape),
            remedy="the cell's section may override the geometry of the model; ONNX_init=0 leaves its values out",
        )
    values = torch.from_numpy(np.array(array)).to(stored.tensor)
    stored.tensor.copy_(values if stored.mask is None else values * stored.mask)


def _sizes(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"


def _evaluate(layer: Layer, inputs: list[Coded]) -> Coded:
    try:
        return layer.evaluate(*inputs)
    except OverflowError:
        return layer.evaluate(*(Coded(x.real()) for x in inputs))


def _outputs(network: Network) -> list[str]:
    """Cells with a target, each once, or the cells that feed no other."""
    targets = list(dict.fromkeys(target.cell for target in network.targets))
    return targets or [node.name for node in network if not network.children(node.name)]


def _ancestors(network: Network, names: Collection[str]) -> set[str]:
    """The named cells and all that they need."""
    needed = set(names)
    for node in reversed(network.nodes):
        if node.name in needed:
            needed.update(node.parents)
    return needed - {PROVIDER}


def _uses(network: Network, needed: set[str]) -> dict[str, int]:
    uses: dict[str, int] = {}
    for node in network:
        if node.name in needed:
            for parent in node.parents:
                uses[parent] = uses.get(parent, 0) + 1
    return uses
