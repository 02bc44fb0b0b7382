"""Stimuli in memory, and the batches in which a network sees them.

Each set is transformed once, when it is first used, as far as the result is bytes; what remains of the chain
is done to a whole batch. So an epoch is: choose rows, convert, scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from n2d2py import console
from n2d2py.data import conversion
from n2d2py.data.chain import BYTES, Chains, depth_of, out_dims, split_drawn
from n2d2py.data.content import Content
from n2d2py.data.conversion import Conversion, Quantization
from n2d2py.data.partition import SETS
from n2d2py.data.random import Generator
from n2d2py.data.source import Source
from n2d2py.data.transformations.base import Dims
from n2d2py.data.transformations.slice_extraction import SliceExtractionTransformation
from n2d2py.errors import DataError, ParameterError, Place
from n2d2py.parts.provider import Provider
from n2d2py.quant.grid import Coded, Grid

if TYPE_CHECKING:
    from n2d2py.ini import Document

_CHUNK = 4096  # images transformed at once, so that intermediate results stay small
_DEPTHS = {"uint8": "8U", "int8": "8S", "uint16": "16U", "int16": "16S", "int32": "32S", "float32": "32F"}
_AXES = 3  # width, height, channels


@dataclass(frozen=True)
class Batch:
    """Stimuli that are processed together.

    ``ids``: id of each stimulus; ``inputs``: float32 (count, channels, height, width); ``labels``: int64 (count);
    ``codes``: the integer codes of the inputs with their grid, if the inputs lie on one.
    """

    ids: NDArray[np.int64]
    inputs: Tensor
    labels: Tensor
    codes: Coded | None = None

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class _Set:
    """A set in memory: ``held`` has one row a stimulus, of which ``cut`` takes a slice drawn for each batch."""

    ids: NDArray[np.int64]
    held: Tensor
    labels: Tensor
    conversion: Conversion
    cut: SliceExtractionTransformation | None = None

    def offsets(self, count: int, generator: Generator) -> NDArray[np.int64] | None:
        """Places of ``count`` slices, (count, 2); None if whole images are learned."""
        if self.cut is None:
            return None
        _, channels, height, width = self.held.shape
        return self.cut.offsets((width, height, channels), count, generator)

    def batch(self, positions: NDArray[np.int64], offsets: NDArray[np.int64] | None = None) -> Batch:
        rows = torch.from_numpy(positions)
        held = torch.index_select(self.held, 0, rows.to(self.held.device))
        if self.cut is not None:
            columns, lines, _ = self.cut.out_dims((held.shape[3], held.shape[2], held.shape[1]))
            if offsets is None:  # not learned from: nothing is drawn
                middle = self.cut.middle((held.shape[3], held.shape[2], held.shape[1]))
                offsets = np.tile(np.array(middle, np.int64), (len(positions), 1))
            held = slices(held, torch.from_numpy(offsets).to(held.device), columns, lines)
        inputs, codes = self.conversion(held)
        labels = torch.index_select(self.labels, 0, rows).to(held.device)
        return Batch(self.ids[positions], inputs, labels, codes)


def slices(images: Tensor, offsets: Tensor, width: int, height: int) -> Tensor:
    """From each image (count, channels, H, W) its slice that begins at ``offsets`` (count, 2): column, row."""
    columns = offsets[:, 0, None] + torch.arange(width, device=images.device)
    lines = offsets[:, 1, None] + torch.arange(height, device=images.device)
    count = torch.arange(len(images), device=images.device)
    # Channels move last where indices stand on both sides of them.
    return images[count[:, None, None], :, lines[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()


class Stimuli:
    """The learning, validation and test sets of a database, transformed, on ``device``."""

    def __init__(
        self,
        content: Content,
        chains: Chains,
        provider: Provider,
        quantization: Quantization | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.dims = provider.dims
        self.batch_size = provider.batch_size
        self._place = provider.place("size") if provider.size is not None else provider.place("size_x")
        self._content = content
        self._chains = chains
        self._signed = provider.data_signed_mapping
        self._quantization = quantization
        self._device = torch.device(device)
        self._sets: dict[str, _Set] = {}

    @property
    def label_names(self) -> list[str]:
        """Names of the labels; the index is the label's id."""
        return self._content.label_names

    def size(self, name: str) -> int:
        """Stimuli in the set called Learn, Validation or Test."""
        return self._content.size(name)

    def name(self, stimulus: int) -> str:
        """The name of the stimulus of that id: its file."""
        return self._content.name(stimulus)

    def ids(self, name: str) -> NDArray[np.int64]:
        """Ids of the stimuli of a set, in its order."""
        return self._content.ids(name)

    def labels(self, name: str) -> NDArray[np.int64]:
        """Labels of the stimuli of a set, in its order."""
        return self._content.labels[self._content.ids(name)]

    def grid(self, name: str) -> Grid | None:
        """The grid on which the inputs of a set lie; None if they are real values."""
        return self._conversion(name).grid

    def scales_implicitly(self, name: str) -> bool:
        """Whether the chain of a set ends in integers, which are then scaled."""
        kept, _, tail = split_drawn(self._chains[name])
        return not tail and depth_of(kept) == BYTES

    def epoch(self, generator: Generator) -> Iterator[Batch]:
        """One pass over the learning set in random order.

        The list 0..n-1 is completed with random stimuli to a multiple of the batch size, shuffled, cut in
        batches, and the order of the batches is shuffled again: ceil(n/B) batches, each of them full. All draws
        are made before the first batch is given.
        """
        count, size = self.size("Learn"), self.batch_size
        if count == 0:
            return iter(())
        extra = generator.integers(0, count - 1, -count % size)
        order = np.concatenate([np.arange(count, dtype=np.int64), extra])
        generator.shuffle(order)
        batches = list(range(len(order) // size))
        generator.shuffle(batches)
        learn = self._set("Learn")
        offsets = learn.offsets(len(order), generator)

        def batch(index: int) -> Batch:
            rows = slice(index * size, (index + 1) * size)
            return learn.batch(order[rows], None if offsets is None else offsets[rows])

        return (batch(index) for index in batches)

    def draws(self, batches: int, generator: Generator) -> Iterator[Batch]:
        """``batches`` full batches of stimuli, each drawn independently from the whole learning set."""
        count = self.size("Learn")
        for _ in range(batches if count else 0):
            positions = generator.integers(0, count - 1, self.batch_size)
            learn = self._set("Learn")
            yield learn.batch(positions, learn.offsets(len(positions), generator))

    def passes(self, name: str, batch_size: int | None = None) -> Iterator[Batch]:
        """The stimuli of a set in its order; the last batch may be shorter."""
        count, size = self.size(name), batch_size or self.batch_size
        for start in range(0, count, size):
            yield self._set(name).batch(np.arange(start, min(start + size, count), dtype=np.int64))

    def check_dims(self) -> None:
        """Raises :class:`DataError`, naming a stimulus, unless all images have the provider's dimensions."""
        for name in SETS:
            ids = self.ids(name)
            for block in self._content.blocks:
                inside = ids[(ids >= block.first) & (ids < block.first + len(block.images))]
                if len(inside):
                    dims = out_dims(block, self._chains[name])
                    if dims != self.dims:
                        raise _wrong_size(self.name(int(inside.min())), name, self.dims, dims, self._place)

    def _conversion(self, name: str) -> Conversion:
        kept, _, tail = split_drawn(self._chains[name])
        if tail:
            return conversion.tabulate(tail, self.dims[2], self._quantization)
        if depth_of(kept) == BYTES:
            return conversion.scaling(self._signed, self._quantization)
        return conversion.Real()

    def _set(self, name: str) -> _Set:
        if name not in self._sets:
            self._sets[name] = self._prepare(name)
        return self._sets[name]

    def _prepare(self, name: str) -> _Set:
        """Transform a whole set into memory."""
        ids = self.ids(name)
        kept, cut, _ = split_drawn(self._chains[name])
        held: NDArray[Any] | None = None
        for block in self._content.blocks:
            rows = np.flatnonzero((ids >= block.first) & (ids < block.first + len(block.images)))
            for start in range(0, len(rows), _CHUNK):
                part = rows[start : start + _CHUNK]
                images: NDArray[Any] = block.images[ids[part] - block.first]
                for transformation in kept:
                    images = transformation.apply(images)
                planes = images.transpose(0, 3, 1, 2)
                if held is None:
                    held = np.empty((len(ids), *planes.shape[1:]), depth_of(kept))
                held[part] = planes
        if held is None:
            width, height, channels = self.dims
            held = np.empty((0, channels, height, width), depth_of(kept))
        tensor = torch.from_numpy(held)
        if held.dtype != BYTES and self._quantization is not None:
            tensor = self._quantization(tensor)
        labels = torch.from_numpy(self._content.labels[ids])
        return _Set(ids, tensor.to(self._device), labels, self._conversion(name), cut)


def _wrong_size(stimulus: str, name: str, expected: Dims, found: Dims, place: Place | None) -> DataError:
    def words(dims: Dims) -> str:
        return f"{dims[0]}x{dims[1]}x{dims[2]}"

    fits = f"SizeX={found[0]} SizeY={found[1]} NbChannels={found[2]}"
    return DataError(
        f"expected data size of stimulus {stimulus} ({name}) is {words(expected)}, "
        f"but its size after transformations is {words(found)}",
        place=place,
        expected="width x height x channels of the stimuli's section, after all transformations",
        remedy=f"write {fits}, or add a RescaleTransformation or a PadCropTransformation",
    )


def build(
    document: Document,
    provider: Provider,
    generator: Generator,
    source: Source | None = None,
    device: torch.device | str = "cpu",
) -> Stimuli:
    """The stimuli of ``document`` as ``provider`` wants them, with N2D2's lines about them on the console.

    ``source`` is what :func:`n2d2py.data.publish_epoch_size` gave; without it the database is loaded here, the
    partition drawn from ``generator``. Images are on ``device``. Raises :class:`ParameterError` for what the INI
    file says wrongly and :class:`DataError` for data that are missing, damaged or of another size.
    """
    source = source or Source(document, generator)
    settings = source.settings
    if provider.size_d is not None or (provider.size is not None and len(provider.size) > _AXES):
        raise ParameterError(
            "stimuli of three dimensions and channels are wanted, but images have width and height only",
            place=provider.place("size_d" if provider.size_d is not None else "size"),
            expected="Size=X Y channels, or SizeX, SizeY and NbChannels",
        )
    if provider.composite_stimuli:
        raise ParameterError(
            "CompositeStimuli=1, but the database has one label a stimulus",
            place=provider.place("composite_stimuli"),
            expected="CompositeStimuli=0",
        )
    levels = provider.quantization_levels
    quantization = Quantization(levels, settings.quantization_min, settings.quantization_max) if levels else None
    content = source.content
    stimuli = Stimuli(content, source.chains, provider, quantization, device)
    for words, name in zip(("Learning", "Validation", "Testing"), SETS, strict=True):
        console.line(f"{words} database size: {stimuli.size(name)} images")
    if len(content.labels):
        stimuli.check_dims()
        depth = _DEPTHS[content.blocks[0].images.dtype.name]
        console.notice(f"stimuli depth is {depth} (according to database first stimulus)")
        if any(stimuli.scales_implicitly(name) for name in SETS):
            bounds = "[-1;1]" if provider.data_signed_mapping else "[0;1]"
            console.notice(f"normalizing the stimuli in the {bounds} range.")
    return stimuli
