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
from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.base import Labels, Layer, Learned, Stored, Truth
from n2d2py.layers.once import one_pass
from n2d2py.layers.promises import bound_weights
from n2d2py.layers.sharing import quantize_once, share
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.quant.grid import Coded
from n2d2py.quant.layouts import fastest
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
        self._once = quantize_once(network, self.layers)
        bound_weights(network, self.layers)
        for layer in self.layers.values():
            layer.stimuli = network.stimuli
            layer.refer(self._referred(layer))
        self.outputs = _outputs(network)
        self._learned_outputs = _learned_outputs(network) if network.targets else self.outputs
        alone = _alone(network, self.layers)
        self._needed = _ancestors(network, self.outputs)
        self._needed_in_learning = _ancestors(network, {*self._learned_outputs, *alone})
        self.without_target: Mapping[str, Layer] = alone
        """The layers that learn from the labelled regions of the stimuli, on the way to a target."""
        self.truth: Mapping[str, Truth] = {}
        """What the regions of the batch are to each of them; set it before each batch of learning."""
        for name, layer in reversed(self.layers.items()):
            children = [self.layers[child.name] for child in network.children(name)]
            last = all(_only_detects(child.node) and not self._learns(child.node.name) for child in children)
            layer.gives_logits = last and name in self.outputs and layer.loss_form != "square"
            layer.gives_codes = any(child.takes_codes for child in children)
            if isinstance(layer, WeightedLayer):
                layer.folds_bias = not children or not all(child.takes_offset for child in children)
        self.carries_codes = any(layer.gives_codes for layer in self.layers.values())
        """Whether learning gives codes to a weighted cell in Integer mode (QWeight.Mode=Integer)."""
        self.labels: Labels | None = None
        """How the layers that want them learn the labels of the batch; set it before each batch of learning."""

    def _learns(self, name: str) -> bool:
        """Whether a cell is computed in learning."""
        return name in self._needed_in_learning

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
        :meth:`loss_form` is not "square" gives its logits, cells of which no target learns are left out, and the cells
        that propose the regions of a target come with them.
        """
        for layer in self.layers.values():
            if layer.wants_labels:
                layer.labels = self.labels
        for name, truth in self.truth.items():
            self.layers[name].truth = truth
        learning = self.training
        needed = self._needed_in_learning if learning else self._needed
        outputs = self._learned_outputs if learning else self.outputs
        with one_pass(self._once):
            return self._forward_scaled(x, needed, outputs) if self.carries_codes else self._reals(x, needed, outputs)

    def _reals(self, x: Tensor, needed: Collection[str], outputs: Collection[str]) -> dict[str, Tensor]:
        values, uses = {PROVIDER: fastest(x) if self.training else x}, _uses(self.network, needed)
        for name, layer in self.layers.items():
            if name in needed:
                values[name] = layer(*(values[parent] for parent in layer.node.parents))
                _drop(values, uses, layer, outputs)
        return {name: values[name] for name in outputs}

    def _forward_scaled(self, x: Tensor, needed: Collection[str], outputs: Collection[str]) -> dict[str, Tensor]:
        """As :meth:`forward`, codes and their scales going from activation quantizers to cells in Integer mode."""
        values, uses = {PROVIDER: Scaled(x)}, _uses(self.network, needed)
        for name, layer in self.layers.items():
            if name in needed:
                values[name] = layer.forward_scaled(*(values[parent] for parent in layer.node.parents))
                _drop(values, uses, layer, outputs)
        return {name: values[name].real() for name in outputs}

    def compile_passes(self, wanted: bool = True) -> None:
        """From now on learn by passes that torch.compile makes (:mod:`n2d2py.layers.passes`), or no longer."""
        for layer in self.layers.values():
            if isinstance(layer, ActivatedLayer):
                layer.compiled = wanted

    def own_losses(self) -> list[Tensor]:
        """What layers ask for themselves of the batch that :meth:`forward` saw last; they are given once."""
        found = [layer.own_loss for layer in self.without_target.values() if layer.own_loss is not None]
        for layer in self.without_target.values():
            layer.own_loss = None
        return found

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
                _drop(values, uses, layer)
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


def _only_detects(node: Node) -> bool:
    return node.cell.found_in(node.inputs) is not None


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


def _learned_outputs(network: Network) -> list[str]:
    """Cells that a target learns, each once, and those that propose its regions."""
    cells = [cell for target in network.targets if target.learns for cell in (target.cell, *target.cells.values())]
    return list(dict.fromkeys(cells))


def _alone(network: Network, layers: Mapping[str, Layer]) -> dict[str, Layer]:
    """The layers on the way to a target that learn without one."""
    before = _ancestors(network, {target.cell for target in network.targets})
    return {name: layer for name, layer in layers.items() if layer.node.cell.learns_alone and name in before}


def _ancestors(network: Network, names: Collection[str]) -> set[str]:
    """The named cells and all that they need."""
    needed = set(names)
    for node in reversed(network.nodes):
        if node.name in needed:
            needed.update(node.parents)
    return needed - {PROVIDER}


def _drop(values: dict[str, Any], uses: dict[str, int], layer: Layer, kept: Collection[str] = ()) -> None:
    """Forget what no later layer takes, now that this one has taken it."""
    for parent in layer.node.parents:
        uses[parent] -= 1
        if not uses[parent] and parent not in kept:
            del values[parent]


def _uses(network: Network, needed: Collection[str]) -> dict[str, int]:
    uses: dict[str, int] = {}
    for node in network:
        if node.name in needed:
            for parent in node.parents:
                uses[parent] = uses.get(parent, 0) + 1
    return uses
