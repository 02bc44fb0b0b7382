"""What a run shows before it learns: its network, its stimuli, the anchors that it makes of them."""

from __future__ import annotations

from n2d2py import console
from n2d2py.cells.anchors import json_of
from n2d2py.data.databases.dir import DirDatabase
from n2d2py.graph import picture
from n2d2py.graph.drawing import draw
from n2d2py.graph.files import write
from n2d2py.learn import anchors, labels
from n2d2py.outcome.places import folder_of
from n2d2py.parts.targets import Target, TargetBBox
from n2d2py.report import dataset, maps, receptive, samples, stats, transformations
from n2d2py.report.labels import write_labels_mapping
from n2d2py.session import Session

_SETS = ("Learn", "Validation", "Test")


def write_network(session: Session) -> None:
    """The picture of the network, its maps, its statistics, its learning rates, and which output is which label."""
    network = session.network
    draw_graph(session, picture.picture_of(network))
    maps.write_maps("map", network)
    stats.write_stats("stats", network)
    receptive.write_receptive_fields("receptive_fields.log", network)
    console.line("[LOG] Connection maps (map/), statistics (stats/), receptive fields (receptive_fields.log)")
    for target in network.targets:
        _write_labels(session, target)


def write_stimuli(session: Session) -> bool:
    """What the network will see: a sheet of each set and the graph of transformations; more where it is asked for.

    Returns whether it was asked for: ``-pre-samples`` or ``-log-db-stats``.
    """
    stimuli, index = session.stimuli, session.line["pre-samples"]
    if not any(stimuli.size(name) for name in _SETS):
        return False
    if isinstance(session.source.database, DirDatabase):
        console.line(f"[LOG] Sets of files ({', '.join(str(file) for file in dataset.write_partition(stimuli))})")
    sheets = samples.write_sheets(stimuli)
    drawn = transformations.write_transformations(stimuli)
    console.line(f"[LOG] Stimuli ({', '.join(str(file) for file in [*sheets, *drawn])})")
    if index >= 0:
        console.line(f"[LOG] Samples of stimulus {index} ({samples.write_samples(stimuli, index)}/)")
    if session.line["log-db-stats"]:
        dataset.write_statistics(stimuli)
        console.line("[LOG] Statistics of the database (dbstats/)")
    return bool(index >= 0 or session.line["log-db-stats"])


def write_anchors(session: Session) -> None:
    """``anchors.json`` of each target that asks for anchors made of the data."""
    for target in session.network.targets:
        if isinstance(target, TargetBBox) and target.generate_anchors:
            made = anchors.of_stimuli(target, session.network, session.stimuli)
            sizes = [(round(width, 2), round(height, 2)) for width, height in made.sizes.tolist()]
            file = write(folder_of(target) / "anchors.json", json_of(sizes))
            console.line(
                f"[LOG] {len(sizes)} anchors of the regions of Learn, of mean overlap {100 * made.overlap:.1f}% with "
                f"them ({file})"
            )


def draw_graph(session: Session, pictured: picture.Picture, caption: str = "Network") -> None:
    """``<ini>.dot``, ``.png`` and ``.svg``; ``caption`` says in the report what is drawn."""
    files = draw(picture.dot(pictured, session.title), session.title)
    session.page.drawn(caption, files)
    console.line(f"[LOG] Network graph ({', '.join(str(file) for file in files)})")


def _write_labels(session: Session, target: Target) -> None:
    names = session.stimuli.label_names
    lookup = labels.lookup(target, names)
    outputs = list(range(len(names))) if lookup is None else lookup[:-1].tolist()
    counted = {name: session.stimuli.labels(name) for name in _SETS}
    found = {name: session.stimuli.region_labels(name) for name in _SETS}
    write_labels_mapping(folder_of(target), names, outputs, counted, found)
