"""Seconds and memory that a large data set takes before the first batch: listing, labels, partition, order of an epoch.

    OMP_NUM_THREADS=1 python bench/startup.py [--files 100000] [--to 1281167]

A tree of so many tiny files in 1,000 folders, in the form of ImageNet, is made in a temporary folder. Then each of
``ILSVRC2012_Database`` and ``DIR_Database`` is loaded in a process of its own: without an index, with one that is made
(which needs folders that have not changed for two seconds), and with one that is there. Seconds are those of the clock
and of the processor, from the reading of the INI file to the order of the first epoch; memory is what the process
takes at most beyond what it took before, everything imported. Both grow in proportion to the number of files, and are
given for ``--to`` files as well. The files were just made, so that their folders are in the memory of the system: on a
cold or a remote disk listing takes much longer, and an index saves as much more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLASSES = 1000
SETTLED = 2.1  # seconds until folders count as unchanged
SECTIONS = {
    "ILSVRC2012_Database": "DataPath={folder}\nLabelPath={folder}/synsets.txt\nLearn=1.0\n",
    "DIR_Database": "DataPath={folder}/train\nLearn=0.9\nValidation=0.05\nEquivLabelPartitioning=0\n",
}


def write_tree(folder: Path, files: int) -> None:
    """ImageNet's folders and lists with files of one byte, one in 26 of them to validate."""
    validation = files // 26
    classes = [f"n{number * 7919 % 99999999:08d}" for number in range(CLASSES)]
    (folder / "val").mkdir(parents=True)
    for name in classes:
        (folder / "train" / name).mkdir(parents=True)
    for number in range(files - validation):
        name = classes[number % CLASSES]
        (folder / "train" / name / f"{name}_{number * 37 % 9999991}.JPEG").write_bytes(b" ")
    names = [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, validation + 1)]
    for name in names:
        (folder / "val" / name).write_bytes(b" ")
    lines = [f"{name} {number % CLASSES}\n" for number, name in enumerate(names)]
    (folder / "val.txt").write_text("".join(lines))
    (folder / "synsets.txt").write_text("\n".join(classes))


def load(folder: Path, database: str) -> dict[str, float]:
    """Load the data set in this process and measure that."""
    import resource

    import numpy as np

    from n2d2py import data, ini
    from n2d2py.data.random import Generator
    from n2d2py.data.stimuli import Stimuli  # noqa: F401 - so that its import is not measured
    from n2d2py.graph.settings import read_provider

    page = os.sysconf("SC_PAGE_SIZE")
    before = int(Path("/proc/self/statm").read_text().split()[1]) * page
    clock, processor = time.perf_counter(), time.process_time()
    section = SECTIONS[database].format(folder=folder)
    text = f"[database]\nType={database}\n{section}[sp]\nSize=224 224 3\nBatchSize=256\n"
    document, generator = ini.loads(text, file="bench.ini"), Generator(1)
    source = data.publish_epoch_size(document, generator)
    assert read_provider(document).batch_size == 256
    order = np.arange(source.content.size("Learn"))
    generator.shuffle(order)
    return {
        "stimuli": len(source.content),
        "clock": time.perf_counter() - clock,
        "processor": time.process_time() - processor,
        "memory": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before) / 2**20,
    }


def measured(folder: Path, database: str, cache: str) -> dict[str, float]:
    """What :func:`load` gives in a process of its own."""
    command = [sys.executable, __file__, "--child", database, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "N2D2_CACHE": cache})
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Make the tree, measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--to", type=int, default=1_281_167, help="files for which seconds and memory are reckoned")
    parser.add_argument("--folder", type=Path, help="a tree that is there; by default one is made")
    parser.add_argument("--child", choices=list(SECTIONS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(load(options.folder, options.child)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name, "tree")
        if not options.folder:
            write_tree(folder, options.files)
            time.sleep(SETTLED)
        print("| database | index | stimuli | seconds | of the processor | MiB | "
              f"seconds for {options.to:,} | MiB for {options.to:,} |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
        for database in SECTIONS:
            for title, cache in (("none", "0"), ("made", f"{name}/cache"), ("there", f"{name}/cache")):
                row = measured(folder, database, cache)
                factor = options.to / row["stimuli"]
                print(
                    f"| `{database}` | {title} | {int(row['stimuli']):,} | {row['clock']:.2f} | {row['processor']:.2f} "
                    f"| {row['memory']:.0f} | {row['clock'] * factor:.1f} | {row['memory'] * factor:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
