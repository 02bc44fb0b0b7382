"""The compatibility table: what the manual ticks is ticked, and every tick is a network that was tried."""

from __future__ import annotations

import pytest
import torch

from n2d2py.explain import listing

from . import blocks
from .learned import network
from .test_blocks import checked

# Of the manual: weights that learn quantized, quantized activations, integer core; "-" is an empty field.
MANUAL = """
Activation - yes yes
Anchor - yes no
BatchNorm yes yes yes
Conv yes yes yes
Deconv yes yes yes
ElemWise - yes yes
Fc yes yes yes
FMP - yes no
LRN no no no
LSTM no no no
ObjectDet - yes no
Padding - yes yes
Pool - yes yes
Proposal - yes no
Reshape - yes yes
Resize - yes yes
ROIPooling - yes no
RP - yes no
Scaling - yes yes
Softmax - yes no
Threshold - yes yes
Transformation - yes no
Transpose - yes yes
Unpool - yes no
"""

WEIGHTS = ("QWeight=SAT", "QWeight.Range=15")
ALONE = "Mapping.Size=1"
CELLS: dict[str, tuple[str, ...]] = {
    "Activation": (),
    "BatchNorm": (),
    "Conv": ("KernelSize=3", *WEIGHTS),
    "Deconv": ("KernelSize=3", "Stride=2", *WEIGHTS),
    "Dropout": (),
    "ElemWise": ("Operation=AbsSum", "Weights=0.5"),
    "FMP": ("ScalingRatio=1.5", ALONE),
    "Fc": WEIGHTS,
    "Padding": ("TopPadding=1", "LeftPadding=-1"),
    "Pool": ("Pooling=Average", "PoolSize=2", ALONE),
    "Reshape": ("Dims=16 4 -1",),
    "Resize": ("OutputWidth=5", "OutputHeight=6", "Mode=BilinearTF"),
    "Scaling": ("Factor=0.7",),
    "TargetBias": ("Bias=-0.2",),
    "Threshold": ("Threshold=0.25", "Operation=ToZero"),
    "Transpose": ("Perm=1 0 2 3",),
    "Unpool": ("PoolSize=2", "Stride=2", "ArgMax=pool", ALONE),
}
"""The cells of the integer network, as they stand behind a convolution with codes of its own."""

ELSEWHERE = {"GRU", "LSTM"}
"""Cells of sequences, whose tests are their own."""
WITHOUT_QUANTIZER = {"Dropout", "TargetBias"}


def rows() -> dict[str, list[str]]:
    lines = [line.split()[:4] for line in listing("cells")[2:] if line]
    return {line[0]: [word.rstrip("*") for word in line[1:]] for line in lines if line[1:2] and len(line) == 4}


def text(name: str, *more: str) -> str:
    made = blocks.Text()
    source = made.conv("c0", "sp", 4, blocks.RECTIFIED)
    if name == "Unpool":
        source = made.cell("pool", "Pool", "c0", 4, "Pooling=Max", "PoolSize=2", "Stride=2", ALONE)
    if name == "Activation" and not more:
        more = ("ActivationFunction=Rectifier",)
    made.cell("cell", name, source, 4, *CELLS[name], *more)
    return made.end("cell")


def test_every_tick_of_the_manual_is_one() -> None:
    table = rows()
    for line in MANUAL.split("\n"):
        if line:
            name, *words = line.split()
            for column, wanted, given in zip(("QWeight", "QAct", "Integer"), words, table[name], strict=True):
                assert given == "yes" or wanted != "yes", f"{name}: {column}"


def test_no_tick_is_left_out() -> None:
    ticked = {name for name, words in rows().items() if words[2] == "yes"}
    assert ticked - ELSEWHERE == set(CELLS)
    assert {name for name in CELLS if rows()[name][1] != "yes"} == WITHOUT_QUANTIZER


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_of_the_integer_network_has_the_codes_of_the_learned_one(name: str) -> None:
    integer = checked(text(name), 5)
    assert integer.islands == ["softmax"]
    assert integer.edges["cell"].grid is not None


@pytest.mark.parametrize("name", sorted(set(CELLS) - WITHOUT_QUANTIZER))
def test_a_quantized_output_is_one_of_its_levels(name: str) -> None:
    integer = checked(text(name, blocks.LINEAR), 6)
    grid = integer.edges["cell"].grid
    assert grid is not None
    assert (grid.low, grid.high) == (0, 15)


@pytest.mark.parametrize("name", ["Conv", "Deconv", "Fc"])
def test_quantized_weights_learn_and_are_of_few_levels(name: str) -> None:
    made = network(text(name)).train()
    x = torch.rand(2, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    made(x)["softmax"].square().sum().backward()
    layer = made.layers["cell"]
    gradients = [item.tensor.grad for item in layer.learned() if item.name == "weights"]
    assert all(gradient is not None and bool(gradient.any()) for gradient in gradients)
    assert gradients
    made.eval()
    operation = next(item for item in checked(text(name), 5) if item.cell == "cell" and hasattr(item, "weights"))
    assert len(set(operation.weights.ravel().tolist())) <= 16


FUNCTIONS = {
    "Clamp": ("ActivationFunction.Low=-0.3", "ActivationFunction.High=1.7"),
    "HardSigmoid": (),
    "Saturation": ("ActivationFunction.Threshold=0.7",),
    "Rectifier": ("ActivationFunction.LeakSlope=0.1", "ActivationFunction.Clipping=2"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("quantized", [False, True])
def test_functions_of_straight_pieces_keep_integers(name: str, quantized: bool) -> None:
    made = blocks.Text()
    made.conv("c0", "sp", 4, blocks.RECTIFIED)
    quantizer = ("QAct=SAT", "QAct.Range=15") if quantized else ()
    made.conv("cell", "c0", 4, f"ActivationFunction={name}", *FUNCTIONS[name], *quantizer)
    assert checked(made.end("cell"), 7).islands == ["softmax"]


@pytest.mark.parametrize("name", ["Celu", "Elu", "Gelu", "HardSwish", "Mish", "Selu", "Softplus", "Softsign", "Swish"])
def test_other_functions_keep_them_with_a_quantizer(name: str) -> None:
    made = blocks.Text()
    made.conv("c0", "sp", 4, blocks.RECTIFIED)
    made.conv("cell", "c0", 4, f"ActivationFunction={name}", "QAct=SAT", "QAct.Range=15")
    assert checked(made.end("cell"), 8).islands == ["softmax"]
