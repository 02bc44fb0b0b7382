"""Networks, or cells by pattern, without quantizers."""

import pytest

from n2d2py import ini
from n2d2py.errors import GraphError
from n2d2py.graph.build import build
from n2d2py.graph.floating import without_quantizers
from n2d2py.parts.activations import Linear, Rectifier

LAYER = """
[{name}]
Type=Fc
Input={input}
NbOutputs=3
QWeight=LSQ
QAcc.Bits=16
ActivationFunction={function}
{quantizer}
"""


def network(function="Linear", quantizer="QAct=SAT"):
    layers = [LAYER.format(name=f"fc{i}", input=f"fc{i - 1}" if i else "env", function=function, quantizer=quantizer)
              for i in range(3)]  # fmt: skip
    return build(ini.loads("[env]\nSizeX=4\nSizeY=1\n" + "".join(layers)), "net.ini")


def quantized(graph):
    return [node.name for node in graph if node.cell.weights_quantizer is not None]


def test_the_whole_network():
    graph = without_quantizers(network())
    assert quantized(graph) == []
    assert all(node.cell.activation_quantizer is None for node in graph)
    assert all(node.cell.accumulator_bits == 0 for node in graph)


def test_first_and_last_layer():
    assert quantized(without_quantizers(network(), only=("fc0", "fc2"))) == ["fc1"]
    assert quantized(without_quantizers(network(), exclude=("fc1",))) == ["fc1"]


@pytest.mark.parametrize(
    ("function", "quantizer", "expected"),
    [
        ("Linear", "QAct=SAT", Rectifier()),
        ("Linear", "QAct=LSQ", Rectifier()),
        ("Linear", "QAct=LSQ\nQAct.Signed=1", Linear()),
        ("Linear", "QAct=LSQ\nQAct.Offset=1", Linear()),
        ("Linear", "QAct=Binary", Linear()),
        ("Linear", "", Linear()),
        ("Rectifier", "QAct=SAT", Rectifier()),
    ],
)
def test_a_quantizer_that_rectifies_leaves_a_rectifier(function, quantizer, expected):
    graph = without_quantizers(network(function, quantizer))
    assert {type(node.cell.activation) for node in graph} == {type(expected)}


def test_the_network_itself_stays_as_it_is():
    graph = network()
    without_quantizers(graph)
    assert quantized(graph) == ["fc0", "fc1", "fc2"]


def test_a_pattern_without_a_cell():
    with pytest.raises(GraphError, match="no cell is called 'fcc1'") as error:
        without_quantizers(network(), only=("fcc1",))
    assert "did you mean fc1?" in str(error.value)
