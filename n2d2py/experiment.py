"""Experiments in YAML: a quantized recurrent network in a few keys, which become an INI file and options.

::

    exp_name: fxp_w4_acc16_a8_i16_o8_r8
    learning_rate: 0.001
    epochs: 20
    quant: True
    quant_type: fxp
    w_bit: 4
    ...

The file is a flat mapping of names to plain values. ``fxp_w4.yaml`` becomes ``fxp_w4.ini`` beside it, which is a
network file as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from n2d2py import console
from n2d2py.errors import IniError, N2d2Error, ParameterError, Place, did_you_mean
from n2d2py.graph.files import write
from n2d2py.kinds import Kind, Value, boolean, integer, one_of, positive, real_between, text, word
from n2d2py.parameters import REQUIRED, Record, known_keys, parameter, read

SUFFIXES = (".yaml", ".yml")
_LARGEST = 1 << 16
"""Bytes of a file: an experiment has a few lines."""


def _bits(written: str, place: Place) -> int:
    value: int = integer.parse(written, place)
    if not 2 <= value <= 24:
        raise ValueError(f"{value} is outside")
    return value


_BITS = Kind("bits from 2 to 24", _bits)
_NAME = Kind("a name of letters, digits and _ - .", lambda written, place: _name(written))


def _name(written: str) -> str:
    written = written.strip()
    if not written.replace("_", "").replace("-", "").replace(".", "").isalnum() or written.startswith("."):
        raise ValueError("it becomes the name of a folder")
    return written


@dataclass(frozen=True, kw_only=True)
class Experiment(Record):
    """An LSTM or a GRU, one fully connected layer and a softmax, that learn sequences with Adam."""

    exp_name: str = parameter("exp_name", _NAME, REQUIRED, "name of the folder of what was learned")
    learning_rate: float = parameter(
        "learning_rate", real_between(0, float("inf"), low_open=True), 0.001, "that of Adam"
    )
    epochs: int = parameter("epochs", positive, 20, "how often the sequences are learned")
    quant: bool = parameter("quant", boolean, True, "False: nothing is quantized")
    quant_type: str = parameter(
        "quant_type", one_of("int", "fxp"), "int", "int: scales of any size; fxp: scales that are powers of two"
    )
    no_brevitas: bool = parameter("no_brevitas", boolean, False, "True: torch's LSTM, nothing is quantized")
    w_bit: int = parameter("w_bit", _BITS, 8, "weights", unit="bits")
    acc_bit: int = parameter("acc_bit", _BITS, 8, "sums of the gates", unit="bits")
    a_bit: int = parameter("a_bit", _BITS, 8, "outputs of the logistic function and of tanh", unit="bits")
    i_bit: int = parameter("i_bit", _BITS, 8, "input", unit="bits")
    o_bit: int = parameter("o_bit", _BITS, 8, "output, as it goes on and as it goes back into the gates", unit="bits")
    r_bit: int = parameter("r_bit", _BITS, 8, "recurrent memory", unit="bits")
    cell: str = parameter("cell", one_of("LSTM", "GRU"), "LSTM", "type of the recurrent cell")
    hidden_size: int = parameter("hidden_size", positive, 64, "values of the memory")
    num_layers: int = parameter("num_layers", positive, 1, "layers of the recurrent cell")
    bidirectional: bool = parameter("bidirectional", boolean, False, "True: from the last step to the first one too")
    batch_size: int = parameter("batch_size", positive, 64, "sequences in a batch")
    data: str = parameter("data", one_of("FI2010", "Sequence"), "FI2010", "database: that of this name")
    data_path: str = parameter("data_path", text, "", "folder of FI-2010, or the .npz file of sequences")
    normalization: str = parameter(
        "normalization", one_of("zscore", "decimal", "none"), "zscore", "how the values are normalised"
    )
    horizon: str = parameter("horizon", word, "100", "FI-2010: events to the movement that is foretold")
    window: int = parameter("window", positive, 100, "steps of a sequence")
    features: int = parameter("features", positive, 40, "values of a step")
    classes: int = parameter("classes", positive, 3, "number of labels")
    validation: float = parameter("validation", real_between(0, 1, high_open=True), 0.2, "share that validates")

    def __post_init__(self) -> None:
        if self.data == "Sequence" and not self.data_path:
            raise ParameterError(
                "data: Sequence without data_path",
                place=self.place("data"),
                expected="data_path: the .npz file of the sequences",
            )
        if self.data == "FI2010" and self.normalization == "none":
            raise ParameterError(
                "normalization: none, and all files of FI-2010 are normalised",
                place=self.place("normalization"),
                expected="zscore or decimal",
            )

    @property
    def is_quantized(self) -> bool:
        """Whether anything is."""
        return self.quant and not self.no_brevitas

    def ini(self) -> str:
        """The network as the text of an INI file."""
        limit = self.hidden_size**-0.5
        filler = f"=UniformFiller\n{{0}}.Min={-limit!r}\n{{0}}.Max={limit!r}\n"
        fillers = "".join(f"{key}{filler.format(key)}" for key in ("AllGatesWeightsFiller", "AllGatesBiasFiller"))
        power = int(self.quant_type == "fxp")
        weights = f"QWeight=FixedPoint\nQWeight.Range={2**self.w_bit - 1}\nQWeight.PowerOfTwo={power}\n"
        quantizers = weights + "".join(
            f"{key}=FixedPoint\n{key}.Range={2**bits - 1}\n{key}.PowerOfTwo={power}\n"
            + ("" if key == "QSigmoid" else f"{key}.Signed=1\n")
            for key, bits in (
                ("QInput", self.i_bit),
                ("QGateAcc", self.acc_bit),
                ("QSigmoid", self.a_bit),
                ("QTanh", self.a_bit),
                ("QState", self.r_bit),
                ("QOutput", self.o_bit),
            )
        )
        # Adam would move every step by the learning rate, and a step of 8 bits is smaller than that.
        steps = f"QActSolver=SGD\nQActSolver.LearningRate={self.learning_rate!r}\n"
        return f"""\
; {self.exp_name}, made from its YAML file, which says how to learn it.

DefaultModel=Frame_CUDA

{self._database()}
[sp]
SizeX={self.features}
SizeY={self.window}
BatchSize={self.batch_size}

[solver.config]
Solvers=Adam
Solvers.LearningRate={self.learning_rate!r}

[rnn]
Type={self.cell}
Input=sp
SeqLength={self.window}
BatchSize={self.batch_size}
InputDim={self.features}
NumberLayers={self.num_layers}
HiddenSize={self.hidden_size}
Bidirectional={int(self.bidirectional)}
{fillers}ConfigSection=solver.config
{quantizers + steps if self.is_quantized else ""}
[fc]
Type=Fc
Input=rnn
NbOutputs={self.classes}
WeightsFiller=XavierFiller
ConfigSection=solver.config
{weights if self.is_quantized else ""}
[softmax]
Type=Softmax
Input=fc
NbOutputs={self.classes}
WithLoss=1

[softmax.Target]
"""

    def _database(self) -> str:
        path = f"DataPath={self.data_path}\n" if self.data_path else ""
        common = f"[database]\nType={self.data}_Database\n{path}Validation={self.validation!r}\n"
        if self.data == "Sequence":
            chosen = {"zscore": "ZScore", "decimal": "Decimal", "none": "None"}[self.normalization]
            return f"{common}Normalization={chosen}\n"
        chosen = {"zscore": "ZScore", "decimal": "DecPre"}[self.normalization]
        return (
            f"{common}Normalization={chosen}\nHorizon={self.horizon}\n"
            f"WindowSize={self.window}\nFeatures={self.features}\n"
        )


class _Mapping:
    """The keys of a flat YAML mapping, as parameters are read from; see :class:`~n2d2py.parameters.Keys`."""

    def __init__(self, path: Path) -> None:
        self.place = Place(file=str(path))
        self._read: set[str] = set()
        self._values: dict[str, Value] = {}
        for key, value in _nodes(path):
            place = Place(file=str(path), line=key.start_mark.line + 1, key=str(key.value))
            if not isinstance(value, yaml.ScalarNode):
                raise IniError("the value is not plain", place=place, expected="a number, a word, True or False")
            if key.value in self._values:
                raise IniError(f"{key.value} is there twice", place=place, remedy="remove one of them")
            self._values[key.value] = Value(value.value, place)

    def find(self, *spellings: str) -> Value | None:
        """The value of the first spelling that exists."""
        self._read.update(spellings)
        return next((self._values[key] for key in spellings if key in self._values), None)

    def claim(self, prefix: str, known: Iterable[str], missing: str | None = None) -> None:
        """No key has keys below it."""

    def holds(self, prefixes: Sequence[str]) -> bool:
        """No key has keys below it."""
        return False

    def unread(self) -> list[str]:
        """The keys that nobody has asked for."""
        return [key for key in self._values if key not in self._read]

    def check(self) -> None:
        """Raise :class:`ParameterError` for an unknown key."""
        known = known_keys(Experiment)
        for key in (key for key in self._values if key not in known):
            raise ParameterError(
                f"unknown key {key}",
                place=self._values[key].place,
                expected="a key of an experiment",
                remedy=did_you_mean(key, known),
            )


def _nodes(path: Path) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """The keys and values of the mapping, of which nothing is constructed."""
    place = Place(file=str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise IniError(f"Could not open YAML file: {path} ({error.strerror})", place=place) from None
    if len(content) > _LARGEST:
        raise IniError(f"the file has {len(content)} bytes", place=place, expected=f"at most {_LARGEST}")
    try:
        node = yaml.compose(content.decode(), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        if mark is not None:
            place = Place(file=str(path), line=mark.line + 1)
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise IniError(f"not a YAML file: {problem}", place=place, expected="lines such as epochs: 20") from None
    if not isinstance(node, yaml.MappingNode) or not all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
        raise IniError("not an experiment", place=place, expected="lines such as epochs: 20")
    return list(node.value)


def load(path: str | Path) -> Experiment:
    """The experiment of a file. Raises :class:`IniError` or :class:`ParameterError`, an unknown key being one."""
    keys = _Mapping(Path(path))
    try:
        found = read(Experiment, keys)
    except ParameterError:
        keys.check()
        raise
    keys.check()
    return found


def is_experiment(path: str | Path) -> bool:
    """Whether a file is one, by its name."""
    return Path(path).suffix.lower() in SUFFIXES


def write_ini(path: str | Path, experiment: Experiment) -> Path:
    """Write the INI file of an experiment beside it; what stands there already is not written again."""
    target, content = Path(path).with_suffix(".ini"), experiment.ini()
    if not target.exists() or target.read_text(encoding="utf-8") != content:
        try:
            write(target, content)
        except OSError as error:
            raise N2d2Error(
                f"the network file {target} cannot be written: {error.strerror}",
                place=Place(file=str(path)),
                remedy="copy the YAML file into a folder of your own",
            ) from None
        console.notice(f"{path} is written as {target}")
    return target


def line_of(path: str | Path, given: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
    """The INI file in place of the experiment, and the options ``given`` with what the experiment says of learning."""
    found = load(path)
    said: dict[str, Any] = {"class-report": True, "history": found.exp_name, "valid-metric": "Likelihood"}
    if not _NOT_LEARNING & set(given):
        said["learn-epoch"] = found.epochs
    if not {"learn-epoch", "learn", "w"} & (set(said) | set(given)) and Path(found.exp_name).is_dir():
        said["w"] = found.exp_name
    return write_ini(path, found), {**said, **given}


_NOT_LEARNING = {"learn", "learn-epoch", "test", "qat-sat", "check", "report-net", "export", "resume"}
"""Options with which an experiment does not learn by itself."""
