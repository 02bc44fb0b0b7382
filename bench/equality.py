"""The table "network x bits x executor: differing codes", and its page ``docs/results/equality.md``.

    OMP_NUM_THREADS=1 python bench/equality.py [--page docs/results/equality.md] [--only LeNet] [--stimuli 4] [--seed 1]
        [--quick]

--quick takes the small networks only, one pair of ranges each.

Each network gets random weights and BatchNorm statistics that look trained, and some that do not: negative, zero and
tiny scales, variances of 0. It is made an integer network; then random 8-bit images go through the learned network and
through every executor, and each code of each cell is compared. Only equality is asked, so the inputs are small.
The page is written when all rows are there; the exit status is 1 if any code or label differs anywhere.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the networks and the random parameters of the tests serve here too

from integer import blocks, sequences  # noqa: E402
from integer.learned import IMAGES, Images, lenet, randomise  # noqa: E402

from n2d2py import console, ini, tables  # noqa: E402
from n2d2py.calibration import equalization, places, preparation, quantization, statistics  # noqa: E402
from n2d2py.export import verification  # noqa: E402
from n2d2py.export.base import Export  # noqa: E402
from n2d2py.graph.build import build  # noqa: E402
from n2d2py.integer.lower import lower  # noqa: E402
from n2d2py.integer.network import IntegerNetwork  # noqa: E402
from n2d2py.integer.operations import Requantization  # noqa: E402
from n2d2py.layers.network import TorchNetwork  # noqa: E402

EXECUTORS = ("interpreter", "torch", "ONNX Runtime", "C", "QONNX")
EQUAL = tuple((levels, levels) for levels in (1, 3, 7, 15, 31, 63, 127, 255))
ALL = (*EQUAL, (1, 255), (255, 1), (15, 255), (63, 7))
"""Levels but one of weights and of activations: 1 to 8 bits, equal and mixed."""
FEW = ((1, 1), (3, 63), (15, 15), (255, 255))
"""For networks that take long."""

WIDE = ((3, 3), (15, 15), (255, 255), (15, 255))
"""For networks whose values lie on both sides of 0."""

FLOAT = "[definitions@templates/float.ini.tpl]"
Making = Callable[[int, int], str]


def model(name: str, *changes: tuple[str, str]) -> Making:
    """The text of a file of ``models/`` with SAT quantizers and what ``changes`` replace."""

    def made(weights: int, activations: int) -> str:
        text = (ROOT / "models" / name).read_text(encoding="utf-8")
        ranges = (f"WEIGHTS_RANGE={weights}", f"ACTIVATIONS_RANGE={activations}")
        pairs = [("WEIGHTS_RANGE=15", ranges[0]), ("ACTIVATIONS_RANGE=15", ranges[1])]
        quantizers = "\n".join(("[definitions@templates/sat.ini.tpl]", "QUANTIZE=1", *ranges))
        for old, new in (*pairs, (FLOAT, quantizers), *changes):
            text = text.replace(old, new)
        return text

    return made


SMALL = (("SIZE=224", "SIZE=32"), ("CLASSES=1000", "CLASSES=10"), ("TOP_N=5", "TOP_N=1"))
QUARTER = (
    *((f"NB_OUTPUTS={n}\n", f"NB_OUTPUTS={n // 4}\n") for n in (64, 128, 256, 512)),
    ("INPUT=pool1\n", "INPUT=pool1\nPROJECT=1\n"),  # the stem keeps its 64 channels
)
NARROW = ("$ALPHA=1.0", "$ALPHA=0.25")


@dataclass(frozen=True)
class Case:
    """A network of the table: its name, what makes its text, and the pairs of ranges that it is tried with."""

    name: str
    make: Making
    pairs: tuple[tuple[int, int], ...]
    calibrated: bool = False
    """A float network that is quantized after learning, as many bits everywhere."""
    small: bool = False


def float_lenet(weights: int, activations: int) -> str:
    """LeNet without quantizers."""
    lines = lenet(weights, activations).splitlines()
    return "\n".join(line for line in lines if not line.startswith(("QWeight", "QAct"))) + "\n"


def recurrent(kind: str) -> Making:
    """Four steps of a layer, and a Fc behind them that keeps its 4 bits."""

    def made(weights: int, activations: int) -> str:
        bits = dict.fromkeys(sequences.QUANTIZERS, (activations + 1).bit_length() - 1)
        text = sequences.text(kind, quantizer="LSQ", bits=bits)
        return text.replace("QWeight.Range=15", f"QWeight.Range={weights}", 1)

    return made


def whole(make: Making) -> Making:
    """The same network with integer biases."""

    def made(weights: int, activations: int) -> str:
        return make(weights, activations).replace("QAct.Range=", "QAct.IntegerBias=1\nQAct.Range=")

    return made


CASES = (
    Case("LeNet, 20x20", lenet, ALL, small=True),
    Case("LeNet, 20x20, quantized after learning", float_lenet, EQUAL[1:], calibrated=True, small=True),
    Case("Pre-activation residual blocks, 8x8", blocks.resnet_v2, FEW, small=True),
    Case("Inception-like, 8x8", blocks.inception, ALL, small=True),
    Case("LeNet, 20x20, integer biases", whole(lenet), (*FEW, (127, 255)), small=True),
    Case("Residual blocks, 8x8, integer biases", whole(blocks.resnet_v1), (*FEW, (127, 255))),
    Case("Linear bottlenecks, 8x8, integer biases", whole(blocks.mobilenet_v2), (*FEW, (127, 255))),
    Case("LSTM, 4 steps", recurrent("LSTM"), WIDE),
    Case("GRU, 4 steps", recurrent("GRU"), WIDE),
    Case("ResNet-20, 32x32", model("ResNet-20_CIFAR10.ini"), FEW),
    Case("ResNet-18, a quarter of the width, 32x32", model("ResNet-18_SAT4.ini", *SMALL, *QUARTER), FEW),
    Case("ResNet-18, 32x32", model("ResNet-18_SAT4.ini", *SMALL), ((15, 15),)),
    Case("MobileNet-v1, 0.25, 32x32", model("MobileNet_v1.ini", *SMALL, NARROW), FEW),
    Case("MobileNet-v2, 0.25, 32x32", model("MobileNet_v2.ini", *SMALL, NARROW), FEW),
)


@dataclass(frozen=True)
class Row:
    """What came of one network with one pair of ranges."""

    name: str
    weights: int
    activations: int
    codes: int
    proof: str
    differing: dict[str, str]
    equal: bool
    absent: dict[str, str]
    """Executors that have no form for an operation, and why."""


def learned(text: str, file: str, seed: int) -> TorchNetwork:
    """The network of a text, with random parameters."""
    document = ini.loads(text, file=file)
    if "sp" in document.sections:
        document.publish("sp", "_EpochSize", 60000)
    network = TorchNetwork(build(document, "net"))
    randomise(network, seed)
    return network.eval()


class _Batch(Images):
    """Images that can be counted."""

    def __len__(self) -> int:
        return len(self.inputs)


def calibrated(network: TorchNetwork, bits: int, seed: int) -> TorchNetwork:
    """The network quantized after learning, on 16 random images."""
    plain = preparation.prepared(network)
    equalization.equalize(plain)
    outputs = places.quantized_outputs(plain.network)
    with console.without_lines():
        seen = statistics.collect(plain, outputs, [_Batch(network, 16, seed)], 16, "Validation")
    return quantization.quantized(plain, seen, quantization.Choices(bits)).network


def row(case: Case, weights: int, activations: int, stimuli: int, seed: int) -> Row:
    """Make the network, lower it, and compare all executors."""
    text = case.make(weights, activations)
    network = learned(text, str(ROOT / "models" / "net.ini"), seed)
    if case.calibrated:
        network = calibrated(network, weights.bit_length(), seed)
    integer = lower(network, IMAGES)
    batch = Images(network, stimuli, seed)
    assert batch.codes is not None
    targets = tuple(dict.fromkeys((target.cell, target.binary_threshold) for target in network.network.targets))
    export = Export(integer, text.encode(), batch.codes.values.numpy().astype(np.int64), targets)
    report = verification.compare(network, export, [batch], EXECUTORS)
    differing = dict.fromkeys(report.absent, "not yet")
    for name in report.executors:
        found = [line.differing[name] for line in report.rows if name in line.differing]
        differing[name] = str(sum(found) + report.differing_labels[name])
    codes = sum(line.codes for line in report.rows)
    equal = report.all_equal and integer.exact
    return Row(case.name, weights, activations, codes, proved(integer), differing, equal, report.absent)


def proved(network: IntegerNetwork) -> str:
    """How many channels of rescalings are proved equal, of how many."""
    rescalings = [operation for operation in network if isinstance(operation, Requantization)]
    channels = sum(operation.rescaling.channels for operation in rescalings)
    return f"{channels - sum(operation.proof.wrong_channels for operation in rescalings)} of {channels}"


def rows(only: str, stimuli: int, seed: int, quick: bool) -> Iterator[Row]:
    """All rows whose network has ``only`` in its name, one after the other; ``quick``: some of them."""
    for case in CASES:
        if only.lower() not in case.name.lower() or (quick and not case.small):
            continue
        for weights, activations in case.pairs[-1:] if quick else case.pairs:
            yield row(case, weights, activations, stimuli, seed)


HEADINGS = ("network", "bits of weights", "of activations", "codes", "channels proved", *EXECUTORS)


def cells(found: Row) -> tuple[object, ...]:
    """A row as it is shown."""
    bits = (value.bit_length() for value in (found.weights, found.activations))
    return (found.name, *bits, found.codes, found.proof, *(found.differing[name] for name in EXECUTORS))


def page(found: list[Row], command: str, stimuli: int) -> str:
    """The page, in Markdown."""
    total = sum(one.codes for one in found)
    wrong = sum(not one.equal for one in found)
    forms = " that has a form for it" if any(one.absent for one in found) else ""
    verdict = f"every one equal in every executor{forms}" if not wrong else f"{wrong} of {len(found)} networks differ"
    head = f"""# Equality of the integer network and its executors

Differing codes between the learned quantized network and each way to compute its integer network, all cells and labels
counted. {len(found)} networks, {total:,} codes: {verdict}.

```
{command}
```

Weights are random (deviation 0.3), BatchNorm statistics those of random images, with negative, zero and tiny scales and
variances of 0 among them; {stimuli} random 8-bit images a network. "Bits" are those of the levels of hidden layers; the
models of `models/` keep 8-bit weights in their first and last layer. "Channels proved" counts the channels whose
rescaling is proved equal to the learned step function on the whole reachable range of accumulators, so that zeros there
do not depend on the images. ONNX Runtime and C do not store accumulators that are rescaled at once; all else is
compared. "Quantized after learning" is a float network with steps from 16 images (`-calib`). QONNX is qonnx's own
executor.

"""
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *(cells(one) for one in found)]
    text = head + "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"
    reasons = dict.fromkeys(f"* {one.name}, {name}: {why}" for one in found for name, why in one.absent.items())
    return text + ("\nNot yet:\n\n" + "\n".join(reasons) + "\n" if reasons else "")


def main() -> int:
    """Show the table row by row, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, help="file that gets the table")
    parser.add_argument("--only", default="", help="networks with this in their name")
    parser.add_argument("--stimuli", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="small networks, one pair of ranges each")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # qonnx warns of what its next version needs
    found, start = [], time.perf_counter()
    for one in rows(options.only, options.stimuli, options.seed, options.quick):
        found.append(one)
        print(*cells(one), f"({time.perf_counter() - start:.0f} s)", sep="  ", flush=True)
    print("\n".join(tables.table(HEADINGS, [cells(one) for one in found])))
    if options.page:
        command = f"OMP_NUM_THREADS=1 python bench/equality.py --stimuli {options.stimuli} --seed {options.seed}"
        options.page.write_text(page(found, f"{command} --page {options.page}", options.stimuli), encoding="utf-8")
    return 0 if all(one.equal for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
