"""The C export: compiled with every warning an error, run under the sanitizers, equal code for code."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from integer.graphs import networks
from integer.networks import lenet_like

from n2d2py.errors import IntegerError
from n2d2py.export import verification
from n2d2py.export.c.exporter import export_c
from n2d2py.export.c.packing import pack, unpack
from n2d2py.export.c.plan import Plan
from n2d2py.export.c.source import write_source
from n2d2py.export.c.types import identifiers, literal, type_for
from n2d2py.integer.operations import Operation, Weighted

from .made import made, made_lenet, tiny, tiny_export

GOLDEN = Path(__file__).parent.parent / "golden" / "export_tiny.c"
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-fno-strict-aliasing"]
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover"]
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*words], cwd=folder, capture_output=True, text=True, check=False)


def compile_(folder: Path, *more: str) -> None:
    done = run(folder, "gcc", *STRICT, *more, "main.c", "network.c", "-o", "network")
    assert done.returncode == 0, done.stderr


def test_the_text_of_a_tiny_network(tmp_path: Path) -> None:
    source = write_source(tiny_export()).code
    assert source == write_source(tiny_export()).code
    assert source.split("\n", 1)[1] == GOLDEN.read_text(encoding="utf-8")


@needs_gcc
@pytest.mark.parametrize(("weights", "activations"), [(15, 15), (3, 7), (255, 255)])
def test_lenet_under_the_sanitizers(weights: int, activations: int, tmp_path: Path) -> None:
    _, export, _ = made_lenet(weights, activations, 6)
    export_c(export, tmp_path)
    compile_(tmp_path, *SANITIZED)
    done = run(tmp_path, "./network", "-check", "expected.bin", "stimuli.bin")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "6 stimuli, 0 codes of outputs differ\n"
    assert done.stdout == (tmp_path / "labels.txt").read_text()
    assert [int(line) for line in done.stdout.split()] == export.expected["fc2"].argmax(axis=1).ravel().tolist()


@needs_gcc
def test_a_wrong_output_is_seen(tmp_path: Path) -> None:
    export_c(tiny_export(), tmp_path)
    compile_(tmp_path)
    expected = bytearray((tmp_path / "expected.bin").read_bytes())
    expected[8] ^= 1
    (tmp_path / "expected.bin").write_bytes(bytes(expected))
    done = run(tmp_path, "./network", "-check", "expected.bin", "stimuli.bin")
    assert done.returncode == 1
    assert done.stderr == "8 stimuli, 1 codes of outputs differ\n"


@needs_gcc
def test_one_neuron_is_labelled_by_its_threshold(tmp_path: Path) -> None:
    export = tiny_export()
    export_c(export, tmp_path)
    compile_(tmp_path, *SANITIZED)
    labels = [int(line) for line in run(tmp_path, "./network", "stimuli.bin").stdout.split()]
    assert labels == (export.expected["fc2"].ravel() * 0.5 > 2.2).astype(int).tolist()
    assert 0 < sum(labels) < len(labels)


@needs_gcc
def test_images_and_damaged_files(tmp_path: Path) -> None:
    _, export, _ = made_lenet(count=1)
    export_c(export, tmp_path)
    compile_(tmp_path, *SANITIZED)
    pixels = export.stimuli[0, 0].astype(np.uint8).tobytes()
    (tmp_path / "one.pgm").write_bytes(b"P5\n# a digit\n20 20\n255\n" + pixels)
    assert run(tmp_path, "./network", "one.pgm").stdout == (tmp_path / "labels.txt").read_text()
    for name, content, message in (
        ("short.pgm", b"P5 20 20 255\n" + pixels[:-1], "ends too early"),
        ("large.pgm", b"P5 21 20 255\n" + pixels, "not an 8-bit image of the stimulus' size"),
        ("colour.ppm", b"P6 20 20 255\n" + pixels, "not a binary image with the stimulus' channels"),
        ("short.bin", pixels[:-1], "ends within a stimulus"),
    ):
        (tmp_path / name).write_bytes(content)
        done = run(tmp_path, "./network", name)
        assert done.returncode == 1
        assert message in done.stderr
    assert "cannot be read" in run(tmp_path, "./network", "none.bin").stderr


@needs_gcc
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_random_networks(text: str) -> None:
    learned, export, batch = made(text, 2)
    report = verification.compare(learned, export, [batch], ["C"], required=True)
    assert report.all_equal, "\n".join([*report.lines(), export.network.text()])


def test_packed_weights_come_back() -> None:
    for network in (tiny(), lenet_like()):
        for operation in network:
            if isinstance(operation, Weighted):
                packed = pack(operation)
                assert len(packed.data) == -(-operation.weights.size * packed.bits // 8) + 2
                assert np.array_equal(unpack(packed, operation.weights.size), operation.weights.ravel())


def test_places_in_the_arena_do_not_overlap() -> None:
    _, export, _ = made_lenet()
    plan = Plan(export)
    made_at = {step.name: index for index, step in enumerate(plan.steps)}
    for index, step in enumerate(plan.steps):
        alive = {step.name, *(plan.place_of(name) for name in step.operation.inputs)} - {"env"}
        spans = sorted((plan.offsets[name], plan.offsets[name] + plan.bytes_of(name)) for name in alive)
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans)), (index, alive)
    assert plan.arena < sum(plan.bytes_of(name) for name in made_at)


def test_sizes_are_told(tmp_path: Path) -> None:
    lines = export_c(tiny_export(), tmp_path)
    assert lines[-1].startswith("flash ")
    assert lines[-1].endswith(" 8 MACs a stimulus")
    rows = (tmp_path / "sizes.csv").read_text().splitlines()
    assert rows[0].startswith("step,operation,weight bits")
    assert len(rows) == 4


class Unknown(Operation):
    """An operation that nobody can write."""


def test_an_operation_without_a_form_is_named() -> None:
    export = tiny_export()
    strange = Unknown("fc2", "cell7", ("fc1",))
    network = replace(export.network, operations=(*export.network.operations[:2], strange))
    with pytest.raises(IntegerError, match="Unknown fc2 of cell cell7 has no C form") as caught:
        write_source(replace(export, network=network))
    assert "Convolution" in str(caught.value)


def test_names_and_types() -> None:
    assert identifiers(["a.b", "a-b", "1"]) == {"a.b": "a_b", "a-b": "a_b_2", "1": "1"}
    assert [type_for(0, 255), type_for(-1, 127), type_for(-129, 0), type_for(0, 1 << 31)] == [
        "uint8_t", "int8_t", "int16_t", "int64_t",
    ]  # fmt: skip
    assert literal(-(1 << 31)) == "INT32_MIN"
    assert literal(1 << 40) == "INT64_C(1099511627776)"
