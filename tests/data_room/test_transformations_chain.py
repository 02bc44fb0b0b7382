"""Sections of transformations: which of them run, for which sets, and in which order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from n2d2py import ini
from n2d2py.data.chain import read_pipelines
from n2d2py.data.draws import Draws
from n2d2py.data.pipeline import Pipeline
from n2d2py.errors import ParameterError


def pipelines(text: str, provider: str = "sp") -> dict[str, Pipeline]:
    document = ini.loads(f"[{provider}]\nSizeX=1\n{text}\n", file="net.ini")
    return dict(read_pipelines(document, provider, lambda name, before: None))


def refused(lines: str, section: str = "sp.Transformation") -> str:
    with pytest.raises(ParameterError) as error:
        pipelines(f"[{section}]\n{lines}")
    return str(error.value)


def affine(sections: dict[str, str], apply_to: str = "All") -> str:
    """Sections that add numbers."""
    return "\n".join(
        f"[{name}]\nType=RangeAffineTransformation\nFirstOperator=Plus\nFirstValue={value}\nApplyTo={apply_to}"
        for name, value in sections.items()
    )


def added(steps: Any) -> list[float]:
    """The numbers that are added, in order."""
    return [step.first_value[0] for step in steps]


def test_order_is_that_of_the_file_within_each_kind_and_on_the_fly_comes_last() -> None:
    sections = {
        "env.Transformation-10": "1",
        "env.OnTheFlyTransformation": "4",
        "env.Transformation-2": "2",
        "env.OnTheFlyTransformation-0": "5",
        "env.Transformation": "3",
    }
    for pipeline in pipelines(f"[env.config]\nX=1\n{affine(sections)}", "env").values():
        assert added(pipeline.steps) == [1, 2, 3, 4, 5]
        assert added(pipeline.on_the_fly) == [4, 5]


@pytest.mark.parametrize(
    ("apply_to", "sets"),
    [
        ("LearnOnly", {"Learn"}),
        ("ValidationOnly", {"Validation"}),
        ("TestOnly", {"Test"}),
        ("NoLearn", {"Validation", "Test"}),
        ("NoValidation", {"Learn", "Test"}),
        ("NoTest", {"Learn", "Validation"}),
        ("All", {"Learn", "Validation", "Test"}),
    ],
)
def test_apply_to(apply_to: str, sets: set[str]) -> None:
    read = pipelines(affine({"sp.Transformation": "1"}, apply_to))
    assert {name for name, pipeline in read.items() if pipeline.steps} == sets


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("Type=Rescale\nWidth=3", ["did you mean RescaleTransformation?", "one of AffineTransformation", "net.ini:4"]),
        ("Type=FlipTransform", ["unknown transformation 'FlipTransform'", "did you mean FlipTransformation?"]),
        ("Type=BlendingTransformation", ["unknown transformation 'BlendingTransformation'", "WallisFilter"]),
        ("Width=3", ["missing key Type", "RescaleTransformation"]),
        ("Type=RescaleTransformation\nWidth=3\nHeight=3\nWith=3", ["unknown parameter With", "net.ini:7"]),
    ],
)
def test_mistakes(lines: str, words: list[str]) -> None:
    text = refused(lines)
    for word in words:
        assert word in text


def test_unknown_kind() -> None:
    assert "of no known kind" in refused("Type=RescaleTransformation", "sp.MyTransformation")


def test_a_section_of_another_provider_is_a_warning(said: list[str]) -> None:
    assert pipelines(affine({"sp.Transformation-1": "1"}), "env")["Learn"].steps == ()
    assert len(said) == 1
    assert said[0].startswith(
        "WARNING section [sp.Transformation-1] has no effect, because the stimuli come from [env]"
    )
    assert "name it [env.Transformation-1]" in said[0]


def test_streams_of_a_pass_are_those_of_its_parts() -> None:
    whole = Draws.of(7, 2, range(50)).kept()
    for rows in (np.array([3, 1, 49]), np.arange(10, 30)):
        kept, plain = whole.some(rows), Draws.of(7, 2, rows)
        for one, other in (
            (kept, plain),
            (kept.child(4), plain.child(4)),
            (kept.child(4).child(1), plain.child(4).child(1)),
        ):
            for _ in range(3):
                assert np.array_equal(one.integer(0, 99), other.integer(0, 99))
            assert np.array_equal(one.field(3), other.field(3))
            assert np.array_equal(one.below_one(), other.below_one())
            assert np.array_equal(one.image(1).below_one(), other.image(1).below_one())
            assert np.array_equal(one.some(np.array([2])).normal(), other.some(np.array([2])).normal())
