"""Every operation that the C and QONNX exports know, of random geometry, in both: the interpreter's codes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest
from integer import blocks

from n2d2py.errors import IntegerError
from n2d2py.export import verification
from n2d2py.export.base import Export
from n2d2py.export.c.source import write_source
from n2d2py.export.executors import CProgram
from n2d2py.export.qonnx.exporter import Qonnx, build
from n2d2py.integer.operations import Convolution, SumPool
from n2d2py.registry import names

from . import medley
from .made import made

needs_compiler = pytest.mark.skipif(
    shutil.which("make") is None or not any(map(shutil.which, ("gcc", "cc", "clang"))), reason="needs a C compiler"
)
MAKERS = [medley.flat, medley.deep]


@needs_compiler
@pytest.mark.parametrize("largest", [20, 1 << 20])
@pytest.mark.parametrize("make", MAKERS)
def test_in_c(make: Callable[[int, int], Export], largest: int) -> None:
    export = make(0, largest)
    program = CProgram(export)
    found = medley.differing(export, program.run(export.stimuli))
    program.close()
    assert len(found) >= len(export.network) - 1  # a Reshaping has no step of its own
    assert not any(found.values()), found


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.filterwarnings("ignore")
def test_in_qonnx(make: Callable[[int, int], Export]) -> None:
    _equal_in_qonnx(replace(made := make(3, 20), stimuli=made.stimuli[:1]))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.filterwarnings("ignore")
def test_wide_codes_in_qonnx(make: Callable[[int, int], Export]) -> None:
    """Sums that float32 does not hold go digit by digit."""
    _equal_in_qonnx(medley.only(make(1, 1 << 20), Convolution, SumPool))


def _equal_in_qonnx(export: Export) -> None:
    pytest.importorskip("qonnx")
    found = medley.differing(export, Qonnx(export).run(export.stimuli))
    assert set(found) == {operation.name for operation in export.network}
    assert not any(found.values()), found


def test_none_is_left_out() -> None:
    operations = {type(operation).__name__ for make in MAKERS for operation in make(0, 20).network}
    assert operations >= {*names("c operation"), *names("qonnx operation")} - {"Requantization", "Identity"}


@needs_compiler
@pytest.mark.parametrize("name", ["autoencoder", "space", "levels", "mobilenet_v2"])
def test_blocks_in_c(name: str) -> None:
    learned, export, batch = made(getattr(blocks, name)(), 2, 1)
    report = verification.compare(learned, export, [batch], ["C"], required=True)
    assert report.all_equal, "\n".join(report.lines())


def test_an_island_that_integers_follow_is_refused_by_name() -> None:
    _, export, _ = made(blocks.oddities(), 1)
    for write in (write_source, build):
        with pytest.raises(IntegerError, match="FloatBits again:bits of cell again has no") as caught:
            write(export)
        said = str(caught.value)
        assert "island before it computes with real numbers, which are not the same on every machine" in said
        assert "leave island out" in said


@needs_compiler
def test_without_its_island_the_rest_is_exported() -> None:
    text = blocks.oddities()
    start, end = (re.search(rf"^\[{name}\]", text, re.MULTILINE).start() for name in ("island", "tanh"))
    text = (text[:start] + text[end:]).replace("again,shaped", "border,shaped")
    learned, export, batch = made(text, 2, 1)
    report = verification.compare(learned, export, [batch], ["C"], required=True)
    assert report.all_equal, "\n".join(report.lines())
