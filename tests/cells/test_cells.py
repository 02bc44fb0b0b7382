"""Fc, BatchNorm, Pool, Dropout, Softmax, Activation: keys, dimensions and counts."""

from __future__ import annotations

import pytest

from n2d2py import registry
from n2d2py.cells.base import Cost, Dims
from n2d2py.errors import GraphError, ParameterError
from n2d2py.parameters import declarations
from n2d2py.parts.activations import Linear, Rectifier, Tanh
from n2d2py.parts.quantizers import SatActivations
from n2d2py.parts.solvers import SGD
from n2d2py.parts.targets import TargetScore
from tests.cells.reading import cell, dims

TYPES = [
    *("Activation", "BatchNorm", "Conv", "Deconv", "Distance", "Dropout", "ElemWise", "FMP", "Fc", "LRN", "Normalize"),
    *("Padding", "Pool", "Reshape", "Resize", "Scaling", "Softmax", "TargetBias", "Threshold", "Transformation"),
    *("Transpose", "Unpool"),
]


def test_the_types_that_are_known() -> None:
    assert set(TYPES) <= set(registry.names("cell"))


@pytest.mark.parametrize("name", registry.names("cell"))
def test_every_parameter_has_a_meaning(name: str) -> None:
    assert registry.find("cell", name).__doc__
    for declaration in declarations(registry.find("cell", name)).values():
        assert declaration.meaning
        assert declaration.type_name


@pytest.mark.parametrize(
    "name",
    [
        *("Activation", "BatchNorm", "Conv", "Deconv", "ElemWise", "Fc", "FMP", "Pool", "Unpool", "Padding", "Reshape"),
        *("Resize", "Scaling", "Softmax", "Threshold", "Transformation", "Transpose"),
    ],
)
def test_cells_whose_output_can_be_quantized(name: str) -> None:
    assert {"activation", "activation_quantizer"} <= declarations(registry.find("cell", name)).keys()


def test_nb_outputs_is_required() -> None:
    with pytest.raises(ParameterError, match="missing key NbOutputs"):
        cell("Dropout", "Dropout=0.1")


# ------------------------------------------------------------------------------------------------------ Fc


def test_fc_flattens_all_inputs() -> None:
    fc = cell("Fc", "Input=a,b|NbOutputs=10")
    output = fc.outputs([dims(16, 5), dims(3, 5)])
    assert output == Dims(1, 1, 10)
    synapses = 10 * (19 * 25 + 1)
    assert fc.cost([dims(16, 5), dims(3, 5)], output) == Cost(10, 10, synapses, synapses, synapses)


def test_fc_configuration() -> None:
    fc = cell("Fc", "NbOutputs=10|Normalize=1", "NoBias=1|DropConnect=0.5|WeightsExportFormat=OC|BackPropagate=0")
    assert (fc.normalize, fc.no_bias, fc.drop_connect, fc.weights_export_format, fc.back_propagate) == (
        True,
        True,
        0.5,
        "OC",
        False,
    )
    assert fc.cost([dims(4, 1)], fc.outputs([dims(4, 1)])).synapses == 40


def test_the_order_of_weight_files() -> None:
    assert cell("Fc", "NbOutputs=2").layout == cell("Conv", "NbOutputs=2|KernelSize=3").layout == (False, False, 1, ())
    assert cell("Fc", "NbOutputs=2|WeightsExportFormat=CO").layout == (True, False, 1, ())
    conv = cell("Conv", "NbOutputs=2|KernelSize=3", "WeightsExportFormat=HWCO|WeightsExportFlip=1")
    assert conv.layout == (True, True, 1, ())


# ----------------------------------------------------------------------------------------------- BatchNorm


def test_batchnorm() -> None:
    bn = cell(
        "BatchNorm", "NbOutputs=6|ActivationFunction=Rectifier", "Solvers.LearningRate=0.05|MovingAverageMomentum=0"
    )
    assert (bn.epsilon, bn.momentum, bn.back_propagate, bn.activation) == (1e-5, 0.0, True, Rectifier())
    assert bn.scale_solver == bn.bias_solver == SGD(learning_rate=0.05)
    output = bn.outputs([dims(6, 28)])
    assert bn.cost([dims(6, 28)], output) == Cost(nodes=4704)


def test_batchnorm_scale_solver() -> None:
    bn = cell("BatchNorm", "NbOutputs=6", "Solvers.LearningRate=0.05|ScaleSolver.LearningRate=0.5")
    assert (bn.scale_solver.learning_rate, bn.bias_solver.learning_rate) == (0.5, 0.05)


def test_batchnorm_keeps_channels() -> None:
    with pytest.raises(GraphError) as error:
        cell("BatchNorm", "NbOutputs=8").outputs([dims(6)])
    assert "BatchNorm cell c gives 6 outputs, NbOutputs says 8" in str(error.value)
    assert "net.ini:2, [c], NbOutputs" in str(error.value)
    assert "expected: NbOutputs=6" in str(error.value)


def test_batchnorm_shares_the_tensors_of_another() -> None:
    bn = cell("BatchNorm", "NbOutputs=8|ScalesSharing=a|BiasesSharing=b|MeansSharing=c|VariancesSharing=d")
    assert (bn.scales_sharing, bn.biases_sharing, bn.means_sharing, bn.variances_sharing) == ("a", "b", "c", "d")
    assert cell("BatchNorm", "NbOutputs=8").scales_sharing == ""


def test_batchnorm_momentum_is_below_1() -> None:
    with pytest.raises(ParameterError, match=r"a real number in \[0, 1\["):
        cell("BatchNorm", "NbOutputs=8|MovingAverageMomentum=1")


# ---------------------------------------------------------------------------------------------------- Pool


def test_pool() -> None:
    pool = cell("Pool", "NbOutputs=6|PoolWidth=2|PoolHeight=2|Stride=2|Pooling=Max|Mapping.Size=1")
    output = pool.outputs([dims(6, 28)])
    assert output == Dims(14, 14, 6)
    assert pool.cost([dims(6, 28)], output) == Cost(nodes=1176, connections=4704)


def test_pool_without_a_map_takes_all_channels() -> None:
    pool = cell("Pool", "NbOutputs=6|PoolSize=2|Stride=2|Pooling=Average")
    assert pool.maps([dims(6, 28)]) == {}
    assert pool.cost([dims(6, 28)], pool.outputs([dims(6, 28)])).connections == 6 * 4704


def test_pool_rounds_down_and_stride_is_1_by_default() -> None:
    assert cell("Pool", "NbOutputs=1|PoolSize=2|Stride=2|Pooling=Max").outputs([dims(1, 7)]) == Dims(3, 3, 1)
    assert cell("Pool", "NbOutputs=1|PoolSize=2|Pooling=Max").outputs([dims(1, 7)]) == Dims(6, 6, 1)


def test_pool_of_a_point() -> None:
    with pytest.raises(GraphError, match="Pool cell c has an input of 1x1"):
        cell("Pool", "NbOutputs=1|PoolSize=2|Padding=1|Pooling=Max").outputs([dims(1, 1)])


def test_pooling_is_named() -> None:
    with pytest.raises(ParameterError) as error:
        cell("Pool", "NbOutputs=1|PoolSize=2|Pooling=Avrage")
    assert "one of Max, Average" in str(error.value)
    assert "did you mean Average?" in str(error.value)


def test_pool_label() -> None:
    pool = cell("Pool", "NbOutputs=1|PoolSize=2|StrideDims=2 1|Pooling=Max")
    assert pool.label([dims(1)], pool.outputs([dims(1)])) == ["1x7x4", "Max 2x2, stride 2x1"]


# ---------------------------------------------------------------------------- Dropout, Softmax, Activation


def test_dropout() -> None:
    assert cell("Dropout", "NbOutputs=4").dropout == 0.5
    dropout = cell("Dropout", "NbOutputs=4|Dropout=0.2")
    assert dropout.dropout == 0.2
    assert dropout.cost([dims(4, 2)], dropout.outputs([dims(4, 2)])) == Cost(neurons=16, nodes=16)


def test_dropout_of_everything() -> None:
    with pytest.raises(ParameterError, match="unreadable value '1' for Dropout"):
        cell("Dropout", "NbOutputs=4|Dropout=1")


def test_softmax() -> None:
    softmax = cell("Softmax", "NbOutputs=10|WithLoss=1|GroupSize=5")
    assert (softmax.with_loss, softmax.group_size) == (True, 5)
    assert softmax.cost([dims(10, 1)], softmax.outputs([dims(10, 1)])) == Cost(neurons=10, nodes=10)


def test_softmax_groups() -> None:
    with pytest.raises(GraphError, match="groups of 3 do not divide 10 channels"):
        cell("Softmax", "NbOutputs=10|GroupSize=3").outputs([dims(10, 1)])


def test_softmax_has_one_input() -> None:
    with pytest.raises(GraphError, match="Softmax cell c has 2 inputs"):
        cell("Softmax", "Input=a,b|NbOutputs=10").outputs([dims(5, 1), dims(5, 1)])


def test_activation_is_tanh_unless_it_is_named() -> None:
    assert cell("Activation", "NbOutputs=4").activation == Tanh()
    assert cell("Activation", "NbOutputs=4|ActivationFunction.Alpha=2").activation == Tanh(alpha=2.0)
    named = cell("Activation", "Input=a,b|NbOutputs=8|ActivationFunction=Linear|QAct=SAT|QAct.Range=15")
    assert named.activation == Linear()
    assert named.activation_quantizer == SatActivations(range=15, alpha=8.0)
    assert named.outputs([dims(4), dims(4)]) == Dims(8, 8, 8)


def test_unknown_activation() -> None:
    with pytest.raises(ParameterError) as error:
        cell("Activation", "NbOutputs=4|ActivationFunction=Rectifer")
    assert "unknown activation 'Rectifer'" in str(error.value)
    assert "did you mean Rectifier?" in str(error.value)


# ------------------------------------------------------------------------------------ what others ask of a cell


def test_what_ends_a_network_and_what_can_be_absorbed() -> None:
    assert cell("Softmax", "NbOutputs=2|WithLoss=1").is_loss
    assert not cell("Softmax", "NbOutputs=2").is_loss
    assert not cell("Fc", "NbOutputs=2").is_loss
    assert cell("BatchNorm", "NbOutputs=2").normalizes
    assert not cell("Fc", "NbOutputs=2").normalizes


def test_plain_weights() -> None:
    fc = cell("Fc", "NbOutputs=2|NoBias=1|Normalize=1|QWeight=SAT").with_plain_weights()
    assert (fc.no_bias, fc.normalize, fc.weights_quantizer) == (False, False, None)
    conv = cell("Conv", "NbOutputs=2|KernelSize=3|NoBias=1|QWeight=SAT").with_plain_weights()
    assert (conv.no_bias, conv.weights_quantizer, conv.kernel) == (False, None, (3, 3))


def test_a_leaky_rectifier_may_be_asked_for_values_below_0() -> None:
    target = TargetScore(name="c.Target", cell="c", default_value=-1.0)
    plain = cell("Fc", "NbOutputs=2|ActivationFunction=Rectifier")
    assert plain.doubts(target) == ["target c.Target wants -1, and c gives nothing below 0 (Rectifier)"]
    leaky = cell("Fc", "NbOutputs=2|ActivationFunction=Rectifier|ActivationFunction.LeakSlope=0.1")
    assert leaky.doubts(target) == []


@pytest.mark.parametrize(
    ("type_name", "lines"),
    [
        ("LRN", ""),
        ("Resize", "|OutputWidth=4|OutputHeight=4|Mode=Bilinear"),
        ("Padding", "|TopPadding=1|BottomPadding=1|LeftPadding=1|RightPadding=1"),
        ("Unpool", "|ArgMax=pool|PoolSize=2|Pooling=Max"),
    ],
)
def test_cells_that_take_no_point(type_name: str, lines: str) -> None:
    with pytest.raises(GraphError, match=f"{type_name} cell c has an input of 1x1(.|\n)*two dimensions") as error:
        cell(type_name, "NbOutputs=4" + lines).outputs([dims(4, 1)])
    assert "net.ini:1, [c]" in str(error.value)


@pytest.mark.parametrize(("type_name", "lines"), [("Reshape", "|Dims=8 8 8"), ("Transpose", "|Perm=0 1 2 3")])
def test_cells_that_have_one_input(type_name: str, lines: str) -> None:
    with pytest.raises(GraphError, match=f"{type_name} cell c has 2 inputs(.|\n)*one"):
        cell(type_name, "Input=a,b|NbOutputs=8" + lines).outputs([dims(4), dims(4)])


@pytest.mark.parametrize(
    ("type_name", "lines", "required"),
    [
        ("Fc", "", "NbOutputs"),
        ("Conv", "NbOutputs=1", "KernelDims"),
        ("Deconv", "NbOutputs=1", "KernelDims"),
        ("Pool", "NbOutputs=1|PoolSize=2", "Pooling"),
        ("Pool", "NbOutputs=1|Pooling=Max", "PoolDims"),
        ("Unpool", "NbOutputs=1|Pooling=Max|PoolSize=2", "ArgMax"),
        ("Resize", "NbOutputs=1|OutputWidth=2|OutputHeight=2", "Mode"),
        ("Reshape", "NbOutputs=1", "Dims"),
        ("Transpose", "NbOutputs=1", "Perm"),
        ("Scaling", "NbOutputs=1", "Factor"),
        ("Normalize", "NbOutputs=1", "Norm"),
        ("TargetBias", "NbOutputs=1", "Bias"),
        ("Distance", "NbOutputs=1|CenterCoef=1", "Margin"),
        ("FMP", "NbOutputs=1", "ScalingRatio"),
        ("Transformation", "NbOutputs=1", "Transformation"),
    ],
)
def test_required_keys_are_named(type_name: str, lines: str, required: str) -> None:
    with pytest.raises(ParameterError, match=f"missing key {required}\\b") as error:
        cell(type_name, lines)
    assert "net.ini:1, [c]" in str(error.value)
