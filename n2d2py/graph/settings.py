"""What stands outside the cells: the global properties, the provider of stimuli, configuration sections."""

from __future__ import annotations

from dataclasses import dataclass, replace

from n2d2py.errors import GraphError, IniError, Place, did_you_mean
from n2d2py.graph.models import DATA_TYPE, aliases
from n2d2py.ini import Document
from n2d2py.kinds import boolean, names, word
from n2d2py.parameters import Record, parameter, read
from n2d2py.parts import provider
from n2d2py.parts.provider import Provider

_CHANNEL_MAKERS = ("ChannelTransformation", "ChannelOnTheFlyTransformation")


@dataclass(frozen=True, kw_only=True)
class Globals(Record):
    """The properties before the first section."""

    default_model: str = parameter("DefaultModel", word, "Frame", "Frame: the CPU; Frame_CUDA: a GPU if there is one")
    default_data_type: str = parameter("DefaultDataType", DATA_TYPE, "Float32", "type of the values")
    insert_batchnorm: bool = parameter("InsertBatchNormAfterConv", boolean, False, "1: a BatchNorm after each Conv")
    check_weight_range: bool = parameter("CheckWeightRange", boolean, True, "for spiking cells; has no effect")
    program_method: str = parameter(
        "ProgramMethod",
        word,
        "Ideal",
        "for spiking cells; has no effect",
        spellings=("ProgramMethod(RRAM)", "ProgramMethod(PCM)"),
    )


def read_globals(document: Document) -> Globals:
    """The properties before the first section; any other one is a :class:`ParameterError`."""
    scope = document.scope("")
    settings = read(Globals, scope)
    scope.close(strict=True)
    return settings


def config_sections(document: Document, section: str, model: str = "Frame") -> tuple[str, ...]:
    """The configuration sections of a section, least important first.

    ``ConfigSection(MODEL)`` for the given model replaces ``ConfigSection``. Raises :class:`IniError` if one of
    them does not exist.
    """
    content = document.sections[section]
    for key in (*(f"ConfigSection({alias})" for alias in aliases(model)), "ConfigSection"):
        if key not in content:
            continue
        value = document.value(section, key)
        if value is None:
            continue
        listed: tuple[str, ...] = tuple(name for name in names.read(value) if name)
        for config in listed:
            if config not in document.sections:
                raise IniError(
                    f"there is no section [{config}] in INI file {document.file}",
                    place=value.place,
                    remedy=did_you_mean(config, [known for known in document.sections if known]),
                )
        return listed
    return ()


def provider_section(document: Document) -> str:
    """The name of the section of the stimuli: the first of cenv, env, sp that exists."""
    for name in provider.NAMES:
        if name in document.sections:
            return name
    raise GraphError(
        "Missing [sp] section.",
        place=Place(document.file),
        expected="a section [sp] (or [env]) with SizeX, SizeY, NbChannels and BatchSize of the stimuli",
    )


def read_provider(document: Document) -> Provider:
    """The record of the provider's section. Keys that concern values and not the graph are left to the data.

    Each section ``sp.ChannelTransformation...`` without ``Channel`` makes one channel, whatever NbChannels says.
    """
    section = provider_section(document)
    read_from = read(Provider, document.scope(section, *config_sections(document, section)))
    made = sum(
        name.startswith(tuple(f"{section}.{kind}" for kind in _CHANNEL_MAKERS)) and "Channel" not in content
        for name, content in document.sections.items()
    )
    if not made:
        return read_from
    if read_from.size is not None:
        return replace(read_from, size=(*read_from.size[:-1], made))
    return replace(read_from, nb_channels=made)
