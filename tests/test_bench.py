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
