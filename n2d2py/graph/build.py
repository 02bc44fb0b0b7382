"""From an INI file to a network: which sections are cells, in which order, with which parameters.

A section is a cell if it has ``Input``, its own or an inherited one. N2D2's order of work is kept, because what
a cell publishes (``[conv1]_OutputsWidth``) may be read by the sections of the cells after it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from n2d2py import cells, console, parts
from n2d2py.cells.base import PROVIDER, Cell, Dims
from n2d2py.errors import GraphError, IniError, N2d2Error, Place, nearest
from n2d2py.graph.batchnorms import with_batchnorms
from n2d2py.graph.lint import lint
from n2d2py.graph.meanings import tell_of_own_meanings
from n2d2py.graph.models import check_model, spikes
from n2d2py.graph.naming import check_names
from n2d2py.graph.network import FRAME, Network, Node
from n2d2py.graph.order import behind_imports, ordered
from n2d2py.graph.reading import IMPORT, Heading, model_of, read_cell, read_headings
from n2d2py.graph.reshapes import without_extra_reshapes
from n2d2py.graph.settings import Globals, provider_section, read_globals, read_provider
from n2d2py.graph.sharing import resolve
from n2d2py.graph.side import side_files
from n2d2py.graph.targets import read_targets
from n2d2py.graph.totals import report_cell, report_totals
from n2d2py.ini import Document
from n2d2py.parts import provider

__all__ = ["build", "provider_section", "read_globals", "read_provider", "report_unused"]

# Importing these rooms registers the types that Type=, QWeight= and so on name.
_ROOMS = (cells, parts)

OnError = Callable[[N2d2Error], None]
"""What is done with an error that does not end the building."""

_MOST_NAMES = 16


def build(document: Document, name: str, on_error: OnError | None = None) -> Network:
    """The network of a document; ``name`` is its title (that of the file).

    With ``on_error``, cells behind a wrong one are read too: it is called for each error but the last, which is raised.
    Prints each cell as N2D2 does and publishes its dimensions in the document. Raises :class:`GraphError`,
    :class:`ParameterError` or :class:`IniError` at the place of what is wrong.
    """
    settings = read_globals(document)
    check_model(settings.default_model, settings.default_data_type, settings.place("default_model"))
    stimuli = read_provider(document)
    headings = read_headings(document)
    if not headings:
        raise GraphError(
            f"{document.file} has no cell",
            place=Place(document.file),
            expected="sections with Input and Type, of which the first reads from sp or env",
        )
    builder = _Builder(document, settings, headings, Dims(*stimuli.dims, stimuli.depth), on_error)
    with console.each_once():
        builder.run()
    nodes = tuple(builder.nodes.values())
    check_names("cell", [node.cell for node in nodes])
    network = Network(
        name,
        builder.dims[PROVIDER],
        stimuli.batch_size,
        nodes,
        read_targets(document, nodes, stimuli, builder.losses, builder.aliases),
        builder.initial,
        resolve(nodes),
    )
    check_names("target", network.targets)
    lint(network)
    tell_of_own_meanings(network)
    console.line("Remove extra Reshape...")
    network = without_extra_reshapes(network)
    if settings.insert_batchnorm:
        network = with_batchnorms(network)
    report_totals(network)
    return network


def report_unused(document: Document) -> None:
    """N2D2's notice for each section of which nothing was read; ``_def`` sections that are inherited are among them."""
    for section in document.unused():
        console.line(f"Notice: Unused section {section} in INI file")


class _Builder:
    """The cells that are there so far, in the order of their making."""

    def __init__(
        self,
        document: Document,
        settings: Globals,
        headings: dict[str, Heading],
        stimuli: Dims,
        on_error: OnError | None,
    ) -> None:
        self.document, self.settings, self.headings = document, settings, headings
        self.imports = [section for section, heading in headings.items() if heading.type == IMPORT]
        self.nodes: dict[str, Node] = {}
        self.dims: dict[str, Dims] = {PROVIDER: stimuli}
        self.initial: dict[str, Mapping[str, np.ndarray]] = {}
        self.losses: set[str] = set()
        self.aliases: dict[str, str] = {}
        self._side = side_files()
        self._on_error = on_error
        self._errors: list[N2d2Error] = []
        self._failed: set[str] = set()

    def run(self) -> None:
        """Make all cells."""
        places = {section: self.document.sections[section].place for section in self.headings}
        parents = {section: heading.inputs for section, heading in self.headings.items()}
        if not self.imports:
            for section in self.headings:  # before any cell is printed
                self._attempt(section, partial(self._parents, section, self.headings))
        for section in ordered(behind_imports(parents, self.imports), places):
            self._attempt(section, partial(self._make, section))
        if self._errors and self._on_error is not None:
            for error in self._errors[:-1]:
                self._on_error(error)
            raise self._errors[-1]

    def _make(self, section: str) -> None:
        heading = self.headings[section]
        inputs = self._parents(section, self.dims)
        model = model_of(heading, self.settings)
        if heading.type == IMPORT:
            self._import(section, inputs, model)
            return
        cell = read_cell(self.document, section, heading, model, inputs, section in self._side)
        if self._failed.isdisjoint(inputs):
            for parent in self.losses.intersection(inputs):
                self._continue_behind(parent)
            self._publish(self._add(cell, model))
        else:
            self._failed.add(section)

    def _attempt(self, section: str, step: Callable[[], object]) -> None:
        """Do a step of a section, unless it has failed; keep its error if there is someone to tell.

        Behind a failed cell some errors say nothing: what is missing there, that cell would have given.
        """
        if section in self._failed:
            return
        try:
            step()
        except N2d2Error as error:
            if self._on_error is None:
                raise
            missing = isinstance(error, IniError) or (bool(self.imports) and isinstance(error, GraphError))
            if not (missing and self._failed):
                self._errors.append(error)
            self._failed.add(section)

    def _parents(self, section: str, known: Collection[str]) -> tuple[str, ...]:
        """The inputs of a cell as the network names them, without the names of imports."""
        heading = self.headings[section]
        named = [parent for parent in heading.inputs if parent not in self.imports]
        if not any(named):
            raise GraphError(
                f"cell {section} has no input",
                place=heading.place("inputs"),
                expected=f"Input, with names of cells or {PROVIDER}",
                remedy=f"name a cell of the file that [{heading.inputs[0]}] imports" if any(heading.inputs) else None,
            )
        for parent in named:
            if parent not in known and not self._is_other_name(parent):
                raise self._unknown(section, parent, heading)
        return tuple(
            PROVIDER if parent in provider.NAMES else parent if parent in known else self.aliases.get(parent, parent)
            for parent in named
        )

    def _is_other_name(self, parent: str) -> bool:
        """Whether a name that is no cell stands for one, or for one that failed."""
        return parent in provider.NAMES or parent in self.aliases or parent in self._failed

    def _unknown(self, section: str, parent: str, heading: Heading) -> GraphError:
        if parent in self.document.sections and parent not in self.headings and not self.imports:
            remedy = f"[{parent}] is no cell because it has no Input"
        else:
            candidates = [*dict.fromkeys([*self.headings, *self.nodes]), *provider.NAMES]
            match = nearest(parent, candidates)
            more = ", ..." if len(candidates) > _MOST_NAMES else ""
            listed = ", ".join([PROVIDER, *candidates[:_MOST_NAMES]]) + more
            remedy = f"did you mean {match}?" if match else f"known: {listed}"
        return GraphError(
            f"input {parent!r} of cell {section} does not exist", place=heading.place("inputs"), remedy=remedy
        )

    def _add(self, cell: Cell, model: str) -> Node:
        if cell.name in self.nodes:
            raise GraphError(
                f"cell {cell.name} exists twice",
                place=cell.place(),
                remedy=f"rename the section [{cell.name}]: an imported file has a cell of this name",
            )
        inputs = tuple(self.dims[parent] for parent in cell.inputs)
        node = Node(cell, inputs, cell.outputs(inputs), cell.maps(inputs), model if spikes(model) else FRAME)
        _warn_of_unconnected(node)
        _tell_of_broadcast(node)
        report_cell(node)
        self.nodes[cell.name] = node
        self.dims[cell.name] = node.output
        return node

    def _import(self, section: str, inputs: tuple[str, ...], model: str) -> None:
        # Reading ONNX files takes a package that is slow to import, and that few networks need.
        from n2d2py.onnx_import import import_section

        imported = import_section(self.document, section, inputs, tuple(self.dims[parent] for parent in inputs))
        for cell in imported.cells:
            self._add(cell, model)
        self.initial.update(imported.initial)
        self.aliases.update(imported.aliases)
        self.losses.update(imported.losses)

    def _continue_behind(self, loss: str) -> None:
        """An imported cell that was the end of its network is no loss any more if something comes behind it."""
        self.losses.remove(loss)
        node = self.nodes[loss]
        if node.cell.is_loss:
            changes: dict[str, Any] = {"with_loss": False}
            self.nodes[loss] = replace(node, cell=replace(node.cell, **changes))
            console.notice(f"{loss} is not the end of the network: its WithLoss is 0, and it has no target of its own")

    def _publish(self, node: Node) -> None:
        """Make the dimensions of a cell readable in the sections of the next ones."""
        computed = {
            "_NbChannels": sum(dims.channels for dims in node.inputs),
            "_ChannelsWidth": max(dims.width for dims in node.inputs),
            "_ChannelsHeight": max(dims.height for dims in node.inputs),
            "_NbOutputs": node.output.channels,
            "_OutputsWidth": node.output.width,
            "_OutputsHeight": node.output.height,
        }
        for key, value in computed.items():
            self.document.publish(node.name, key, value)


def _tell_of_broadcast(node: Node) -> None:
    """Say which inputs of 1x1 are repeated over the size of the others."""
    sizes = {(dims.width, dims.height, dims.depth) for dims in node.inputs}
    if node.cell.changes_rows:
        return  # boxes and features are not put side by side
    if len(sizes) > 1 and (node.output.width, node.output.height, node.output.depth) != (1, 1, 1):
        small = [name for name, dims in zip(node.parents, node.inputs, strict=True) if dims.size == dims.channels]
        console.notice(f"cell {node.name}: {', '.join(small)} of 1x1 is broadcast to the size of its other inputs")


def _warn_of_unconnected(node: Node) -> None:
    if not node.maps or len(node.maps) < len(set(node.parents)):
        return  # a parent that is fully connected reaches every output
    connected = np.zeros(node.output.channels, bool)
    for matrix in node.maps.values():
        connected |= matrix.any(axis=0)
    alone = [str(output) for output in np.flatnonzero(~connected)]
    if alone:
        shown = ", ".join(alone[:10]) + (", ..." if len(alone) > 10 else "")
        console.warning(f"outputs {shown} of cell {node.name} have no connection, at: {node.cell.place('mapping')}")
