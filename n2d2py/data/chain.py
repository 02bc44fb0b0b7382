"""Transformations of a document, in the order in which they run, for each set of stimuli; and what a chain makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from n2d2py import console, registry
from n2d2py.data.content import Block
from n2d2py.data.partition import SETS
from n2d2py.data.transformations.base import Dims, Transformation
from n2d2py.data.transformations.slice_extraction import SliceExtractionTransformation
from n2d2py.errors import ParameterError
from n2d2py.kinds import Value
from n2d2py.parameters import read
from n2d2py.parts import provider

if TYPE_CHECKING:
    from n2d2py.ini import Document

Chains = dict[str, tuple[Transformation, ...]]
"""The transformations of each set of stimuli."""

BYTES = np.dtype(np.uint8)

_LATER = (
    *("Affine", "Apodization", "CentroidCrop", "ChannelExtraction", "ColorSpace", "CompressionNoise", "DCT", "DFT"),
    *("Distortion", "Equalize", "ExpandLabel", "Filter", "Flip", "GradientFilter", "LabelExtraction", "LabelFilter"),
    *("LabelSliceExtraction", "MagnitudePhase", "MorphologicalReconstruction", "Morphology", "Normalize"),
    *("RandomAffine", "RandomResizeCrop", "RangeClipping", "Reshape", "StripeRemove"),
    *("Threshold", "Trim", "WallisFilter"),
)
_LATER_SECTIONS = ("StimuliData", "Channel", "Adversarial")


def read_chains(document: Document, section: str) -> Chains:
    """Read the sub-sections of the provider's section: ``[sp.Transformation-1]`` and the like.

    Order: all ``Transformation...`` in file order, then all ``OnTheFlyTransformation...`` in file order. A type
    or a key that is not known is a :class:`ParameterError`.
    """
    at_once: list[Transformation] = []
    on_the_fly: list[Transformation] = []
    for name in document.sections:
        base, dot, kind = name.partition(".")
        if not dot or base not in provider.NAMES:
            continue
        if base != section:
            if "Transformation" in kind:
                console.warning(
                    f"section [{name}] has no effect, because the stimuli come from [{section}]: "
                    f"name it [{section}.{kind}], at: {document.sections[name].place}"
                )
        elif kind.startswith("Transformation"):
            at_once.append(_read_transformation(document, name))
        elif kind.startswith("OnTheFlyTransformation"):
            on_the_fly.append(_read_transformation(document, name))
        elif kind.startswith(_LATER_SECTIONS):
            raise ParameterError(
                f"section [{name}] is not available in this version of n2d2py",
                place=document.sections[name].place,
                expected=f"[{section}.Transformation...] or [{section}.OnTheFlyTransformation...]",
            )
        elif "Transformation" in kind:
            raise ParameterError(
                f"section [{name}] is of no known kind",
                place=document.sections[name].place,
                expected=f"[{section}.Transformation...] or [{section}.OnTheFlyTransformation...]",
            )
    chain = (*at_once, *on_the_fly)
    return {name: tuple(item for item in chain if name in item.sets) for name in SETS}


def _read_transformation(document: Document, name: str) -> Transformation:
    scope = document.scope(name)
    kind = scope.find("Type")
    expected = f"one of {', '.join(registry.names('transformation'))}"
    if kind is None:
        raise ParameterError("missing key Type", place=scope.place, expected=expected)
    record = read(_entry(kind, expected), scope)
    scope.close(strict=True)
    return record


def _entry(kind: Value, expected: str) -> type[Transformation]:
    name = kind.text.strip()
    if registry.known("transformation", name):
        return registry.find("transformation", name)
    if name.removesuffix("Transformation") in _LATER:
        raise ParameterError(
            f"transformation {name} is not available in this version of n2d2py", place=kind.place, expected=expected
        )
    if registry.known("transformation", f"{name}Transformation"):
        raise ParameterError(
            f"unknown transformation {name!r}",
            place=kind.place,
            expected=expected,
            remedy=f"did you mean {name}Transformation?",
        )
    try:
        return registry.find("transformation", name, kind.place)
    except ParameterError as error:
        error.expected = expected
        raise


def split_chain(chain: tuple[Transformation, ...]) -> tuple[tuple[Transformation, ...], tuple[Transformation, ...]]:
    """The part of a chain whose result is kept in memory, and the part that is done to batches, as a table.

    The second part begins with the transformation that turns bytes to reals, if from there on each value only
    depends on itself; else it is empty and reals are kept.
    """
    dtype = BYTES
    for index, transformation in enumerate(chain):
        dtype = transformation.out_dtype(dtype)
        if dtype != BYTES:
            tail = chain[index:]
            return (chain[:index], tail) if all(item.pointwise for item in tail) else (chain, ())
    return chain, ()


def split_drawn(
    chain: tuple[Transformation, ...],
) -> tuple[tuple[Transformation, ...], SliceExtractionTransformation | None, tuple[Transformation, ...]]:
    """A chain as what is done once, the random slice that is drawn for each batch, and what follows it.

    Raises :class:`ParameterError` if anything but a function of single values follows a random slice.
    """
    kept, tail = split_chain(chain)
    drawn = next((index for index, item in enumerate(kept) if item.drawn), None)
    if drawn is None:
        return kept, None, tail
    cut = kept[drawn]
    assert isinstance(cut, SliceExtractionTransformation)  # the one type that can be drawn
    if drawn != len(kept) - 1 or depth_of(kept) != BYTES:
        raise ParameterError(
            "a random slice is followed by another transformation of whole images",
            place=cut.place(),
            expected="only RangeAffineTransformation behind it",
            remedy="write the slice last",
        )
    return kept[:drawn], cut, tail


def out_dims(block: Block, chain: tuple[Transformation, ...]) -> Dims:
    """(width, height, channels) of the images of a block after a chain."""
    _, height, width, channels = block.images.shape
    dims = (width, height, channels)
    for transformation in chain:
        dims = transformation.out_dims(dims)
    return dims


def depth_of(chain: tuple[Transformation, ...]) -> np.dtype[Any]:
    """The type of the values after a chain that begins with bytes."""
    dtype = BYTES
    for transformation in chain:
        dtype = transformation.out_dtype(dtype)
    return dtype
