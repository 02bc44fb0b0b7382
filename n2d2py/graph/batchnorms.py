"""A pass: a BatchNorm behind each Conv that has none (``InsertBatchNormAfterConv=1``)."""

from __future__ import annotations

from dataclasses import replace

from n2d2py.cells.base import Dims
from n2d2py.cells.batchnorm import BatchNorm
from n2d2py.cells.conv import Conv
from n2d2py.errors import Place
from n2d2py.graph.editing import redirected
from n2d2py.graph.lint import lint
from n2d2py.graph.network import Network, Node
from n2d2py.parameters import Record


def with_batchnorms(network: Network) -> Network:
    """The network with a BatchNorm behind each Conv that feeds none; it takes over the activation of the Conv.

    ::

        conv1 (Rectifier) -> pool1      becomes      conv1 -> conv1_batchnorm (Rectifier) -> pool1

    Where there is a cell ``conv1_batchnorm`` already, the new one is ``conv1_batchnorm_0``, or ``_1`` and so on.
    A target of the Conv becomes one of its BatchNorm and keeps its name.
    """
    taken = {node.name for node in network}
    names: dict[str, str] = {}
    nodes: list[Node] = []
    for node in network:
        current = redirected(node, names)
        cell = current.cell
        if not isinstance(cell, Conv) or any(child.cell.normalizes for child in network.children(node.name)):
            nodes.append(current)
            continue
        name = _free(f"{cell.name}_batchnorm", taken)
        taken.add(name)
        norm = BatchNorm(
            name=name,
            inputs=(cell.name,),
            nb_outputs=cell.nb_outputs,
            activation=cell.activation,
            activation_quantizer=cell.activation_quantizer,
            activation_quantizer_solver=cell.activation_quantizer_solver,
            places=_places(cell),
        )
        usual = type(cell).activation_quantizer_solver
        linear = replace(cell, activation=None, activation_quantizer=None, activation_quantizer_solver=usual)
        inputs: tuple[Dims, ...] = (node.output,)
        nodes += [replace(current, cell=linear), Node(norm, inputs, norm.outputs(inputs), model=node.model)]
        names[cell.name] = name
    targets = tuple(replace(target, cell=names.get(target.cell, target.cell)) for target in network.targets)
    result = replace(network, nodes=tuple(nodes), targets=targets)
    lint(result)
    return result


def _free(name: str, taken: set[str]) -> str:
    """``name``, or the first of ``name_0``, ``name_1`` and so on that is not taken."""
    candidate, number = name, 0
    while candidate in taken:
        candidate = f"{name}_{number}"
        number += 1
    return candidate


def _places(cell: Record) -> dict[str, Place]:
    return {key: place for key, place in cell.places.items() if key == "" or key.startswith("activation")}
