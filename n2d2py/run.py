"""A run from the first line to the last: read, build, learn, test, fuse. Each step stands here once, in order."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from n2d2py import console, data, fusion, ini, outcome
from n2d2py.errors import DataError, UsageError, WeightsError
from n2d2py.graph.build import build, read_globals, read_provider, report_unused
from n2d2py.ini import Document
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import loop, weights
from n2d2py.options import Line
from n2d2py.session import Session

SEED_FILE = Path("seed.dat")


def run(line: Line) -> None:
    """Do what a command line says, in the working directory; raises :class:`N2d2Error` for what fails."""
    if line["qat-sat"] and line["fuse"]:
        raise UsageError(
            "-fuse and -qat-sat exclude each other",
            remedy="-qat-sat for a quantized network, whose BatchNorm it absorbs too; -fuse for one without quantizers",
        )
    session = prepare(line)
    learning = bool(line["learn-epoch"] or line["learn"])
    outcome.write_network(session)
    if learning:
        if line["w"]:
            weights.load(session.learned, line["w"], missing="ignore" if line["w-ignore"] else "notice")
        learn(session)
    else:
        take_weights(session)
    if line["qat-sat"]:
        fusion.test_integer(session)
    elif line["fuse"]:
        fusion.test_fused(session)
    elif line["test"] or learning:
        test(session)


def prepare(line: Line) -> Session:
    """Read the INI file and build everything that it names, with weights as the fillers give them."""
    assert line.network is not None  # the command line was checked for it
    path = Path(line.network)
    seed = choose_seed(line)
    torch.manual_seed(seed)
    console.line(f"Loading network configuration file {path}")
    document = ini.load(path, strict=line["strict"])
    generator = data.random.Generator(seed)
    source = data.publish_epoch_size(document, generator)
    network = build(document, path.name)
    report_unused(document)
    device = choose_device(line, document)
    provider = read_provider(document)
    stimuli = data.build(document, provider, generator, source, device)
    torch_network = TorchNetwork(network)
    torch_network.fill(torch.Generator().manual_seed(seed))
    torch_network.to(device)
    return Session(line, path.name, path, network, torch_network, source, provider, stimuli, generator)


def choose_seed(line: Line) -> int:
    """The seed of ``-seed``; 0 is the clock's if the run learns, else what ``seed.dat`` keeps of the last one."""
    seed: int = line["seed"]
    if seed >= 1 << 32:
        raise UsageError(f"-seed {seed} is too large", expected="a number below 2^32")
    if seed == 0 and not (line["learn"] or line["learn-epoch"]):
        try:
            return int(SEED_FILE.read_text(encoding="ascii")) % (1 << 32)
        except (OSError, ValueError):
            raise DataError(
                f"Could not read seed file: {SEED_FILE}",
                expected="the seed of the learning run, on which the partition of the data depends",
                remedy="run in the folder of the learning run, or give its -seed",
            ) from None
    seed = seed or time.time_ns() % (1 << 32) or 1
    SEED_FILE.write_text(str(seed), encoding="ascii")
    return seed


def choose_device(line: Line, document: Document) -> torch.device:
    """The device of ``-dev``, else that of DefaultModel: Frame_CUDA is a GPU if there is one."""
    wanted: str = line["dev"]
    if wanted in ("", "cuda"):
        gpu = wanted == "cuda" or read_globals(document).default_model.endswith("_CUDA")
        if not gpu:
            return torch.device("cpu")
        if torch.cuda.is_available():
            return torch.device("cuda")
        if wanted == "cuda":
            raise UsageError("-dev cuda: there is no GPU that torch can use", remedy="-dev cpu")
        console.notice("DefaultModel asks for a GPU; torch sees none, the CPU computes (-dev cpu says so at once)")
        return torch.device("cpu")
    if wanted == "cpu":
        return torch.device("cpu")
    if wanted.isdigit() and int(wanted) < torch.cuda.device_count():
        return torch.device("cuda", int(wanted))
    raise UsageError(f"-dev {wanted}: there is no such device", expected="cpu, cuda, or the number of a GPU")


def learn(session: Session) -> None:
    """Learn as the options say; weights and curves are written at each log. The best weights stay in the network."""
    line = session.line
    plan = loop.Plan(
        epochs=line["learn-epoch"],
        stimuli=line["learn"],
        log_epochs=line["log-epoch"],
        log_stimuli=line["log"],
        report=line["report"],
        window=line["ws"],
        metric=line["valid-metric"],
        stop_after=line["stop-valid"],
        test_at_logs=line["log-test"],
    )
    if plan.stop_after and not session.stimuli.size("Validation"):
        console.warning("-stop-valid: learning will not stop, because the database gives no validation set")
    curves = outcome.Curves(session)
    history = loop.learn(session.learned, session.stimuli, plan, session.generator, curves)
    outcome.write_learning(session, history, curves)
    saved = next((log.saved for log in reversed(history.logs) if log.saved is not None), None)
    if saved is None:
        console.notice(f"no validation was better than 0: what was learned last is saved in {loop.LAST}")
        saved = Path(loop.LAST)
        weights.save(session.learned, saved)
    weights.load(session.learned, saved)
    outcome.write_weights(session, saved)


def take_weights(session: Session) -> None:
    """Load the weights of a run that does not learn: those of ``-w``, else those that a run here has learned.

    Raises :class:`WeightsError` if there are none, or not all of them and ``-w-ignore`` is not given.
    """
    line = session.line
    learned = loop.BEST if session.stimuli.size("Validation") else loop.LAST
    try:
        weights.load(session.learned, line["w"] or learned, missing="ignore" if line["w-ignore"] else "error")
    except WeightsError as error:
        if not line["w"] and error.remedy:
            error.remedy = f"n2d2py {line.network} -learn-epoch 10 makes weights; or {error.remedy}"
        raise


def test(session: Session) -> None:
    """Test on the test set, and write what was found."""
    outcome.test(session, session.learned)
