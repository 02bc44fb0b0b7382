"""Learning on a GPU: images per second of networks for ImageNet and CIFAR, beside the same float networks in torch.

    python bench/gpu.py --results gpu.json --page docs/results/gpu.md   # all of it, in calls of 10 minutes
    python bench/gpu.py --networks ResNet-18 --precisions bf16     # a part
    python bench/gpu.py --small --device cpu                       # tiny: that it runs, not how fast

Random images that lie on the device; no data, nothing but torch and n2d2py. A case is a network at a size, in a
precision (fp32, tf32, bf16: the options -tf32 and -amp), with or without -compile. In each case all contestants take
turns: plain torch (compiled where we are, and once more with channels_last), and n2d2py in float, SAT and LSQ of 4
bits (first and last layer too), each with whole steps of the learning loop, counting success included. A turn is some
steps between two events of the device, after steps that are not measured; a ratio is the median over the rounds of
(rate of a contestant / rate of plain torch in the same round). Memory is the most that tensors take beyond what was
there before. ``waits`` counts the operations of one step for which the host waits for the device.

What was measured is kept in the file of ``--results``, so that calls of a few minutes add up; ``--page`` writes it as
a page, with minutes per epoch beside those that N2D2's manual gives for an A100.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import n2d2py
from n2d2py import ini
from n2d2py.data.batch import Batch
from n2d2py.data.random import Generator
from n2d2py.graph.build import build, provider_section
from n2d2py.graph.floating import without_quantizers
from n2d2py.graph.network import Network
from n2d2py.graph.quantizing import quantized
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import precision as precisions
from n2d2py.learn.history import Plan
from n2d2py.learn.learner import Learner
from n2d2py.parts.activations import Rectifier
from n2d2py.parts.lsq import LsqActivations, LsqWeights
from n2d2py.parts.quantizers import SatActivations, SatWeights

MODELS = Path(__file__).resolve().parent.parent / "models"
FILES = {
    "ResNet-18": "ResNet-18.ini",
    "MobileNet-v1": "MobileNet_v1.ini",
    "MobileNet-v2": "MobileNet_v2.ini",
    "Inception-v1": "Inception_v1.ini",
    "ResNet-20": "ResNet-20_CIFAR10.ini",
}
LARGE, SMALL = 224, 32
EPOCHS = {LARGE: ("ImageNet", 1_281_167), SMALL: ("CIFAR-100", 50_000)}
A100 = {
    ("ResNet-18", LARGE): (15 * 60, 15 * 60), ("ResNet-18", SMALL): (20, None),
    ("MobileNet-v1", LARGE): (25 * 60, None), ("MobileNet-v1", SMALL): (30, None),
    ("MobileNet-v2", LARGE): (30 * 60, 33 * 60), ("MobileNet-v2", SMALL): (75, None),
    ("Inception-v1", LARGE): (40 * 60, 25 * 60), ("Inception-v1", SMALL): (35, None),
}  # fmt: skip
"""Seconds of an epoch with SAT and with LSQ on one A100, float32, as N2D2's manual has them."""
QUANTIZERS = {
    "float": (None, None),
    "SAT": (SatWeights(range=15), SatActivations(range=15)),
    "LSQ": (LsqWeights(range=15), LsqActivations(range=15)),
}
PLAIN = "plain torch"
COMMAND = "python bench/gpu.py --results gpu.json --page docs/results/gpu.md"
Step = Callable[[], None]


@dataclass(frozen=True)
class Case:
    """What is measured together."""

    network: str
    size: int
    precision: str
    compiled: bool
    batch: int

    def graph(self, small: bool) -> Network:
        """The float network of the file, at this size."""
        path = MODELS / FILES[self.network]
        text = path.read_text(encoding="utf-8").replace("SIZE=224", f"SIZE={self.size}")
        if self.size == SMALL:
            # Inception's stem divides the size by four: of 32 pixels nothing would be left for the last cells.
            text = text.replace("KernelSize=7\nStride=2\nPadding=3", "KernelSize=7\nStride=1\nPadding=3")
            text = text.replace("CLASSES=1000", "CLASSES=100").replace("CLASSES=10\n", "CLASSES=100\n")
        if small:
            text = text.replace("$ALPHA=1.0", "$ALPHA=0.25")
        document = ini.loads(text, str(path))
        section = provider_section(document)
        document.publish(section, "_EpochSize", EPOCHS[self.size][1])
        document.publish(section, "BatchSize", self.batch)
        return without_quantizers(build(document, path.name))


@dataclass(frozen=True)
class Row:
    """What was found of a contestant of a case; memory in bytes, None where it cannot be told."""

    case: Case
    name: str
    rate: float
    ratio: float
    memory: int | None
    waits: int | None
    error: str = ""


# ------------------------------------------------------------------------------------------------------- plain torch


class Plain(nn.Module):
    """The network of a graph made of torch's own modules."""

    def __init__(self, graph: Network) -> None:
        super().__init__()
        ours = TorchNetwork(graph)
        self.nodes = [(node.name, node.parents) for node in graph if node.cell.type_name != "Softmax"]
        self.parts = nn.ModuleDict({name.replace(".", "/"): _part(ours, name) for name, _ in self.nodes})

    def forward(self, x: Tensor) -> Tensor:
        values = {"": x}
        for name, parents in self.nodes:
            values[name] = self.parts[name.replace(".", "/")](*(values.get(parent, x) for parent in parents))
        return values[self.nodes[-1][0]]


class Together(nn.Module):
    """Inputs one behind the other, or their sum, then a function."""

    def __init__(self, adds: bool, then: nn.Module) -> None:
        super().__init__()
        self.adds, self.then = adds, then

    def forward(self, *inputs: Tensor) -> Tensor:
        if self.adds:
            return self.then(inputs[0] + inputs[1])
        return self.then(inputs[0] if len(inputs) == 1 else torch.cat(inputs, 1))


def _part(ours: TorchNetwork, name: str) -> nn.Module:
    node, layer = ours.network[name], ours.layers[name]
    kind, cell = node.cell.type_name, node.cell
    then = nn.Sequential()
    activation = getattr(cell, "activation", None)
    if isinstance(activation, Rectifier):
        then.append(nn.Hardtanh(0.0, activation.clipping) if activation.clipping else nn.ReLU(inplace=True))
    if kind == "Conv":
        shape = layer.weights.shape
        sizes = (shape[1] * layer.groups, shape[0], tuple(shape[2:]), layer.stride, layer.padding)
        core = nn.Conv2d(*sizes, groups=layer.groups, bias=layer.biases is not None)
    elif kind == "Fc":
        core = nn.Sequential(nn.Flatten(), nn.Linear(layer.weights[0].numel(), layer.weights.shape[0]))
    elif kind == "BatchNorm":
        core = nn.BatchNorm2d(node.output.channels, cell.epsilon)
    elif kind == "Pool":
        pool = nn.MaxPool2d if layer.maximum else nn.AvgPool2d
        core = pool(layer.window, layer.stride, layer.padding)
    elif kind == "Dropout":
        core = nn.Dropout()
    else:
        core = nn.Identity()
    return Together(kind == "ElemWise", nn.Sequential(core, *then))


def plain_step(network: nn.Module, case: Case, images: Tensor, labels: Tensor, last: bool) -> Step:
    """A step as anybody writes it in torch; ``last``: channels_last."""
    device = images.device
    if last:
        network, images = network.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    network.train().to(device)
    solver = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=4e-5)
    compute = torch.compile(network, dynamic=False) if case.compiled else network
    autocast = (lambda: torch.autocast(device.type, torch.bfloat16)) if case.precision == "bf16" else nullcontext

    def step() -> None:
        with autocast():
            loss = nn.functional.cross_entropy(compute(images), labels)
        solver.zero_grad()
        loss.backward()
        solver.step()

    return step


# -------------------------------------------------------------------------------------------------------------- ours


class Stimuli:
    """As many stimuli as there are in an epoch, of which only the labels are known."""

    def __init__(self, case: Case, classes: int) -> None:
        self.batch_size = case.batch
        self.label_names = [str(label) for label in range(classes)]
        self._count = EPOCHS[case.size][1]

    def size(self, name: str) -> int:
        return self._count if name == "Learn" else 0

    def labels(self, name: str) -> np.ndarray:
        return np.arange(self.size(name)) % len(self.label_names)


def our_step(graph: Network, case: Case, images: Tensor, labels: Tensor) -> Step:
    """A step of the learning loop."""
    network = TorchNetwork(graph)
    network.fill(1)
    network.train().to(images.device)
    wanted = precisions.read("bf16" if case.precision == "bf16" else "", case.precision == "tf32")
    plan = Plan(epochs=1, precision=wanted, compiled=case.compiled)
    classes = graph[graph.targets[0].cell].output.channels
    learner = Learner(network, Stimuli(case, classes), plan, Generator(1), None, None, None)
    batch = Batch(np.arange(case.batch), images, labels)
    return lambda: learner._step(batch, 0)


# ----------------------------------------------------------------------------------------------------------- measuring


class Clock:
    """Seconds of some steps: between two events of a GPU, or of the processor's clock."""

    def __init__(self, device: torch.device) -> None:
        self.gpu = device.type == "cuda"

    def wait(self) -> None:
        if self.gpu:
            torch.cuda.synchronize()

    def seconds(self, step: Step, count: int) -> float:
        self.wait()
        events = [torch.cuda.Event(enable_timing=True) for _ in range(2)] if self.gpu else []
        start = time.perf_counter()
        for event in events[:1]:
            event.record()
        for _ in range(count):
            step()
        if not events:
            return time.perf_counter() - start
        events[1].record()
        events[1].synchronize()
        return events[0].elapsed_time(events[1]) / 1000

    def memory(self, run: Callable[[], object]) -> int | None:
        """The most bytes that ``run`` takes beyond those that are taken."""
        if not self.gpu:
            run()
            return None
        self.wait()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        self.wait()
        return torch.cuda.max_memory_allocated() - before

    def waits(self, step: Step) -> int | None:
        """Operations of a step for which the host waits."""
        if not self.gpu:
            return None
        self.wait()
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            step()
            torch.cuda.set_sync_debug_mode("default")
        return sum("synchroniz" in str(one.message) for one in found)


def measure(case: Case, options: argparse.Namespace) -> list[Row]:
    """The rows of a case."""
    device = torch.device(options.device)
    clock, graph = Clock(device), case.graph(options.small)
    generator = torch.Generator().manual_seed(1)
    classes = graph[graph.targets[0].cell].output.channels
    images = torch.randn(case.batch, 3, case.size, case.size, generator=generator).to(device)
    labels = torch.randint(0, classes, (case.batch,), generator=generator).to(device)
    made: dict[str, Callable[[], Step]] = {
        PLAIN: lambda: plain_step(Plain(graph), case, images, labels, last=False),
        f"{PLAIN}, channels_last": lambda: plain_step(Plain(graph), case, images, labels, last=True),
    }
    for name in options.quantizers:
        weights, activations = QUANTIZERS[name]
        own = graph if weights is None else quantized(graph, "*", weights, activations)
        made[f"n2d2py {name}"] = lambda own=own: our_step(own, case, images, labels)
    wanted = precisions.read("", case.precision == "tf32")
    steps: dict[str, Step] = {}
    memory: dict[str, int | None] = {}
    errors: dict[str, str] = {}
    with wanted.products(device):
        for name, make in made.items():
            try:
                memory[name] = clock.memory(partial(_begun, name, make, steps, options.warm_up))
            except Exception as error:  # out of memory, or no compiler: the others go on
                errors[name] = (str(error).splitlines() or [type(error).__name__])[0][:200]
                steps.pop(name, None)
        rates: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(options.rounds):
            for name, step in steps.items():
                rates[name].append(case.batch * options.steps / clock.seconds(step, options.steps))
        waits = {name: clock.waits(step) for name, step in steps.items()}
    rows = []
    for name in made:
        if name in errors or not rates.get(name):
            rows.append(Row(case, name, 0.0, 0.0, None, None, errors.get(name, "not measured")))
            continue
        base = rates.get(PLAIN) or rates[name]
        ratio = statistics.median(mine / theirs for mine, theirs in zip(rates[name], base, strict=True))
        rows.append(Row(case, name, statistics.median(rates[name]), ratio, memory[name], waits[name]))
    return rows


def _begun(name: str, make: Callable[[], Step], steps: dict[str, Step], warm_up: int) -> None:
    steps[name] = make()
    for _ in range(warm_up):
        steps[name]()


# ---------------------------------------------------------------------------------------------------------------- page


def table(rows: list[Row]) -> list[str]:
    """The rows as a table, a block for each case."""
    lines = [
        "| network | size | batch | precision | compiled | contestant | images/s | of plain torch | epoch | A100, N2D2 "
        "| memory, GiB | waits |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        case = row.case
        head = f"| {case.network} | {case.size} | {case.batch} | {case.precision} | {'yes' if case.compiled else 'no'} "
        if row.error:
            lines.append(f"{head}| {row.name} | {row.error} | | | | | |")
            continue
        data, count = EPOCHS[case.size]
        sat, lsq = A100.get((case.network, case.size), (None, None))
        known = {"n2d2py SAT": sat, "n2d2py LSQ": lsq}.get(row.name)
        lines.append(
            f"{head}| {row.name} | {row.rate:,.0f} | {row.ratio:.2f} | {data} {spoken(count / row.rate)} "
            f"| {'' if known is None else spoken(known)} | {'' if row.memory is None else f'{row.memory / 2**30:.2f}'} "
            f"| {'' if row.waits is None else row.waits} |"
        )
    return lines


def spoken(seconds: float) -> str:
    """Seconds, or minutes where there are many."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def page(rows: list[Row], machine: str) -> str:
    """All that was measured, as a page."""
    return f"""# Learning on a GPU

`{COMMAND}`, on {machine}. The program's own text says what is measured and how.
The column of N2D2 is what its manual gives for an epoch in float32 on one A100, data and all; ours is the step alone,
on random images that lie on the device, times the images of an epoch.

""" + "\n".join([*table(rows), ""])


def machine_of(device: torch.device) -> str:
    """The device in words."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "a CPU"
    return f"{name}, torch {torch.__version__}, n2d2py {n2d2py.__version__}"


def read_rows(path: Path | None, machine: str) -> list[Row]:
    """What earlier calls measured on such a machine."""
    if path is None or not path.exists():
        return []
    kept = json.loads(path.read_text())
    return [Row(**{**row, "case": Case(**row["case"])}) for row in kept["rows"]] if kept["machine"] == machine else []


def cases(options: argparse.Namespace) -> list[Case]:
    """All cases, those first that matter most."""
    return [
        Case(network, size, precision, mode == "compile", options.batch or (256 if size == LARGE else 128))
        for mode in options.modes
        for precision in options.precisions
        for size in options.sizes
        for network in options.networks
        if network != "ResNet-20" or size == SMALL
    ]


def main() -> None:
    """Measure what was not measured yet, and write it down after each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny batches and networks, one round")
    parser.add_argument("--networks", nargs="+", choices=list(FILES))
    parser.add_argument("--sizes", nargs="+", type=int, choices=list(EPOCHS))
    parser.add_argument("--precisions", nargs="+", choices=("fp32", "tf32", "bf16"))
    parser.add_argument("--modes", nargs="+", choices=("eager", "compile"))
    parser.add_argument("--quantizers", nargs="+", choices=list(QUANTIZERS), default=list(QUANTIZERS))
    parser.add_argument("--batch", type=int, help="images in a batch; by default 256 at 224 and 128 at 32")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--steps", type=int, help="in a turn")
    parser.add_argument("--warm-up", type=int, help="steps that are not measured")
    parser.add_argument("--budget", type=float, default=540, help="seconds after which no other case is begun")
    parser.add_argument("--results", type=Path, help="file of what was measured, which is added to")
    parser.add_argument("--page", type=Path, help="page to write")
    options = parser.parse_args()
    for name, usual, small in (
        ("networks", list(FILES), ["MobileNet-v1"]), ("sizes", [LARGE, SMALL], [SMALL]),
        ("precisions", ["tf32", "bf16", "fp32"], ["fp32", "bf16"]), ("modes", ["eager", "compile"], ["eager"]),
        ("batch", None, 2), ("rounds", 5, 1), ("steps", 20, 1), ("warm_up", 5, 1),
    ):  # fmt: skip
        if getattr(options, name) is None:
            setattr(options, name, small if options.small else usual)
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SystemExit("there is no GPU that torch can use; --small --device cpu shows that this program runs")
    logging.getLogger("n2d2py").setLevel(logging.WARNING)
    machine, begun = machine_of(device), time.monotonic()
    rows = read_rows(options.results, machine)
    known = {row.case for row in rows}
    print(machine, *table([]), sep="\n", flush=True)
    for case in cases(options):
        if case in known:
            continue
        if time.monotonic() - begun > options.budget:
            print(f"not measured yet: {case.network} at {case.size}, {case.precision}, and what comes after it")
            break
        found = measure(case, options)
        rows += found
        print(*table(found)[2:], sep="\n", flush=True)
        torch.compiler.reset()  # else the networks of later cases are too many versions of the same code
        if device.type == "cuda":
            torch.cuda.empty_cache()
        if options.results is not None:
            options.results.write_text(json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}))
        if options.page is not None:
            options.page.write_text(page(rows, machine))


if __name__ == "__main__":
    main()
