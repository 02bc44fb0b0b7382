"""Where a network is computed.

On a GPU float32 means float32: torch would let convolutions drop 13 bits of their factors (TF32); learning does so
where ``-tf32`` asks for it.
"""

from __future__ import annotations

import torch

from n2d2py import console
from n2d2py.errors import UsageError
from n2d2py.graph.settings import read_globals
from n2d2py.ini import Document
from n2d2py.layers import tf32


def choose_device(wanted: str, document: Document) -> torch.device:
    """The device that ``-dev`` names, else that of DefaultModel: Frame_CUDA is a GPU if there is one."""
    if wanted in ("", "cuda"):
        gpu = wanted == "cuda" or read_globals(document).default_model.endswith("_CUDA")
        if not gpu:
            return torch.device("cpu")
        if torch.cuda.is_available():
            tf32.allow(False, False)
            return torch.device("cuda")
        if wanted == "cuda":
            raise UsageError("-dev cuda: there is no GPU that torch can use", remedy="-dev cpu")
        console.notice("DefaultModel asks for a GPU; torch sees none, the CPU computes (-dev cpu says so at once)")
        return torch.device("cpu")
    if wanted == "cpu":
        return torch.device("cpu")
    if wanted.isdigit() and int(wanted) < torch.cuda.device_count():
        tf32.allow(False, False)
        return torch.device("cuda", int(wanted))
    raise UsageError(f"-dev {wanted}: there is no such device", expected="cpu, cuda, or the number of a GPU")
