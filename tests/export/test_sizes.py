"""What the size table says is what the C text has."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from n2d2py.export.base import Export
from n2d2py.export.c.exporter import export_c
from n2d2py.export.c.source import Source, write_source
from n2d2py.export.c.types import SIZES

from .made import made_lenet


@pytest.fixture(scope="module")
def export() -> Export:
    return made_lenet(15, 15, 1)[1]


@pytest.fixture(scope="module")
def source(export: Export) -> Source:
    return write_source(export)


def test_flash_is_that_of_the_constant_arrays(source: Source) -> None:
    arrays = re.findall(r"^static const (\w+) \w+\[(\d+)\] = ", source.code, re.MULTILINE)
    assert arrays
    assert source.flash == sum(SIZES[type_] * int(count) for type_, count in arrays)


def test_ram_is_that_of_the_static_memory(source: Source) -> None:
    (row,) = re.findall(r"^static int16_t row\[(\d+)\];", source.code, re.MULTILINE)
    members = re.findall(r"^    (\w+) as_\w+\[(\d+)\];", source.code, re.MULTILINE)
    arena = {SIZES[type_] * int(count) for type_, count in members}
    assert max(arena) == source.arena
    assert source.ram == source.arena + 2 * int(row)
    assert f"#define NETWORK_RAM {source.ram}\n" in source.header
    whole = sum(source.sites[0].plan.bytes_of(site.step.name) for site in source.sites)
    assert source.arena < whole, "results share bytes"


def test_products_are_counted(source: Source, export: Export, tmp_path: Path) -> None:
    """conv1 5x5 to 6 maps of 16x16, conv2 5x5 from 6 to 16 of 4x4, fc1 64 to 24, fc2 24 to 10."""
    macs = {site.step.name: site.macs for site in source.sites if site.macs}
    assert macs == {"bn1": 6 * 25 * 256, "bn2": 16 * 6 * 25 * 16, "fc1": 64 * 24, "fc2": 240}
    export_c(export, tmp_path)
    *rows, total = csv.reader((tmp_path / "sizes.csv").read_text().splitlines())
    assert [row[0] for row in rows[1:]] == [site.step.name for site in source.sites]
    assert total[-1] == str(sum(macs.values()))
    assert (int(total[3]) + int(total[4]), int(total[5])) == (source.flash, source.ram)


@pytest.mark.skipif(not shutil.which("gcc") or not shutil.which("size"), reason="needs gcc and size")
def test_the_compiler_takes_as_much_memory(source: Source, export: Export, tmp_path: Path) -> None:
    export_c(export, tmp_path)
    command = ["gcc", "-std=c99", "-Os", "-c", "network.c", "-o", "network.o"]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = subprocess.run(["size", "network.o"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    _, data, bss = (int(word) for word in said.splitlines()[1].split()[:3])
    assert source.ram <= data + bss <= source.ram + 64  # alignment, and the pointer to the arena
