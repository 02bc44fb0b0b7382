"""The section of the stimuli's provider (``[sp]``, ``[env]`` or ``[cenv]``): sizes and batch."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, list_of, positive, text, unsigned
from n2d2py.parameters import Record, parameter

NAMES = ("cenv", "env", "sp")
"""Names of the provider's section, in the order of precedence; as inputs of cells they are synonyms."""


@dataclass(frozen=True, kw_only=True)
class Provider(Record):
    """What the network is fed with: dimensions after all transformations, and stimuli in a batch."""

    size: tuple[int, ...] | None = parameter(
        "Size", list_of(positive), None, "X Y [D] channels, in place of the four below", unit="pixels"
    )
    size_x: int | None = parameter("SizeX", positive, None, "width after all transformations", unit="pixels")
    size_y: int | None = parameter("SizeY", positive, None, "height after all transformations", unit="pixels")
    size_d: int | None = parameter("SizeD", positive, None, "depth between height and channels")
    nb_channels: int = parameter("NbChannels", positive, 1, "channels")
    batch_size: int = parameter("BatchSize", positive, 1, "stimuli in a batch", unit="stimuli")
    composite_stimuli: bool = parameter("CompositeStimuli", boolean, False, "1: one label a pixel")
    cache_path: str = parameter("CachePath", text, "", "folder of pre-processed stimuli")
    data_signed_mapping: bool = parameter(
        "DataSignedMapping", boolean, False, "1: integer images are scaled to [-1, 1[ in place of [0, 1]"
    )
    quantization_levels: int = parameter("QuantizationLevels", unsigned, 0, "levels of the input; 0 means all")
    target_sizes: tuple[int, ...] | None = parameter(
        "TargetSize", list_of(positive), None, "X Y [D] channels of the data that targets compare with", unit="pixels"
    )
    target_size_x: int | None = parameter("TargetSizeX", positive, None, "width of these data", unit="pixels")
    target_size_y: int | None = parameter("TargetSizeY", positive, None, "height of these data", unit="pixels")
    target_size_d: int | None = parameter("TargetSizeD", positive, None, "depth of these data")
    target_nb_channels: int = parameter("TargetNbChannels", positive, 1, "channels of these data")

    def __post_init__(self) -> None:
        if self.size is None and (self.size_x is None or self.size_y is None):
            raise ParameterError(
                f"missing key {'SizeX' if self.size_x is None else 'SizeY'}",
                place=self.place(),
                expected="Size, or SizeX and SizeY: the dimensions after all transformations",
            )
        if self.size is not None and len(self.size) not in (3, 4):
            raise ParameterError(
                f"Size has {len(self.size)} values",
                place=self.place("size"),
                expected="X Y channels, or X Y D channels",
            )

        if self.target_sizes is not None and len(self.target_sizes) not in (3, 4):
            raise ParameterError(
                f"TargetSize has {len(self.target_sizes)} values",
                place=self.place("target_sizes"),
                expected="X Y channels, or X Y D channels",
            )

    @property
    def depth(self) -> int:
        """Planes between height and channels; 1 for images."""
        if self.size is not None:
            return self.size[2] if len(self.size) == 4 else 1
        return self.size_d or 1

    @property
    def target_dims(self) -> tuple[int, int, int, int] | None:
        """(width, height, channels, depth) of the data that targets compare with; None: they are the input."""
        if self.target_sizes is not None:
            depth = self.target_sizes[2] if len(self.target_sizes) == 4 else 1
            return (self.target_sizes[0], self.target_sizes[1], self.target_sizes[-1], depth)
        if self.target_size_x is None:
            return None
        return (self.target_size_x, self.target_size_y or 1, self.target_nb_channels, self.target_size_d or 1)

    @property
    def dims(self) -> tuple[int, int, int]:
        """(width, height, channels) of one stimulus."""
        if self.size is not None:
            return (self.size[0], self.size[1], self.size[-1])
        assert self.size_x is not None  # __post_init__
        assert self.size_y is not None
        return (self.size_x, self.size_y, self.nb_channels)
