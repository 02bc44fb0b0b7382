import torch

from n2d2py.quant.scaled import Scaled, shared


def test_codes_are_real_values_times_their_scale():
    codes = torch.tensor([0.0, 1.0, 3.0], requires_grad=True)
    scaled = Scaled(codes, torch.tensor(0.25), 3)
    scaled.real().sum().backward()
    assert scaled.real().tolist() == [0.0, 0.25, 0.75]
    assert codes.grad.tolist() == [0.25, 0.25, 0.25]
    assert Scaled(codes).real() is codes


def test_inputs_share_codes_only_if_their_scales_are_equal():
    x, half, quarter = torch.ones(2), torch.tensor(0.5), torch.tensor(0.25)
    assert shared([Scaled(x, half, 3), Scaled(x, half.clone(), 7)]) == (half, 7)
    assert shared([Scaled(x, half, 3), Scaled(x, quarter, 3)]) is None
    assert shared([Scaled(x, half, 3), Scaled(x)]) is None
    assert shared([Scaled(x), Scaled(x, half, 3)]) is None
