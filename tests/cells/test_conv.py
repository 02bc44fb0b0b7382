"""Conv: its keys, sizes, maps and counts."""

from __future__ import annotations

import pytest

from n2d2py.cells.base import Cost, Dims
from n2d2py.cells.kernels import GivenKernel
from n2d2py.errors import GraphError, ParameterError
from n2d2py.parameters import declarations
from n2d2py.parts.fillers import HeFiller, NormalFiller
from n2d2py.parts.quantizers import SatWeights
from n2d2py.parts.solvers import SGD, Adam
from tests.cells.reading import cell, dims


def test_defaults() -> None:
    conv = cell("Conv", "NbOutputs=6|KernelSize=5")
    assert (conv.kernel, conv.stride, conv.padding, conv.dilation, conv.sub_sample) == (
        (5, 5),
        (1, 1),
        (0, 0),
        (1, 1),
        (1, 1),
    )
    assert conv.weights_filler == conv.bias_filler == NormalFiller(mean=0.0, std_dev=0.05)
    assert conv.weights_solver == conv.bias_solver == SGD()
    assert (conv.no_bias, conv.back_propagate, conv.activation, conv.weights_quantizer) == (False, True, None, None)
    assert (conv.weights_export_format, conv.weights_export_flip, conv.outputs_remap) == ("OCHW", False, "")


@pytest.mark.parametrize("kernel", ["KernelDims=3 5", "KernelWidth=3|KernelHeight=5"])
def test_kernel_is_x_y(kernel: str) -> None:
    conv = cell("Conv", f"NbOutputs=1|{kernel}")
    assert conv.kernel == (3, 5)
    assert conv.outputs([dims(1, 8, 8)]) == Dims(6, 4, 1)


def test_one_value_of_kernel_dims_is_v_by_1() -> None:
    assert cell("Conv", "NbOutputs=1|KernelDims=3").kernel == (3, 1)


def test_geometry_by_axis() -> None:
    conv = cell("Conv", "NbOutputs=4|KernelSize=3|StrideX=2|PaddingY=1|DilationDims=1 2|SubSample=2")
    assert (conv.stride, conv.padding, conv.dilation, conv.sub_sample) == ((2, 1), (0, 1), (1, 2), (2, 2))
    # width: floor((9 - 3) / 2) + 1 = 4, every second: 2; height: 9 + 2 - 5 + 1 = 7, every second: 4
    assert conv.outputs([dims(3, 9)]) == Dims(2, 4, 4)


def test_negative_padding_crops() -> None:
    assert cell("Conv", "NbOutputs=1|KernelSize=1|Padding=-1").outputs([dims(1, 8)]) == Dims(6, 6, 1)


def test_inputs_are_concatenated() -> None:
    conv = cell("Conv", "Input=a,b|NbOutputs=2|KernelSize=3|NoBias=1")
    assert conv.cost([dims(2), dims(3)], conv.outputs([dims(2), dims(3)])).synapses == 5 * 2 * 9


def test_inputs_of_different_sizes() -> None:
    with pytest.raises(GraphError, match="inputs of cell c differ in size: b is 4x4, another is 8x8"):
        cell("Conv", "Input=a,b|NbOutputs=2|KernelSize=3").outputs([dims(2, 8), dims(3, 4)])


def test_counts_without_padding() -> None:
    conv = cell("Conv", "NbOutputs=6|KernelSize=5|NoBias=1")
    output = conv.outputs([dims(1, 32)])
    assert conv.cost([dims(1, 32)], output) == Cost(4704, 4704, 150, 117600, 117600)


def test_counts_of_biases_once_a_map() -> None:
    conv = cell("Conv", "NbOutputs=6|KernelSize=5")
    cost = conv.cost([dims(1, 32)], conv.outputs([dims(1, 32)]))
    assert (cost.synapses, cost.virtual_synapses) == (156, 117606)


def test_taps_on_padding_do_not_count() -> None:
    conv = cell("Conv", "NbOutputs=1|KernelSize=3|Padding=1|NoBias=1")
    # 4 positions an axis have 2 + 3 + 3 + 2 taps on the input.
    assert conv.cost([dims(1, 4)], conv.outputs([dims(1, 4)])).connections == 100


def test_a_map_leaves_kernels_out_of_the_counts() -> None:
    conv = cell("Conv", "NbOutputs=4|KernelSize=3|NoBias=1|Mapping.ChannelsPerGroup=1")
    assert conv.maps([dims(4)])["env"].sum() == 4
    cost = conv.cost([dims(4)], conv.outputs([dims(4)]))
    assert (cost.synapses, cost.virtual_synapses) == (4 * 9, 4 * 9 * 36)


def test_configuration_is_read_from_both_places() -> None:
    conv = cell("Conv", "NbOutputs=1|KernelSize=1|NoBias=0", "NoBias=1|BackPropagate=0")
    assert (conv.no_bias, conv.back_propagate) == (False, False)
    assert cell("Conv", "NbOutputs=1|KernelSize=1", "NoBias=0", "NoBias=1").no_bias


def test_solvers() -> None:
    config = "WeightsSolver.LearningRate=0.5|Solvers.LearningRate=0.1|Solvers.Momentum=0.9"
    conv = cell("Conv", "NbOutputs=1|KernelSize=1", config)
    assert conv.weights_solver == SGD(learning_rate=0.5, momentum=0.9)
    assert conv.bias_solver == SGD(learning_rate=0.1, momentum=0.9)
    conv = cell("Conv", "NbOutputs=1|KernelSize=1|BiasSolver=ADAM|Solvers.LearningRate=0.1")
    assert (conv.weights_solver, conv.bias_solver) == (SGD(learning_rate=0.1), Adam(learning_rate=0.1))


def test_parts() -> None:
    conv = cell(
        "Conv", "NbOutputs=1|KernelSize=1|QWeight=SAT|QWeight.Range=15|WeightsFiller=HeFiller|ActivationFunction=Linear"
    )
    assert conv.weights_quantizer == SatWeights(range=15)
    assert conv.weights_filler == HeFiller()


def test_sharing() -> None:
    conv = cell("Conv", "Input=a,b|NbOutputs=1|KernelSize=1|WeightsSharing=conv1[0],,conv2|BiasesSharing=conv3")
    assert (conv.weights_sharing, conv.biases_sharing) == (("conv1[0]", "", "conv2"), "conv3")
    plain = cell("Conv", "NbOutputs=1|KernelSize=1")
    assert (plain.weights_sharing, plain.biases_sharing) == ((), "")


def test_given_kernels() -> None:
    conv = cell("Conv", "NbOutputs=4|KernelDims=3 1|Kernel=1 2 1|Kernel.Normalize=1|Kernel[1][2]=0 1 0")
    assert conv.given_kernels == {None: GivenKernel((1, 2, 1), True), (1, 2): GivenKernel((0, 1, 0))}
    written = {"Kernel": "1 2 1", "Kernel.Normalize": "1", "Kernel[1][2]": "0 1 0"}
    assert declarations(type(conv))["given_kernels"].written(conv.given_kernels) == written
    conv.outputs([dims(2)])


@pytest.mark.parametrize(
    ("keys", "texts"),
    [
        ("Kernel=1 2", ("a kernel of 2 values is given to Conv cell c", "3 values, row by row: the kernel is 3x1")),
        ("Kernel[2][0]=1 2 1", ("for channel 2 and output 0", "a channel below 2 and an output below 4")),
        ("Kernel[0][4]=1 2 1", ("for channel 0 and output 4", "an output below 4")),
        ("Kernel=0 0 0|Kernel.Normalize=1", ("a kernel of zeros cannot be normalised", "remove Normalize")),
    ],
)
def test_kernels_that_do_not_fit(keys: str, texts: tuple[str, ...]) -> None:
    with pytest.raises(GraphError) as error:
        cell("Conv", f"NbOutputs=4|KernelDims=3 1|{keys}").outputs([dims(2)])
    assert all(text in str(error.value) for text in texts)
    assert "net.ini:4, [c], Kernel" in str(error.value)


def test_a_kernel_that_is_misspelt() -> None:
    with pytest.raises(ParameterError, match=r"unknown parameter Kernel\[a\]\[0\]"):
        cell("Conv", "NbOutputs=1|KernelSize=1|Kernel[a][0]=1")


def test_three_axes() -> None:
    conv = cell("Conv", "NbOutputs=4|KernelDims=3 5 2|Stride=2|PaddingZ=1|NoBias=1")
    assert conv.geometry == ((3, 5, 2), (2, 2, 2), (0, 0, 1), (1, 1, 1))
    output = conv.outputs([Dims(9, 9, 2, depth=6)])
    assert output == Dims(4, 3, 4, depth=4)
    # along Z, 4 positions of 2 taps on 6 values and a zero at either end
    assert conv.cost([Dims(9, 9, 2, depth=6)], output) == Cost(192, 192, 240, 8 * 12 * 15 * 6, 8 * 12 * 15 * 6)
    assert conv.label([Dims(9, 9, 2, depth=6)], output)[:2] == ["4x4x3x4", "3x5x2, stride 2"]
    flat = cell("Conv", "NbOutputs=4|KernelSize=3|Stride=2")
    assert flat.outputs([Dims(9, 9, 2, depth=6)]) == Dims(4, 4, 4, depth=6)
    by_axis = cell("Conv", "NbOutputs=4|KernelWidth=3|KernelHeight=3|KernelDepth=3|StrideX=2|StrideY=2")
    assert by_axis.geometry.stride == (2, 2, 1)


def test_one_axis() -> None:
    conv = cell("Conv", "NbOutputs=4|KernelDims=3|StrideDims=2|PaddingX=1")
    assert conv.outputs([dims(2, 1, 9)]) == Dims(5, 1, 4)


def test_missing_kernel() -> None:
    with pytest.raises(ParameterError) as error:
        cell("Conv", "NbOutputs=1")
    assert "missing key KernelDims" in str(error.value)
    assert "net.ini:1, [c]" in str(error.value)


def test_label() -> None:
    conv = cell("Conv", "NbOutputs=6|KernelSize=5|Stride=2|ActivationFunction=Linear|QWeight=SAT|QWeight.Range=15")
    assert conv.label([dims(1, 32)], conv.outputs([dims(1, 32)])) == [
        "6x14x14",
        "5x5, stride 2",
        "ACT: Linear",
        "QWeights: SAT on range [15 q-step]",
    ]


def test_quantizers_in_configuration_sections() -> None:
    config = "QWeight.Range=7|QWeightSolver.LearningRate=0.5|QAct.Range=15"
    conv = cell(
        "Conv", "NbOutputs=1|KernelSize=1|QWeight=SAT|QWeightSolver=Adam|QAct=SAT|ActivationFunction=Linear", config
    )
    assert conv.weights_quantizer == SatWeights(range=7)
    assert conv.weights_quantizer_solver == Adam(learning_rate=0.5)
    assert conv.activation_quantizer.range == 15
    # Without QWeight in the section there is nothing that these keys could belong to.
    with pytest.raises(ParameterError, match=r"QWeight.Range has no effect without QWeight(.|\n)*add QWeight="):
        cell("Conv", "NbOutputs=1|KernelSize=1", "QWeight.Range=7")


def test_sub_samples_by_axis() -> None:
    conv = cell("Conv", "NbOutputs=1|KernelSize=1|SubSampleX=2|SubSampleY=3")
    assert conv.outputs([dims(1, 8)]) == Dims(4, 3, 1)  # rounded up
    assert cell("Conv", "NbOutputs=1|KernelSize=1|SubSampleDims=2 3").sub_sample == (2, 3)
