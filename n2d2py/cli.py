"""Words of the command line in, exit status out.

0 success, 1 a run that failed, 2 wrong usage, 130 interrupted (Ctrl-C), 143 terminated (SIGTERM).
"""

from __future__ import annotations

import os
import shlex
import sys
import time
import traceback
from collections.abc import Sequence

from n2d2py import console, options
from n2d2py.errors import N2d2Error, Place, Terminated, UsageError
from n2d2py.version import __version__

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells count it: 128 + SIGINT."""


def main(words: Sequence[str] | None = None) -> int:
    """Run n2d2py with the given words (those of the process by default); returns the exit status."""
    words = list(sys.argv[1:] if words is None else words)
    handler = console.install()
    if _is_one_of_several():
        console.logger.setLevel("ERROR")
    try:
        status = _main(words)
        sys.stdout.flush()  # here, where a reader that is gone is understood, and not when Python exits
        return status
    except BrokenPipeError:
        # The reader of our output is gone; nothing can be said any more, and flushing at exit would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    finally:
        console.remove(handler)


def _main(words: list[str]) -> int:
    start = time.monotonic()
    ran = False
    try:
        line = _resolved(options.parse(words))
        status = _answer(line)
        if status is not None:
            return status
        if line.network is None:
            raise UsageError("Option <net> is required", remedy="n2d2py LeNet.ini -learn-epoch 10; n2d2py -h")
        if line["check"] or line["report-net"]:
            return _check(line)
        if line["report-csv"]:
            raise UsageError("-report-csv goes with -check or -report-net", remedy="add -report-net, or remove it")
        if line["multidev"] and "WORLD_SIZE" not in os.environ:
            from n2d2py.learn.devices import restart

            restart(line["multidev"], words)
        ran = True
        if not _is_one_of_several():
            for text in line.echo():
                console.line(text)
            _remember(words)
        if line["recipe"]:
            from n2d2py.recipe import follow

            follow(line)
            return 0
        # torch comes with this import, so nothing above may need it.
        from n2d2py.run import run

        run(line)
        return 0
    except N2d2Error as error:
        _tell(error, "-traceback" in words)
        return error.exit_status
    except KeyboardInterrupt:
        print("\nInterrupted.")
        return INTERRUPTED
    except Terminated as end:
        print("\nTerminated.")
        return end.exit_status
    except (MemoryError, RuntimeError) as error:
        if "-traceback" in words or not _is_of_memory(error):
            raise
        _tell(
            N2d2Error(
                "there is not enough memory for this network with this batch",
                remedy="a smaller BatchSize, fewer outputs, or a lower N2D2_MEMORY for the stimuli",
            ),
            with_traceback=False,
        )
        return 1
    except OSError as error:
        if "-traceback" in words or isinstance(error, BrokenPipeError):
            raise
        _tell(_told(error), with_traceback=False)
        return 1
    finally:
        if ran and not _is_one_of_several():
            print(f"Time elapsed: {time.monotonic() - start:.4g} s")


def _is_one_of_several() -> bool:
    """Whether ``torchrun`` has started this process beside a first one, which alone prints."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and os.environ.get("RANK", "0") != "0"


def _resolved(line: options.Line) -> options.Line:
    """The line with a network file in place of the name of a network of the zoo, or of an experiment in YAML."""
    if line["zoo"]:
        from n2d2py import zoo

        if line.network is not None:
            raise UsageError(f"-zoo {line['zoo'][0]} is a network, {line.network!r} is too much")
        path = zoo.path_of(line["zoo"][0])
        rest = {name: value for name, value in line.given.items() if name != "zoo"}
        return options.Line(str(path), {"log-test": True, "history": path.stem, **rest})
    if line.network is not None and line.network.lower().endswith((".yaml", ".yml")):
        from n2d2py import experiment

        path, given = experiment.line_of(line.network, line.given)
        return options.Line(str(path), given)
    return line


def _answer(line: options.Line) -> int | None:
    """The exit status of an option that needs no network; None if there is none. What each needs is imported here."""
    if line["h"]:
        print(options.help_text())
    elif line["v"]:
        print(f"n2d2py {__version__} (Python {sys.version.split()[0]})")
    elif line["explain"]:
        from n2d2py.explain import explain

        print("\n".join(explain(line["explain"])))
    elif "list" in line.given:
        from n2d2py.explain import listing

        if line.network is not None:
            raise UsageError(f"-list takes a kind and a pattern, {line.network!r} is too much")
        print("\n".join(listing(*line["list"])))
    elif "zoo" in line.given:
        from n2d2py import zoo

        for name in zoo.names():
            print(f"{name:<12}{zoo.summary(name)}")
        print("\nn2d2py -zoo TernaryNN -learn-epoch 5")
    elif line["fetch"]:
        from n2d2py.data.fetch import fetch

        fetch(line["fetch"])
    else:
        return None
    return 0


def _check(line: options.Line) -> int:
    from n2d2py.check import check, report_cost

    if line["check"]:
        return 0 if check(line, lambda error: _tell(error, line["traceback"])) else 1
    report_cost(line)
    return 0


def _tell(error: N2d2Error, with_traceback: bool) -> None:
    if with_traceback:
        traceback.print_exception(error)
    print(f"Error: {console.printable(str(error))}")


def _is_of_memory(error: Exception) -> bool:
    """Whether the system, or a GPU, refuses memory: torch says so in a RuntimeError."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "can't allocate memory" in text or "out of memory" in text


def _told(error: OSError) -> N2d2Error:
    """What the operating system refuses, with its place and a remedy."""
    file = error.filename2 or error.filename  # of a renaming, the final name
    return N2d2Error(
        f"a file or folder cannot be read or written: {error.strerror or error}",
        place=Place(file=None if file is None else os.fsdecode(file)),
        remedy="check the rights, the kind and the free space of this place, or work in another folder",
    )


def _remember(words: Sequence[str]) -> None:
    """Append the command line to ``n2d2py.args``, as N2D2 does to ``n2d2.args``."""
    with open("n2d2py.args", "a", encoding="utf-8") as file:
        file.write(shlex.join(["n2d2py", *words]) + "\n")
