"""Residual blocks: sums of accumulators, sums of two quantized edges, and the benchmark that measures both."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from n2d2py.export import verification
from n2d2py.export.qlinear.model import build

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


def test_the_benchmark_runs() -> None:
    words = "--rounds 1 --size 32 --classes 5 --narrow".split()
    command = [sys.executable, "-W", "ignore", str(BENCH), *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": 0 of 5 outputs differ from the interpreter") == 2
    assert len(re.findall(r"^\S.* +\d+\.\d\d +\d+\.\d\d$", done.stdout, re.MULTILINE)) == 4
