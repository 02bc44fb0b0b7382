"""From a document to its stimuli, with N2D2's lines about them on the console."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from n2d2py import console
from n2d2py.data.channels import DEPTHS
from n2d2py.data.content import Content
from n2d2py.data.conversion import Quantization
from n2d2py.data.faults import Faults
from n2d2py.data.partition import SETS
from n2d2py.data.paths import expand
from n2d2py.data.random import Generator
from n2d2py.data.source import Source
from n2d2py.data.statistics import table, write_images
from n2d2py.data.stimuli import Stimuli
from n2d2py.errors import ParameterError, Place
from n2d2py.graph.files import write
from n2d2py.parts.provider import Provider

if TYPE_CHECKING:
    from n2d2py.ini import Document


def build(
    document: Document,
    provider: Provider,
    generator: Generator,
    source: Source | None = None,
    device: torch.device | str = "cpu",
    *,
    workers: int | None = None,
    on_bad: str | None = None,
) -> Stimuli:
    """The stimuli of ``document`` as ``provider`` wants them, with N2D2's lines about them on the console.

    ``source`` is what :func:`n2d2py.data.publish_epoch_size` gave; without it the database is loaded here, the
    partition drawn from ``generator``. Images are on ``device``. ``workers``: threads that make batches (default: one
    a core). ``on_bad``: ``skip`` or ``fail``; by default the first stimuli must be good and later ones are left out.
    Raises :class:`ParameterError` for what the INI file says wrongly and :class:`DataError` for data that are
    missing, damaged or of another size.
    """
    source = source or Source(document, generator)
    settings = source.settings
    levels = provider.quantization_levels
    quantization = Quantization(levels, settings.quantization_min, settings.quantization_max) if levels else None
    content = source.content
    stimuli = Stimuli(
        content,
        source.pipelines,
        provider,
        quantization,
        device,
        workers=workers,
        faults=Faults(on_bad),
        seed=generator.seed,
        cache=_cache_folder(source),
    )
    for words, name in zip(("Learning", "Validation", "Testing"), SETS, strict=True):
        console.line(f"{words} database size: {stimuli.size(name)} images")
    if content.loading.target_folder is not None and provider.target_dims is None:
        console.warning("TargetDataPath has no effect without TargetSize: outputs are compared with the input")
    _write_statistics(source)
    if len(content.labels):
        _check_labels(content, provider, any(one.all_steps for one in source.pipelines.values()))
        stimuli.check()
        depth = DEPTHS.get(content.depth.name, content.depth.name)
        console.notice(f"stimuli depth is {depth} (according to database first stimulus)")
        if any(stimuli.scales_implicitly(name) for name in SETS):
            bounds = "[-1;1]" if provider.data_signed_mapping else "[0;1]"
            console.notice(f"normalizing the stimuli in the {bounds} range.")
    return stimuli


def _check_labels(content: Content, provider: Provider, expands: bool) -> None:
    if provider.composite_stimuli and content.plain() and not expands:
        raise ParameterError(
            "CompositeStimuli=1, but the database has one label a stimulus",
            place=provider.place("composite_stimuli"),
            expected="CompositeStimuli=0",
        )


def _cache_folder(source: Source) -> tuple[Path, Place | None] | None:
    settings = source.settings
    if not settings.cache_path:
        return None
    place = settings.place("cache_path")
    if source.content.plain():
        console.notice("CachePath is ignored: the stimuli are in memory, and so is what is made of them")
        return None
    if any(step.drawn for one in source.pipelines.values() for step in one.cacheable):
        console.notice("CachePath keeps what comes before the first random transformation: draws are never frozen")
    return expand(settings.cache_path, place), place


def _write_statistics(source: Source) -> None:
    """The folders of the sections of statistics; the walk is made now if nothing needed it before."""
    for walk in source.walks:
        found = source.statistics(walk.name)
        low, high, mean, deviation = found.values
        console.line(f"[{walk.name}] min {low:.6g}, max {high:.6g}, mean {mean:.6g}, stdDev {deviation:.6g}")
        write(Path(walk.name) / "data.dat", table(found, walk.record.log_size_range))
        write_images(walk.name, walk.record, found)
