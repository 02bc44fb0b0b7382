"""Rules that every network keeps; a broken one is told with the cell, the rule and the likely cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from n2d2py.cells.base import PROVIDER, ActivatedCell, Dims, WeightedCell
from n2d2py.errors import GraphError
from n2d2py.graph.network import Network, Node
from n2d2py.graph.sharing import complaints

Complaints = Iterator[tuple[Node | None, str]]

MOST_VALUES = 1 << 36
"""Most values that a cell may hold for one stimulus, and most weights: 256 GiB of real numbers."""


def lint(network: Network) -> None:
    """Raise :class:`GraphError` for the first rule that the network breaks; each rule may rely on those before it."""
    for rule, breaches, remedy in RULES:
        for node, what in breaches(network):
            raise GraphError(what, place=node.cell.place() if node is not None else None, expected=rule, remedy=remedy)


def _names_are_unique(network: Network) -> Complaints:
    seen: set[str] = {PROVIDER}
    for node in network:
        if node.name in seen:
            yield node, f"cell {node.name} exists twice"
        seen.add(node.name)


def _parents_come_first(network: Network) -> Complaints:
    seen = {PROVIDER}
    for node in network:
        for parent in node.parents:
            if parent not in seen:
                yield node, f"cell {node.name} is computed before its input {parent}"
        seen.add(node.name)


def _dims_agree(network: Network) -> Complaints:
    for node in network:
        given = tuple(network.dims(parent) for parent in node.parents)
        if given != node.inputs:
            yield node, f"cell {node.name} is made for inputs of {_listed(node.inputs)}, and gets {_listed(given)}"
        elif node.cell.outputs(given) != node.output:
            yield node, f"cell {node.name} is said to give {node.output}, and gives {node.cell.outputs(given)}"


def _listed(dims: Iterable[Dims]) -> str:
    return ", ".join(map(str, dims))


def _sizes_are_possible(network: Network) -> Complaints:
    for node in network:
        for number, what in ((node.output.size, "outputs"), (node.cost.synapses, "weights")):
            if number > MOST_VALUES:
                yield node, f"cell {node.name} has {number:,} {what}"


def _maps_fit(network: Network) -> Complaints:
    for node in network:
        for parent, dims in zip(node.parents, node.inputs, strict=True):
            matrix = node.maps.get(parent)
            expected = (dims.channels, node.output.channels)
            if matrix is not None and (matrix.shape != expected or matrix.dtype != bool):
                given = f"{matrix.dtype} {matrix.shape}"
                yield node, f"the map of {parent} on cell {node.name} is {given}, and not bool {expected}"
        for parent in node.maps.keys() - set(node.parents):
            yield node, f"cell {node.name} has a map of {parent}, which does not feed it"


def _guarantees_have_bits(network: Network) -> Complaints:
    for node in network:
        cell = node.cell
        if isinstance(cell, WeightedCell) and cell.accumulator_guarantee != "None" and cell.accumulator_bits < 2:
            yield node, f"QAcc.Guarantee={cell.accumulator_guarantee} of cell {node.name} without QAcc.Bits"


def _quantized_outputs_have_an_activation(network: Network) -> Complaints:
    for node in network:
        cell = node.cell
        if isinstance(cell, ActivatedCell) and cell.activation_quantizer is not None and cell.activation is None:
            yield node, f"cell {node.name} has QAct and no ActivationFunction"


def _integer_biases_have_a_form(network: Network) -> Complaints:
    for node in network:
        cell = node.cell
        if not isinstance(cell, ActivatedCell) or cell.activation_quantizer is None or cell.activation is None:
            continue
        if cell.activation_quantizer.integer_bias and cell.activation.in_units(1.0) is None:
            yield node, f"cell {node.name} has QAct.IntegerBias=1 and {cell.activation.label()} before the quantizer"


def _losses_are_last(network: Network) -> Complaints:
    for node in network:
        # What gives boxes gives no gradient back.
        fed = [child for child in network.children(node.name) if child.cell.found_in(child.inputs) is None]
        if node.cell.is_loss and fed:
            yield node, f"{node.cell.type_name} {node.name} has WithLoss=1 and feeds {fed[0].name}"


def _what_is_referred_to_comes_first(network: Network) -> Complaints:
    seen: set[str] = set()
    for node in network:
        for other in node.cell.refers_to:
            if other not in seen:
                yield node, f"cell {node.name} refers to {other}, which does not come before it"
        seen.add(node.name)


def _shared_tensors_fit(network: Network) -> Complaints:
    yield from complaints({node.name: node for node in network} if network.shared else {}, network.shared)


def _initial_values_have_a_cell(network: Network) -> Complaints:
    for cell in network.initial:
        if cell not in network:
            yield None, f"there are initial values for cell {cell}, which does not exist"


def _targets_are_distinct(network: Network) -> Complaints:
    seen: set[str] = set()
    for target in network.targets:
        if target.name in seen:
            yield network[target.cell], f"target {target.name} exists twice"
        seen.add(target.name)


def _targets_refer_to_targets(network: Network) -> Complaints:
    known = {target.name for target in network.targets}
    for target in network.targets:
        for key, other in target.refers_to.items():
            if other not in known:
                yield network[target.cell], f"{key} of target {target.name}: there is no target {other}"
            elif other == target.name:
                yield network[target.cell], f"{key} of target {target.name} is the target itself"
        for key, cell in target.cells.items():
            if cell not in network:
                yield network[target.cell], f"{key} of target {target.name}: there is no cell {cell}"


def _targets_exist(network: Network) -> Complaints:
    for target in network.targets:
        if target.cell not in network:
            yield None, f"target {target.name} belongs to cell {target.cell}, which does not exist"


RULES: tuple[tuple[str, Callable[[Network], Complaints], str], ...] = (
    ("every cell has a name of its own", _names_are_unique, "rename one of them"),
    ("a cell comes after the cells that feed it", _parents_come_first, "put the cell behind its inputs"),
    (
        "dimensions agree along every edge",
        _dims_agree,
        "whatever changed the cell must compute the dimensions of all cells after it again",
    ),
    (
        f"at most {MOST_VALUES:,} outputs and as many weights a cell",
        _sizes_are_possible,
        "look for a zero too many in NbOutputs, or for a size that should shrink before this cell",
    ),
    ("a map is bool (channels, outputs)", _maps_fit, "make the map anew where channels or outputs changed"),
    (
        "a guarantee of accumulators says of how many bits, at least 2",
        _guarantees_have_bits,
        "write QAcc.Bits=16, or the width that the accumulators have, beside QAcc.Guarantee",
    ),
    (
        "a quantized output has an activation",
        _quantized_outputs_have_an_activation,
        "write ActivationFunction=Linear beside QAct",
    ),
    (
        "an integer bias stands before a function of straight lines: Linear, Rectifier, Saturation or Clamp",
        _integer_biases_have_a_form,
        "write QAct.IntegerBias=0",
    ),
    (
        "a cell with a loss is the end of the network",
        _losses_are_last,
        "write WithLoss=0, because the gradient of a loss is that of its target alone",
    ),
    (
        "a cell comes after the cells that it refers to",
        _what_is_referred_to_comes_first,
        "name a cell that is computed before it",
    ),
    (
        "a shared tensor fits and is that of the other cell",
        _shared_tensors_fit,
        "whatever changed a cell must give it tensors of its own",
    ),
    ("initial values belong to a cell", _initial_values_have_a_cell, "remove the values with the cell"),
    ("a target belongs to a cell", _targets_exist, "remove the target, or name its section after a cell"),
    ("every target has a name of its own", _targets_are_distinct, "rename one of them"),
    (
        "a target needs targets and cells that exist",
        _targets_refer_to_targets,
        "write the name of the section of the target, or that of the cell",
    ),
)
