"""The exporter called C."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from n2d2py.cells.base import PROVIDER
from n2d2py.export.base import Export
from n2d2py.export.c import sizes
from n2d2py.export.c.program import main_source, makefile
from n2d2py.export.c.source import write_source
from n2d2py.export.c.types import type_of
from n2d2py.registry import register


@register("exporter", "C")
def export_c(export: Export, folder: Path) -> list[str]:
    """C99 source of the network, a program, a Makefile, stimuli and the outputs that they must give."""
    source = write_source(export)
    texts = {
        "network.c": source.code,
        "network.h": source.header,
        "main.c": main_source(export, source.outputs),
        "Makefile": makefile(export),
        "sizes.csv": sizes.as_csv(source),
        "labels.txt": _labels(export),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    write_stimuli(export, export.stimuli, folder / "stimuli.bin")
    pixels = export.pixels(export.stimuli)
    if pixels is not None:
        (folder / "stimuli.raw").write_bytes(pixels.tobytes())
    outputs = [export.expected[name].reshape(len(export.stimuli), -1) for name in export.outputs]
    (folder / "expected.bin").write_bytes(np.concatenate(outputs, axis=1).astype("<i8").tobytes())
    return sizes.lines(source)


def write_stimuli(export: Export, codes: np.ndarray, path: Path) -> None:
    """Codes of stimuli as the program reads them; wider ones are little-endian."""
    type_ = type_of(export.network.edges[PROVIDER])
    path.write_bytes(codes.astype(np.dtype(type_.removesuffix("_t")).newbyteorder("<")).tobytes())


def _labels(export: Export) -> str:
    """The labels that the program prints for the stimuli."""
    labels = [decision.labels(export.expected[decision.operation]) for decision in export.decisions]
    columns = [label.reshape(len(export.stimuli), -1) for label in labels]
    if not columns:
        return ""
    return "".join(" ".join(map(str, row)) + "\n" for row in np.concatenate(columns, axis=1).tolist())
