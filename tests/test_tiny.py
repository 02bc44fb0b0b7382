"""The smallest thing of each kind, in the order in which a run makes them. Begin to read here."""

import torch

from n2d2py import ini, parameters
from n2d2py.cells.fc import Fc
from n2d2py.graph.build import build
from n2d2py.integer.lower import lower
from n2d2py.integer.verify import verify
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Coded, Grid

SECTION = """
[fc]
Type=Fc
Input=env
NbOutputs=2
"""

NETWORK = """
[env]
SizeX=2
SizeY=2
BatchSize=1

[fc]
Type=Fc
Input=env
NbOutputs=2
NoBias=1
QWeight=SAT
QWeight.Range=15
ActivationFunction=Linear
QAct=SAT
QAct.Range=15

[fc.Target]
"""


def network():
    """Four pixels, two outputs, 4 bits everywhere."""
    return TorchNetwork(build(ini.loads(NETWORK, file="tiny.ini"), "tiny.ini"))


def test_a_section_is_keys_and_values():
    document = ini.loads(SECTION, file="tiny.ini")
    assert document.value("fc", "NbOutputs").text == "2"
    assert str(document.value("fc", "NbOutputs").place) == "tiny.ini:5, [fc], NbOutputs"


def test_a_cell_is_a_record_of_typed_parameters():
    cell = parameters.read(Fc, ini.loads(SECTION).scope("fc"), name="fc", inputs=("env",))
    assert cell.nb_outputs == 2
    assert not cell.no_bias  # a default


def test_a_graph_is_cells_in_order_with_dimensions():
    graph = build(ini.loads(NETWORK), "tiny.ini")
    assert [node.name for node in graph] == ["fc"]
    assert graph["fc"].inputs == ((2, 2, 1, 1),)  # width, height, channels, depth
    assert graph["fc"].output == (1, 1, 2, 1)
    assert graph.cost.synapses == 8


def test_a_layer_computes_with_quantized_weights():
    layer = network().layers["fc"]
    with torch.no_grad():
        layer.weights.copy_(torch.tensor([[0.0, 0.1, -0.2, 0.3], [0.0, 0.0, 0.0, 0.0]]))
    codes, grid = layer.weight_codes()
    assert grid == Grid(scale=1 / 15, low=-15, high=15, step=2)
    assert codes.tolist() == [[1, 5, -11, 15], [1, 1, 1, 1]]  # there is no 0 on a grid of even steps


def test_a_learning_step_makes_the_error_smaller():
    learning = network()
    learning.fill(1)
    pixels, wanted = torch.ones(1, 1, 2, 2), torch.tensor([4.0, 0.0]).view(1, 2, 1, 1)

    def error():
        return 0.5 * (learning(pixels)["fc"] - wanted).square().sum()

    before = error()
    before.backward()
    weights = learning.layers["fc"].weights
    with torch.no_grad():
        weights -= 0.1 * weights.grad  # straight through the rounding
    assert error() < before


def test_a_quantized_layer_becomes_integers_with_no_differing_code():
    learned = network()
    learned.fill(1)
    pixels = Grid(scale=1 / 255, low=0, high=255)
    integer = lower(learned, pixels)
    assert integer.exact  # proved for every accumulator that can occur

    class Images:
        codes = Coded(torch.tensor([[0.0, 17.0, 200.0, 255.0]]).view(1, 1, 2, 2), pixels)
        inputs = codes.real().float()

    found = verify(learned, integer, [Images])
    assert (found.differing, found.differing_labels) == (0, 0)
