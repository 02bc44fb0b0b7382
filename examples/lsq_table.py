"""The table of runs with level-constrained weights and activations, beside the run in floating point.

    python examples/lsq_table.py RUN RUN ...

``RUN`` is a folder in which a file ``<network>_LSQ_<row>.ini`` of ``models/`` has learned and was tested
(``-learn-epoch 90 -log-test``); one of them is the row ``float``. Rates are those of the last epoch.
"""

from __future__ import annotations

import csv
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

# quan_lr: first and last layer quantized; constr_w and constr_a: levels of weights and activations.
ROWS = {
    "float": ("-", "none", "none"),
    "w": ("no", "[-1,0,1]", "none"),
    "w_ends": ("yes", "[-1,0,1]", "none"),
    "wa": ("no", "[-1,0,1]", "[0,1,2,3]"),
    "wa_ends": ("yes", "[-1,0,1]", "[0,1,2,3]"),
}
HEAD = ("row", "quan_lr", "constr_w", "constr_a", "lr_base", "epoch")


@dataclass(frozen=True)
class Run:
    """What a folder says: the row, the first learning rate, epochs, top-1 and top-N in %."""

    row: str
    rate: float
    epochs: int
    top_1: float
    top_n: float | None


def learned(folder: Path) -> Run:
    """The run of a folder."""
    named = [
        match
        for line in (folder / "n2d2py.args").read_text().splitlines()
        if "-learn-epoch" in line
        for word in shlex.split(line)
        if (match := re.search(r"_LSQ_(\w+)\.ini$", word))
    ]
    if not named or named[-1][1] not in ROWS:
        raise SystemExit(f"{folder}: no file <network>_LSQ_<row>.ini has learned here; rows are {', '.join(ROWS)}")
    with (folder / "results.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    column = next(name for name in rows[0] if name.endswith(":test"))
    if not rows[-1][column]:
        raise SystemExit(f"{folder}: the epochs were not tested: learn with -log-test")
    best = folder.glob("*.Target/SuccessTopN_test.dat")
    top_n = next((100 * float(file.read_text().split()[-1]) for file in best), None)
    file = folder / named[-1].string
    rate = re.search(r"^LEARNING_RATE=(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE) if file.exists() else None
    first = rate[1] if rate else rows[0]["learning_rate"]  # which is that after the first epoch
    last = rows[-1]
    return Run(named[-1][1], float(first), int(last["epoch"]) + 1, 100 * float(last[column]), top_n)


def table(runs: list[Run]) -> list[list[str]]:
    """The head and a row for each run, in the order of ROWS; drop = float - quantized, in points."""
    base = next((run for run in runs if run.row == "float"), None)
    with_n = all(run.top_n is not None for run in runs)
    rates = ("acc_top1", "acc_top5", "drop_top1", "drop_top5") if with_n else ("test_acc", "drop_acc")
    lines = [[*HEAD, *rates]]
    for run in sorted(runs, key=lambda run: list(ROWS).index(run.row)):
        values = [run.top_1, run.top_n] if with_n else [run.top_1]
        before = None if base is None else [base.top_1, base.top_n] if with_n else [base.top_1]
        drops = ["-"] * len(values)
        if before is not None and run is not base:
            drops = [f"{old - new:.2f}" for old, new in zip(before, values, strict=True)]
        rate = f"{run.rate:.2g}"
        lines.append([run.row, *ROWS[run.row], rate, str(run.epochs), *(f"{value:.2f}" for value in values), *drops])
    return lines


def main(folders: list[str]) -> None:
    """Print the table as Markdown."""
    lines = table([learned(Path(folder)) for folder in folders])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        print("| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(sys.argv[1:])
