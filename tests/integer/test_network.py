"""Text form, and what operations say of themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from n2d2py.integer.operations import Softmax
from n2d2py.quant.grid import Grid

from .networks import lenet_like


def test_text_has_a_line_for_each_operation() -> None:
    lines = lenet_like().text().split("\n")
    assert lines[:2] == ["integer network lenet_like", "env: 2x12x12 codes 0..255, scale 0.00392157"]
    assert lines[2].startswith("conv1 = Convolution(env) [6x2x3x3 weights -15..15 by 2, padding 1,1]: 6x12x12 codes ")
    assert lines[3].startswith("bn1 = Requantization(conv1) [to 0..15, ")
    assert lines[3].endswith("exact]: 6x12x12 codes 0..15, scale 0.246667")
    assert lines[7] == (
        "pool2 = SumPool(bn2) [2x2, stride 2,2, over the channels of its map]: 8x2x2 codes 0..420, scale 0.00880952"
    )
    assert lines[-1] == "softmax = Softmax(fc) [real numbers]: 10x1x1 real"
    assert lenet_like().islands == ["softmax"]


def test_an_absent_connection_is_no_weight() -> None:
    conv = lenet_like()["conv1"]
    assert (conv.absent, conv.zero_is_extra, conv.level_bits, conv.stored_bits) == (0, False, 4, 4)
    connected = np.ones(conv.weights.shape, dtype=bool)
    connected[2, 1] = False
    weights = np.where(connected, conv.weights, 0)
    masked = replace(conv, weights=weights, connected=connected)
    assert (masked.absent, masked.zero_is_extra, masked.level_bits, masked.stored_bits) == (9, True, 4, 5)
    assert masked.connected_weights.size == conv.weights.size - 9
    assert 0 not in masked.connected_weights
    with_zero = replace(masked, weights_grid=Grid(1 / 15, -15, 15))  # a grid that has the level 0 anyway
    assert (with_zero.zero_is_extra, with_zero.level_bits, with_zero.stored_bits) == (False, 5, 5)


def test_the_words_of_a_softmax_name_its_groups() -> None:
    assert "over the channels" in Softmax("s", "s", ("fc",), 0.5).words()
    assert "over each 5 neighbouring channels" in Softmax("s", "s", ("fc",), 0.5, 5).words()
    assert "v = input * 0.5" in Softmax("s", "s", ("fc",), 0.5, 5).words()
