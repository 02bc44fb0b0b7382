"""The provider's own section, read strictly: what N2D2 knows there beyond sizes and batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from n2d2py import console
from n2d2py.data.paths import path
from n2d2py.errors import ParameterError, Place
from n2d2py.kinds import boolean, names, real
from n2d2py.parameters import Record, parameter, read
from n2d2py.parts.provider import NAMES, Provider

if TYPE_CHECKING:
    from n2d2py.ini import Document

SPIKING = (
    *("StimulusType", "DiscardedLateStimuli", "PeriodMeanMin", "PeriodMeanMax", "PeriodRelStdDev", "PeriodMin"),
    *("MaxFrequency", "NoConversion", "Scaling", "StreamPath", "SpikeCUDA", "ReadStream"),
)
"""Keys of spiking simulations, which have no meaning here."""


@dataclass(frozen=True, kw_only=True)
class Settings(Record):
    """Parameters of the provider that concern values and not the graph."""

    config_sections: tuple[str, ...] = parameter(
        "ConfigSection", names, (), "sections with more parameters of the provider"
    )
    cache_path: str = parameter("CachePath", path, "", "folder of transformed stimuli that are kept")
    quantization_min: float = parameter("QuantizationMin", real, 0.0, "lowest level of QuantizationLevels")
    quantization_max: float = parameter("QuantizationMax", real, 1.0, "highest level of QuantizationLevels")
    stream_tensor: bool = parameter("StreamTensor", boolean, False, "read for N2D2's files; has no effect")
    stream_label: bool = parameter("StreamLabel", boolean, False, "read for N2D2's files; has no effect")


def section_name(document: Document) -> str:
    """The provider's section: ``cenv`` if there is one, else ``env``, else ``sp``."""
    for name in NAMES:
        if name in document.sections:
            return name
    raise ParameterError(
        "Missing [sp] section.",
        place=Place(document.file),
        expected="[sp] or [env] with SizeX, SizeY, NbChannels and BatchSize",
    )


def read_settings(document: Document, section: str) -> Settings:
    """Read the provider's section once more, for the keys that concern the stimuli.

    Every key that neither this nor :class:`Provider` knows is a :class:`ParameterError`; keys of spiking
    simulations are ignored with a notice.
    """
    config = document.value(section, "ConfigSection")
    scope = document.scope(section, *(names.read(config) if config is not None else ()))
    read(Provider, scope)
    settings = read(Settings, scope)
    spiking = [key for key in SPIKING if scope.find(key) is not None]
    if spiking:
        console.notice(f"{', '.join(spiking)} in section [{section}]: only for spiking simulations, ignored")
    if settings.quantization_max <= settings.quantization_min:
        raise ParameterError(
            f"QuantizationMin={settings.quantization_min:g} is not below QuantizationMax={settings.quantization_max:g}",
            place=settings.place("quantization_min") or settings.place("quantization_max"),
        )
    scope.close(strict=True)
    return settings
