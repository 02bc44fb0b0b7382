"""The options of the command line: each declared once, with N2D2's name, default and meaning.

An option is ``-name``, ``-name value`` or, for a few, ``-name`` with as many words as follow up to the next option,
anywhere on the line; the one word that is left is the network file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from n2d2py import kinds
from n2d2py.errors import ParameterError, Place, UsageError, nearest
from n2d2py.kinds import Kind, Value

METRICS = (
    "Sensitivity",
    "Specificity",
    "Precision",
    "NegativePredictiveValue",
    "MissRate",
    "FallOut",
    "FalseDiscoveryRate",
    "FalseOmissionRate",
    "IU",
    "Accuracy",
    "F1Score",
    "Informedness",
    "Markedness",
)
RESCALING_MODES = ("Floating-point", "Fixed-point16", "Fixed-point32", "Fixed-point", "Single-shift", "Double-shift")

WEIGHT_CLIPPING = ("None", "MSE", "KL-Divergence")
ACTIVATION_CLIPPING = (*WEIGHT_CLIPPING, "Quantile")


@dataclass(frozen=True)
class Option:
    """One option; a flag has no ``kind``. ``later`` ones are N2D2's, known, and not there yet.

    ``words`` are the names of the words that may follow one whose value is a list: each may be left out.
    """

    name: str
    kind: Kind | None
    default: Any
    meaning: str
    later: bool = False
    words: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """How it is written."""
        if self.words:
            return f"-{self.name}" + "".join(f" [{word}]" for word in self.words)
        return f"-{self.name}" + ("" if self.kind is None else " value")

    @property
    def shown_default(self) -> str:
        """The default as ``-h`` and the echo of the line print it."""
        if self.kind is None:
            return ""
        return "" if self.default is None else self.kind.format(self.default)


_ROUND = kinds.one_of("NONE", "RINTF")

_NOW = (
    Option("h", None, False, "print this help and exit"),
    Option("v", None, False, "print the version and exit"),
    Option("seed", kinds.unsigned, 0, "random seed; 0: from the clock, or from seed.dat in a run without learning"),
    Option("learn", kinds.unsigned, 0, "learn from N stimuli drawn at random"),
    Option("learn-epoch", kinds.unsigned, 0, "learn during N epochs; takes precedence over -learn"),
    Option("log", kinds.positive, 1000, "with -learn: stimuli between two logs (validation, saving)"),
    Option("log-epoch", kinds.unsigned, 1, "with -learn-epoch: epochs between two logs; 0: only the last"),
    Option("log-test", None, False, "test at each log as well, for information only: nothing is chosen by it"),
    Option("report", kinds.positive, 100, "stimuli between two reports on the console"),
    Option("ws", kinds.unsigned, 10000, "window (stimuli) over which the success in learning is averaged; 0: all"),
    Option(
        "valid-metric",
        kinds.one_of(*METRICS, "Likelihood"),
        "Sensitivity",
        "metric by which the best validation is chosen; Likelihood: the least loss",
    ),
    Option("stop-valid", kinds.unsigned, 0, "stop after N successive validations without a better one; 0: never"),
    Option("test", None, False, "test on the test set"),
    Option("fuse", None, False, "fuse BatchNorm into Conv and Fc before the test (networks without quantizers)"),
    Option("qat-sat", None, False, "test the integer network that a quantized network becomes, and prove it equal"),
    Option("export", kinds.word, "", "export the integer network into export_<name>_int<bits>/: C, ONNX, ONNX-QDQ, "
           "ONNX-packed, QONNX"),
    Option("nbbits", kinds.positive, 8, "bits of -calib; without, those in the export's name: layers keep their own"),
    Option("db-export", kinds.integer, -1, "stimuli of the test set that are exported; -1: all"),
    Option("verify", None, False, "compare the codes of the trained network with every executor on the test set"),
    Option("calib", kinds.integer, 0, "quantize a float network after learning, by N stimuli; -1: all of the set"),
    Option("calib-reload", None, False, "calibrate by what an earlier -calib saw, which is in calibration/"),
    Option("calibOnly", None, False, "calibrate and test without exporting"),
    Option("wt-clipping-mode", kinds.one_of(*WEIGHT_CLIPPING), "None", "calibration: how weights are clipped"),
    Option("act-clipping-mode", kinds.one_of(*ACTIVATION_CLIPPING), "MSE", "calibration: how outputs are clipped"),
    Option(
        "act-quantile-value",
        kinds.real_between(0, 1, low_open=True),
        0.9999,
        "calibration: with Quantile, the share of the values that is not clipped",
    ),
    Option("act-rescale-per-output", kinds.boolean, False, "calibration: 1: a scale for the weights of each output"),
    Option("no-unsigned", None, False, "calibration: signed codes for all outputs"),
    Option("no-cle", None, False, "calibration: no cross-layer equalization"),
    Option("act-rescaling-mode", kinds.one_of(*RESCALING_MODES), "Floating-point", "how accumulators are rescaled"),
    Option("wt-round-mode", _ROUND, "NONE", "accepted; weights are always exact integers"),
    Option("b-round-mode", _ROUND, "NONE", "accepted; biases are always integers, wide enough to be exact"),
    Option("c-round-mode", _ROUND, "NONE", "accepted; clipping is always exact"),
    Option("w", kinds.text, "", "import weights from this folder; /dev/null: import nothing"),
    Option("w-ignore", None, False, "weight files that are missing only give notices"),
    Option("log-kernels", None, False, "write the weights as pictures and numbers into kernels/ after learning"),
    Option("pre-samples", kinds.integer, -1, "write 100 transformed samples of the learning stimulus of this index"),
    Option("log-db-stats", None, False, "write how many stimuli each label has, and their sizes, into dbstats/"),
    Option("resume", None, False, "go on from the last checkpoint of the run in this folder, with its options"),
    Option("checkpoint-every", kinds.unsigned_real, 15.0, "minutes between checkpoints beside the logs; 0: none"),
    Option("checkpoints", kinds.unsigned, 2, "how many checkpoints are kept; 0: none is written"),
    Option("l", kinds.text, "", "load a saved state (net_state, checkpoints/N): network and solvers"),
    Option("compile", None, False, "learn by passes that torch.compile makes; without a compiler, as without it"),
    Option("sync-bn", None, False, "with torchrun: BatchNorm over the whole batch, not over each process's part"),
    Option("multidev", kinds.text, "", "learn on these GPUs together, for example 0,1"),
    Option("tf32", None, False, "learning: products of float32 on a GPU as TF32, with 10 bits of the factors"),
    Option("amp", kinds.word, "", "learning: bf16 computes products in bfloat16, quantizers and sums in float32"),
    Option("recipe", kinds.word, "", "quantize in stages, each in a folder of its own: sat1..8, lsq1..8"),
    Option("workers", kinds.integer, -1, "threads that prepare batches, the same for any number; -1: one a core"),
    Option(
        "on-bad-stimulus",
        kinds.one_of("auto", "skip", "fail"),
        "auto",
        "a damaged stimulus: skip it, or fail; auto: fail if one of the first is, skip later ones and count them",
    ),
    Option("dev", kinds.word, "", "cpu, cuda, or the number of a GPU"),
    Option(
        "zoo",
        kinds.list_of(kinds.text),
        (),
        "list the small networks that come with n2d2py, or run one",
        words=("NAME",),
    ),
    Option("log-levels", kinds.word, "", "at each log, print the distinct quantized weights of this cell"),
    Option(
        "history",
        kinds.word,
        "",
        "write accuracies and losses into NAME.npy, their curves into NAME.png, the weights that stay into NAME/",
    ),
    Option("tensorboard", None, False, "write curves and histograms of weights for TensorBoard into tensorboard/"),
    Option("class-report", None, False, "print the losses of each epoch, and a table of the classes after the test"),
    Option("check", None, False, "read, build and lint the network, print its cost, and exit without learning"),
    Option("report-net", None, False, "print the cost of the network (parameters, MACs, BOPs, memory) and exit"),
    Option("report-csv", kinds.text, "", "with -check or -report-net: write the cost table into this file"),
    Option("explain", kinds.text, "", "explain a cell, solver, quantizer, database, key, ... and exit"),
    Option(
        "list",
        kinds.list_of(kinds.text),
        (),
        "list the kinds, or what there is of a kind that matches a pattern, and exit",
        words=("KIND", "PATTERN"),
    ),
    Option("fetch", kinds.word, "", "download a data set (mnist, fashion-mnist) into N2D2_DATA and exit"),
    Option("strict", None, False, "a key that nobody reads is an error, not a warning"),
    Option("traceback", None, False, "show where in the program an error was raised"),
)

_PATH, _COUNT, _INDEX = kinds.text, kinds.unsigned, kinds.integer
_LATER = (
    Option("test-index", _INDEX, -1, "test only the stimulus at this index of the test set"),
    Option("test-id", _INDEX, -1, "test only this stimulus"),
    Option("nb-test", _INDEX, -1, "number of stimuli of the test; -1: all"),
    Option("find-lr", _COUNT, 0, "explore learning rates over N stimuli"),
    Option("check-gradients", None, False, "compare gradients with differences (N2D2 calls it -check)"),
    Option("bench", None, False, "measure the time of each cell in learning"),
    Option("log-outputs", _COUNT, 0, "log all outputs for the N-th stimulus"),
    Option("log-json", None, False, "annotations as JSON"),
    Option("cfg", None, False, "write one configuration file a cell and exit"),
    Option("save-test-set", _PATH, "", "save the transformed test set"),
    Option("export-parameters", _PATH, "", "parameters of the export"),
    Option("testAdv", kinds.word, "", "adversarial study"),
    Option("pruning", kinds.word, "", "prune after learning"),
    Option("pruning-threshold", kinds.real, 0.0, "share of the weights that is pruned"),
    Option("finetuning", _COUNT, 0, "learn again after pruning"),
    Option("learn-stdp", _COUNT, 0, "learn by spikes"),
    Option("present-time", kinds.real, 1.0, "time for which a stimulus is shown to spiking cells"),
    Option("ts", kinds.real, 0.1, "time step of spiking cells"),
    Option("dynamic-allocation", None, False, "drop slow GPUs"),
    Option("testQAT", None, False, "test in the course of quantization-aware learning"),
    Option("verbose", _COUNT, 0, "verbosity"),
)

OPTIONS = _NOW + tuple(Option(o.name, o.kind, o.default, o.meaning, later=True) for o in _LATER)
BY_NAME = {option.name: option for option in OPTIONS}


@dataclass(frozen=True)
class Line:
    """A command line that was understood: the network file, if any, and the value of every option."""

    network: str | None
    given: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.given.get(name, BY_NAME[name].default)

    @property
    def words(self) -> list[str]:
        """The words of the line, without that of the program."""
        words = [] if self.network is None else [self.network]
        for name, value in self.given.items():
            kind = BY_NAME[name].kind
            if kind is None:
                words += [f"-{name}"] if value else []
            else:
                words += [f"-{name}", *(map(str, value) if BY_NAME[name].words else [kind.format(value)])]
        return words

    def echo(self) -> list[str]:
        """``Option -name: meaning [value]`` for every option that was given."""
        lines = []
        for name, value in self.given.items():
            option = BY_NAME[name]
            shown = "" if option.kind is None else f" [{option.kind.format(value)}]"
            lines.append(f"Option -{name}: {option.meaning}{shown}")
        return lines


def parse(words: Sequence[str]) -> Line:
    """Understand a command line; raises :class:`UsageError` for what it cannot mean."""
    given: dict[str, Any] = {}
    networks: list[str] = []
    unknown: list[str] = []
    rest = deque(words)
    while rest:
        word = rest.popleft()
        option = BY_NAME.get(word[1:]) if word.startswith("-") else None
        if option is None:
            (unknown if word.startswith("-") and len(word) > 1 else networks).append(word)
            continue
        if option.name in given:
            raise UsageError(f"option {word} is given twice")
        if option.words:
            given[option.name] = tuple(_following(rest, len(option.words)))
        elif option.kind is None:
            given[option.name] = True
        else:
            given[option.name] = _value(option, rest.popleft() if rest else None)
    if unknown or len(networks) > 1:
        raise _unknown(unknown + networks[1:])
    later = [f"-{name}" for name in given if BY_NAME[name].later]
    if later:
        raise UsageError(
            f"{', '.join(later)}: known from N2D2, not there yet in n2d2py",
            remedy="run without; n2d2py -h lists what is there",
        )
    return Line(networks[0] if networks else None, given)


def _following(rest: deque[str], most: int) -> Iterator[str]:
    """The words up to the next option."""
    for _ in range(most):
        if not rest or rest[0].startswith("-"):
            return
        yield rest.popleft()


def _value(option: Option, text: str | None) -> Any:
    assert option.kind is not None  # the caller asks only for options with a value
    if text is None or (text.startswith("-") and text[1:] in BY_NAME):
        raise UsageError(f"option -{option.name} needs a value", expected=option.kind.name)
    try:
        return option.kind.read(Value(text, Place(file="command line", key=f"-{option.name}")))
    except ParameterError as error:
        raise UsageError(error.what, place=error.place, expected=error.expected, remedy=error.remedy) from None


def _unknown(words: Sequence[str]) -> UsageError:
    hints = []
    for word in words:
        match = nearest(word.lstrip("-"), BY_NAME)
        if match and word.startswith("-"):
            hints.append(f"{word}: did you mean -{match}?")
    return UsageError(
        f"Unknown option(s): {' '.join(words)}",
        remedy="; ".join(hints) or "one network file, and the options that n2d2py -h lists",
    )


def help_text() -> str:
    """What ``-h`` prints: usage, options with defaults, and the names of those that come later."""
    lines = ["Usage: n2d2py <net> [options]", "", "  <net>  network file (.ini or .onnx)", ""]
    shown = sorted((option for option in OPTIONS if not option.later), key=lambda option: option.name.lower())
    width = max(len(option.usage) for option in shown) + 3
    for option in shown:
        left = f"  {option.usage}"
        default = f" [{option.shown_default}]" if option.shown_default else ""
        lines.append(f"{left:<{width}}  {option.meaning}{default}")
        if option.kind is not None and option.kind.name.startswith("one of"):
            lines.append(f"{'':<{width}}  {option.kind.name}")
    later = " ".join(f"-{option.name}" for option in OPTIONS if option.later)
    lines += ["", "Known from N2D2, not there yet:", f"  {later}"]
    return "\n".join(lines)
