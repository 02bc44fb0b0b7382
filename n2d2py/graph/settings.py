"""What stands outside the cells: the global properties, the provider of stimuli, the models and data types."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py import console
from n2d2py.errors import GraphError, IniError, ParameterError, Place, did_you_mean
from n2d2py.ini import Document
from n2d2py.kinds import boolean, names, one_of, word
from n2d2py.parameters import Record, parameter, read
from n2d2py.parts import provider
from n2d2py.parts.provider import Provider

DATA_TYPE = one_of("Float16", "Float32", "Float64")

# Each model with the names that a ConfigSection(MODEL) for it may have, the best fitting first. Frame and
# Frame_CUDA are one model here; Transcode is N2D2's frame model with a spiking twin.
_MODELS = {
    "Frame": ("Frame", "Frame_CUDA"),
    "Frame_CUDA": ("Frame_CUDA", "Frame"),
    "Transcode": ("Transcode", "Transcode_CUDA", "Frame", "Frame_CUDA"),
    "Transcode_CUDA": ("Transcode_CUDA", "Transcode", "Frame_CUDA", "Frame"),
}


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
    if settings.insert_batchnorm:
        raise ParameterError(
            "InsertBatchNormAfterConv=1 is not there yet in n2d2py",
            place=settings.place("insert_batchnorm"),
            remedy="write the BatchNorm sections, and InsertBatchNormAfterConv=0",
        )
    return settings


def check_model(model: str, data_type: str, place: Place | None) -> None:
    """Raise :class:`ParameterError` for a model that is none of ours, warn of what is computed otherwise."""
    if model not in _MODELS:
        spiking = model.startswith(("Spike", "CSpike", "RRAM"))
        raise ParameterError(
            f"unknown model {model!r}" + (": n2d2py has no spiking cells" if spiking else ""),
            place=place,
            expected="Frame or Frame_CUDA",
            remedy=None if spiking else did_you_mean(model, _MODELS),
        )
    if model.startswith("Transcode"):
        console.warning(f"model {model} is computed as Frame: n2d2py has no spiking cells, at: {place}")
    if data_type != "Float32":
        console.warning(f"data type {data_type}: n2d2py computes in Float32, at: {place}")


def config_sections(document: Document, section: str, model: str = "Frame") -> tuple[str, ...]:
    """The configuration sections of a section, least important first.

    ``ConfigSection(MODEL)`` for the given model replaces ``ConfigSection``. Raises :class:`IniError` if one of
    them does not exist.
    """
    for key in (*(f"ConfigSection({alias})" for alias in _MODELS.get(model, (model,))), "ConfigSection"):
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
    """The record of the provider's section. Keys that concern values and not the graph are left to the data."""
    section = provider_section(document)
    return read(Provider, document.scope(section, *config_sections(document, section)))
