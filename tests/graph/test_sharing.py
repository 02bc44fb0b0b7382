"""Tensors of other cells: which cell has them in the end, and what cannot be shared."""

from __future__ import annotations

import pytest

from n2d2py.errors import GraphError
from n2d2py.graph.fusing import without_batchnorm

from .networks import HEAD, network

CONV = "Type=Conv\nKernelSize=3\nPadding=1\nNbOutputs=2\n"
NORM = "Type=BatchNorm\nNbOutputs=2\n"
TWINS = HEAD + (
    f"[a]\nInput=sp\n{CONV}[b]\nInput=a\n{CONV}WeightsSharing=a\nBiasesSharing=a\n"
    f"[c]\nInput=b\n{CONV}WeightsSharing=b[0]\n"
    f"[bn1]\nInput=c\n{NORM}[bn2]\nInput=bn1\n{NORM}ScalesSharing=bn1\nMeansSharing=bn1\nVariancesSharing=bn1\n"
)


def test_the_owner_is_at_the_end_of_the_chain() -> None:
    assert network(TWINS).shared == {
        "b": {"weights": "a", "biases": "a"},
        "c": {"weights": "a"},
        "bn2": {"scales": "bn1", "means": "bn1", "variances": "bn1"},
    }


def test_a_later_cell_may_be_the_owner() -> None:
    text = HEAD + f"[a]\nInput=sp\n{CONV}WeightsSharing=b\n[b]\nInput=a\n{CONV}"
    assert network(text).shared == {"a": {"weights": "b"}}


def test_all_groups_from_one_cell() -> None:
    pair = "[{0}]\nInput=sp,x\n" + CONV
    text = HEAD + f"[x]\nInput=sp\n{CONV}" + pair.format("a") + pair.format("b") + "WeightsSharing=a,a[1]\n"
    assert network(text).shared == {"b": {"weights": "a"}}
    assert network(text.replace("a,a[1]", ",")).shared == {}


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ("a", "shares only some groups of weights"),
        ("a,", "shares only some groups of weights"),
        ("a[1],a[0]", "shares only some groups of weights"),
        ("a,x[0]", "groups of several cells"),
        ("a,a,a", "has 3 items(.|\n)*one for each of its inputs: 2"),
        ("a,a[2]", r"cell a has no group 2 of weights(.|\n)*a group below 2"),
        ("a,x", "cell x has no group 1 of weights"),
    ],
)
def test_groups_that_cannot_be_shared(items: str, words: str) -> None:
    pair = "[{0}]\nInput=sp,x\n" + CONV
    text = HEAD + f"[x]\nInput=sp\n{CONV}" + pair.format("a") + pair.format("b") + f"WeightsSharing={items}\n"
    with pytest.raises(GraphError, match=words) as error:
        network(text)
    assert "[b], WeightsSharing" in str(error.value)


@pytest.mark.parametrize(
    ("changed", "line", "words"),
    [
        ("", "WeightsSharing=aa", "WeightsSharing of cell b: there is no cell aa(.|\n)*did you mean a"),
        ("", "BiasesSharing=fc", "BiasesSharing of cell b: b is a Conv, fc a Fc"),
        ("KernelSize=3>KernelSize=5", "WeightsSharing=a", "the kernels are 3x3 and 5x5"),
        ("NbOutputs=2>NbOutputs=3", "WeightsSharing=a", "b has 2 outputs, a 3"),
        ("NbOutputs=2>NbOutputs=2\nMapping.Size=1", "WeightsSharing=a", "their connection maps differ"),
        ("NbOutputs=2>NbOutputs=2\nNoBias=1", "BiasesSharing=a", "a has no biases"),
    ],
)
def test_tensors_that_do_not_fit(changed: str, line: str, words: str) -> None:
    before, _, after = changed.partition(">")
    first = CONV.replace(before, after) if changed else CONV
    text = HEAD + f"[a]\nInput=sp\n{first}[b]\nInput=sp\n{CONV}{line}\n[fc]\nInput=b\nType=Fc\nNbOutputs=2\n"
    with pytest.raises(GraphError, match=words) as error:
        network(text)
    assert "net.ini:" in str(error.value)


def test_inputs_that_differ() -> None:
    text = HEAD + f"[a]\nInput=sp,x\n{CONV}[x]\nInput=sp\n{CONV}[b]\nInput=sp\n{CONV}WeightsSharing=a\n"
    with pytest.raises(GraphError, match=r"the inputs have 2 and 2\+2 channels"):
        network(text)


def test_sharing_in_a_circle() -> None:
    text = HEAD + "".join(
        f"[{name}]\nInput=sp\n{CONV}BiasesSharing={other}\n" for name, other in (("a", "b"), ("b", "c"), ("c", "b"))
    )
    with pytest.raises(GraphError, match="share their biases in a circle: b -> c -> b"):
        network(text)


def test_a_fused_network_shares_nothing() -> None:
    text = TWINS.replace("[bn1]\nInput=c", "[bn1]\nInput=c\nActivationFunction=Rectifier")
    fused, absorbed = without_batchnorm(network(text))
    assert absorbed == {"bn1": "c"}
    assert fused.shared == {}
