"""The models of cells: how N2D2 computes them. Here all are computed as frames; spiking ones can only be drawn."""

from __future__ import annotations

from n2d2py import console
from n2d2py.errors import ParameterError, Place, did_you_mean
from n2d2py.ini import Document, Scope
from n2d2py.kinds import one_of
from n2d2py.parameters import known_keys

DATA_TYPE = one_of("Float16", "Float32", "Float64")

FRAMES = ("Frame", "Frame_CUDA")
"""One model here: the device is chosen by what there is."""

TRANSCODES = ("Transcode", "Transcode_CUDA")
"""The frame model with a spiking twin, of which only the frame is computed."""

_SPIKING = ("Spike", "CSpike", "RRAM")

_SPIKING_KEYS = frozenset(
    (
        *("IncomingDelay", "Threshold", "BipolarThreshold", "Leak", "Refractory", "RefractoryIntegration"),
        *("TerminateDelta", "DigitalIntegration", "BipolarIntegration", "BipolarWeights", "SynapticRedundancy"),
        *("WeightsMinMean", "WeightsMaxMean", "WeightsMinVarSlope", "WeightsMinVarOrigin", "WeightsMaxVarSlope"),
        *("WeightsMaxVarOrigin", "WeightsSetProba", "WeightsResetProba", "WeightsRelInit", "WeightsInit"),
        *("WeightIncrement", "WeightIncrementVar", "WeightIncrementDamping", "WeightDecrement", "WeightDecrementVar"),
        *("WeightDecrementDamping", "LtpProba", "LtdProba", "StdpLtp", "StdpLtd", "InhibitRefractory", "EnableStdp"),
        *("InhibitStdp", "LateralInhibition", "CheckWeightRange", "ProgramMethod"),
    )
)


def is_known(model: str) -> bool:
    """Whether there is such a model in N2D2."""
    return model in FRAMES or model in TRANSCODES or spikes(model)


def spikes(model: str) -> bool:
    """Whether a model computes with spikes alone, so that back-propagation cannot teach it."""
    return model.partition("_")[0] in _SPIKING


def aliases(model: str) -> tuple[str, ...]:
    """The names that ``ConfigSection(MODEL)`` for a model may have, the best fitting first.

    >>> aliases("Frame_CUDA"), aliases("Spike_Analog")
    (('Frame_CUDA', 'Frame'), ('Spike_Analog', 'Spike'))
    """
    bare = model.removesuffix("_CUDA")
    names = [model, bare, f"{bare}_CUDA"] if bare in ("Frame", "Transcode") else [model, bare, bare.partition("_")[0]]
    if bare == "Transcode":
        names += ["Frame_CUDA", "Frame"] if model.endswith("_CUDA") else ["Frame", "Frame_CUDA"]
    return tuple(dict.fromkeys(names))


def check_model(model: str, data_type: str, place: Place | None) -> None:
    """Raise :class:`ParameterError` for a model that N2D2 does not have, warn of what is computed otherwise."""
    if not is_known(model):
        raise ParameterError(
            f"unknown model {model!r}",
            place=place,
            expected="Frame or Frame_CUDA",
            remedy=did_you_mean(model, [*FRAMES, *TRANSCODES, "Spike", "Spike_RRAM", "Spike_Analog"]),
        )
    if spikes(model):
        console.warning(
            f"model {model} can be drawn and checked, and cannot learn here: n2d2py computes no spikes; "
            f"write Frame to learn by back-propagation, at: {place}"
        )
    elif model in TRANSCODES:
        console.warning(f"model {model} is computed as Frame: n2d2py computes no spikes, at: {place}")
    if data_type != "Float32":
        console.warning(f"data type {data_type}: n2d2py computes in Float32, at: {place}")


def ignore_spiking(document: Document, scope: Scope, sections: tuple[str, ...], type_: type) -> None:
    """Mark what only spiking cells read as read: known keys with one notice a section, others with a warning.

    ``sections`` are the cell's own and its configuration sections; the keys of ``type_``, the type of the cell, and
    those below them are not touched.
    """
    own = set(known_keys(type_))
    for section in sections:
        ignored = []
        for key in document.sections[section].properties:
            if key in own or key.partition(".")[0] in own or key.startswith("$"):
                continue
            if key in _SPIKING_KEYS:
                scope.find(key)
                if document.first_warning(section, key):
                    ignored.append(key)
            elif section != sections[0]:
                scope.find(key)
                if document.first_warning(section, key):
                    place = document.sections[section].place_of(key)
                    console.warning(f"{key} is not known here; it is taken for a spiking one and ignored, at: {place}")
        if ignored:
            console.notice(f"{', '.join(ignored)} in section [{section}]: only for spiking cells, ignored")
