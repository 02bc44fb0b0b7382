"""Activation: an activation function as a cell of its own."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.cells.base import ActivatedCell
from n2d2py.parameters import choice
from n2d2py.parts.activations import Activation as Function
from n2d2py.parts.activations import Tanh
from n2d2py.registry import register


@register("cell", "Activation")
@dataclass(frozen=True, kw_only=True)
class Activation(ActivatedCell):
    """y = f(x); Tanh if no function is named."""

    activation: Function | None = choice(
        "ActivationFunction", "activation", Tanh(), "the function", type_default="Tanh"
    )
