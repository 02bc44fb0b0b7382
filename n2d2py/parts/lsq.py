"""LSQ: quantizers with a learned step, on the levels of a range or on any set of integers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from n2d2py import console
from n2d2py.errors import ParameterError, Place
from n2d2py.kinds import Kind, boolean, integer, list_of, one_of, real_between
from n2d2py.parameters import Record, parameter
from n2d2py.parts.quantizers import ActivationQuantizer, WeightQuantizer
from n2d2py.registry import register

_POSITIVE = real_between(0, float("inf"), low_open=True)
_INTEGERS = list_of(integer)
_MOST_SHOWN = 16
_MOST_LEVELS = 1 << 16
_RUN = re.compile(r"(-?\d{1,9})\.\.(-?\d{1,9})", re.ASCII)


def _parsed_levels(text: str, place: Place) -> tuple[int, ...]:
    found: list[int] = []
    for item in text.split():
        run = _RUN.fullmatch(item)
        more = range(int(run[1]), int(run[2]) + 1) if run else _INTEGERS.parse(item, place)
        if not more or len(found) + len(more) > _MOST_LEVELS:
            raise ValueError(f"{item} is no run of integers" if not more else f"more than {_MOST_LEVELS} levels")
        found.extend(more)
    return tuple(found)


def _written_levels(levels: Sequence[int]) -> str:
    """Few levels one by one, many that follow one another as a run: -128..127."""
    if len(levels) > _MOST_SHOWN and levels[-1] - levels[0] == len(levels) - 1:
        return f"{levels[0]}..{levels[-1]}"
    return " ".join(map(str, levels))


_LEVELS = Kind(f"{_INTEGERS.name}, or a run of them, as -8..7", _parsed_levels, _written_levels)


@dataclass(frozen=True, kw_only=True)
class _Step(Record):
    """What the quantizers with a learned step have in common."""

    levels: tuple[int, ...] = parameter(
        "Levels",
        _LEVELS,
        (),
        "the levels in units of the step, in place of Range: -1 0 1, 0 1 2 3, a run -100..155, or uneven ones",
    )
    init_step: bool = parameter(
        "SetOptInitStepSize",
        boolean,
        True,
        "1: the first tensor gives the initial step, as InitialStep says; 0: StepSize",
        spellings=("StepOptInitStepSize",),
    )
    initial_step: str = parameter(
        "InitialStep",
        one_of("Magnitude", "MSE"),
        "Magnitude",
        "of the first tensor: Magnitude 2 mean|x| / sqrt(highest level); MSE the step of the least squared error",
    )
    step_size: float = parameter("StepSize", _POSITIVE, 100.0, "initial step if SetOptInitStepSize=0")
    rate_factor: float = parameter(
        "LearningRateFactor", _POSITIVE, 1.0, "factor on the learning rate of the step, beside its solver's rate"
    )

    def __post_init__(self) -> None:
        if self.levels and (len(self.levels) < 2 or list(self.levels) != sorted(set(self.levels))):
            raise ParameterError(
                f"Levels={_written_levels(self.levels)} is no set of levels",
                place=self.place("levels"),
                expected="at least two different integers in increasing order, as -1 0 1",
            )
        if self.levels and self.levels[-1] <= 0:
            raise ParameterError(
                f"the highest of Levels={_written_levels(self.levels)} is not above 0",
                place=self.place("levels"),
                expected="a highest level of at least 1, by which the step begins and learns",
            )
        if self.init_step:
            self._idle("step_size", "SetOptInitStepSize=0, as the first tensor gives the initial step")
        else:
            self._idle("initial_step", "SetOptInitStepSize=1, as StepSize is the initial step")
        if self.levels:
            self._idle("range", "a cell without Levels, which stand in place of Range")

    def _idle(self, name: str, needed: str) -> None:
        """Say that a key which is written has no effect."""
        place = self.places.get(name)
        if place is not None:
            console.warning(
                f"{place.key} has no effect: it needs {needed}, at: {place}", about=(place.file, str(place))
            )

    @property
    def least_error(self) -> bool:
        """Whether the initial step is that of the least squared error."""
        return self.initial_step == "MSE"

    @property
    def initial(self) -> float | None:
        """The initial step; None: the first tensor gives it."""
        return None if self.init_step else self.step_size


def _signed(steps: int, symmetric: bool) -> Sequence[int]:
    """The levels -floor((R+1)/2) .. floor((R-1)/2) of a range R; -1 and 1 for 1, and -1 0 1 for 2.

    ``symmetric``: -floor(R/2) .. floor(R/2).
    """
    if steps == 1:
        return (-1, 1)
    if symmetric or steps == 2:
        return range(-(steps // 2), steps // 2 + 1)
    return range(-((steps + 1) // 2), (steps - 1) // 2 + 1)


@register("weight quantizer", "LSQ")
@dataclass(frozen=True, kw_only=True)
class LsqWeights(_Step, WeightQuantizer):
    """LSQ (Esser et al. 2019, arXiv:1902.08153): weights on a grid whose step is learned, one for the cell."""

    mode: str = parameter(
        "QuantMode",
        one_of("Default", "Symmetric", "Integer"),
        "Default",
        "levels of the range: Default -(R+1)/2 .. (R-1)/2, Symmetric -R/2 .. R/2; Integer is Default with integer "
        "codes and a separate step in learning",
        spellings=("Mode",),
    )
    gradient: str = parameter(
        "Gradient",
        one_of("Clamped", "MAD"),
        "Clamped",
        "of a weight outside of the levels: Clamped none, so that it stays where it is; MAD (magnitude-aware, Sakr et "
        "al. 2022, arXiv:2206.06501) the outermost level over it, so that it can come back",
    )

    @property
    def codes(self) -> Sequence[int]:
        """The levels in units of the step."""
        return self.levels or _signed(self.range, self.mode == "Symmetric")

    @property
    def bits(self) -> int:
        return (len(self.codes) - 1).bit_length()

    def label(self) -> str:
        return _label("QWeights: LSQ", self.levels, self.range)


@register("activation quantizer", "LSQ")
@dataclass(frozen=True, kw_only=True)
class LsqActivations(_Step, ActivationQuantizer):
    """LSQ (Esser et al. 2019): codes 0..R times a learned step; with Signed=1 also below 0."""

    signed: bool = parameter(
        "Signed", boolean, False, "1: levels -(R+1)/2 .. (R-1)/2, for outputs that are negative too"
    )
    offset: bool = parameter(
        "Offset", boolean, False, "1: LSQ+, the levels are shifted by a learned offset, a whole number of steps"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.offset:
            self._idle("initial_step", "Offset=0, as the ends of the first tensor give step and offset")
        if self.offset and self.codes[-1] - self.codes[0] != len(self.codes) - 1:
            raise ParameterError(
                "Offset=1 with levels that have gaps",
                place=self.place("offset"),
                expected="levels that follow one another, as 0 1 2 3",
                remedy="QAct.Offset=0",
            )

    @property
    def codes(self) -> Sequence[int]:
        """The levels in units of the step."""
        if self.levels:
            return self.levels
        return _signed(self.range, False) if self.signed else range(self.range + 1)

    @property
    def bits(self) -> int:
        return (len(self.codes) - 1).bit_length()

    def label(self) -> str:
        return _label("QAct: LSQ" + (" signed" if self.signed else ""), self.levels, self.range)


def _label(name: str, levels: tuple[int, ...], steps: int) -> str:
    if levels:
        return f"{name} on levels [{_written_levels(levels)}]"
    return f"{name} on range [{steps} q-step]"
