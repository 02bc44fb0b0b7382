"""Both ends of the integer network as plain data: how images become codes, and how outputs become labels."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from n2d2py.data.conversion import Leveled, Scaled
from n2d2py.data.transformations.base import Transformation
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Lookup
from n2d2py.parameters import declarations
from n2d2py.parts.targets import Target, TargetScore
from n2d2py.quant.grid import Grid
from n2d2py.registry import name_of

_CHANNELS = (
    "each channel begins with a copy of what `transformations` give, and ends as one plane; the planes in this order "
    "are the image"
)


def preprocessing(
    chain: Sequence[Transformation],
    conversion: Scaled | Leveled | Grid,
    lookup: Lookup | None = None,
    replaced: Sequence[int] = (),
    *,
    channels: Sequence[Sequence[Transformation]] = (),
    depth: str = "uint8",
) -> dict[str, Any]:
    """What is done to an image, in order, and what then makes codes of its pixels.

    ``chain`` holds the transformations of the set that is tested. They give bytes, of which ``conversion`` makes codes,
    or real numbers, which are rounded to a grid. ``lookup`` gives the same codes of bytes, without the transformations
    ``replaced`` (their places in the chain). The words of each are those of its class, the parameters those of the INI
    file, defaults included. ``channels``: the transformations of single channels, which come after those of the
    ``chain``; ``depth``: that of the images of the database.
    """
    codes = _codes(conversion)
    if lookup is not None:
        words = "the same codes without the transformations `replaces` (counted from 0), from bytes: " + lookup.words()
        codes["lookup"] = {"words": words, "replaces": list(replaced), **lookup.record()}
    made = [[_transformation(transformation) for transformation in steps] for steps in channels]
    return {
        "images": f"{depth} pixels as the database holds them, (height, width, channels)",
        "transformations": [_transformation(transformation) for transformation in chain],
        **({"channels": {"words": _CHANNELS, "transformations": made}} if made else {}),
        "codes": codes,
    }


def _transformation(transformation: Transformation) -> dict[str, Any]:
    cls = type(transformation)
    keys = {
        declaration.key: declaration.format(getattr(transformation, name))
        for name, declaration in declarations(cls).items()
    }
    return {"type": name_of("transformation", cls), "parameters": keys, "words": " ".join(_words(cls).split())}


def _words(cls: type[Transformation]) -> str:
    return inspect.getdoc(cls) or ""


def _codes(conversion: Scaled | Leveled | Grid) -> dict[str, Any]:
    if isinstance(conversion, Grid):
        words = "code = value / scale rounded to the nearest integer, half to even, clamped to low..high (float64)"
        return {"words": words, "scale": conversion.scale, "low": conversion.low, "high": conversion.high}
    common = {"scale": conversion.grid.scale, "low": conversion.grid.low, "high": conversion.grid.high}
    if isinstance(conversion, Scaled):
        words = "code = pixel + offset; the network learned from the real value code * scale"
        return {"words": words, "offset": conversion.offset, **common}
    words = "code = table[pixel]; the network learned from the real value code * scale"
    return {"words": words, "table": [int(code) for code in conversion.table.tolist()], **common}


def target(record: Target, network: IntegerNetwork, names: Sequence[str], lookup: np.ndarray | None) -> dict[str, Any]:
    """How a target reads the output of its cell: a rule in words, and for each class the labels that it stands for.

    ``names`` are the labels of the database by id; ``lookup`` gives the class of each (-1: ignored), then that of what
    has none; None: the same.
    """
    operation = network.outputs[record.cell]
    channels = network.edges[operation].dims.channels
    classes = np.arange(len(names)) if lookup is None else lookup[: len(names)]
    described: dict[str, Any] = {"name": record.name, "cell": record.cell, "operation": operation}
    if channels > 1:
        described["words"] = "the class is the index of the largest output, the first among equal ones"
    else:
        described["words"] = "the class is 1 if the real value of the output is above threshold, else 0"
        described["threshold"] = record.binary_threshold
    count = max(channels, 2)
    described["scores"] = isinstance(record, TargetScore)
    described["labels"] = [
        [names[label] for label in np.flatnonzero(classes == index).tolist()] for index in range(count)
    ]
    described["ignored"] = [names[label] for label in np.flatnonzero((classes < 0) | (classes >= count)).tolist()]
    return described
