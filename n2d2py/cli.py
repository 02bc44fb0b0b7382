"""Words of the command line in, exit status out: 0 success, 1 a run that failed, 2 wrong usage, 130 interrupted."""

from __future__ import annotations

import os
import shlex
import sys
import time
import traceback
from collections.abc import Sequence

from n2d2py import __version__, console, options
from n2d2py.errors import N2d2Error, Place, UsageError

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells count it: 128 + SIGINT."""


def main(words: Sequence[str] | None = None) -> int:
    """Run n2d2py with the given words (those of the process by default); returns the exit status."""
    words = list(sys.argv[1:] if words is None else words)
    handler = console.install()
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
        line = options.parse(words)
        if line["h"]:
            print(options.help_text())
            return 0
        if line["v"]:
            print(f"n2d2py {__version__} (Python {sys.version.split()[0]})")
            return 0
        if line["fetch"]:
            from n2d2py.data.fetch import fetch

            fetch(line["fetch"])
            return 0
        if line.network is None:
            raise UsageError("Option <net> is required", remedy="n2d2py LeNet.ini -learn-epoch 10; n2d2py -h")
        ran = True
        for text in line.echo():
            console.line(text)
        _remember(words)
        # torch comes with this import, so nothing above may need it.
        from n2d2py.run import run

        run(line)
        return 0
    except N2d2Error as error:
        if "-traceback" in words:
            traceback.print_exc()
        print(f"Error: {error}")
        return error.exit_status
    except KeyboardInterrupt:
        print("\nInterrupted.")
        return INTERRUPTED
    except OSError as error:
        if "-traceback" in words or isinstance(error, BrokenPipeError):
            raise
        print(f"Error: {_told(error)}")
        return 1
    finally:
        if ran:
            print(f"Time elapsed: {time.monotonic() - start:.4g} s")


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
