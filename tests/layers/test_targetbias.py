import torch

from n2d2py.layers.targetbias import of_labels

from .networks import codes, network, one, same_in_evaluation

BIAS = "Type=TargetBias\nNbOutputs=4\nBias={}\n"


def test_labels_of_stimuli_and_of_pixels():
    x = torch.zeros(3, 4, 1, 2)
    stimuli = of_labels(torch.tensor([2, -1, 0]), x)
    assert stimuli.expand_as(x).nonzero().tolist() == [[0, 2, 0, 0], [0, 2, 0, 1], [2, 0, 0, 0], [2, 0, 0, 1]]
    pixels = of_labels(torch.tensor([[[2, -1]], [[-1, -1]], [[0, 1]]]), x)
    assert pixels.nonzero().tolist() == [[0, 2, 0, 0], [2, 0, 0, 0], [2, 1, 0, 1]]


def test_only_the_label_above_minus_the_bias():
    layer = one(BIAS.format(-0.5), (1, 1, 4)).train()
    layer.labels = lambda output: torch.tensor([1, 1, -1])
    x = torch.tensor([[0.0, 0.75, 2.0, 3.0], [0.0, 0.5, 2.0, 3.0], [1.0, 1.0, 1.0, 1.0]])[:, :, None, None]
    x.requires_grad_()
    y = layer(x)
    assert y[:, :, 0, 0].tolist() == [[0.0, 0.25, 2.0, 3.0], [0.0, 0.5, 2.0, 3.0], [1.0] * 4]
    share = torch.randn(3, 4, 1, 1)
    y.backward(share)
    assert torch.equal(x.grad, share)


def test_nothing_happens_in_test_or_without_labels():
    layer = one(BIAS.format(5), (1, 1, 4))
    x = torch.randn(3, 4, 1, 1)
    assert torch.equal(layer.train()(x), x)
    layer.labels = lambda output: torch.zeros(3, dtype=torch.int64)
    assert not torch.equal(layer(x), x)
    assert torch.equal(layer.eval()(x), x)
    coded = codes((3, 4, 1, 1), 0, 15)
    assert same_in_evaluation(layer, coded).grid == coded.grid


def test_the_network_hands_labels_on():
    made = network(f"[fc]\nType=Fc\nInput=env\nNbOutputs=4\n[c]\nInput=fc\n{BIAS.format(5)}")
    x = torch.randn(2, 2, 8, 8)
    made.train()
    plain = made(x)["c"].detach()
    asked = []
    made.labels = lambda output: asked.append(tuple(output.shape)) or torch.tensor([3, 0])
    raised = made(x)["c"].detach()
    assert asked == [(2, 4, 1, 1)]
    assert torch.allclose((raised - plain)[:, :, 0, 0], torch.tensor([[0.0, 0, 0, 5], [5, 0, 0, 0]]), atol=1e-5)
