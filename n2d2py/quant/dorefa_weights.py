"""DoReFa on weights: the grid of SAT without its scaling, and for one bit the sign times the mean magnitude."""

from __future__ import annotations

import math
from collections.abc import Sequence

from n2d2py.parts.binary import BinaryWeights
from n2d2py.parts.dorefa import DoReFaWeights
from n2d2py.parts.quantizers import SatWeights
from n2d2py.quant.few_levels import FewWeightLevels
from n2d2py.quant.sat_weights import SatWeightQuantization
from n2d2py.quant.weights import WeightQuantization
from n2d2py.registry import register


@register("weight quantization", "DoReFa")
def dorefa(record: DoReFaWeights, shape: Sequence[int]) -> WeightQuantization:
    """The quantizer of a weight tensor of that shape (Zhou et al. 2016, arXiv:1606.06160, equations 7 and 9)."""
    if record.range == 1 and record.apply_quantization:
        return FewWeightLevels(BinaryWeights(clip=math.inf, power_of_two=record.power_of_two), shape)
    same = SatWeights(
        range=record.range, apply_quantization=record.apply_quantization, power_of_two=record.power_of_two
    )
    return SatWeightQuantization(same, shape)
