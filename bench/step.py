"""One learning step: forward, loss, backward, update, of float and 4-bit networks, beside plain torch and Brevitas.

    OMP_NUM_THREADS=1 python bench/step.py [--network lenet resnet20 mobilenet] [--rounds 15] [--clock cpu]
    python bench/step.py --amp bf16       # all but the first contestant, plain torch in float32, as with -amp bf16
    python bench/step.py --quick          # tiny batches and two rounds: that it runs, not how fast

For each network three tables: time, as the median over rounds in which all take turns (see contest.py), beside plain
torch and beside plain torch that is compiled; the peak of memory in tensors, parameters and moments included; and what
the parts of a step cost, so that a regression shows where it is. Random images in memory: fetching a batch, and what
the learning loop counts, are left out. Brevitas is an optional extra: pip install n2d2py[bench]
"""

from __future__ import annotations

import argparse
import logging
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from contest import CASES, CLOCKS, Case, Step, brevitas_step, our_step, part, ratio, torch_step, turns
from torch import Tensor, nn
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

from n2d2py.layers.base import Layer
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import precision as precisions
from n2d2py.learn import solving
from n2d2py.learn.precision import FULL
from n2d2py.parts.lsq import LsqActivations, LsqWeights
from n2d2py.parts.quantizers import SatActivations, SatWeights
from n2d2py.quant.weights import WeightQuantization

PLAIN, LAST, COMPILED = "plain torch", "plain torch, channels_last", "plain torch, compiled"
BARS = {"eager": 1.35, "-compile": 1.1, "memory": 1.25}
PARTS = ("conv", "batchnorm", "activation", "pool", "fc", "sum", "weight codes", "loss", "solver", "other")
QUANTIZERS = {
    "float": (None, None),
    "SAT": (SatWeights(range=15), SatActivations(range=15)),
    "LSQ": (LsqWeights(range=15), LsqActivations(range=15)),
}
"""Of weights and of activations: 4 bits."""

_KINDS = {
    "Conv": "conv", "Conv2d": "conv", "QuantConv2d": "conv", "BatchNorm": "batchnorm", "BatchNorm2d": "batchnorm",
    "ReLU": "activation", "QuantReLU": "activation", "Pool": "pool", "MaxPool2d": "pool", "AdaptiveAvgPool2d": "pool",
    "Fc": "fc", "Linear": "fc", "QuantLinear": "fc", "ElemWise": "sum",
}  # fmt: skip


@dataclass(frozen=True)
class Contestant:
    """Who learns: ``make`` gives its network and its step, None if it is not there."""

    name: str
    make: Callable[[Case], tuple[nn.Module | None, Step] | None]
    bar: str = ""


def contestants() -> list[Contestant]:
    """All that take part, the measure first."""
    found = [
        Contestant(PLAIN, lambda case: _plain(replace(case, precision=FULL), compiled=False)),
        Contestant(LAST, _plain_last),
        Contestant(COMPILED, lambda case: _plain(case, compiled=True)),
    ]
    for name in QUANTIZERS:
        title = f"n2d2py {name}" if name == "float" else f"n2d2py {name} 4 bits"
        found.append(Contestant(title, lambda case, name=name: _ours(case, name, False), "eager"))
        found.append(Contestant(f"{title} -compile", lambda case, name=name: _ours(case, name, True), "-compile"))
    return [*found, Contestant("Brevitas 4 bits", _brevitas)]


def _plain(case: Case, compiled: bool) -> tuple[nn.Module, Step]:
    network = case.plain()
    return network, torch_step(case, network, compiled)


def _plain_last(case: Case) -> tuple[nn.Module, Step]:
    """With pixel after pixel in memory, as learning has it here on the CPU."""
    network = case.plain().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    step = torch_step(case, network)
    return network, lambda images, labels: step(images.contiguous(memory_format=torch.channels_last), labels)


def _ours(case: Case, name: str, compiled: bool) -> tuple[nn.Module, Step]:
    network = TorchNetwork(case.network(*QUANTIZERS[name]))
    network.fill(1)
    network.train()
    network.compile_passes(compiled)
    return network, our_step(network, solving.build(network.learned(), case.shape[0]), case.precision)


def _brevitas(case: Case) -> tuple[None, Step] | None:
    step = brevitas_step(case)
    return None if step is None else (None, step)


# -------------------------------------------------------------------------------------------------------------- memory


def peak(make: Callable[[], Step], images: Tensor, labels: Tensor) -> int:
    """The most bytes that tensors held at a time, from the making of a network to the end of its third step."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step = make()
        for _ in range(3):
            step(images, labels)
    held = most = 0
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


# --------------------------------------------------------------------------------------------------------------- parts


@contextmanager
def marked(network: nn.Module) -> Iterator[None]:
    """Let the profiler know which part of a step a module is."""
    hooks = []
    for module in network.modules():
        name = _part_of(module)
        if name:
            ranges: list[torch.profiler.record_function] = []

            def enter(module: nn.Module, inputs: object, name: str = name, ranges: list = ranges) -> None:
                ranges.append(part(name).__enter__())

            def leave(module: nn.Module, inputs: object, output: object, ranges: list = ranges) -> None:
                ranges.pop().__exit__(None, None, None)

            hooks += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _part_of(module: nn.Module) -> str:
    if isinstance(module, WeightQuantization):
        return "weight codes"
    return _KINDS.get(module.node.cell.type_name if isinstance(module, Layer) else type(module).__name__, "")


def costs(network: nn.Module, step: Step, images: Tensor, labels: Tensor, count: int) -> dict[str, float]:
    """Milliseconds of each part of a step, forward and backward together."""
    with marked(network), profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(count):
            step(images, labels)
    events = [event for event in profiler.events() if not event.is_async]
    named = {id(event): _named(event) for event in events}
    forward = {event.sequence_nr: named[id(event)] for event in events if event.sequence_nr >= 0 and named[id(event)]}
    found: dict[str, float] = defaultdict(float)
    for event in events:
        found[named[id(event)] or forward.get(_sequence(event), "other")] += event.self_cpu_time_total
    return {name: found[name] / (1000 * count) for name in PARTS}


def _named(event: FunctionEvent | None) -> str:
    """The innermost part around an event; "" if there is none."""
    while event is not None:
        if event.name.startswith("part: "):
            return event.name.removeprefix("part: ")
        event = event.cpu_parent
    return ""


def _sequence(event: FunctionEvent | None) -> int:
    """The number by which an event of the backward pass knows what it belongs to in the forward pass; -1 for others."""
    while event is not None:
        if event.name.startswith("autograd::engine::evaluate_function") and event.sequence_nr >= 0:
            return event.sequence_nr
        event = event.cpu_parent
    return -1


# -------------------------------------------------------------------------------------------------------------- tables


def measure(case: Case, options: argparse.Namespace) -> list[str]:
    """Measure one network; gives its tables and which bars it meets."""
    images, labels = torch.rand(case.shape), torch.randint(0, case.classes, case.shape[:1])
    made = {one: one.make(case) for one in contestants() if not (options.eager and "ompile" in one.name)}
    there = {one: network for one, network in made.items() if network is not None}
    steps = {one.name: step for one, (_, step) in there.items()}
    times = turns(steps, images, labels, options.rounds, options.steps, options.clock, warm=2)
    batch = f"batch {case.shape[0]} of {'x'.join(map(str, case.shape[1:]))}"
    rounds = f"{options.rounds} rounds of {options.steps} steps, {options.clock} time"
    amp = ", -amp bf16 but in the first row" if case.precision.bf16 else ""
    lines = [f"{case.title}, {batch}, CPU, {options.threads} thread(s), {rounds}{amp}"]
    lines += ["", f"{'':26} {'ms/step':>9} {'/plain':>8} {'/compiled':>10} {'MB':>8} {'/plain':>8}  bars"]
    memory: dict[str, int] = {}
    for one in there:
        memory[one.name] = peak(lambda one=one: one.make(case)[1], images, labels)  # type: ignore[index]
        speed = ratio(times[one.name], times[PLAIN])
        beside = f"{ratio(times[one.name], times[COMPILED]):10.2f}" if COMPILED in times else f"{'-':>10}"
        share = memory[one.name] / memory[PLAIN]
        milliseconds = 1000 * statistics.median(times[one.name]) / options.steps
        met = ""
        if one.bar:
            verdicts = ((one.bar, speed <= BARS[one.bar]), ("memory", share <= BARS["memory"]))
            met = ", ".join(f"{name} <= {BARS[name]:g} {'met' if good else 'NOT MET'}" for name, good in verdicts)
        lines.append(
            f"{one.name:26} {milliseconds:9.1f} {speed:8.2f} {beside} {memory[one.name] / 1e6:8.1f} {share:8.2f}  {met}"
        )
    lines += ["", f"{'ms of a part of a step':26} " + " ".join(f"{name:>12}" for name in PARTS)]
    for one, (network, step) in there.items():
        if network is not None and one.name != COMPILED:
            spent = costs(network, step, images, labels, options.steps)
            lines.append(f"{one.name:26} " + " ".join(f"{spent[name]:12.2f}" for name in PARTS))
    return [*lines, ""]


def main() -> None:
    """Measure and print the tables of each network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--eager", action="store_true", help="leave out what is compiled")
    parser.add_argument("--amp", choices=["none", "bf16"], default="none", help="precision of products")
    parser.add_argument("--quick", action="store_true", help="batches of 4, two rounds")
    options = parser.parse_args()
    logging.getLogger("n2d2py").setLevel(logging.ERROR)
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    if options.quick:
        options.rounds = 2
    for name in options.network:
        case = replace(CASES[name], precision=precisions.read(options.amp, fast=False))
        small = replace(case, shape=(4, *case.shape[1:])) if options.quick else case
        print("\n".join(measure(small, options)), flush=True)


if __name__ == "__main__":
    main()
