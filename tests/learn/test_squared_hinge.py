"""The squared hinge loss, and the mean loss of a test."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from n2d2py.learn import losses
from n2d2py.learn.expected import likelihood
from n2d2py.parts.targets import TargetScore

HINGE = TargetScore(name="t", cell="c", loss="SquaredHinge")


def test_by_hand() -> None:
    outputs = torch.tensor([[2.0, -2.0, 0.5], [0.0, 0.5, -1.0]])
    labels = torch.tensor([0, 1])
    # max(0, 1 - t y): 0 0 1.5, then 1 0.5 0
    assert float(losses.error("square", HINGE, outputs, labels)) == pytest.approx(1.5**2 + 1 + 0.25)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 5), st.integers(1, 6), st.integers(0, 1000))
def test_the_gradient_is_the_formula(classes: int, batch: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    outputs = torch.randn(batch, classes, 1, 1, generator=generator).double().requires_grad_()
    labels = torch.randint(-1, classes, (batch,), generator=generator)
    losses.error("square", HINGE, outputs, labels).backward()
    assert outputs.grad is not None
    for row, label, found in zip(outputs.detach().flatten(1), labels, outputs.grad.flatten(1), strict=True):
        for index, value in enumerate(row.tolist()):
            sign = 1.0 if index == int(label) else -1.0
            wanted = 0.0 if int(label) < 0 else -2.0 * sign * max(0.0, 1.0 - sign * value)
            assert float(found[index]) == pytest.approx(wanted, abs=1e-6)


def test_one_output_of_two_classes() -> None:
    outputs, labels = torch.tensor([[0.5], [0.5]]), torch.tensor([1, 0])
    assert float(losses.squared_hinge(outputs, labels)) == pytest.approx(0.25 + 2.25)


def test_likelihood() -> None:
    assert likelihood(0.0) == 1.0
    assert likelihood(1.0) == pytest.approx(math.exp(-1))
    assert likelihood(math.nan) == 0.0
