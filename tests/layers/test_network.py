import pytest
import torch

from n2d2py.errors import ParameterError
from n2d2py.graph.network import Network
from n2d2py.layers.batchnorm import BatchNormLayer
from n2d2py.layers.network import TorchNetwork
from n2d2py.quant.grid import Coded, Grid

from .networks import lenet, network, pixels


@pytest.mark.parametrize("mode", ["Default", "Integer"])
@pytest.mark.parametrize("no_bias", [1, 0])
def test_codes_are_integers_inside_their_grids(no_bias, mode):
    results = lenet(no_bias, mode).evaluate(pixels())
    assert list(results) == ["conv1", "bn1", "pool1", "drop", "fc1", "fc2", "softmax"]
    for name, coded in results.items():
        if name == "softmax":
            assert coded.grid is None
            continue
        assert torch.equal(coded.values, coded.values.round())
        assert coded.grid.low <= float(coded.values.min())
        assert float(coded.values.max()) <= coded.grid.high


@pytest.mark.parametrize("mode", ["Default", "Integer"])
@pytest.mark.parametrize("no_bias", [1, 0])
def test_evaluation_is_the_forward_pass_but_for_rounding(no_bias, mode):
    made = lenet(no_bias, mode).eval()
    stimuli = pixels(batch=16)
    codes = made.evaluate(stimuli)
    x = stimuli.real()
    with torch.no_grad():
        for name in ("conv1", "bn1", "pool1"):
            x = made.layers[name](x)
            real = codes[name].real()
            # a value at a tie may fall to either side of it
            assert ((real - x).abs() > 1e-4).float().mean() < 0.002, name
        y = made.layers["fc2"](made.layers["fc1"](codes["pool1"].real()))
    assert torch.allclose(codes["fc2"].real(), y, rtol=1e-4, atol=1e-5)
    assert torch.allclose(codes["softmax"].values, y.softmax(1), atol=1e-5)


def test_a_bias_before_a_batchnorm_stays_real():
    made = lenet(no_bias=0)
    results = made.evaluate(pixels())
    assert torch.equal(results["conv1"].offset, made.layers["conv1"].biases.detach().double())
    assert results["fc1"].offset is None
    assert results["fc2"].offset is None
    bn = made.layers["bn1"]
    step = bn.step(results["conv1"].grid, results["conv1"].offset)
    assert torch.equal(results["bn1"].values, step(results["conv1"].values, axis=1).float())


def test_a_bias_is_folded_unless_every_child_takes_it():
    bn = "[{name}]\nType=BatchNorm\nInput=conv\nNbOutputs=2\n"
    conv = "[conv]\nType=Conv\nInput=env\nKernelSize=1\nNbOutputs=2\nQWeight=SAT\n"
    fc = "[fc]\nType=Fc\nInput=conv\nNbOutputs=2\n"
    one = network(conv + bn.format(name="a"))
    assert one.layers["a"].takes_offset
    assert not one.layers["conv"].folds_bias
    two = network(conv + bn.format(name="a") + bn.format(name="b"))
    assert not two.layers["conv"].folds_bias
    mixed = network(conv + bn.format(name="a") + fc)
    assert mixed.layers["conv"].folds_bias
    assert mixed.evaluate(pixels())["conv"].offset is None
    assert network(conv).layers["conv"].folds_bias


def test_without_quantizers_evaluation_is_the_forward_pass():
    made = network(
        "[conv]\nType=Conv\nInput=env\nKernelSize=3\nNbOutputs=3\n"
        "[bn]\nType=BatchNorm\nInput=conv\nNbOutputs=3\nActivationFunction=Rectifier\n"
        "[pool]\nType=Pool\nInput=bn\nNbOutputs=3\nPooling=Average\nPoolSize=2\nStride=2\nMapping.Size=1\n"
        "[fc]\nType=Fc\nInput=pool\nNbOutputs=3\nActivationFunction=Tanh\n"
    ).eval()
    assert not made.quantized
    stimuli = pixels()
    with torch.no_grad():
        assert torch.equal(made.evaluate(stimuli)["fc"].values, made(stimuli.real())["fc"])


def test_the_mode_survives_an_evaluation():
    made = lenet()
    for mode in (True, False):
        made.train(mode)
        made.evaluate(pixels(), ["fc2"])
        assert made.training is mode
        assert all(layer.training is mode for layer in made.layers.values())
    before = made.layers["bn1"].means.clone()
    made.train().evaluate(pixels())
    assert torch.equal(made.layers["bn1"].means, before)


def test_only_wanted_cells_are_given():
    made = lenet()
    stimuli = pixels()
    everything = made.evaluate(stimuli)
    some = made.evaluate(stimuli, ["bn1", "fc1"])
    assert list(some) == ["bn1", "fc1"]
    assert all(torch.equal(some[name].values, everything[name].values) for name in some)


def test_evaluation_does_not_depend_on_the_batch():
    made = lenet(no_bias=0)
    stimuli = pixels(batch=6)
    whole = made.evaluate(stimuli)
    for index in range(6):
        single = made.evaluate(Coded(stimuli.values[index : index + 1], stimuli.grid))
        for name in set(whole) - {"softmax"}:
            assert torch.equal(single[name].values[0], whole[name].values[index])


def test_filling_and_learning_are_reproducible():
    def learn():
        made = lenet(no_bias=0).train()
        torch.manual_seed(5)
        for seed in range(3):
            made(pixels(seed=seed).real())["softmax"].square().sum().backward()
            with torch.no_grad():
                for _, item in made.learned():
                    item.tensor.sub_(item.tensor.grad, alpha=0.01)
                    item.tensor.grad = None
        return [item.tensor.detach().clone() for _, item in made.learned()]

    assert all(torch.equal(left, right) for left, right in zip(learn(), learn(), strict=True))


def test_everything_that_learns_gets_a_gradient():
    made = lenet(no_bias=0).train()
    made(pixels().real())["softmax"].square().sum().backward()
    names = [f"{cell}_{item.name}" for cell, item in made.learned()]
    assert names == [
        "conv1_weights",
        "conv1_biases",
        "bn1_scales",
        "bn1_biases",
        "bn1_QAct_SAT_Alpha",
        "fc1_weights",
        "fc1_biases",
        "fc2_weights",
        "fc2_biases",
    ]
    assert all(torch.isfinite(item.tensor.grad).all() for _, item in made.learned())
    assert {id(item.tensor) for _, item in made.learned()} == {id(tensor) for tensor in made.parameters()}


def test_stored_names_are_those_of_the_weight_files():
    stored = {cell: [item.name for item in items] for cell, items in lenet(no_bias=0).stored().items()}
    assert stored["conv1"] == ["weights", "biases"]
    assert stored["bn1"] == ["scales", "biases", "means", "variances", "QAct_SAT_Alpha"]
    assert stored["softmax"] == []


def test_inputs_of_sums_that_no_float_holds_are_shortened():
    fc = "[{name}]\nType=Fc\nInput={parent}\nNbOutputs=8\nQWeight=SAT\nQWeight.Range=65535\n"
    cells = [fc.format(name=f"fc{i}", parent=f"fc{i - 1}" if i else "env") for i in range(4)]
    made = network("".join(cells)).eval()
    results = made.evaluate(pixels())
    assert all(results[f"fc{i}"].grid.magnitude < 1 << 53 for i in range(4))
    with torch.no_grad():
        expected = made(pixels().real())["fc3"]
    assert torch.allclose(results["fc3"].real(), expected, rtol=1e-3, atol=1e-5)


def test_a_layer_without_target_is_not_computed_in_learning():
    made = network(
        "[a]\nType=Fc\nInput=env\nNbOutputs=2\n[b]\nType=Fc\nInput=env\nNbOutputs=2\n[a.Target]\n"
    )
    assert list(made(pixels().real())) == ["a"]


def test_a_cell_without_a_layer_is_named():
    node = network("[a]\nType=Fc\nInput=env\nNbOutputs=2\n").network.nodes[0]

    class Unknown:
        type_name = "Unheard"
        inputs = ("env",)
        name = "a"

        def place(self, name=None):
            return None

    changed = type(node)(Unknown(), node.inputs, node.output)
    with pytest.raises(ParameterError, match="unknown layer 'Unheard'"):
        TorchNetwork(Network("n", node.inputs[0], 1, (changed,)))


def test_quantized_says_whether_anything_is_on_a_grid():
    assert lenet().quantized
    assert isinstance(lenet().layers["bn1"], BatchNormLayer)
    clamped = "[a]\nType=Fc\nInput=env\nNbOutputs=2\nQWeight=SAT\nQWeight.ApplyQuantization=0\n"
    assert not network(clamped).quantized
    assert network(clamped + "ActivationFunction=Linear\nQAct=SAT\n").quantized


def test_activation_codes_are_on_the_grid_of_alpha():
    results = lenet().evaluate(pixels())
    assert results["bn1"].grid == Grid(4 / 15, 0, 15)
    assert results["pool1"].grid == results["bn1"].grid
