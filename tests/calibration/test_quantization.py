"""The quantized network: its steps, its levels, how near it is to the float one, and its integer network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from integer.learned import IMAGES

from calibration.networks import CHAIN, HEAD, LINEAR, RESIDUAL, Batch, batches, conv, fc, learned, norm
from n2d2py.calibration import clipping, places, statistics
from n2d2py.calibration.equalization import equalize
from n2d2py.calibration.histogram import of_values
from n2d2py.calibration.preparation import prepared
from n2d2py.calibration.quantization import Calibrated, Choices, quantized
from n2d2py.integer.lower import lower
from n2d2py.integer.verify import verify
from n2d2py.layers.network import TorchNetwork
from n2d2py.parts.activations import Linear, Rectifier
from n2d2py.quant.grid import Coded


def calibrated(text: str, seed: int = 0, **choices: object) -> tuple[TorchNetwork, Calibrated]:
    plain = prepared(learned(text, seed))
    equalize(plain)
    seen = statistics.collect(plain, places.quantized_outputs(plain.network), batches(plain), 12, "Test")
    return plain, quantized(plain, seen, Choices(**choices))  # type: ignore[arg-type]


def noise(plain: TorchNetwork, made: TorchNetwork, cell: str, found: str = "") -> float:
    """Error of the outputs of a cell beside the outputs: a ratio of powers."""
    batch = Batch(plain, 16, 99)
    real = plain.evaluate(Coded(batch.inputs), [cell])[cell].exact()
    near = made.evaluate(batch.codes, [found or cell])[found or cell].exact()
    return float((real - near).square().sum() / real.square().sum())


@pytest.mark.parametrize("text", [CHAIN, RESIDUAL])
@pytest.mark.parametrize("per_output", [False, True])
def test_the_noise_falls_with_the_bits(text, per_output):
    last = "fc2" if text is CHAIN else "fc"
    found = [noise(*_pair(text, bits, per_output), last) for bits in (4, 6, 8)]
    assert found[0] > 4 * found[1] > 16 * found[2]
    assert found[2] < 2e-3


def _pair(text: str, bits: int, per_output: bool) -> tuple[TorchNetwork, TorchNetwork]:
    plain, result = calibrated(text, bits=bits, per_output=per_output, activations="None")
    return plain, result.network


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("per_output", [False, True])
@pytest.mark.parametrize("signed_only", [False, True])
@pytest.mark.parametrize("text", [CHAIN, RESIDUAL])
def test_the_integer_network_has_the_same_codes(text, bits, per_output, signed_only):
    _, result = calibrated(text, bits=bits, per_output=per_output, signed_only=signed_only)
    integer = lower(result.network, IMAGES)
    assert integer.exact
    verification = verify(result.network, integer, batches(result.network))
    assert verification.all_equal, verification.lines()


def test_levels_and_steps_are_those_of_the_choices():
    plain, result = calibrated(CHAIN, bits=6, weights="None", activations="None")
    for name, highest in (("conv1", 63), ("fc1", 63)):
        layer = result.network.layers[name]
        codes, grid = layer.weight_codes()
        assert (grid.low, grid.high) == (-31, 31)
        assert int(codes.abs().max()) == 31
        largest = float(plain.layers[name].weights.detach().abs().max())
        assert grid.scale == pytest.approx(largest / 31, rel=1e-6)
        output = layer.quantizer.grid()
        assert (output.low, output.high) == (0, highest)
    assert result.network.layers["fc2"].quantizer is None


def test_signed_outputs_have_codes_below_0():
    _, result = calibrated(RESIDUAL, bits=8)
    assert (result.network.layers["conv2"].quantizer.grid().low, result.network.layers["add"].quantizer.grid().low) == (
        -128,
        0,
    )
    _, result = calibrated(RESIDUAL, bits=8, signed_only=True)
    assert result.network.layers["add"].quantizer.grid().low == -128


def test_joined_branches_have_one_step():
    _, result = calibrated(RESIDUAL, bits=8)
    left, right = (result.network.layers[name].quantizer.grid() for name in ("left", "right"))
    assert left == right


@pytest.mark.parametrize("mode", clipping.ACTIVATION_MODES)
def test_outputs_are_clipped_as_the_mode_says(mode):
    plain = prepared(learned(CHAIN))
    seen = statistics.collect(plain, places.quantized_outputs(plain.network), batches(plain), 12, "Test")
    result = quantized(plain, seen, Choices(bits=5, activations=mode, quantile=0.9))
    for item in result.ranges:
        if item.threshold is not None:
            expected = clipping.clip(mode, seen.outputs[item.cell], 31, 0.9)
            assert item.threshold == pytest.approx(expected, rel=1e-6)
            assert item.clipped == seen.outputs[item.cell].beyond(item.threshold)


@pytest.mark.parametrize("mode", clipping.WEIGHT_MODES)
@pytest.mark.parametrize("per_output", [False, True])
def test_weights_are_clipped_as_the_mode_says(mode, per_output):
    plain, result = calibrated(CHAIN, bits=4, weights=mode, per_output=per_output)
    weights = plain.layers["pw2"].weights.detach()
    parts = list(weights) if per_output else [weights]
    expected = [clipping.clip(mode, of_values(part), 7) for part in parts]
    found = next(item for item in result.ranges if item.cell == "pw2")
    assert found.weights == pytest.approx((min(expected), max(expected)))
    codes, grid = result.network.layers["pw2"].weight_codes()
    steps = torch.tensor(expected, dtype=torch.float64).view(-1, 1, 1, 1) / 7
    wanted = torch.round(weights.double() / steps).clamp(-7, 7)
    assert float((codes - wanted).abs().max()) <= 1  # a tie may fall either way
    assert float((codes != wanted).float().mean()) < 0.02
    assert (grid.low, grid.high) == (-7, 7)


def test_a_scale_for_each_output_stands_in_a_cell_behind():
    plain, result = calibrated(CHAIN, bits=8, per_output=True)
    network = result.network.network
    behind = network["conv1_rescale_act"]
    assert behind.cell.type_name == "BatchNorm"
    assert (network["conv1"].cell.activation, behind.cell.activation) == (Linear(), Rectifier())
    assert network["pool1"].parents == ("conv1_rescale_act",)
    assert "fc2_rescale_act" not in network  # its sums stay on one scale
    largest = plain.layers["conv1"].weights.detach().flatten(1).abs().amax(1)
    torch.testing.assert_close(result.network.layers["conv1_rescale_act"].scales.detach(), largest / 127)
    codes, _ = result.network.layers["conv1"].weight_codes()
    assert torch.equal(codes.flatten(1).abs().amax(1), torch.full((6,), 127.0))


def test_a_scale_for_each_output_helps_channels_of_very_different_ranges():
    text = HEAD.format(channels=3) + conv("a", "env", 6, more=LINEAR) + norm("n", "a", 6) + fc("last", "n", 3)
    network = learned(text)
    with torch.no_grad():
        network.layers["n"].scales.mul_(torch.logspace(-2, 0, 6))
    plain = prepared(network)
    seen = statistics.collect(plain, ["a"], batches(plain), 12, "Test")

    def error(per_output: bool) -> np.ndarray:
        made = quantized(plain, seen, Choices(bits=4, per_output=per_output)).network
        codes, grid = made.layers["a"].weight_codes()
        factor = made.layers["a_rescale_act"].scales.double() if per_output else torch.ones(6).double()
        real = plain.layers["a"].weights.double().flatten(1)
        difference = codes.double().flatten(1) * grid.scale * factor.view(-1, 1) - real
        return (difference.norm(dim=1) / real.norm(dim=1)).detach().numpy()

    assert error(True).max() < 0.2 < error(False).max()


def test_a_target_on_a_cell_that_is_split_follows_its_values():
    text = HEAD.format(channels=3) + fc("last", "env", 3, "Tanh") + "[last.Target]\n"
    _, result = calibrated(text, per_output=True)
    assert [target.cell for target in result.network.network.targets] == ["last_rescale_act"]


def test_the_float_network_stays_as_it_is():
    plain = prepared(learned(CHAIN))
    before = {name: value.clone() for name, value in plain.state_dict().items()}
    seen = statistics.collect(plain, places.quantized_outputs(plain.network), batches(plain), 4, "Test")
    quantized(plain, seen, Choices(bits=4, per_output=True))
    assert all(torch.equal(value, before[name]) for name, value in plain.state_dict().items())
    assert not plain.quantized
