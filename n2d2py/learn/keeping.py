"""What stays in a network: the best that it has learned, and its values where its quantizers change."""

from __future__ import annotations

from pathlib import Path

import torch

from n2d2py import console
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import weights
from n2d2py.learn.history import History
from n2d2py.learn.loop import LAST


def keep_best(network: TorchNetwork, history: History, folder: Path) -> Path:
    """Take the weights that learning saved last, the best ones if it validated; gives their folder.

    ``folder`` is that of the plan. If no validation was better than 0, what was learned last is saved there.
    """
    saved = next((log.saved for log in reversed(history.logs) if log.saved is not None), None)
    if saved is None:
        console.notice(f"no validation was better than 0: what was learned last is saved in {LAST}")
        saved = folder / LAST
        weights.save(network, saved)
    weights.load(network, saved)
    return saved


def carry(source: TorchNetwork, network: TorchNetwork) -> None:
    """Take every stored tensor that ``source`` has in the same cell, under the same name and of the same shape."""
    known = {(cell, item.name): item.tensor for cell, items in source.stored().items() for item in items}
    with torch.no_grad():
        for cell, items in network.stored().items():
            for item in items:
                tensor = known.get((cell, item.name))
                if tensor is not None and tensor.shape == item.tensor.shape:
                    item.tensor.copy_(tensor)
