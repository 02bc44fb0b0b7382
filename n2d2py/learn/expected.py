"""The mean loss of a network on a set: of its outputs in evaluation, as its target learns."""

from __future__ import annotations

import numpy as np
import torch

from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import losses
from n2d2py.learn.testing import Result

_SMALLEST = 1e-12
"""What a probability of 0 counts as."""


def mean_loss(network: TorchNetwork, result: Result) -> float:
    """The loss of the target of ``result`` by stimulus, from the outputs that it keeps; NaN without stimuli.

    Behind a softmax with loss: the mean of -log p, p the output of the label. Else what the target asks of outputs.
    """
    target, outputs = result.target, result.outputs
    count = int((result.labels >= 0).reshape(len(result.ids), -1).any(1).sum()) if len(result.ids) else 0
    if outputs is None or not count:
        return float("nan")
    values, labels = torch.from_numpy(outputs).double(), torch.from_numpy(result.labels)
    if losses.is_likelihood(_form(network, target.cell), target, values):
        known = labels >= 0
        chosen = values.gather(1, labels.clamp(min=0).unsqueeze(1)).squeeze(1)[known]
        return float(-chosen.clamp_min(_SMALLEST).log().sum()) / count
    return float(losses.error("square", target, values, labels)) / count


def _form(network: TorchNetwork, cell: str) -> str:
    layer = network.layers[cell]
    return layer.loss_form if layer.gives_logits else "square"


def likelihood(loss: float) -> float:
    """exp(-loss): behind a softmax the geometric mean of the outputs of the labels; 0 if there is no loss."""
    return float(np.exp(-loss)) if np.isfinite(loss) else 0.0
