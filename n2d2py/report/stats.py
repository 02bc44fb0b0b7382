"""What a network costs: neurons, memory and multiplications, over all and for each cell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from n2d2py.graph.files import write
from n2d2py.graph.network import Network
from n2d2py.report import style

HEADER = "Cell ParamMemory Computing DataMemory"
_TYPES = (("int-8", 1), ("float-16", 2), ("float-32", 4))
_COLUMNS = (("parameters", style.BLUE), ("computing (MACs)", style.ORANGE), ("data (values)", style.GREEN))


def write_stats(folder: str | Path, network: Network) -> list[Path]:
    """``stats.log``, ``stats.dat``, ``stats_relative.dat`` and ``stats.png`` in ``folder``."""
    folder = Path(folder)
    rows = costs(network)
    relative = [(name, *(f"{value:.2f}" for value in shares)) for name, *shares in relative_costs(rows)]
    return [
        write(folder / "stats.log", log_text(network)),
        write(folder / "stats.dat", _table(rows)),
        write(folder / "stats_relative.dat", _table(relative)),
        _draw(folder / "stats.png", rows),
    ]


def costs(network: Network) -> list[tuple[str, int, int, int]]:
    """For each cell its name, synapses (parameters), connections (MACs of a stimulus) and nodes (values it gives)."""
    rows = []
    for node in network:
        cost = node.cell.cost(node.inputs, node.output)
        rows.append((node.name, cost.synapses, cost.connections, cost.nodes))
    return rows


def relative_costs(rows: Sequence[tuple[str, int, int, int]]) -> list[tuple[str, float, float, float]]:
    """The same as shares of the sum over the network, in %."""
    totals = [sum(numbers) for numbers in zip(*(row[1:] for row in rows), strict=True)] or [0, 0, 0]

    def share(value: int, total: int) -> float:
        return 100.0 * value / total if total else 0.0

    return [
        (name, share(parameters, totals[0]), share(macs, totals[1]), share(nodes, totals[2]))
        for name, parameters, macs, nodes in rows
    ]


def log_text(network: Network) -> str:
    """The sums over the network: neurons and connections, memory in three types, computing."""
    cost = network.cost
    lines = ["[Global stats]"]
    lines += [
        f"Total number of neurons: {cost.neurons}",
        f"Total number of nodes: {cost.nodes}",
        f"Total number of synapses: {cost.synapses}",
        f"Total number of virtual synapses: {cost.virtual_synapses}",
        f"Total number of connections: {cost.connections}",
        "",
        "[Memory]",
    ]
    for what, count in (
        ("Input data", network.stimuli.size),
        ("Free parameters", cost.synapses),
        ("Layers data", cost.nodes),
    ):
        lines += [f"{what} ({name}): {_memory(count * size)}" for name, size in _TYPES]
    lines += ["", "[Computing]", f"MACs / input data: {cost.connections / 1e6:.6g} M", ""]
    return "\n".join(lines)


def _memory(size: int) -> str:
    return f"{size / 1000:.6g} kB ({size / 1024:.6g} KiB)"


def _table(rows: Sequence[tuple[Any, ...]]) -> str:
    return "\n".join([HEADER, *(" ".join(map(str, (style.quoted(row[0]), *row[1:]))) for row in rows), ""])


def _draw(path: Path, rows: Sequence[tuple[str, int, int, int]]) -> Path:
    """Three columns of bars, one a cell: which cell costs what, with the absolute numbers at the bars."""
    names = [row[0] for row in rows]
    numbers = list(zip(*(row[1:] for row in rows), strict=True)) or [()] * 3
    shares = list(zip(*(row[1:] for row in relative_costs(rows)), strict=True)) or [()] * 3
    with style.picture(path, 9.0, min(1.4 + 0.27 * max(len(rows), 3), 40.0)) as figure:
        columns = zip(figure.subplots(1, 3, sharey=True), _COLUMNS, numbers, shares, strict=True)
        for axes, (title, colour), counts, values in columns:
            axes.barh(range(len(rows)), values, color=colour, height=0.66)
            axes.set_title(title)
            axes.set_xlabel("share of the network [%]")
            axes.set_xlim(0, max([*values, 1.0]) * 1.32)
            axes.grid(axis="y", visible=False)
            for place, (count, value) in enumerate(zip(counts, values, strict=True)):
                if count:
                    axes.text(value, place, f" {count:,}", va="center", fontsize=8)
            axes.tick_params(axis="y", length=0)
            axes.set_yticks(range(len(rows)), names)
            axes.set_ylim(len(rows) - 0.4, -0.6)
    return path
