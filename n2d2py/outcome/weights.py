"""What a run shows of what it has learned: distributions of the weights, and kernels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from n2d2py import console
from n2d2py.layers.weighted import WeightedLayer
from n2d2py.report import distributions, kernels
from n2d2py.session import Session


def write_weights(session: Session, folder: Path) -> None:
    """The distributions of the weights of ``folder``, which the network has now, and with -log-kernels its kernels."""
    write_distributions(session, folder)
    if session.line["log-kernels"]:
        files = kernels.write_kernels("kernels", _weights(session))
        console.line(f"[LOG] Kernels ({', '.join(str(file) for file in files if file.suffix == '.png')})")


def _weights(session: Session) -> dict[str, np.ndarray]:
    layers = session.learned.layers.items()
    return {name: layer.weights.detach().cpu().numpy() for name, layer in layers if isinstance(layer, WeightedLayer)}


@torch.no_grad()
def write_distributions(session: Session, folder: Path) -> None:
    """How the weights are spread: real ones, those of the grid (or clamped), and biases of every cell."""
    for name, layer in session.learned.layers.items():
        if not isinstance(layer, WeightedLayer):
            continue
        distributions.write_real(folder, name, "weights", layer.weights.cpu().numpy())
        if layer.biases is not None:
            distributions.write_real(folder, name, "biases", layer.biases.cpu().numpy())
        if layer.quantizes:
            codes, grid = layer.weight_codes()
            connected = codes if layer.mask is None else codes[layer.mask.expand_as(codes)]
            distributions.write_levels(folder, name, connected.cpu().numpy(), grid)
        elif layer.weights_quantizer is not None:
            clamped = layer.weights_quantizer(layer.full_weights())
            distributions.write_real(folder, name, "weights_quant", clamped.cpu().numpy())
    console.line(f"[LOG] Distributions of the weights ({folder}/*.distrib.png)")
