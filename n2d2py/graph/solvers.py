"""What the solvers of a network make impossible, known before it learns."""

from __future__ import annotations

from n2d2py import console
from n2d2py.graph.network import Network
from n2d2py.parameters import declarations
from n2d2py.parts.solvers import Solver


def warn_of_solvers(network: Network) -> None:
    """Say once a line of the file what makes learning impossible."""
    parts = (getattr(node.cell, name) for node in network for name in declarations(type(node.cell)))
    flaws = [flaw for part in parts if isinstance(part, Solver) and (flaw := part.flaw()) is not None]
    for flaw in {(flaw.place.file, flaw.place.line) if flaw.place else None: flaw for flaw in flaws}.values():
        console.warning(f"the network cannot learn: {flaw.what}, at: {flaw.place}; expected: {flaw.expected}")
