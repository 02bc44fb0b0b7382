"""Both ends of the integer network as plain data: how images become codes, and how outputs become labels."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from n2d2py.data.conversion import Leveled, Scaled
from n2d2py.data.transformations.base import Transformation
from n2d2py.integer.network import IntegerNetwork
from n2d2py.parameters import declarations
from n2d2py.parts.targets import Target, TargetScore
from n2d2py.registry import name_of

_IMAGES = "uint8 pixels as the database holds them, (height, width, channels)"


def preprocessing(chain: Sequence[Transformation], conversion: Scaled | Leveled) -> dict[str, Any]:
    """What is done to an image, in order, and what then makes codes of its pixels.

    ``chain`` holds the transformations of the set that is tested; all of them keep bytes. The words of each are
    those of its class, the parameters those of the INI file, defaults included.
    """
    return {
        "images": _IMAGES,
        "transformations": [_transformation(transformation) for transformation in chain],
        "codes": _codes(conversion),
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


def _codes(conversion: Scaled | Leveled) -> dict[str, Any]:
    common = {"scale": conversion.grid.scale, "low": conversion.grid.low, "high": conversion.grid.high}
    if isinstance(conversion, Scaled):
        words = "code = pixel + offset; the network learned from the real value code * scale"
        return {"words": words, "offset": conversion.offset, **common}
    words = "code = table[pixel]; the network learned from the real value code * scale"
    return {"words": words, "table": [int(code) for code in conversion.table.tolist()], **common}


def target(record: Target, network: IntegerNetwork, names: Sequence[str], lookup: np.ndarray | None) -> dict[str, Any]:
    """How a target reads the output of its cell: a rule in words, and for each class the labels that it stands for.

    ``names`` are the labels of the database by id; ``lookup`` gives the class of each (-1: ignored), None: the same.
    """
    operation = network.outputs[record.cell]
    channels = network.edges[operation].dims.channels
    classes = np.arange(len(names)) if lookup is None else lookup
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
