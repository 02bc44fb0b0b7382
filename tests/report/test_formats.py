"""Fixed-point formats and widths of accumulators, as tables."""

import pytest
import torch

from n2d2py import ini
from n2d2py.graph.build import build
from n2d2py.layers.accumulators import Accumulator
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Grid
from n2d2py.report.formats import Format, formats, print_accumulators, print_formats

NETWORK = """
[env]
SizeX=2
SizeY=1

[fc]
Type=Fc
Input=env
NbOutputs=2
QWeight=FixedPoint
ActivationFunction=Rectifier
QAct=FixedPoint
QAct.Range=15
"""


@pytest.mark.parametrize(
    ("grid", "name"),
    [
        (Grid(1 / 128, -127, 127), "Q1.7"),
        (Grid(1 / 128, -128, 127), "Q1.7"),
        (Grid(1 / 256, 0, 255), "UQ0.8"),
        (Grid(2.0, -8, 7), "Q5.-1"),
        (Grid(0.3, 0, 255), ""),
    ],
)
def test_names(grid, name):
    assert Format("c", "weights", grid).name == name


def network():
    made = TorchNetwork(build(ini.loads(NETWORK), "net.ini"))
    with torch.no_grad():
        made.layers["fc"].weights.copy_(torch.tensor([[0.5, 0.9], [-0.1, 0.0]]))
    return made


def test_formats_of_a_network(caplog):
    caplog.set_level("INFO", logger="n2d2py")
    made = network()
    assert formats(made) == [Format("fc", "weights", Grid(1 / 128, -127, 127))]
    made.train()
    made(torch.tensor([1.0, 1.0]).view(1, 1, 1, 2))
    assert [(item.tensor, item.name) for item in formats(made)] == [("weights", "Q1.7"), ("output", "UQ1.3")]
    caplog.clear()
    print_formats(formats(made))
    assert caplog.messages[0] == "Fixed-point formats:"
    assert caplog.messages[3].split() == ["fc", "weights", "8", "0.0078125", "Q1.7"]


def test_nothing_is_printed_of_other_scales(caplog):
    caplog.set_level("INFO", logger="n2d2py")
    print_formats([Format("c", "weights", Grid(0.3, 0, 3))])
    print_accumulators([Accumulator("c", 1, 1, -1, 1)])
    assert caplog.messages == []


def test_the_proof_of_accumulators(caplog):
    caplog.set_level("INFO", logger="n2d2py")
    print_accumulators([Accumulator("c", 7, 15, -15, 90, 16)])
    words = caplog.messages[-1].split()
    assert words == ["c", "16", "8", "-15", "90", *"7 x 15 = 105 <= 32767".split()]
