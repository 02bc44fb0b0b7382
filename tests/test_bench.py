"""The benchmark runs and prints a row for each contestant; how fast they are is not asserted."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

BENCH = Path(__file__).resolve().parent.parent / "bench" / "lenet.py"


def test_four_rows():
    command = [sys.executable, str(BENCH), "--rounds", "1", "--steps", "1", "--threads", "1"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if re.search(r"  +\d+  +\d+\.\d\d$", line)]
    assert [row[:38].strip() for row in rows] == [
        "plain torch, float",
        "n2d2py, float (LeNet.ini)",
        "n2d2py, clamp stage (LeNet_clamp.ini)",
        "n2d2py, 4 bits (LeNet_4bit.ini)",
    ]
    assert rows[0].endswith(" 1.00")


def test_the_chains_of_the_data(tmp_path):
    command = [sys.executable, str(BENCH.with_name("data.py")), "--rounds", "1", "--small", "20", "--large", "8"]
    done = subprocess.run(
        [*command, "--workers", "0"], capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if re.match(r"\([abc]\)", line)]
    assert len(rows) == 16
    assert all(re.search(r"  +\d+  +\d+\.\d\d$", row) for row in rows)


def test_the_start_of_a_large_data_set(tmp_path):
    command = [sys.executable, str(BENCH.with_name("startup.py")), "--files", "1300"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()[2:]]
    databases = ["`ILSVRC2012_Database`", "`DIR_Database`"]
    assert [row[:2] for row in rows] == [[name, index] for name in databases for index in ("none", "made", "there")]
    assert [row[2] for row in rows] == ["1,350"] * 3 + ["1,250"] * 3
    assert all(float(cell.replace(",", "")) >= 0 for row in rows for cell in row[3:])


def test_the_table_of_equality(tmp_path):
    page = tmp_path / "equality.md"
    command = [sys.executable, str(BENCH.with_name("equality.py")), "--quick", "--stimuli", "1", "--only", "learning"]
    done = subprocess.run(
        [*command, "--page", str(page)], capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    rows = [[word.strip() for word in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    assert rows[0][:5] == ["network", "bits of weights", "of activations", "codes", "channels proved"]
    assert rows[0][5:] == ["interpreter", "torch", "ONNX Runtime", "C", "QONNX"]
    (row,) = rows[2:]
    assert row[:3] == ["LeNet, 20x20, quantized after learning", "8", "8"]
    assert row[4].split(" of ")[0] == row[4].split(" of ")[1]
    assert set(row[5:]) <= {"0", "not yet"}, "not yet: a compiler or qonnx is not there"
    assert row[5:8] == ["0", "0", "0"]
    assert "every one equal in every executor" in text


def test_learning_on_a_gpu_in_its_small_mode(tmp_path):
    command = [sys.executable, str(BENCH.with_name("gpu.py")), "--small", "--device", "cpu", "--results", "gpu.json"]
    for again in (False, True):
        done = subprocess.run(
            [*command, "--page", "gpu.md"], capture_output=True, text=True, check=False, cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == (3 if again else 13)  # what is known is not measured again
    rows = [row for row in (tmp_path / "gpu.md").read_text().splitlines() if row.startswith("| MobileNet-v1")]
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    names = ["plain torch", "plain torch, channels_last", "n2d2py float", "n2d2py SAT", "n2d2py LSQ"]
    assert [row[:6] for row in cells] == [
        ["MobileNet-v1", "32", "2", precision, "no", name] for precision in ("fp32", "bf16") for name in names
    ]
    assert all(float(row[7]) > 0 for row in cells)
    assert [row[9] for row in cells[:5]] == ["", "", "", "30 s", ""]


def test_without_a_gpu_it_says_so(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is one")
    command = [sys.executable, str(BENCH.with_name("gpu.py"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "there is no GPU that torch can use" in done.stderr


def test_one_step_beside_plain_torch_with_its_memory_and_its_parts():
    command = [sys.executable, str(BENCH.with_name("step.py")), "--quick", "--eager", "--network", "lenet"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    names = ["plain torch", "n2d2py float", "n2d2py SAT 4 bits", "n2d2py LSQ 4 bits"]
    rows = [line for line in lines if any(line.startswith(f"{name:26} ") for name in names)]
    assert [row[:26].strip() for row in rows] == names * 2
    assert all(re.search(r"eager <= 1.35 .*met, memory <= 1.25 .*met$", row, re.IGNORECASE) for row in rows[1:4])
    parts = next(line for line in lines if line.startswith("ms of a part"))[26:].split()
    assert parts == "conv batchnorm activation pool fc sum weight codes loss solver other".split()
    costs = dict(zip(names, (list(map(float, row[26:].split())) for row in rows[4:]), strict=True))
    assert all(cost[0] > 0 and cost[1] > 0 for cost in costs.values())  # convolutions, BatchNorm
    assert costs["n2d2py float"][6] == 0.0
    assert costs["n2d2py SAT 4 bits"][6] > 0  # weight codes
