"""Learning-rate policies of SGD: the rate as a function of the updates done so far.

A policy takes the solver's record, the number ``n`` of updates already done and the number of stimuli of one
update (``IterationSize * BatchSize``). Most policies count steps ``s``, which are measured in stimuli:
``s = floor(n * stimuli / LearningRateStepSize)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from n2d2py.parts.solvers import SGD
from n2d2py.registry import find, register

Policy = Callable[[SGD, int, int], float]

ANNOUNCED = ("StepDecay", "ExponentialDecay", "InvTDecay")
"""Policies whose rate changes in steps, each of which is worth a line on the console."""


def rate(record: SGD, updates: int, batch_size: int) -> float:
    """The learning rate of the next update, after ``updates`` updates of ``batch_size`` stimuli a batch."""
    policy: Policy = find("policy", record.policy)
    if record.max_iterations and record.policy != "CosineDecay":
        # The count of updates stands still at MaxIterations. CosineDecay counts steps there and stops by itself.
        updates = min(updates, record.max_iterations)
    return policy(record, updates, record.iteration_size * batch_size)


def _step(record: SGD, updates: int, stimuli: int) -> int:
    return updates * stimuli // record.step_size


@register("policy", "None")
def constant(record: SGD, updates: int, stimuli: int) -> float:
    """LearningRate."""
    return record.learning_rate


@register("policy", "StepDecay")
def step_decay(record: SGD, updates: int, stimuli: int) -> float:
    """LearningRate * LearningRateDecay^s."""
    return record.learning_rate * record.rate_decay ** _step(record, updates, stimuli)


@register("policy", "ExponentialDecay")
def exponential_decay(record: SGD, updates: int, stimuli: int) -> float:
    """LearningRate * exp(-LearningRateDecay * s)."""
    return record.learning_rate * math.exp(-record.rate_decay * _step(record, updates, stimuli))


@register("policy", "InvTDecay")
def inverse_time_decay(record: SGD, updates: int, stimuli: int) -> float:
    """LearningRate / (1 + LearningRateDecay * s)."""
    return record.learning_rate / (1.0 + record.rate_decay * _step(record, updates, stimuli))


@register("policy", "PolyDecay")
def polynomial_decay(record: SGD, updates: int, stimuli: int) -> float:
    """LearningRate * (1 - n / MaxIterations)^Power, MaxIterations in updates; held at its end."""
    return float(record.learning_rate * (1.0 - updates / record.max_iterations) ** record.power)


@register("policy", "InvDecay")
def inverse_decay(record: SGD, updates: int, stimuli: int) -> float:
    """LearningRate * (1 + LearningRateDecay * n)^(-Power)."""
    return float(record.learning_rate * (1.0 + record.rate_decay * updates) ** -record.power)


@register("policy", "CosineDecay")
def cosine_decay(record: SGD, updates: int, stimuli: int) -> float:
    """Half a cosine from LearningRate to MinDecay * LearningRate (Loshchilov and Hutter 2017, eq. 5).

    ``WarmUpDuration`` steps of a linear rise from ``WarmUpLRFrac * LearningRate`` come first. From step
    ``MaxIterations`` on, the final value is held.
    """
    step = _step(record, updates, stimuli)
    warm_up, last = record.warm_up_duration, record.max_iterations
    if step < warm_up:
        fraction = record.warm_up_fraction
        return record.learning_rate * ((1.0 - fraction) * step / warm_up + fraction)
    if step >= last:
        return record.learning_rate * record.min_decay
    cosine = 0.5 * (1.0 + math.cos(math.pi * (step - warm_up) / (last - warm_up)))
    return record.learning_rate * max(0.0, (1.0 - record.min_decay) * cosine + record.min_decay)
