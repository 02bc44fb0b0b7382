"""Functions that are alike are written once, and no compiler's optimisation changes a code."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from integer import blocks

from n2d2py.export import verification
from n2d2py.export.base import Export
from n2d2py.export.c.exporter import export_c
from n2d2py.export.c.source import write_source

from .made import made

needs_compiler = pytest.mark.skipif(
    shutil.which("make") is None or not any(map(shutil.which, ("gcc", "cc", "clang"))), reason="needs a C compiler"
)


def inception() -> Export:
    """Four branches for two takers: each is brought to one scale twice, by the same function."""
    return made(blocks.inception(15, 255), 3, 1)[1]


@needs_compiler
@pytest.mark.parametrize(("weights", "activations"), [(1, 1), (15, 255)])
def test_branches_of_one_cell_for_two_takers(weights: int, activations: int) -> None:
    learned, export, batch = made(blocks.inception(weights, activations), 3, 1)
    report = verification.compare(learned, export, [batch], ["C"], required=True)
    assert report.all_equal, "\n".join(report.lines())


def test_what_is_alike_is_written_once_and_called_twice() -> None:
    source = write_source(inception())
    begun = re.findall(r"^static void (op_\w+)\(", source.code, re.MULTILINE)
    calls = re.findall(r"^    (op_\w+)\(", source.code, re.MULTILINE)
    twice = ["op_next_input0", "op_next_input1", "op_next_input2", "op_next_input3", "op_next_inputs"]
    assert len(calls) == len(source.sites)
    assert sorted(begun) == sorted(set(calls))
    assert [name for name in begun if calls.count(name) == 2] == twice
    bodies = [
        re.sub(rf"\b{name}\b", "", re.search(rf"^static void {name}\(.*?^}}", source.code, re.DOTALL | re.MULTILINE)[0])
        for name in begun
        if f"{name}_" not in source.code  # arrays of its own may make it another
    ]
    assert len(set(bodies)) == len(bodies)


def test_shared_functions_take_no_flash_of_their_own() -> None:
    source = write_source(inception())
    shared = [site for site in source.sites if site.call]
    assert [site.step.name for site in shared] == [f"pool:input{index}" for index in range(4)] + ["pool:inputs"]
    assert all(site.flash == site.weights_flash == 0 for site in shared)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
@pytest.mark.parametrize("flags", ["-O0", "-O1", "-O2", "-O3", "-Os", "-O2 -fno-inline", "-O2 -fipa-icf -flto"])
def test_every_optimisation_gives_the_same_codes(flags: str, tmp_path: Path) -> None:
    """GCC 12 lost codes with -O2 when it knew that what an operation takes and gives lies in one object."""
    export_c(inception(), tmp_path)
    assert "ipa-icf" not in (tmp_path / "Makefile").read_text()
    command = ["gcc", "-std=c99", "-fno-strict-aliasing", *flags.split(), "main.c", "network.c", "-o", "network"]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    command = ["./network", "-check", "expected.bin", "stimuli.bin"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.stderr == "3 stimuli, 0 codes of outputs differ\n"
    assert ran.returncode == 0
