"""Residual blocks: sums of accumulators, sums of two quantized edges, and the benchmark that measures both."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from integer.learned import IMAGES, Images, network

from n2d2py.export import verification
from n2d2py.export.base import Export
from n2d2py.export.qlinear.model import build
from n2d2py.export.qlinear.operations.joined import Pair, find_lines
from n2d2py.integer.arithmetic import Alignment
from n2d2py.integer.lower import lower
from n2d2py.integer.operations import Requantization
from n2d2py.layers.network import TorchNetwork

from .made import made

BENCH = Path(__file__).resolve().parent.parent.parent / "bench" / "export.py"
ACT = "ActivationFunction=Linear\nQAct=SAT\nQAct.Range=15\nQAct.Alpha=3.0"


def block(last: str, seed_outputs: int = 4) -> str:
    """A convolution, a residual block of two, and a classifier; ``last`` is the activation before the sum."""
    conv = f"Type=Conv\nKernelSize=3\nPadding=1\nNbOutputs={seed_outputs}\nNoBias=1\nQWeight=SAT\nQWeight.Range=15"
    norm = f"Type=BatchNorm\nNbOutputs={seed_outputs}"
    return f"""DefaultModel=Frame
[sp]
Size=6 6 2
BatchSize=4
[conv1]
Input=sp
{conv}
[bn1]
Input=conv1
{norm}
{ACT}
[conv2]
Input=bn1
{conv}
[bn2]
Input=conv2
{norm}
{last}
[sum]
Input=bn2,bn1
Type=ElemWise
Operation=Sum
NbOutputs={seed_outputs}
{ACT}
[fc]
Input=sum
Type=Fc
NbOutputs=3
NoBias=1
ActivationFunction=Linear
QWeight=SAT
QWeight.Range=15
"""


@pytest.mark.parametrize("last", ["ActivationFunction=Linear", ACT])
@pytest.mark.parametrize("seed", range(3))
def test_equal_in_onnx_and_c(last: str, seed: int) -> None:
    learned, export, batch = made(block(last), 6, seed)
    names = [name for name in ("ONNX Runtime", "C") if name != "C" or seed == 0]
    report = verification.compare(learned, export, [batch], names)
    assert report.all_equal, report.lines()


def test_a_sum_of_quantized_edges_stays_in_bytes() -> None:
    _, export, _ = made(block(ACT))
    model = build(export)
    assert model.paths["sum"] == "sum of bytes, right for all pairs"
    assert model.values["sum"].type == "uint8"
    kinds = {node.op_type for node in model.proto.graph.node}
    assert {"DequantizeLinear", "QuantizeLinear"} <= kinds


def plain_block(seed: int, outputs: int = 4) -> tuple[TorchNetwork, Export, Images]:
    """A block whose BatchNorms have no extreme channels."""
    text = block("ActivationFunction=Linear", outputs)
    learned = network(text, seed, "plain")
    batch = Images(learned, 4, seed)
    assert batch.codes is not None
    return learned, Export(lower(learned, IMAGES), text.encode(), batch.codes.values.numpy().astype(np.int64)), batch


def test_a_sum_of_accumulators_and_codes_is_two_lines() -> None:
    learned, export, batch = plain_block(1)
    model = build(export)
    assert model.paths["sum"] == "two float32 lines, equal at all edges"
    assert model.values["sum"].type == "uint8"
    kinds = [node.op_type for node in model.proto.graph.node]
    assert "Floor" not in kinds  # what the sum would have taken is left out
    report = verification.compare(learned, export, [batch], ["ONNX Runtime"])
    assert report.all_equal, report.lines()


@pytest.mark.parametrize("seed", range(3))
def test_the_two_lines_are_right_on_all_pairs(seed: int) -> None:
    _, export, _ = plain_block(seed, 3)
    integer = export.network
    (total,) = (op for op in integer if isinstance(op, Alignment) and len(op.inputs) == 2)
    (taker,) = integer.consumers(total.name)
    before = integer[total.inputs[0]]
    assert isinstance(taker, Requantization)
    assert isinstance(before, Alignment)
    grids = [integer.edges[name].grid for name in (total.name, taker.name)]
    unit = grids[0].scale / grids[1].scale
    pair = Pair(total, taker, 0, before, integer.edges[before.inputs[0]], integer.edges[total.inputs[1]], unit)
    lines = find_lines(pair)
    assert lines is not None
    slopes, offsets, scales = (values[:, None] for values in lines)
    low, high = pair.accumulators.low, pair.accumulators.high
    reachable = np.broadcast_to(np.arange(low.min(), high.max() + 1), (3, high.max() - low.min() + 1))
    reachable = np.clip(reachable, low[:, None], high[:, None])
    for code in range(16):
        sums = (reachable.astype(np.float32) * slopes).astype(np.float32) + offsets
        y = np.rint(sums + np.float32(code) * scales)
        assert np.array_equal(np.clip(y, 0, 15), pair.numbers(reachable, np.full(reachable.shape[1], code)))


WHOLE = "ActivationFunction=Linear\nQAct=LSQ\nQAct.Range=255\nQAct.Signed={}\nQAct.IntegerBias=1"


@pytest.mark.parametrize("signed", [0, 1])
def test_with_integer_biases_all_of_8_bits_are_quantized_sums(signed: int) -> None:
    """QLinearConv for each convolution, and one pass over bytes for the sum of two scales."""
    text = block(WHOLE.format(signed)).replace(ACT, WHOLE.format(0)).replace("QWeight.Range=15", "QWeight.Range=255")
    text = text.replace("QWeight=SAT", "QWeight=LSQ")
    learned, export, batch = made(text, 3, 5)
    model = build(export)
    paths = [model.paths[op.name] for op in export.operations if isinstance(op, Requantization)]
    assert paths == ["QLinearConv"] * (len(paths) - 1) + ["sum of bytes, right for all pairs"]
    assert len(paths) == 3
    executors = ["interpreter", "torch", "ONNX Runtime", "ONNX Runtime, QDQ", "C"]
    report = verification.compare(learned, export, [batch], executors, required=True)
    assert report.all_equal, report.lines()


NETWORKS = {"ResNet-18": 4, "MobileNet-v2": 3}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_benchmark_runs(name: str) -> None:
    words = f"--network {name} --rounds 1 --size 32 --classes 5 --narrow".split()
    command = [sys.executable, "-W", "ignore", str(BENCH), *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": 0 of 5 outputs differ from the interpreter") == NETWORKS[name]
    rows = re.findall(r"^\S.* +\d+\.\d\d +\d+\.\d\d +(\S+)$", done.stdout, re.MULTILINE)
    assert rows == ["-"] * 3 + ["0"] * NETWORKS[name]
