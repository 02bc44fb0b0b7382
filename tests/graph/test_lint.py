"""Each rule of a network, broken on purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from n2d2py.cells.base import Dims
from n2d2py.cells.dropout import Dropout
from n2d2py.cells.softmax import Softmax
from n2d2py.errors import GraphError
from n2d2py.graph.lint import RULES, lint
from n2d2py.graph.network import Network, Node
from n2d2py.parts.activations import Tanh
from n2d2py.parts.quantizers import SatActivations
from n2d2py.parts.targets import Target, TargetROIs, TargetRP, TargetScore
from tests.graph.networks import TINY, network

TINY_NETWORK = network(TINY)
CONV, POOL, FC = TINY_NETWORK.nodes


def broken(*nodes: Node) -> Network:
    return replace(TINY_NETWORK, nodes=nodes)


SOFTMAX = Softmax(name="s", inputs=("env",), nb_outputs=2, with_loss=True)
SOFTMAX_NODE = Node(SOFTMAX, (TINY_NETWORK.stimuli,), TINY_NETWORK.stimuli)

STIMULI = TINY_NETWORK.stimuli


class Referring(Dropout):
    @property
    def refers_to(self) -> tuple[str, ...]:
        return ("last",)


CASES = {
    "every cell has a name of its own": (
        broken(CONV, POOL, POOL, FC),
        "cell last exists twice",
    ),
    "a cell comes after the cells that feed it": (
        broken(POOL, CONV, FC),
        "cell last is computed before its input conv",
    ),
    "dimensions agree along every edge": (
        broken(replace(CONV, output=Dims(5, 5, 4)), POOL, FC),
        "cell conv is said to give 5 5 4, and gives 6 6 4",
    ),
    "at most 68,719,476,736 outputs and as many weights a cell": (
        broken(CONV, POOL, replace(FC, cell=replace(FC.cell, nb_outputs=1 << 35), output=Dims(1, 1, 1 << 35))),
        "cell out has 1,271,310,319,616 weights",
    ),
    "a map is bool (channels, outputs)": (
        broken(CONV, replace(POOL, maps={"conv": np.ones((2, 4), dtype=bool)}), FC),
        "the map of conv on cell last is bool (2, 4), and not bool (4, 4)",
    ),
    "a guarantee of accumulators says of how many bits, at least 2": (
        broken(CONV, POOL, replace(FC, cell=replace(FC.cell, accumulator_guarantee="A2Q"))),
        "QAcc.Guarantee=A2Q of cell out without QAcc.Bits",
    ),
    "a quantized output has an activation": (
        broken(replace(CONV, cell=replace(CONV.cell, activation_quantizer=SatActivations())), POOL, FC),
        "cell conv has QAct and no ActivationFunction",
    ),
    "an integer bias stands before a function of straight lines: Linear, Rectifier, Saturation or Clamp": (
        broken(
            replace(
                CONV, cell=replace(CONV.cell, activation=Tanh(), activation_quantizer=SatActivations(integer_bias=True))
            ),
            POOL,
            FC,
        ),
        "cell conv has QAct.IntegerBias=1 and Tanh before the quantizer",
    ),
    "a cell with a loss is the end of the network": (
        broken(SOFTMAX_NODE, replace(SOFTMAX_NODE, cell=replace(SOFTMAX, name="t", inputs=("s",)))),
        "Softmax s has WithLoss=1 and feeds t",
    ),
    "a cell comes after the cells that it refers to": (
        broken(replace(CONV, cell=Referring(name="conv", inputs=("env",), nb_outputs=2), output=STIMULI)),
        "cell conv refers to last, which does not come before it",
    ),
    "a shared tensor fits and is that of the other cell": (
        replace(TINY_NETWORK, shared={"conv": {"weights": "out"}}),
        "cell conv shares the weights of out: conv is a Conv, out a Fc",
    ),
    "initial values belong to a cell": (
        replace(TINY_NETWORK, initial={"gone": {}}),
        "there are initial values for cell gone, which does not exist",
    ),
    "a target belongs to a cell": (
        replace(TINY_NETWORK, targets=(TargetScore(name="gone.Target", cell="gone"),)),
        "target gone.Target belongs to cell gone, which does not exist",
    ),
    "every target has a name of its own": (
        replace(TINY_NETWORK, targets=TINY_NETWORK.targets * 2),
        "target out.Target exists twice",
    ),
    "a target needs targets and cells that exist": (
        replace(TINY_NETWORK, targets=(TargetScore(name="t", cell="out", mask_label_target="mask.Target"),)),
        "MaskLabelTarget of target t: there is no target mask.Target",
    ),
}


def test_a_good_network_passes() -> None:
    complaints = [complaint for _, rule, _ in RULES for complaint in rule(TINY_NETWORK)]
    assert complaints == []
    lint(TINY_NETWORK)


def test_every_rule_is_tested() -> None:
    assert list(CASES) == [rule for rule, _, _ in RULES]


@pytest.mark.parametrize("rule", CASES)
def test_rule(rule: str) -> None:
    network, text = CASES[rule]
    with pytest.raises(GraphError) as error:
        lint(network)
    assert error.value.what == text
    assert error.value.expected == rule
    assert error.value.remedy


def test_inputs_that_differ_from_what_the_parent_gives() -> None:
    with pytest.raises(GraphError, match="cell last is made for inputs of 5 5 4, and gets 6 6 4"):
        lint(broken(CONV, replace(POOL, inputs=(Dims(5, 5, 4),)), FC))


def test_map_of_a_cell_that_is_no_parent() -> None:
    with pytest.raises(GraphError, match="cell last has a map of out, which does not feed it"):
        lint(broken(CONV, replace(POOL, maps={"out": np.ones((4, 4), dtype=bool)}), FC))


def test_the_place_is_that_of_the_cell() -> None:
    with pytest.raises(GraphError, match=r"net.ini:15, \[last\]"):
        lint(broken(POOL, CONV, FC))


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (TargetScore(name="t", cell="out", mask_label_target="t"), "MaskLabelTarget of target t is the target itself"),
        (TargetROIs(name="t", cell="out", rois_label_target="u"), "ROIsLabelTarget of target t: there is no target u"),
        (TargetRP(name="t", cell="out", proposals="rp"), "RP of target t: there is no cell rp"),
    ],
)
def test_what_a_target_needs(target: Target, text: str) -> None:
    with pytest.raises(GraphError, match=text):
        lint(replace(TINY_NETWORK, targets=(target,)))


@pytest.mark.parametrize(
    ("shared", "text"),
    [
        ({"conv": {"weights": "gone"}}, "weights are shared with cell gone, which does not exist"),
        ({"conv": {"means": "out"}, "out": {"means": "last"}}, "the means of out, which are themselves shared"),
        ({"conv": {"colour": "out"}}, "cell conv shares 'colour', which is no tensor that can be shared"),
    ],
)
def test_what_is_wrong_about_sharing(shared: dict[str, dict[str, str]], text: str) -> None:
    with pytest.raises(GraphError, match=text):
        lint(replace(TINY_NETWORK, shared=shared))
