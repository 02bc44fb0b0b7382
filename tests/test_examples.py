"""The example of the Python interface runs, and its integer network is the learned one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "python_api.py"


def test_no_code_of_the_example_differs(tmp_path):
    pytest.importorskip("sklearn")
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "1"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    (start,) = (index for index, line in enumerate(lines) if line.split()[:3] == ["cell", "codes", "differing"])
    rows = [line.split() for line in lines[start + 2 :]]
    assert {"conv1", "bn1", "fc2", "labels"} <= {row[0] for row in rows}
    assert all(int(row[1]) > 0 for row in rows)
    assert [row[2] for row in rows] == ["0"] * len(rows)
    assert list(tmp_path.iterdir()) == []
