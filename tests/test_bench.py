"""The benchmark runs and prints a row for each contestant; how fast they are is not asserted."""

import os
import re
import subprocess
import sys
from pathlib import Path

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
