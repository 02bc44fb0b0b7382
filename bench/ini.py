"""Reading INI files of 1,000, 10,000 and 50,000 cells through templates, beside Python's configparser.

    python bench/ini.py [--cells 1000 10000 50000] [--rounds 3]

A network is a row of residual blocks of five cells, a template section each. In seconds: `configparser` is the peer,
Python's own reader, which knows neither templates nor inheritance and gets the text with its templates expanded by
hand; `parse` is n2d2py from the text with templates to a document; `values` evaluates each property of it; `build`
goes from the document to a checked network. The last columns are parse against configparser, and microseconds a cell
for parse and build together: growth is linear where they stay the same.
"""

from __future__ import annotations

import argparse
import configparser
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from n2d2py import ini
from n2d2py.graph.build import build

CELLS_OF_A_BLOCK = 5

HEAD = """\
DefaultModel=Frame
$WIDTH=8

[sp]
SizeX=8
SizeY=8
NbChannels=${WIDTH}
BatchSize=16

[common.config]
NoBias=1
Solvers.LearningRate=$(0.1 / 2)
Solvers.Momentum=0.9

[Conv_def]
Type=Conv
ActivationFunction=Linear
WeightsFiller=HeFiller
KernelSize=3
Padding=1
ConfigSection=common.config

[Bn_def]
Type=BatchNorm
ActivationFunction=Rectifier
"""

BLOCK = """
[{name}@block.ini.tpl]
INPUT={parent}
NB_OUTPUTS=$(int(${{WIDTH}} * 1.0))
"""

TEMPLATE = """\
[{{SECTION_NAME}}_conv1] Conv_def
Input={{INPUT}}
NbOutputs={{NB_OUTPUTS}}

[{{SECTION_NAME}}_bn1] Bn_def
Input={{SECTION_NAME}}_conv1
NbOutputs=[{{SECTION_NAME}}_conv1]NbOutputs

[{{SECTION_NAME}}_conv2] Conv_def
Input={{SECTION_NAME}}_bn1
{% if DILATION exists %}DilationDims={{DILATION}} {{DILATION}}{% endif %}
NbOutputs=$({{NB_OUTPUTS}})

[{{SECTION_NAME}}_bn2] Bn_def
Input={{SECTION_NAME}}_conv2
NbOutputs=[{{SECTION_NAME}}_conv2]_NbOutputs

[{{SECTION_NAME}}_sum]
Input={{SECTION_NAME}}_bn2,{{INPUT}}
Type=ElemWise
Operation=Sum
NbOutputs={{NB_OUTPUTS}}
"""

Result = TypeVar("Result")


def network(cells: int) -> tuple[str, str]:
    """The text of a network through templates, and that of the same network with its templates expanded."""
    blocks, expanded = [], []
    plain = TEMPLATE.replace("{% if DILATION exists %}DilationDims={{DILATION}} {{DILATION}}{% endif %}", "")
    parent = "sp"
    for number in range(cells // CELLS_OF_A_BLOCK):
        name = f"block{number}"
        blocks.append(BLOCK.format(name=name, parent=parent))
        text = plain.replace("{{SECTION_NAME}}", name).replace("{{INPUT}}", parent)
        expanded.append(text.replace("{{NB_OUTPUTS}}", "8"))
        parent = f"{name}_sum"
    return HEAD + "".join(blocks), HEAD + "\n".join(expanded)


def timed(action: Callable[[], Result], rounds: int) -> tuple[float, Result]:
    """The median wall-clock time of an action, and what it gave."""
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        result = action()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def read_with_configparser(text: str) -> configparser.RawConfigParser:
    """The peer, with what this text needs of it."""
    reader = configparser.RawConfigParser(delimiters=("=",), inline_comment_prefixes=(";", "#"))
    reader.read_string("[global]\n" + text)
    return reader


def evaluate_all(document: ini.Document) -> None:
    """Evaluate each property but those that need a built network."""
    for name, section in document.sections.items():
        for key, text in section.properties.items():
            if "]_" not in text:
                document.evaluate(name, key, name)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print("  cells  configparser    parse   values    build  parse/configparser  us a cell")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "block.ini.tpl").write_text(TEMPLATE, encoding="utf-8")
        file = str(Path(folder, "net.ini"))
        for cells in arguments.cells:
            text, expanded = network(cells)
            peer, _ = timed(lambda text=expanded: read_with_configparser(text), arguments.rounds)
            parse, document = timed(lambda text=text: ini.loads(text, file), arguments.rounds)
            values, _ = timed(lambda document=document: evaluate_all(document), 1)
            built, _ = timed(lambda document=document: build(document, "net.ini"), 1)
            print(
                f"{cells:7}{peer:14.3f}{parse:9.3f}{values:9.3f}{built:9.3f}{parse / peer:20.2f}"
                f"{(parse + built) / cells * 1e6:11.0f}"
            )


if __name__ == "__main__":
    main()
