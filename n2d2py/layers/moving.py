"""Layers that only move, select or drop values, or put zeros between them: codes stay codes of their grid."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from n2d2py.layers.activated import ActivatedLayer
from n2d2py.layers.joining import joined, joined_codes
from n2d2py.quant.bias import fold
from n2d2py.quant.grid import Coded
from n2d2py.quant.levels import with_zero
from n2d2py.quant.scaled import Scaled


class MovingLayer(ActivatedLayer):
    """y = f(what :meth:`move` makes of all inputs, concatenated)."""

    @property
    def inserts_zeros(self) -> bool:
        """Whether a value may be a 0 that is no input."""
        return False

    def move(self, x: Tensor) -> Tensor:
        """The values of x, float32 or codes of any float type, at their new places."""
        raise NotImplementedError

    @property
    def keeps_codes(self) -> bool:
        return self.passes_codes

    def before(self, *inputs: Tensor) -> Tensor:
        return self.move(joined(inputs))

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.activate(self.before(*inputs), own=False)

    def forward_codes(self, inputs: Sequence[Tensor], scale: Tensor, high: int) -> Scaled:
        return Scaled(self.activate(self.move(joined(inputs)), own=False), scale, high)

    @torch.no_grad()
    def evaluate(self, *inputs: Coded) -> Coded:
        x = fold(joined_codes(inputs))
        if x.grid is None:
            return self.activate_coded(Coded(self.move(x.values)))
        grid = with_zero(x.grid) if self.inserts_zeros else x.grid
        return self.activate_coded(Coded(self.move(x.values), grid))
