"""Bytes of a camera enter the exports: the table of the integer network stands before the first operation."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from integer.networks import lenet_like

from n2d2py.cells.base import PROVIDER
from n2d2py.errors import IntegerError
from n2d2py.export.base import Export
from n2d2py.export.c.exporter import export_c
from n2d2py.export.c.source import write_source
from n2d2py.export.executors import CProgram
from n2d2py.export.qonnx.exporter import Qonnx, export_qonnx
from n2d2py.integer.interpreter import look_up, run
from n2d2py.integer.operations import Lookup

from .test_c import SANITIZED, compile_, needs_gcc

PIXELS = np.random.default_rng(5).integers(0, 256, (3, 2, 12, 12)).astype(np.uint8)


def export(rows: int = 2) -> Export:
    """A network whose stimuli are the codes that a table makes of bytes, for each channel its own or one for both."""
    numbers = np.arange(256)
    table = np.stack([255 - numbers, numbers // 2])[:rows]
    network = replace(lenet_like(), lookup=Lookup(PROVIDER, PROVIDER, ("bytes",), table))
    return Export(network, b"", look_up(network, PIXELS), (("softmax", 0.5),))


@pytest.mark.parametrize("rows", [1, 2])
def test_bytes_of_codes(rows: int) -> None:
    made = export(rows)
    pixels = made.pixels(made.stimuli)
    assert pixels is not None
    assert pixels.dtype == np.uint8
    assert np.array_equal(look_up(made.network, pixels), made.stimuli)
    assert Export(lenet_like(), b"", made.stimuli).pixels(made.stimuli) is None


def test_codes_that_no_byte_has() -> None:
    made = export()
    with pytest.raises(IntegerError, match="codes that no byte has") as caught:
        made.pixels(made.stimuli + 10_000)
    assert "test set" in str(caught.value)


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.skipif(CProgram.missing() is not None, reason="needs a C compiler with make")
def test_c_begins_with_bytes(rows: int) -> None:
    made = export(rows)
    program = CProgram(made)
    found, right = program.run(made.stimuli), run(made.network, made.stimuli)
    program.close()
    assert "fc" in found
    assert all(np.array_equal(codes, right[name]) for name, codes in found.items())


@needs_gcc
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_bytes_and_images_under_the_sanitizers(tmp_path: Path) -> None:
    made = export()
    lines = export_c(made, tmp_path)
    assert any(line.split()[:2] == ["env", "Lookup"] for line in lines)
    source = write_source(made)
    assert source.code.count("static const uint8_t lookup[512]") == 1
    assert source.lookup == 512
    assert source.flash == source.lookup + sum(site.flash for site in source.sites)
    assert (tmp_path / "stimuli.raw").stat().st_size == PIXELS.size
    compile_(tmp_path, *SANITIZED)
    labels = (tmp_path / "labels.txt").read_text()
    for file in ("stimuli.raw", "stimuli.bin"):
        done = subprocess.run(
            ["./network", "-check", "expected.bin", file], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "3 stimuli, 0 codes of outputs differ\n")
        assert done.stdout == labels
    tested = subprocess.run(["make", "test"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert tested.stderr.count("3 stimuli, 0 codes of outputs differ") == 2


@needs_gcc
def test_colours_of_images_enter_in_the_order_of_the_database(tmp_path: Path) -> None:
    """Blue, green, red, as stimuli have them; -rgb for a network that learned from red, green, blue."""
    network = lenet_like()
    stimuli = np.random.default_rng(2).integers(0, 256, (1, 3, 4, 5))
    first = network["fc"]
    weights = np.arange(60).reshape(1, 60) - 30
    edge = replace(network.stimuli, dims=network.stimuli.dims._replace(width=5, height=4, channels=3),
                   low=np.zeros(3, np.int64), high=np.full(3, 255))  # fmt: skip
    sums = replace(network.edges["fc"], low=np.array([-(1 << 20)]), high=np.array([1 << 20]),
                   dims=network.edges["fc"].dims._replace(channels=1))  # fmt: skip
    only = replace(first, inputs=(PROVIDER,), weights=weights, bias=None, bias_shift=0)
    network = replace(network, operations=(only,), edges={PROVIDER: edge, "fc": sums}, outputs={"fc": "fc"})
    export_c(Export(network, b"", stimuli, (("fc", 0.5),)), tmp_path)
    compile_(tmp_path, *SANITIZED)
    planes = stimuli[0].astype(np.uint8).transpose(1, 2, 0)
    for words, image in (([], planes[:, :, ::-1]), (["-rgb"], planes)):
        (tmp_path / "one.ppm").write_bytes(b"P6 5 4 255\n" + image.tobytes())
        command = ["./network", *words, "-check", "expected.bin", "one.ppm"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "1 stimuli, 0 codes of outputs differ\n")


@needs_gcc
def test_bytes_without_codes_are_refused(tmp_path: Path) -> None:
    network = lenet_like()
    edge = replace(network.stimuli, low=np.full(2, -128), high=np.full(2, 127))
    network = replace(network, edges=network.edges | {PROVIDER: replace(edge, grid=replace(edge.grid, low=-128))})
    export_c(Export(network, b"", np.zeros((1, 2, 12, 12), np.int64)), tmp_path)
    assert "#define NETWORK_BYTES 0" in (tmp_path / "network.h").read_text()
    compile_(tmp_path)
    (tmp_path / "one.raw").write_bytes(bytes(288))
    done = subprocess.run(["./network", "one.raw"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "bytes have no codes in this network" in done.stderr


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.filterwarnings("ignore")
def test_qonnx_begins_with_bytes(rows: int, tmp_path: Path) -> None:
    pytest.importorskip("qonnx")
    made = export(rows)
    export_qonnx(made, tmp_path)
    model = onnx.load(tmp_path / "network.qonnx.onnx")
    (entry,) = model.graph.input
    assert (entry.name, entry.type.tensor_type.elem_type) == ("pixels", onnx.TensorProto.UINT8)
    assert np.array_equal(look_up(made.network, np.load(tmp_path / "stimuli.npz")["pixels"]), made.stimuli)
    found, right = Qonnx(made).run(made.stimuli[:1]), run(made.network, made.stimuli[:1])
    assert set(found) == {operation.name for operation in made.operations}
    assert all(np.array_equal(codes, right[name]) for name, codes in found.items())
