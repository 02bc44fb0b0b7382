"""What a target asks of its cell: the wanted outputs, as a loss whose gradient is N2D2's error.

N2D2 has no losses: a target writes ``value - output`` into its cell. Here that error, with the sign turned, is
the gradient of half the summed square. Gradients are sums over the batch; the solver divides them.

A softmax with loss (and LogisticWithLoss) lets the error pass to its input unchanged, so that the gradient
there is ``softmax - wanted``: that of the cross-entropy. Where a target stands right on such a cell, its network
gives logits in learning (``TorchNetwork.loss_form``), and the loss is made here. Everywhere else the cell itself
sees to its derivative: the true Jacobian for a softmax without loss.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from n2d2py.layers.functions import pass_gradient
from n2d2py.learn.targets import IGNORED, flat
from n2d2py.parts.targets import Target

BINS = 20
"""Number of bins over [-1, 1] that balance the values of a target that is the input itself."""


def wanted(target: Target, output: Tensor, labels: Tensor) -> Tensor:
    """The wanted value of every output: TargetValue for the label's output, DefaultValue for the others.

    One output neuron is wanted to be TargetValue for label 1 and DefaultValue for label 0. Ignored labels are
    the caller's. Shape and type are those of ``output`` without a height and width of 1.
    """
    output = flat(output)
    values = torch.full_like(output, target.default_value)
    if output.shape[1] == 1:
        return torch.where(labels.unsqueeze(1) == 1, target.target_value, values)
    return values.scatter_(1, labels.clamp(min=0).unsqueeze(1), target.target_value)


def weights(output: Tensor, labels: Tensor) -> Tensor:
    """How much each decision counts, shape of the labels with an axis of 1 for the outputs.

    A stimulus counts 1. A pixel counts 1 / (pixels of its class in its stimulus), so that a small class weighs
    as much as a large one. What is ignored counts 0.
    """
    valid = (labels >= 0).to(output.dtype)
    if labels.dim() == 1:
        return valid.unsqueeze(1)
    index = labels.clamp(min=0).flatten(1)
    classes = max(2, output.shape[1])
    pixels = valid.new_zeros(labels.shape[0], classes).scatter_add_(1, index, valid.flatten(1))
    return (valid.flatten(1) / pixels.gather(1, index).clamp(min=1)).reshape(labels.shape).unsqueeze(1)


def squared_error(target: Target, output: Tensor, labels: Tensor) -> Tensor:
    """Half the weighted sum of squared errors; its gradient is ``(output - wanted) * weight``."""
    values = flat(output)
    return 0.5 * (weights(values, labels) * (values - wanted(target, values, labels)).square()).sum()


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """-sum of log softmax(logits)[label]; its gradient is ``(softmax - one hot) * weight``."""
    values = flat(logits)
    if labels.dim() == 1:
        return functional.cross_entropy(values, labels, reduction="sum", ignore_index=IGNORED)
    losses = functional.cross_entropy(values, labels, reduction="none", ignore_index=IGNORED)
    return (losses * weights(values, labels)[:, 0]).sum()


def squared_hinge(output: Tensor, labels: Tensor) -> Tensor:
    """The weighted sum of max(0, 1 - t y)^2, t = 1 for the label's output and -1 for the others."""
    values = flat(output)
    signs = torch.full_like(values, -1.0)
    if values.shape[1] == 1:
        signs = torch.where(labels.unsqueeze(1) == 1, 1.0, signs)
    else:
        signs = signs.scatter_(1, labels.clamp(min=0).unsqueeze(1), 1.0)
    return (weights(values, labels) * (1.0 - signs * values).clamp_min(0.0).square()).sum()


def is_likelihood(form: str, target: Target, output: Tensor) -> bool:
    """Whether a target learns -log of the label's output of a softmax."""
    plain = (target.target_value, target.default_value) == (1.0, 0.0) and target.loss == "SquaredError"
    return form == "cross-entropy" and plain and output.shape[1] > 1


def error(form: str, target: Target, output: Tensor, labels: Tensor) -> Tensor:
    """The loss of a target on what its network gives in learning, a scalar.

    ``form`` is that of ``TorchNetwork.loss_form``: "square" (``output`` is the output), "cross-entropy" or
    "logistic" (``output`` are the logits of a softmax or of logistic functions).
    """
    if target.loss == "SquaredHinge":
        return squared_hinge(output, labels)
    if form == "square":
        return squared_error(target, output, labels)
    if form == "logistic":
        return squared_error(target, pass_gradient(output, torch.sigmoid), labels)
    if is_likelihood(form, target, output):
        return cross_entropy(output, labels)
    return squared_error(target, pass_gradient(output, lambda x: x.softmax(1)), labels)


def outputs(form: str, output: Tensor, as_values: bool = False) -> Tensor:
    """What is judged: the outputs themselves where a threshold may look at them, else logits, which order alike.

    ``as_values``: a threshold looks at the outputs of a softmax too.
    """
    if form == "logistic":
        return output.sigmoid()
    return output.softmax(1) if as_values and form == "cross-entropy" else output


def reconstruction_error(output: Tensor, data: Tensor) -> Tensor:
    """Half the sum of squared differences to the input itself or to target data, each divided by the count of its bin.

    The wanted values are sorted into :data:`BINS` bins over [-1, 1], counted over the whole batch, so that
    frequent values (a background) do not outweigh rare ones.
    """
    bins = ((BINS - 1) * (data + 1.0) / 2.0).round().clamp(0, BINS - 1).long()
    counts = torch.zeros(BINS, dtype=output.dtype, device=output.device)
    counts.scatter_add_(0, bins.flatten(), torch.ones_like(data, dtype=output.dtype).flatten())
    return 0.5 * ((output - data.reshape(output.shape)).square() / counts[bins].reshape(output.shape)).sum()
