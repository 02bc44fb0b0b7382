"""``-compile``: learning by passes that torch.compile has made, where there is a compiler."""

from __future__ import annotations

import warnings

import torch

from n2d2py import console
from n2d2py.layers.network import TorchNetwork


def compile_passes(network: TorchNetwork, device: torch.device) -> bool:
    """Let ``network`` learn by compiled passes; without a compiler it stays as it is, and one line says why.

    Returns whether it was done. The first steps then compile, or take what an earlier run has compiled.
    """
    reason = _missing(device)
    if reason is not None:
        console.notice(f"-compile: {reason}; learning goes on without")
        return False
    network.compile_passes()
    return True


def _missing(device: torch.device) -> str | None:
    """Why nothing can be compiled here; None if it can."""
    try:
        from torch._inductor import config  # takes two seconds, which only those who compile should wait

        # What is kept of earlier runs would answer even where nothing new could be compiled.
        with config.patch(force_disable_caches=True), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.compile(_one_more)(torch.zeros(4, device=device))
    except Exception as error:  # a compiler, Python's headers, Triton, a folder to write into: whatever is missing
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return f"torch.compile cannot compile ({lines[0] if lines else type(error).__name__})"
    return None


def _one_more(x: torch.Tensor) -> torch.Tensor:
    return x + 1
