"""Stimuli: databases, their partition, transformations, and the batches that a network is fed with.

Declarations (``databases``, ``transformations``) import neither torch nor OpenCV; :func:`build` imports torch
when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from n2d2py.data import databases, random, transformations
from n2d2py.data.source import Source, publish_epoch_size

if TYPE_CHECKING:
    import torch

    from n2d2py.data.random import Generator
    from n2d2py.data.stimuli import Stimuli
    from n2d2py.ini import Document
    from n2d2py.parts.provider import Provider

__all__ = ["Source", "build", "databases", "publish_epoch_size", "random", "transformations"]


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
    """The stimuli of ``document`` as ``provider`` wants them; see :func:`n2d2py.data.assembly.build`."""
    from n2d2py.data import assembly

    return assembly.build(document, provider, generator, source, device, workers=workers, on_bad=on_bad)
