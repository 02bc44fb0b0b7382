"""What a lowering finds at its cell: joined inputs, and the errors that name the cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from n2d2py.cells.base import Dims
from n2d2py.errors import IntegerError
from n2d2py.integer.operations import Concatenation, Edge
from n2d2py.integer.site import Site, device_of, integer_step

from .learned import lenet, network
from .networks import edge


def site(name: str, *sources: Edge, text: str = "") -> Site:
    """A cell of the LeNet with other edges before it."""
    learned = network(text or lenet())
    return Site(learned.network[name], learned.layers[name], sources, "Floating-point")


def test_one_source_is_taken_as_it_is() -> None:
    only = edge("bn1", Dims(4, 4, 2), 0, 15, 0.5)
    here = site("conv2", only)
    assert here.source() == (only, only.grid)
    assert here.operations == []


def test_several_sources_are_joined_channel_after_channel() -> None:
    first = replace(edge("a", Dims(2, 3, 2), 0, 15, 0.5), high=np.array([3, 9]))
    here = site("conv2", first, edge("b", Dims(2, 3, 1), -4, 4, 0.5))
    joined, grid = here.source()
    assert (joined.name, joined.dims, grid) == ("conv2:inputs", Dims(2, 3, 3), joined.grid)
    assert (joined.low.tolist(), joined.high.tolist()) == ([0, 0, -4], [3, 9, 4])
    assert (grid.scale, grid.low, grid.high) == (0.5, -4, 15)
    (operation,) = here.operations
    assert isinstance(operation, Concatenation)
    assert (operation.inputs, operation.flat) == (("a", "b"), False)


def test_flattened_sources_may_differ_in_size() -> None:
    here = site("fc1", edge("a", Dims(2, 1, 2), 0, 7), edge("b", Dims(1, 1, 1), 0, 3))
    joined, _ = here.source(flat=True)
    assert joined.dims == Dims(1, 1, 5)
    assert joined.high.tolist() == [7, 7, 7, 7, 3]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (replace(edge("b", Dims(2, 2, 1), 0, 3), grid=None), "its input b holds real values"),
    ],
    ids=["reals"],
)
def test_what_cannot_be_joined_names_the_cell_and_the_inputs(other: Edge, why: str) -> None:
    with pytest.raises(IntegerError, match=f"Conv cell conv2 has no exact integer form: .*{why}") as error:
        site("conv2", edge("a", Dims(2, 2, 1), 0, 3, 0.5), other).source()
    assert error.value.remedy
    assert "conv2" in str(error.value.place)


def test_a_function_that_leaves_the_grid_is_refused() -> None:
    text = lenet().replace("[conv2]\n", "[conv2]\nActivationFunction=Tanh\n")
    here = site("conv2", edge("pool1", Dims(8, 8, 6), 0, 15), text=text)
    assert here.activates
    with pytest.raises(IntegerError, match="its activation function Tanh gives real values and is not quantized"):
        here.activate(edge("conv2:accumulator", here.node.output, -9, 9))


def test_a_rectifier_keeps_the_codes_above_0() -> None:
    text = lenet().replace("[conv2]\n", "[conv2]\nActivationFunction=Rectifier\n")
    here = site("conv2", edge("pool1", Dims(8, 8, 6), 0, 15), text=text)
    result = here.activate(edge("conv2:accumulator", here.node.output, -9, 9, 0.5))
    assert (result.low.max(), result.high.min(), result.grid.low, result.grid.scale) == (0, 9, 0, 0.5)
    assert [operation.words() for operation in here.operations] == ["the larger of the input and 0"]


def test_the_step_of_a_layer_is_asked_in_integers() -> None:
    learned = network(lenet())
    layer = learned.layers["bn1"]
    step = layer.step(learned.layers["conv1"].weight_codes()[1], None)
    accumulators = np.arange(-60, 60).reshape(6, 20)
    codes = integer_step(step, layer.quantizer.grid(), device_of(layer))(accumulators)
    assert codes.dtype == np.int64
    assert np.array_equal(codes, step(torch.from_numpy(accumulators).double()).numpy())
