import torch

from n2d2py.quant.grid import Coded, Grid

from .networks import checked, network, one


def test_probabilities_over_channels():
    x = torch.randn(2, 4, 3, 3)
    layer = one("Type=Softmax\nNbOutputs=4", (3, 3, 4))
    assert torch.equal(layer(x), x.softmax(1))


def test_groups():
    x = torch.randn(2, 4, 3, 3)
    y = one("Type=Softmax\nNbOutputs=4\nGroupSize=2", (3, 3, 4))(x)
    assert torch.equal(y, torch.cat([x[:, :2].softmax(1), x[:, 2:].softmax(1)], 1))


def test_with_loss_the_error_passes_unchanged():
    made = network("[c]\nType=Softmax\nInput=env\nNbOutputs=4\nWithLoss=1\n[c.Target]\n", (1, 1, 4))
    made.layers["c"].gives_logits = False
    assert made.loss_form("c") == "square"
    x = torch.randn(2, 4, 1, 1, requires_grad=True)
    error = torch.randn(2, 4, 1, 1)
    y = made(x)["c"]
    assert torch.equal(y, x.softmax(1))
    y.backward(error)
    assert torch.equal(x.grad, error)


def test_a_target_right_on_it_learns_from_logits():
    made = network("[c]\nType=Softmax\nInput=env\nNbOutputs=4\nWithLoss=1\n[c.Target]\n", (1, 1, 4))
    x = torch.randn(2, 4, 1, 1)
    assert made.loss_form("c") == "cross-entropy"
    assert torch.equal(made.train()(x)["c"], x)
    assert torch.equal(made.eval()(x)["c"], x.softmax(1))


def test_both_forms_have_one_gradient():
    section = "[c]\nType=Softmax\nInput=env\nNbOutputs=4\nWithLoss=1\n[c.Target]\n"
    x = torch.randn(3, 4, 1, 1)
    labels = torch.tensor([0, 3, 1])
    left, right = x.clone().requires_grad_(), x.clone().requires_grad_()
    logits = network(section, (1, 1, 4))(left)["c"].flatten(1)
    torch.nn.functional.cross_entropy(logits, labels, reduction="sum").backward()
    passing = network(section, (1, 1, 4))
    passing.layers["c"].gives_logits = False
    outputs = passing(right)["c"].flatten(1)
    (0.5 * (outputs - torch.eye(4)[labels]).square().sum()).backward()
    assert torch.allclose(left.grad, right.grad, atol=1e-6)


def test_without_loss_the_jacobian_is_applied():
    made = network("[c]\nType=Softmax\nInput=env\nNbOutputs=4\n[c.Target]\n", (1, 1, 4))
    assert made.loss_form("c") == "square"
    assert torch.allclose(made(torch.randn(2, 4, 1, 1))["c"].sum(1), torch.ones(2, 1, 1))


def test_codes_are_divided_by_their_true_scale():
    layer = one("Type=Softmax\nNbOutputs=3", (1, 1, 3))
    codes = torch.tensor([[[[100.0]], [[200.0]], [[50.0]]]])
    expected = torch.softmax(codes.double() * 0.01, 1).float()
    assert torch.equal(layer.evaluate(Coded(codes, Grid(0.01, 0, 200))).values, expected)


def test_the_output_can_be_quantized():
    section = "[c]\nType=Softmax\nInput=env\nNbOutputs=4\nWithLoss=1\nActivationFunction=Linear\nQAct=SAT\n"
    made = network(section + "QAct.Alpha=1\nQAct.Range=15\n[c.Target]\n", (1, 1, 4))
    assert made.loss_form("c") == "square"
    x = torch.randn(2, 4, 1, 1)
    steps = torch.round(x.softmax(1) * 15) / 15
    assert torch.allclose(made(x)["c"], steps)
    assert made.evaluate(Coded(x))["c"].grid == Grid(1 / 15, 0, 15)
    assert [item.name for _, item in made.learned()] == ["QAct_SAT_Alpha"]


def test_groups_of_pixels_have_the_gradient_of_each_group():
    layer = one("Type=Softmax\nNbOutputs=6\nGroupSize=2", (3, 3, 6))
    checked(layer, (2, 6, 3, 3), reference=lambda x: torch.cat([part.softmax(1) for part in x.split(2, 1)], 1))
