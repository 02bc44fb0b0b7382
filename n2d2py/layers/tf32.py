"""TF32: products of float32 with 10 bits of the factors, where torch may compute them so on a GPU."""

from __future__ import annotations

import warnings

import torch


def allowed() -> tuple[bool, bool]:
    """Whether products of matrices, and whether convolutions."""
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


def allow(products: bool, convolutions: bool) -> None:
    """Let products of matrices and convolutions be computed so from now on, or no longer."""
    if (products, convolutions) == allowed():
        return
    with warnings.catch_warnings():
        # Some versions of torch say that there is a newer way, which others do not have.
        warnings.simplefilter("ignore", UserWarning)
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = products, convolutions
