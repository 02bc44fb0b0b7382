"""A run from the first line to the last: read, build, learn, test, fuse. Each step stands here once, in order."""

from __future__ import annotations

import contextlib
import shlex
import time
from pathlib import Path

import torch

from n2d2py import calibrating, console, exporting, fusion, outcome, resuming
from n2d2py.api import Net
from n2d2py.devices import choose_device
from n2d2py.errors import DataError, UsageError, WeightsError
from n2d2py.learn import checkpoint, distributed, loop, precision, snapshots, testing, weights
from n2d2py.learn.checkpoint import Saved
from n2d2py.learn.distributed import Group
from n2d2py.learn.history import Watcher
from n2d2py.learn.keeping import keep_best
from n2d2py.learn.lock import locked
from n2d2py.opening import open_network
from n2d2py.options import Line
from n2d2py.report import classes, page_html, tensorboard, watchers
from n2d2py.report.page import Page, command
from n2d2py.report.page_facts import Learning
from n2d2py.session import Session

SEED_FILE = Path("seed.dat")


def run(line: Line) -> None:
    """Do what a command line says, in the working directory; raises :class:`N2d2Error` for what fails."""
    if line["qat-sat"] and line["fuse"]:
        raise UsageError(
            "-fuse and -qat-sat exclude each other",
            remedy="-qat-sat for a quantized network, whose BatchNorm it absorbs too; -fuse for one without quantizers",
        )
    calibrating.check(line)
    precision.read(line["amp"], line["tf32"])  # before anything takes time
    if line["w"]:
        weights.check_folder(line["w"], "ignore" if line["w-ignore"] else "error")
    if line["class-report"]:
        classes.check_installed()
    if line["tensorboard"]:
        tensorboard.check_installed()
    with distributed.joined() as group, contextlib.nullcontext() if group and not group.first else locked():
        start = None
        if line["resume"]:
            start = resuming.find() if group is None or group.first else None
            start = start if group is None else group.from_first(start)
            line = resuming.completed(line, start)
        session = prepare(line, group)
        if line["sync-bn"] and group is None:
            console.notice("-sync-bn: there is one process, which normalises by the whole batch anyway (torchrun)")
        if session.writes or line["learn-epoch"] or line["learn"] or line["test"]:
            _run(session, start)


def _run(session: Session, start: Saved | None) -> None:
    """What comes when all is read and built; of several processes all learn and test, and the first does the rest."""
    learning = bool(session.line["learn-epoch"] or session.line["learn"])
    if not session.writes:
        if learning:
            learn(session, start)
        if _tests(session.line):
            outcome.help_to_test(session)
        return
    with session.page.running():
        _run_first(session, start, learning)


def _run_first(session: Session, start: Saved | None, learning: bool) -> None:
    """The same, of the process that writes."""
    line = session.line
    _begin_page(session, start is not None, learning)
    outcome.write_network(session)
    looked = outcome.write_stimuli(session)
    outcome.write_anchors(session)
    if looked and not (learning or line["test"] or line["fuse"] or line["qat-sat"] or line["export"] or line["verify"]
                       or calibrating.is_wanted(line)):
        return
    if learning:
        learn(session, start)
    else:
        take_weights(session)
        session.page.has_learned(session.learned, session.stimuli)
    if calibrating.is_wanted(line):
        session = calibrating.calibrate(session)
        session.page.has_learned(session.learned, session.stimuli)
    elif line["qat-sat"]:
        fusion.test_integer(session)
    elif line["fuse"]:
        fusion.test_fused(session)
    elif _tests(line):
        test(session)
    if line["export"] or line["verify"]:
        if not (_tests(line) or line["qat-sat"] or calibrating.is_wanted(line)):
            outcome.report_numbers(session, session.learned)
        exporting.deliver(session)
    session.stimuli.faults.report()


def prepare(line: Line, group: Group | None = None) -> Session:
    """Read the network file and build everything that it names, with weights as fillers or a model give them."""
    assert line.network is not None  # the command line was checked for it
    path = Path(line.network)
    seed = choose_seed(line) if group is None or group.first else 0
    if group is not None:
        seed = group.from_first(seed)
    console.line(f"Loading network configuration file {path}")
    document = open_network(path, strict=line["strict"])
    device = choose_device(line["dev"], document)
    if group is not None and device.type == "cuda":
        device = torch.device("cuda", distributed.device_number())
        torch.cuda.set_device(device)
    bad = line["on-bad-stimulus"]
    net = Net(
        document,
        path.name,
        path=path,
        seed=seed,
        device=device,
        workers=line["workers"] if line["workers"] >= 0 else None,
        on_bad=None if bad == "auto" else bad,
    )
    learned, stimuli = net.module, net.stimuli
    if group is not None:
        # What dropout draws differs from process to process, as from stimulus to stimulus.
        torch.manual_seed(seed + group.rank)
        group.check(stimuli.batch_size)
        group.device = device
        group.prepare(learned, line["sync-bn"])
    page = Page(page_html.FILE if group is None or group.first else None)
    return Session(
        line, path.name, path, net.network, learned, net.source, net.provider, stimuli, net.generator, group, page
    )


def _tests(line: Line) -> bool:
    """Whether the run tests the learned network, and not what becomes of it."""
    becomes = calibrating.is_wanted(line) or line["qat-sat"] or line["fuse"]
    return bool(line["test"] or line["learn-epoch"] or line["learn"]) and not becomes


def _begin_page(session: Session, goes_on: bool, learning: bool) -> None:
    """What ``report.html`` says of this run before anything is found."""
    line, page = session.line, session.page
    words = shlex.join(["n2d2py", *line.words])
    seed, device = session.generator.seed, testing.device_of(session.learned)
    plan = Learning(line["learn-epoch"], line["learn"], line["valid-metric"]) if learning else None
    page.begin(session.title, session.network, command(words, seed, device, session.stimuli), plan, goes_on)


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


def learn(session: Session, start: Saved | None = None) -> None:
    """Learn as the options say; weights and curves are written at each log. The best weights stay in the network.

    ``start``: the checkpoint to go on from.
    """
    line = session.line
    begin = None
    if start is not None:
        resuming.check(session, start)
    else:
        if line["l"]:
            begin = checkpoint.read(Path(line["l"]))
            snapshots.load_network(session.learned, begin)
            console.line(f"Going on from the state of {begin.folder}")
        if line["w"]:
            weights.load(session.learned, line["w"], missing="ignore" if line["w-ignore"] else "notice")
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
        losses=bool(line["history"] or line["class-report"]),
        precision=precision.read(line["amp"], line["tf32"]),
        compiled=line["compile"],
    )
    if plan.stop_after and not session.stimuli.size("Validation"):
        console.warning("-stop-valid: learning will not stop, because the database gives no validation set")
    curves = outcome.Curves(session)
    numbers = watchers.NumbersFile(line["history"]) if line["history"] else None
    watching: list[Watcher] = [curves, session.page, *([numbers] if numbers else [])]
    board = tensorboard.TensorBoard(session.learned, plan.metric) if line["tensorboard"] and session.writes else None
    if board is not None:
        watching.append(board)
    if line["class-report"]:
        watching.append(watchers.EpochLines(plan.epochs))
    if line["log-levels"]:
        watching.append(watchers.Levels(session.learned, line["log-levels"]))
    if start is None:
        session.page.at_start(session.learned)
    history = loop.learn(
        session.learned,
        session.stimuli,
        plan,
        session.generator,
        watchers.Watchers(watching),
        resuming.checkpoints(session, start),
        start,
        begin,
        session.group,
    )
    if not session.writes:
        return
    outcome.write_learning(session, history, curves)
    if board is not None:
        board.close()
        console.line(f"[LOG] Curves for TensorBoard (tensorboard --logdir {tensorboard.FOLDER})")
    if numbers is not None:
        numbers.draw()
    saved = keep_best(session.learned, history, plan.folder)
    if line["history"]:
        weights.save(session.learned, plan.folder / line["history"])
        console.line(f"[LOG] What was learned ({line['history']}/)")
    outcome.write_weights(session, saved)
    session.page.has_learned(session.learned, session.stimuli)


def take_weights(session: Session) -> None:
    """Load the weights of a run that does not learn: those of ``-l`` or ``-w``, else those learned here.

    Raises :class:`WeightsError` if there are none, or not all of them and ``-w-ignore`` is not given.
    """
    line = session.line
    if line["l"]:
        snapshots.load_network(session.learned, checkpoint.read(Path(line["l"])))
        if not line["w"]:
            return
    learned = loop.BEST if session.stimuli.size("Validation") else loop.LAST
    if not line["w"] and not Path(learned).exists() and _has_values(session):
        console.notice(f"there is no folder {learned} here: the weights are those of the ONNX model")
        return
    try:
        weights.load(session.learned, line["w"] or learned, missing="ignore" if line["w-ignore"] else "error")
    except WeightsError as error:
        if not line["w"] and error.remedy:
            error.remedy = f"n2d2py {line.network} -learn-epoch 10 makes weights; or {error.remedy}"
        raise


def _has_values(session: Session) -> bool:
    """Whether an imported model gives every cell what it learns."""
    initial = session.network.initial
    return bool(initial) and all(learned.name in initial.get(cell, ()) for cell, learned in session.learned.learned())


def test(session: Session) -> None:
    """Test on the test set, and write what was found."""
    outcome.test(session, session.learned, "learned network")
