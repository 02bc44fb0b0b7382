"""The transformations of a document: which sections they are, in which order they run, and for which sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from n2d2py import console, registry
from n2d2py.data.partition import SETS
from n2d2py.data.pipeline import Channel, Pipeline, depth_after
from n2d2py.data.transformations.base import Transformation
from n2d2py.errors import ParameterError
from n2d2py.kinds import Value, unsigned
from n2d2py.parameters import read
from n2d2py.parts import provider

if TYPE_CHECKING:
    from n2d2py.ini import Document

Pipelines = Mapping[str, Pipeline]
"""What is done to the stimuli of each set."""

BYTES = np.dtype(np.uint8)

STATISTICS, ADVERSARIAL = "StimuliData", "Adversarial"
_CHANNELS = ("ChannelsTransformation", "ChannelsOnTheFlyTransformation")
_CHANNEL = ("ChannelTransformation", "ChannelOnTheFlyTransformation")
_WHOLE = ("Transformation", "OnTheFlyTransformation")


@dataclass
class _Order:
    """The transformations of one place, as they are read: whole images, or one channel."""

    cacheable: list[Transformation]
    on_the_fly: list[Transformation]

    def of(self, name: str) -> tuple[tuple[Transformation, ...], tuple[Transformation, ...]]:
        """Those of a set."""
        return (
            tuple(item for item in self.cacheable if name in item.sets),
            tuple(item for item in self.on_the_fly if name in item.sets),
        )


class _Reading:
    """What was read so far, in file order."""

    def __init__(self) -> None:
        self.whole = _Order([], [])
        self.channels: list[_Order] = []

    def pipelines(self) -> dict[str, Pipeline]:
        return {
            name: Pipeline(*self.whole.of(name), tuple(Channel(*order.of(name)) for order in self.channels))
            for name in SETS
        }

    def enter(self, orders: Sequence[_Order], transformation: Transformation, on_the_fly: bool) -> None:
        for order in orders:
            (order.on_the_fly if on_the_fly else order.cacheable).append(transformation)


def read_pipelines(
    document: Document, section: str, found_statistics: Callable[[str, Pipelines], None]
) -> dict[str, Pipeline]:
    """Read the sub-sections of the provider's section, in file order: ``[sp.Transformation-1]`` and the like.

    ``found_statistics`` is called for each section of statistics, with what was read before it. A type or a key
    that is not known is a :class:`ParameterError`.
    """
    reading = _Reading()
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
        elif kind.startswith(STATISTICS):
            found_statistics(name, reading.pipelines())
        elif kind.startswith(_WHOLE):
            reading.enter([reading.whole], _read_transformation(document, name)[0], kind.startswith(_WHOLE[1]))
        elif kind.startswith(_CHANNELS):
            if not reading.channels:
                raise ParameterError(
                    f"section [{name}] is for all channels, but none was made before it",
                    place=document.sections[name].place,
                    expected=f"[{section}.ChannelTransformation...] before it",
                )
            reading.enter(reading.channels, _read_transformation(document, name)[0], kind.startswith(_CHANNELS[1]))
        elif kind.startswith(_CHANNEL):
            _read_channel(document, name, reading, kind.startswith(_CHANNEL[1]))
        elif kind.startswith(ADVERSARIAL):
            _read_adversarial(document, name)
        elif "Transformation" in kind:
            raise ParameterError(
                f"section [{name}] is of no known kind",
                place=document.sections[name].place,
                expected=f"[{section}.Transformation...] or [{section}.OnTheFlyTransformation...]",
            )
    return reading.pipelines()


def _read_adversarial(document: Document, name: str) -> None:
    """N2D2's attacks on a tested network: their section is accepted where it asks for none."""
    attack = document.value(name, "Attack")
    for key in ("Eps", "NbIterations", "RandomStart", "Targeted"):
        document.value(name, key)
    if attack is not None and attack.text.strip() != "None":
        raise ParameterError(
            f"section [{name}]: n2d2py has no adversarial attacks",
            place=attack.place,
            expected="Attack=None",
            remedy="remove the section",
        )


def _read_channel(document: Document, name: str, reading: _Reading, on_the_fly: bool) -> None:
    transformation, channel = _read_transformation(document, name, of_channel=True)
    if channel is None:
        reading.channels.append(_Order([], []))
        number = len(reading.channels) - 1
    else:
        number = unsigned.read(channel)
        if number >= len(reading.channels):
            raise ParameterError(
                f"there is no channel {number}: {len(reading.channels)} were made before section [{name}]",
                place=channel.place,
                expected="the number of a channel, from 0; without Channel= the section makes a new one",
            )
    reading.enter([reading.channels[number]], transformation, on_the_fly)


def _read_transformation(
    document: Document, name: str, of_channel: bool = False
) -> tuple[Transformation, Value | None]:
    scope = document.scope(name)
    kind = scope.find("Type")
    expected = f"one of {', '.join(registry.names('transformation'))}"
    if kind is None:
        raise ParameterError("missing key Type", place=scope.place, expected=expected)
    record = read(_entry(kind, expected), scope)
    channel = scope.find("Channel") if of_channel else None
    scope.close(strict=True)
    return record, channel


def _entry(kind: Value, expected: str) -> type[Transformation]:
    name = kind.text.strip()
    if not registry.known("transformation", name) and registry.known("transformation", f"{name}Transformation"):
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


def split_chain(
    chain: Sequence[Transformation], dtype: np.dtype[Any] = BYTES
) -> tuple[tuple[Transformation, ...], tuple[Transformation, ...]]:
    """The part of a chain that is done to images, and the part that is a table of the 256 values of a byte.

    The second part begins with the transformation that turns bytes to reals, if from there on each value only
    depends on itself: then bytes are kept, and reals made of whole batches. Transformations that only move values
    to other places may stand in between, since they do the same to bytes; they go to the first part.
    """
    for index, transformation in enumerate(chain):
        if dtype != BYTES:
            break
        dtype = transformation.out_dtype(dtype)
        if dtype != BYTES:
            rest = chain[index:]
            if all((item.pointwise and not item.drawn) or item.rearranging for item in rest):
                moved = tuple(item for item in rest if not item.pointwise)
                return (*chain[:index], *moved), tuple(item for item in rest if item.pointwise)
    return tuple(chain), ()


def depth_of(chain: Sequence[Transformation]) -> np.dtype[Any]:
    """The type of the values after a chain that begins with bytes."""
    return depth_after(chain, BYTES)
