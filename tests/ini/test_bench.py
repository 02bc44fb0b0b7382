"""The benchmark of the reader prints a row for each size; how fast it is is not asserted."""

import os
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench" / "ini.py"


def test_a_row_for_each_size():
    command = [sys.executable, str(BENCH), "--cells", "5", "50", "--rounds", "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    title, *rows = done.stdout.splitlines()
    assert title.split()[:5] == ["cells", "configparser", "parse", "values", "build"]
    assert [row.split()[0] for row in rows] == ["5", "50"]
