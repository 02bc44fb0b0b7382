"""A network file, INI or ONNX, as a document: what a run, a check and the Python API begin with."""

from __future__ import annotations

import re
from pathlib import Path

from n2d2py import console, ini
from n2d2py.ini import Document

BATCH_SIZE = 32
"""Stimuli in a batch of a model that leaves it open, or was exported for single ones."""

_PLAIN = re.compile(r"[\w./:-]+")
"""Names that mean themselves in an INI file."""

_STIMULI = """\
[sp]
Size={size}
BatchSize={batch_size}

[{section}]
Input=sp
Type=ONNX
"""
_LOSS = """
[{softmax}]
Input={logits}
Type=Softmax
NbOutputs={classes}
WithLoss=1

[{softmax}.Target]
"""


def open_network(path: str | Path, *, strict: bool = False, title: str | None = None) -> Document:
    """The document of an INI file, or of an ONNX model that is given by itself.

    An ONNX model has stimuli of the size and batches of the number that it says (:data:`BATCH_SIZE` for one or any
    number), and no database. Where its one output is a vector that no Softmax made, a cell ``softmax`` with a target
    (``softmax_2``, .. if the model calls something so) comes behind it, so that it can be tested and can learn.
    ``title`` stands in messages in place of the path.

    Raises :class:`IniError` or :class:`GraphError` for a file that is no network.
    """
    path = Path(path)
    if path.suffix.lower() in (".yaml", ".yml"):
        # Of all networks only these need PyYAML.
        from n2d2py import experiment

        path = experiment.write_ini(path, experiment.load(path))
    if path.suffix.lower() != ".onnx":
        return ini.load(path, strict=strict)
    # Reading ONNX files takes a package that is slow to import, and that few networks need.
    from n2d2py.onnx_import import signature_of

    signature = signature_of(path)
    dims = signature.dims
    sizes = (dims.width, dims.height, *((dims.depth,) if dims.depth > 1 else ()), dims.channels)
    batch_size = signature.batch_size if signature.batch_size > 1 else BATCH_SIZE
    section, softmax = signature.free("onnx"), signature.free("softmax")
    text = _STIMULI.format(size=" ".join(map(str, sizes)), batch_size=batch_size, section=section)
    logits = signature.logits
    has_loss = logits is not None and _PLAIN.fullmatch(logits.name) is not None
    if logits is not None and has_loss:
        text += _LOSS.format(logits=logits.name, classes=logits.classes, softmax=softmax)
    document = ini.loads(text, file=title or str(path), strict=strict)
    # Published and not written, because a path may hold what has a meaning in an INI file.
    document.publish(section, "File", str(path))
    if logits is not None and has_loss:
        console.notice(f"{softmax}, a Softmax cell with a target, comes behind {logits.name}")
    return document
