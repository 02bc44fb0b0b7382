"""Networks whose BatchNorm cells were absorbed give the same outputs but for the rounding of float32."""

import pytest
import torch

from n2d2py.layers.fusion import absorb_batchnorm

from .networks import network, pixels, randomize

CELLS = """
[conv]
Type=Conv
Input=env
KernelSize=3
NbOutputs=4
{conv}
[bn]
Type=BatchNorm
Input=conv
NbOutputs=4
ActivationFunction=Rectifier
[fc]
Type=Fc
Input=bn
NbOutputs=5
{fc}
[bn2]
Type=BatchNorm
Input=fc
NbOutputs=5
[out]
Type=Fc
Input=bn2
NbOutputs=3
{out}
[out.Target]
"""

CLAMP = "QWeight=SAT\nQWeight.ApplyQuantization=0"


@pytest.mark.parametrize(
    ("conv", "fc", "out"),
    [
        ("NoBias=1", "NoBias=1", ""),
        ("", "", ""),
        ("Mapping.NbGroups=2", "", ""),
        ("Mapping(env)=1 1 0 0\\\n 0 1 1 1", "", ""),
        ("", "Normalize=1", ""),
        (CLAMP, f"{CLAMP}\nQWeight.ApplyScaling=1", f"{CLAMP}\nQWeight.ApplyScaling=1"),
        (f"{CLAMP}\nQWeight.Mode=Asymmetric\nMapping(env)=1 1 0 0\\\n 0 1 1 1", "", ""),
    ],
    ids=["no bias", "bias", "groups", "map", "normalized", "clamped", "clamped, map"],
)
def test_fused_outputs_are_the_same(conv, fc, out):
    made = randomize(network(CELLS.format(conv=conv, fc=fc, out=out))).eval()
    fused = absorb_batchnorm(made)
    assert list(fused.layers) == ["conv", "fc", "out"]
    with torch.no_grad():
        x = pixels().real().float()
        wanted, given = made(x)["out"], fused(x)["out"]
    assert float(wanted.abs().max()) > 0.1
    assert torch.allclose(given, wanted, rtol=1e-4, atol=1e-5)


def test_a_channel_of_scale_zero_gives_its_bias():
    made = randomize(network(CELLS.format(conv="", fc="", out=""))).eval()  # the first scale of each BatchNorm is 0
    fused = absorb_batchnorm(made)
    assert not fused.layers["conv"].weights[0].any()
    assert torch.equal(fused.layers["conv"].biases[0], made.layers["bn"].biases[0])


def test_the_learned_network_stays_as_it_was():
    made = randomize(network(CELLS.format(conv=CLAMP, fc="Normalize=1", out=""))).eval()
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    absorb_batchnorm(made)
    assert all(torch.equal(tensor, before[name]) for name, tensor in made.state_dict().items())
