"""The picture of the integer network: its cells with weight, accumulator and multiplier bits, no BatchNorm left."""

from __future__ import annotations

from n2d2py.cells.base import PROVIDER
from n2d2py.graph.picture import Box, Picture, Tag, shape
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Identity, Operation, Pooling, Requantization, Weighted
from n2d2py.integer.ranges import word_bits

_TYPES = {"Convolution": "Conv", "FullyConnected": "Fc", "Requantization": "Scaling"}


def picture_of(network: IntegerNetwork) -> Picture:
    """Boxes of an integer network. A rescaling that alone takes a box's output becomes the foot of that box."""
    drawn: dict[str, str] = {PROVIDER: PROVIDER}
    stimuli = network.stimuli
    boxes = {PROVIDER: Box(PROVIDER, "stimuli", shape(stimuli.dims), (f"codes {_span(network, PROVIDER)}",), "stimuli")}
    edges: list[tuple[str, str]] = []
    for operation in network:
        host = drawn[operation.inputs[0]]
        if isinstance(operation, Requantization) and _absorbs(network, boxes[host], operation):
            boxes[host] = _with_rescaling(boxes[host], operation)
            drawn[operation.name] = host
            continue
        if isinstance(operation, Identity) and len(operation.inputs) == 1:
            drawn[operation.name] = host
            continue
        box = _box(network, operation)
        boxes[box.name] = box
        drawn[operation.name] = box.name
        edges.extend((drawn[name], box.name) for name in operation.inputs)
    weights = sum(operation.connected_weights.size for operation in network if isinstance(operation, Weighted))
    exact = "every rescaling proved exact" if network.exact else "not every rescaling is exact"
    return Picture(tuple(boxes.values()), tuple(edges), f"integer network, {weights:,} weights, {exact}")


def _absorbs(network: IntegerNetwork, host: Box, operation: Requantization) -> bool:
    """Whether the box of the operation's input is a weighted cell, or the same cell, that nobody else reads."""
    source = operation.inputs[0]
    joined = host.family == "weights" or host.name == operation.cell
    return joined and not host.tags and len(network.consumers(source)) == 1


def _box(network: IntegerNetwork, operation: Operation) -> Box:
    kind = type(operation).__name__
    edge = network.edges[operation.name]
    dims = shape(edge.dims)
    name = operation.name if isinstance(operation, Requantization) else operation.cell
    if isinstance(operation, Weighted):
        grid = operation.weights_grid
        by = f" by {grid.step}" if grid.step != 1 else ""
        mask = ", absent 0" if operation.zero_is_extra else ""
        lines = [f"weights {_bits(operation.level_bits)}: {grid.low}..{grid.high}{by}{mask}"]
        if operation.weights.ndim == 4:  # outputs, channels, height, width
            lines.insert(0, f"{operation.weights.shape[3]}x{operation.weights.shape[2]}")
        lines.append(f"accumulator {_bits(word_bits(int(edge.low.min()), int(edge.high.max())))}")
        return Box(name, _TYPES.get(kind, kind), dims, tuple(lines), "weights")
    if isinstance(operation, Requantization):
        return _with_rescaling(Box(name, _TYPES[kind], dims, (), "plain"), operation)
    detail = operation.detail()
    if edge.grid is None:
        return Box(name, kind, dims, (detail or "real numbers",), "real")
    codes = f"codes {_span(network, operation.name)}"
    family = "resampling" if isinstance(operation, Pooling) else "plain"
    return Box(name, kind, dims, (detail, codes) if detail else (codes,), family)


def _with_rescaling(box: Box, operation: Requantization) -> Box:
    rescaling = operation.rescaling
    how = f"x {_bits(rescaling.multiplier_bits)} >> {rescaling.shift}"
    if len(rescaling.tables) == rescaling.channels:
        how = "thresholds"
    elif rescaling.tables:
        how += f", {len(rescaling.tables)}/{rescaling.channels} thresholds"
    tag = Tag(f"clip then rescale: {how}", _bits(rescaling.highest.bit_length()), "rescaling")
    lines = box.lines if operation.proof.exact else (*box.lines, f"NOT EXACT: {operation.proof}")
    return Box(box.name, box.type, box.dims, lines, box.family, (tag,))


def _span(network: IntegerNetwork, name: str) -> str:
    """The codes that can occur, and the bits of a word for them."""
    edge = network.edges[name]
    return f"{int(edge.low.min())}..{int(edge.high.max())}, {_bits(edge.bits)}"


def _bits(count: int) -> str:
    return f"{count} bit" if count == 1 else f"{count} bits"
