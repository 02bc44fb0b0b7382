import numpy as np
import torch

from n2d2py import data
from n2d2py.quant.grid import Coded, Grid

from .networks import network, one, pixels

ROOMS = (data,)
RESCALE = "Type=Transformation\nNbOutputs=2\nTransformation=Rescale\nWidth=4\nHeight=6\n"


def test_each_image_is_transformed():
    import cv2

    layer = one(RESCALE)
    x = torch.randn(3, 2, 8, 8)
    expected = np.stack([cv2.resize(image.transpose(1, 2, 0), (4, 6)).transpose(2, 0, 1) for image in x.numpy()])
    assert torch.allclose(layer(x), torch.from_numpy(expected), atol=1e-6)
    coded = pixels()
    assert layer.evaluate(coded).grid is None
    assert torch.equal(layer.evaluate(coded).values, layer(coded.real()))


def test_no_gradient_comes_back():
    made = network(f"[conv]\nType=Conv\nInput=env\nKernelSize=1\nNbOutputs=2\n[c]\nInput=conv\n{RESCALE}")
    assert not made(torch.randn(2, 2, 8, 8))["c"].requires_grad


def test_the_output_can_be_quantized():
    layer = one(RESCALE + "ActivationFunction=Linear\nQAct=SAT\nQAct.Range=15")
    assert layer.evaluate(Coded(torch.randn(2, 2, 8, 8))).grid == Grid(8 / 15, 0, 15)
