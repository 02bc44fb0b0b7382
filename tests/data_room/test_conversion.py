from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.data.conversion import Affine, Divided, Quantization, Scaled, Tabled, scaling, tabulate
from n2d2py.data.draws import Draws
from n2d2py.data.transformations.range_affine import OPERATORS, RangeAffineTransformation

VALUES = st.floats(-300, 300).filter(lambda value: abs(value) > 1e-3)


@given(
    st.sampled_from(OPERATORS),
    st.lists(VALUES, min_size=1, max_size=3).filter(lambda values: len(values) != 2),
    st.sampled_from(OPERATORS),
    st.lists(VALUES, min_size=0, max_size=3).filter(lambda values: len(values) != 2),
    st.booleans(),
)
def test_a_table_is_what_the_transformation_gives(
    first: str, values: list[float], second: str, others: list[float], truncate: bool
) -> None:
    step = RangeAffineTransformation(
        first_operator=first,
        first_value=tuple(values),
        second_operator=second,
        second_value=tuple(others),
        truncate=truncate,
    )
    images = np.random.default_rng(1).integers(0, 256, (2, 5, 4, 3), np.uint8)
    expected = step.apply(images, Draws(np.zeros(2, np.uint64))).transpose(0, 3, 1, 2)
    made = tabulate([step], 3, None)
    assert np.array_equal(made.inputs(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy(), expected)


def test_sums_and_products_take_the_place_of_a_table() -> None:
    step = RangeAffineTransformation(first_operator="Minus", first_value=(128.0,))
    assert isinstance(tabulate([step, step], 1, None), Affine)
    assert isinstance(tabulate([step], 1, Quantization(4)), Tabled)
    cut = RangeAffineTransformation(first_operator="Divides", first_value=(3.0,), truncate=True)
    assert isinstance(tabulate([cut], 1, None), Tabled)


@pytest.mark.parametrize(
    ("depth", "signed", "value", "expected"),
    [
        ("uint8", False, 255, 1.0),
        ("uint8", True, 255, 0.9921875),
        ("int8", False, -127, -1.0),
        ("int8", True, 0, -1.0),
        ("uint16", False, 65535, 1.0),
        ("uint16", True, 0, -1.0),
        ("int8", False, 127, 1.0),
        ("int16", False, 32767, 1.0),
        ("int16", True, 0, -1.0),
        ("int16", True, 32767, -1 / 32768),
        ("int32", False, 2**31 - 1, 1.0),
        ("int32", True, 2**31 - 1, 1.0),
    ],
)
def test_integers_are_scaled_by_their_range(depth: str, signed: bool, value: int, expected: float) -> None:
    made = scaling(signed, None, depth)
    assert isinstance(made, Divided if depth == "int32" else Scaled)
    held = torch.tensor([[[[value]]]], dtype=torch.int32)
    assert made.inputs(held).item() == expected
    inputs, codes = made(held)
    assert inputs.item() == expected
    assert (codes is None) == (depth == "int32")


def test_wide_integers_are_quantized_as_reals() -> None:
    made = scaling(False, Quantization(3), "uint16")
    held = torch.tensor([[[[0, 32768, 65535]]]], dtype=torch.int32)
    assert made.inputs(held).flatten().tolist() == [0.0, 0.5, 1.0]
    assert made.grid is None


def test_one_stream_is_drawn_as_many_are() -> None:
    many = Draws.of(7, 3, range(5)).child(2)
    alone = [Draws.of(7, 3, [index]).child(2) for index in range(5)]
    for _ in range(3):
        assert many.below_one().tolist() == [one.below_one().item() for one in alone]
        assert many.integer(-3, 9).tolist() == [one.integer(-3, 9).item() for one in alone]
    fresh = Draws.of(7, 3, range(5))
    assert fresh.some(np.array([3, 1])).below_one().tolist() == [
        Draws.of(7, 3, [index]).below_one().item() for index in (3, 1)
    ]
