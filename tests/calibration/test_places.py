"""Which outputs get a quantizer, which are signed, and which share a step."""

from __future__ import annotations

from calibration.networks import CHAIN, HEAD, RECTIFIER, RESIDUAL, conv, fc, learned, norm, pool
from n2d2py.calibration import places
from n2d2py.calibration.preparation import prepared
from n2d2py.graph.network import Network


def graph(text: str) -> Network:
    return prepared(learned(text)).network


def test_a_chain_is_quantized_wherever_values_are_made_but_for_its_end():
    assert places.quantized_outputs(graph(CHAIN)) == ["conv1", "dw2", "pw2", "pool2", "fc1"]


def test_an_addition_and_its_branches_are_quantized():
    network = graph(RESIDUAL)
    assert places.quantized_outputs(network) == ["conv1", "conv2", "add", "left", "right", "joined", "pool"]
    assert places.groups(network, places.quantized_outputs(network)) == [{"left", "right"}]


def test_branches_behind_pools_and_in_chains_of_joints_share_one_step():
    text = (
        HEAD.format(channels=3)
        + conv("a", "env", 4, more=RECTIFIER)
        + conv("b", "env", 4, more=RECTIFIER)
        + conv("c", "env", 4, more=RECTIFIER)
        + pool("pa", "a", 4)
        + pool("pb", "b", 4)
        + conv("j1", "pa,pb", 4, 1, more=RECTIFIER)
        + conv("j2", "b,c", 4, 1, more=RECTIFIER)
        + "[m]\nInput=j1,j1\nType=ElemWise\nOperation=Max\nNbOutputs=4\n"
        + fc("last", "m,j2", 2)
    )
    network = graph(text)
    found = places.groups(network, places.quantized_outputs(network))
    assert found == [{"a", "b", "c"}, {"j1", "j2"}]


def test_the_end_of_a_network_with_a_curved_function_is_quantized():
    network = graph(HEAD.format(channels=3) + fc("last", "env", 2, "Tanh"))
    assert places.quantized_outputs(network) == ["last"]


def test_a_pool_at_the_end_keeps_its_sums():
    text = HEAD.format(channels=3) + conv("a", "env", 4, more=RECTIFIER) + pool("p", "a", 4, "Average", 8)
    assert places.quantized_outputs(graph(text)) == ["a"]


def test_what_is_unsigned():
    network = graph(
        HEAD.format(channels=3)
        + conv("rectified", "env", 4, more=RECTIFIER)
        + conv("linear", "rectified", 4)
        + pool("pooled", "rectified", 4, "Average")
        + conv("twice", "linear", 4, more=RECTIFIER)
        + norm("normal", "twice", 4, "Linear")
        + fc("last", "normal", 2)
    )
    assert places.is_unsigned(network["rectified"], 0.0)
    assert places.is_unsigned(network["pooled"], 0.0)
    assert not places.is_unsigned(network["pooled"], -0.1)
    assert not places.is_unsigned(network["linear"], 0.5)  # another stimulus may bring it below 0
