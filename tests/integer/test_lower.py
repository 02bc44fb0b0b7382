"""Learned networks become integer networks with the same codes in every cell, whatever their parameters."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from n2d2py.errors import IntegerError
from n2d2py.integer import manifest
from n2d2py.integer.interpreter import run
from n2d2py.integer.lower import lower
from n2d2py.integer.network import IntegerNetwork
from n2d2py.integer.operations import Convolution, FullyConnected, Requantization, SumPool
from n2d2py.integer.verify import verify
from n2d2py.layers.network import TorchNetwork

from .graphs import MODES, RANGES, networks
from .learned import IMAGES, Images, lenet, network
from .reader import infer


def checked(learned: TorchNetwork, mode: str = "Floating-point", count: int = 6) -> IntegerNetwork:
    """The integer network, after every code of every cell was found equal on random images."""
    integer = lower(learned, IMAGES, mode)
    assert integer.exact
    result = verify(learned, integer, [Images(learned, count, seed) for seed in range(2)])
    assert result.all_equal, "\n".join([*result.lines(), integer.text()])
    assert [row.cell for row in result.cells] == [
        node.name for node in learned.network if node.cell.type_name != "Softmax"
    ]
    return integer


@given(networks(), st.integers(0, 1 << 16), st.sampled_from(["mixed", "plain"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_random_networks_have_equal_codes_in_every_cell(text: str, seed: int, gammas: str) -> None:
    note(text)
    integer = checked(network(text, seed, gammas))
    note(integer.text())


@pytest.mark.parametrize("activations", RANGES)
@pytest.mark.parametrize("weights", RANGES)
def test_lenet_of_every_range(weights: int, activations: int) -> None:
    integer = checked(network(lenet(weights, activations), weights + activations), count=3)
    assert integer.islands == ["softmax"]
    assert [type(operation).__name__ for operation in integer][:4] == [
        "Convolution",
        "Requantization",
        "MaxPool",
        "Convolution",
    ]


@pytest.mark.parametrize("mode", ["Fixed-point16", "Fixed-point32", "Fixed-point"])
def test_lenet_in_the_exact_rescaling_modes(mode: str) -> None:
    integer = checked(network(lenet(15, 15)), mode)
    bits = max(op.rescaling.multiplier_bits for op in integer if isinstance(op, Requantization))
    assert bits <= (16 if mode == "Fixed-point16" else 32)


@pytest.mark.parametrize("mode", ["Single-shift", "Double-shift"])
def test_lenet_in_the_forced_modes_differs_as_the_proofs_say(mode: str) -> None:
    learned = network(lenet(15, 15), gammas="plain")
    integer = lower(learned, IMAGES, mode)
    assert not integer.exact
    first = integer["bn1"]
    assert isinstance(first, Requantization)
    result = verify(learned, integer, [Images(learned, 8)])
    assert not result.all_equal
    assert result.first_differing == "bn1"


@pytest.mark.parametrize("mode", MODES)
def test_weight_codes_times_scale_are_the_quantized_weights(mode: str) -> None:
    text = lenet(7, 15).replace("QWeight.Range=7\nNoBias", f"QWeight.Range=7\nQWeight.QuantMode={mode}\nNoBias")
    learned = network(text)
    operation = lower(learned, IMAGES)["conv2"]
    assert isinstance(operation, Convolution)
    layer = learned.layers["conv2"]
    real = operation.weights * operation.weights_grid.scale
    expected = layer.weights_quantizer(layer.weights).detach().double().numpy()
    assert np.abs(real - expected).max() < 1e-6
    grid = operation.weights_grid
    assert np.all((operation.weights - grid.low) % grid.step == 0)
    assert operation.weights.min() >= grid.low
    assert operation.weights.max() <= grid.high


def test_bias_without_quantizer_becomes_an_integer_of_the_finest_unit_that_fits() -> None:
    learned = network(lenet())
    operation = lower(learned, IMAGES)["fc2"]
    assert isinstance(operation, FullyConnected)
    assert operation.bias is not None
    edge = lower(learned, IMAGES).edges["fc2"]
    assert edge.grid is not None
    assert edge.grid.magnitude < 1 << 30 <= edge.grid.magnitude * 2
    assert 0 < operation.bias_shift < 16
    scale = edge.grid.scale
    bias = learned.layers["fc2"].biases.detach().double().numpy()
    assert np.abs(operation.bias * scale - bias).max() <= scale / 2 * (1 + 1e-9)


def test_average_pool_is_a_sum_with_the_area_in_the_scale() -> None:
    text = lenet().replace("Pooling=Max", "Pooling=Average")
    integer = checked(network(text))
    pool = integer["pool1"]
    assert isinstance(pool, SumPool)
    assert integer.edges["pool1"].grid.scale == integer.edges["bn1"].grid.scale / 4
    assert integer.edges["pool1"].grid.high == 60


def test_the_bias_of_a_cell_before_a_batchnorm_is_absorbed() -> None:
    text = lenet().replace("NoBias=1\n[bn1]", "NoBias=0\n[bn1]")
    integer = checked(network(text))
    conv = integer["conv1"]
    assert isinstance(conv, Convolution)
    assert conv.bias is None
    assert integer.edges["conv1"].offset is not None


BRANCHES = """
[sp]
Size=6 6 2
BatchSize=4
[conv]
Input=sp
Type=Conv
KernelSize=3
NbOutputs=4
NoBias=1
QWeight=SAT
[bn]
Input=conv
Type=BatchNorm
NbOutputs=4
ActivationFunction=Linear
QAct=SAT
QAct.Range=15
[low]
Input=bn
Type=Pool
Pooling=Max
PoolSize=3
Padding=1
NbOutputs=4
Mapping.Size=1
[same]
Input=bn
Type=Dropout
NbOutputs=4
[join]
Input=low,same
Type=Conv
KernelSize=2
NbOutputs=3
NoBias=1
QWeight=SAT
QWeight.Range=7
[small]
Input=bn
Type=Pool
Pooling=Max
PoolSize=2
Stride=2
NbOutputs=4
Mapping.Size=1
[fc]
Input=small,bn
Type=Fc
NbOutputs=3
QWeight=SAT
"""


def test_branches_of_one_scale_are_joined(tmp_path) -> None:
    learned = network(BRANCHES)
    integer = checked(learned)
    assert [op.name for op in integer if ":inputs" in op.name] == ["join:inputs", "fc:inputs"]
    manifest.write(integer, tmp_path)
    codes = Images(learned, 3).codes.values.numpy().astype(np.int64)
    ours, theirs = run(integer, codes), infer(tmp_path, codes)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_the_folder_of_a_lowered_lenet_is_enough(tmp_path) -> None:
    learned = network(lenet(15, 7, size=16))
    integer = lower(learned, IMAGES)
    manifest.write(integer, tmp_path)
    codes = Images(learned, 4).codes.values.numpy().astype(np.int64)
    ours, theirs = run(integer, codes), infer(tmp_path, codes)
    assert set(theirs) == set(ours) - {"softmax"}
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def test_the_ranges_are_reachable_and_never_left() -> None:
    """The image of the extreme pixels of one output's kernel reaches the bound of its accumulator."""
    learned = network(lenet(), gammas="plain")
    integer = lower(learned, IMAGES)
    conv = integer["conv1"]
    assert isinstance(conv, Convolution)
    for output in range(6):
        image = np.zeros((1, 1, 20, 20), dtype=np.int64)
        image[0, 0, :5, :5] = np.where(conv.weights[output, 0] > 0, 255, 0)
        assert run(integer, image, ["conv1"])["conv1"][0, output, 0, 0] == integer.edges["conv1"].high[output]


def test_lowering_leaves_the_learned_network_as_it_was() -> None:
    learned = network(lenet()).train()
    before = {name: value.clone() for name, value in learned.state_dict().items()}
    lower(learned, IMAGES)
    assert learned.training
    assert all(torch.equal(value, before[name]) for name, value in learned.state_dict().items())


def test_two_lowerings_are_the_same() -> None:
    first, second = (lower(network(lenet()), IMAGES) for _ in range(2))
    assert first.text() == second.text()
    assert manifest.describe(first, {}) == manifest.describe(second, {})


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (
            ("QWeight=SAT\nQWeight.Range=255\nNoBias=1\n[bn1]", "NoBias=1\n[bn1]"),
            ["Conv cell conv1", "its weights are not quantized", "add QWeight=SAT", "net.ini:", "[conv1]"],
        ),
        (
            ("QWeight.Range=255\nNoBias=1", "QWeight.Range=255\nQWeight.ApplyQuantization=0\nNoBias=1"),
            ["Conv cell conv1", "only clamped", "QWeight.ApplyQuantization=1", "-w weights_clamped"],
        ),
        (
            ("NbOutputs=24\nActivationFunction=Linear", "NbOutputs=24\nActivationFunction=Tanh"),
            ["Fc cell fc1", "Tanh", "real values", "QAct=SAT"],
        ),
        (
            ("[fc1]\nInput=pool2", "[soft]\nInput=pool2\nType=Softmax\nNbOutputs=16\n[fc1]\nInput=soft"),
            ["Fc cell fc1", "its input soft holds real values"],
        ),
    ],
)
def test_what_has_no_exact_form_is_named_with_its_remedy(change: tuple[str, str], parts: list[str]) -> None:
    text = lenet()
    assert change[0] in text
    with pytest.raises(IntegerError) as error:
        lower(network(text.replace(*change, 1)), IMAGES)
    for part in parts:
        assert part in str(error.value)


def test_averages_of_different_numbers_of_channels_have_their_own_multipliers() -> None:
    uneven = np.eye(6, dtype=int)
    uneven[0, 1] = 1
    text = (
        lenet()
        .replace("Pooling=Max", "Pooling=Average")
        .replace("NbOutputs=6\nMapping.Size=1", "NbOutputs=6\nMapping(bn1)=" + " ".join(map(str, uneven.ravel())))
    )
    integer = checked(network(text))
    assert [type(integer[name]).__name__ for name in ("pool1:window", "pool1")] == ["SumPool", "Alignment"]


def test_a_function_of_few_accumulators_is_found_monotone_by_asking_it_everywhere() -> None:
    text = lenet().replace("NbOutputs=24\nActivationFunction=Linear", "NbOutputs=24\nActivationFunction=Tanh\nQAct=SAT")
    assert checked(network(text)).exact


def test_branches_of_two_scales_come_to_one() -> None:
    text = BRANCHES.replace("Type=Dropout", "Type=Activation\nActivationFunction=Linear\nQAct=SAT\nQAct.Alpha=5")
    integer = checked(network(text))
    assert [op.name for op in integer if op.cell == "join"] == ["join:input0", "join:input1", "join:inputs", "join"]


def test_real_stimuli_are_refused() -> None:
    with pytest.raises(IntegerError, match="the stimuli are real numbers") as error:
        lower(network(lenet()), None)
    assert "give the network a test set" in str(error.value)
    assert "8-bit images" in str(error.value)


def test_statistics_that_are_not_finite_are_refused() -> None:
    learned = network(lenet())
    learned.layers["bn2"].means[3] = float("nan")
    with pytest.raises(IntegerError, match=r"BatchNorm cell bn2 .*channel 3 is normalised by a number that is not"):
        lower(learned, IMAGES)


def test_unknown_mode() -> None:
    with pytest.raises(IntegerError, match="unknown rescaling mode 'Half'"):
        lower(network(lenet()), IMAGES, "Half")


def test_absent_connections_are_known_and_told(tmp_path) -> None:
    text = lenet().replace("[conv2]\n", "[conv2]\nMapping.SizeX=1\nMapping.SizeY=2\n")
    integer = checked(network(text))
    conv = integer["conv2"]
    assert isinstance(conv, Convolution)
    assert conv.connected is not None
    assert conv.absent == np.count_nonzero(conv.weights == 0) > 0  # the Default grid has no level 0
    assert np.all(conv.connected_weights % 2)
    assert np.array_equal(conv.connected, conv.weights != 0)
    manifest.write(integer, tmp_path)
    operations = json.loads((tmp_path / manifest.MANIFEST).read_text())["operations"]
    records = {record["name"]: record for record in operations}
    told = records["conv2"]["weights"]
    assert (told["bits"], told["signed_bits"]) == (5, 5)  # 16 levels and the 0
    assert {key: told["absent"][key] for key in ("connections", "code", "is_level")} == {
        "connections": conv.absent, "code": 0, "is_level": False
    }  # fmt: skip
    assert "a weight alone has 4 bits" in told["absent"]["words"]
    assert "absent" not in records["conv1"]["weights"]
    codes = Images(network(text), 3).codes.values.numpy().astype(np.int64)
    assert np.array_equal(infer(tmp_path, codes)["conv2"], run(integer, codes)["conv2"])
