"""What only moves values leaves codes as they are, and its inputs too."""

import torch

from n2d2py.quant.grid import Coded, Grid

from .networks import network, one

SHAPE = (2, 4, 8, 8)


def test_the_parents_values_are_not_written_into():
    plain = ("Type=Reshape\nDims=0 0 0\nNbOutputs=4\n", "Type=Transpose\nPerm=0 1 2 3\nNbOutputs=4\n")
    for section in (*plain, "Type=Padding\nNbOutputs=4\n"):
        layer = one(section + "ActivationFunction=Rectifier", (8, 8, 4))
        x = torch.randn(SHAPE)
        before = x.clone()
        assert torch.equal(layer(x), before.relu())
        assert torch.equal(x, before)


def test_codes_go_through_in_integer_mode():
    made = network(
        "[a]\nType=Activation\nInput=env\nNbOutputs=2\nActivationFunction=Rectifier\nQAct=SAT\n"
        "[p]\nType=Padding\nInput=a\nNbOutputs=2\nTopPadding=1\nBottomPadding=1\n"
        "[r]\nType=Reshape\nInput=p\nNbOutputs=4\nDims=4 0 -1\n"
        "[m]\nType=ElemWise\nInput=r\nNbOutputs=4\nOperation=Max\n"
        "[z]\nType=Resize\nInput=m\nNbOutputs=4\nOutputWidth=6\nOutputHeight=6\nMode=NearestNeighbor\n"
        "[c]\nType=Conv\nInput=z\nKernelSize=3\nNbOutputs=3\nQWeight=SAT\nQWeight.Mode=Integer\n"
    )
    assert made.layers["a"].splits
    assert made.carries_codes
    made.train()
    y = made(torch.rand(2, 2, 8, 8))["c"]
    y.square().sum().backward()
    assert torch.isfinite(made.layers["c"].weights.grad).all()
    results = made.evaluate(Coded(torch.randint(0, 256, (2, 2, 8, 8)).float(), Grid(1 / 255, 0, 255)))
    assert results["z"].grid == results["a"].grid
    assert results["c"].grid is not None
