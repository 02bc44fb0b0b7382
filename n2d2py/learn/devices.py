"""``-multidev``: a process for each of several GPUs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import torch

from n2d2py.errors import UsageError


def restart(wanted: str, words: Sequence[str]) -> None:
    """Become ``torchrun``, which starts a process for each GPU of ``wanted`` with the command line ``words``.

    Raises :class:`UsageError` if one of them is not there.
    """
    numbers = [number.strip() for number in wanted.split(",")]
    if not all(number.isdigit() for number in numbers) or len(set(numbers)) < len(numbers):
        raise UsageError(f"-multidev {wanted}: unreadable", expected="numbers of GPUs with commas between: 0,1")
    count = torch.cuda.device_count()
    missing = [number for number in numbers if int(number) >= count]
    if missing:
        raise UsageError(
            f"-multidev {wanted}: there is no GPU {missing[0]}, torch sees {count}",
            remedy=f"torchrun --nproc-per-node {len(numbers)} -m n2d2py net.ini ... learns in processes on the CPU",
        )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(len(numbers))]
    command += ["-m", "n2d2py", *_without(words)]
    os.execve(sys.executable, command, {**os.environ, "CUDA_VISIBLE_DEVICES": ",".join(numbers)})


def _without(words: Sequence[str]) -> list[str]:
    """The command line without the option itself, whose value may not begin with ``-``."""
    at = words.index("-multidev")
    return [*words[:at], *words[at + 2 :]]
