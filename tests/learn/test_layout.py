"""Files of weights in the orders that WeightsExportFormat and WeightsExportFlip choose, beside files by hand."""

import pytest
import torch

from n2d2py import ini
from n2d2py.graph.build import build
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import weights

HEAD = "DefaultModel=Frame\n[env]\nSizeX=4\nSizeY=4\nNbChannels=2\nBatchSize=1\n[c]\nInput=env\nNoBias=1\n"
CONV = "Type=Conv\nNbOutputs=2\nKernelDims=3 2\n"
TALL = "Type=Conv\nNbOutputs=3\nKernelDims=1 2\n"
SCATTERED = f"{TALL}Mapping(env)=1 0 1 1 1 0\n"
GROUPED = "Type=Conv\nNbOutputs=4\nKernelDims=1 2\nMapping.NbGroups=2\n"
FC = "[f]\nInput=c\nType=Fc\nNoBias=1\nNbOutputs=2\nWeightsExportFormat=CO\n"

# Weights number 0, 1, 2, ... in torch's order: outputs, channels, rows, columns.
HWCO = "0 12 6 18 \n1 13 7 19 \n2 14 8 20 \n3 15 9 21 \n4 16 10 22 \n5 17 11 23 \n"
FLIPPED = "5 4 3 2 1 0 11 10 9 8 7 6 \n17 16 15 14 13 12 23 22 21 20 19 18 \n"
BOTH = "5 17 11 23 \n4 16 10 22 \n3 15 9 21 \n2 14 8 20 \n1 13 7 19 \n0 12 6 18 \n"


def network(section, rest=""):
    made = TorchNetwork(build(ini.loads(HEAD + section + rest, file="net.ini"), "net.ini"))
    made.fill(1)
    return made


def numbered(made):
    """The network with weights 0, 1, 2, ... in each cell, 0 where there is no connection."""
    with torch.no_grad():
        for layer in made.layers.values():
            values = torch.arange(float(layer.weights.numel())).reshape(layer.weights.shape)
            layer.weights.copy_(values if layer.mask is None else values * layer.mask)
    return made


@pytest.mark.parametrize(
    ("section", "text"),
    [
        (CONV, "0 1 2 3 4 5 6 7 8 9 10 11 \n12 13 14 15 16 17 18 19 20 21 22 23 \n"),
        (f"{CONV}WeightsExportFormat=HWCO\n", HWCO),
        (f"{CONV}WeightsExportFlip=1\n", FLIPPED),
        (f"{CONV}WeightsExportFormat=HWCO\nWeightsExportFlip=1\n", BOTH),
        # Channel 0 feeds the outputs 0 and 2, channel 1 the outputs 0 and 1.
        (SCATTERED, "0 1 2 3 \n6 7 \n8 9 \n"),
        (f"{SCATTERED}WeightsExportFlip=1\n", "1 0 3 2 \n7 6 \n9 8 \n"),
        (f"{SCATTERED}WeightsExportFormat=HWCO\n", "0 8 2 6 \n1 9 3 7 \n"),
        # Two groups of one channel and two outputs each: a channel is listed with its own outputs only.
        (f"{GROUPED}WeightsExportFormat=HWCO\n", "0 2 4 6 \n1 3 5 7 \n"),
    ],
    ids=["OCHW", "HWCO", "flipped", "HWCO flipped", "map", "map flipped", "map HWCO", "groups HWCO"],
)
def test_a_convolution_is_written_and_read_in_its_order(section, text, tmp_path):
    made = numbered(network(section))
    weights.save(made, tmp_path)
    assert (tmp_path / "c_weights.syntxt").read_text() == text
    other = network(section)
    weights.load(other, tmp_path)
    assert torch.equal(other.layers["c"].weights, made.layers["c"].weights)


def test_a_fully_connected_cell_has_one_line_for_each_input(tmp_path):
    section = "Type=Fc\nNbOutputs=2\nWeightsExportFormat=CO\n"
    (tmp_path / "c_weights.syntxt").write_text("".join(f"{index} {-index} \n" for index in range(32)))
    made = network(section)
    weights.load(made, tmp_path)
    assert made.layers["c"].weights.tolist() == [[float(i) for i in range(32)], [float(-i) for i in range(32)]]
    text = (tmp_path / "c_weights.syntxt").read_text()
    weights.save(made, tmp_path)
    assert (tmp_path / "c_weights.syntxt").read_text() == text.replace("-0", "0")


def test_one_channel_a_group_is_not_one_group(tmp_path):
    """Groups of several channels: the channels of the first group come before those of the second."""
    head = HEAD.replace("NbChannels=2", "NbChannels=4")
    text = f"{head}{GROUPED}WeightsExportFormat=HWCO\n"
    made = numbered(TorchNetwork(build(ini.loads(text, file="net.ini"), "net.ini")))
    assert made.layers["c"].groups == 2
    weights.save(made, tmp_path)
    assert (tmp_path / "c_weights.syntxt").read_text() == "0 4 2 6 8 12 10 14 \n1 5 3 7 9 13 11 15 \n"


def test_quantized_weights_have_the_same_order(tmp_path):
    section = f"{TALL}QWeight=SAT\nQWeight.Range=15\nActivationFunction=Linear\n"
    plain, ordered = network(section), network(f"{section}WeightsExportFormat=HWCO\nWeightsExportFlip=1\n")
    for name, made in (("plain", plain), ("ordered", ordered)):
        weights.save(made, tmp_path / name)
    lines = (tmp_path / "plain" / "c_quant_weights.syntxt").read_text().splitlines()
    numbers = [[float(word) for word in line.split()] for line in lines]
    expected = torch.tensor(numbers, dtype=torch.float64).reshape(3, 2, 2)
    found = (tmp_path / "ordered" / "c_quant_weights.syntxt").read_text().splitlines()
    assert len(found) == 2
    for position, line in zip((1, 0), found, strict=True):
        assert [float(word) for word in line.split()] == expected[:, :, position].T.flatten().tolist()


def test_a_single_file_is_in_the_order_of_the_outputs(tmp_path):
    section = f"{CONV}WeightsExportFormat=HWCO\n".replace("NoBias=1\n", "")
    (tmp_path / "c.syntxt").write_text(" ".join(str(value) for value in range(24)))
    made = network(section)
    weights.load(made, tmp_path)
    assert made.layers["c"].weights.flatten().tolist() == [float(value) for value in range(24)]


def test_two_cells_may_differ(tmp_path):
    made = numbered(network(f"{CONV}WeightsExportFlip=1\n", FC))
    weights.save(made, tmp_path)
    assert (tmp_path / "c_weights.syntxt").read_text() == FLIPPED
    inputs = made.layers["f"].weights.shape[1]
    assert (tmp_path / "f_weights.syntxt").read_text().splitlines()[1] == f"1 {inputs + 1} "


REMAPPED = "OutputsRemap=0,2,1,3\n"


@pytest.mark.parametrize(
    ("section", "text"),
    [
        (f"{TALL}OutputsRemap=2,0,1\n", "8 9 10 11 \n0 1 2 3 \n4 5 6 7 \n"),
        (f"{TALL}OutputsRemap=2,0,1\nWeightsExportFlip=1\n", "9 8 11 10 \n1 0 3 2 \n5 4 7 6 \n"),
        (f"{TALL}OutputsRemap=2,0,1\nWeightsExportFormat=HWCO\n", "8 0 4 10 2 6 \n9 1 5 11 3 7 \n"),
        # Channel 0 feeds the outputs 0 and 2, channel 1 the outputs 0 and 1.
        (f"{SCATTERED}OutputsRemap=2,0,1\n", "8 9 \n0 1 2 3 \n6 7 \n"),
        (f"{GROUPED}{REMAPPED}", "0 1 \n4 5 \n2 3 \n6 7 \n"),
        # The outputs of a channel are those of its group, in the order in which they are named.
        (f"{GROUPED}OutputsRemap=3,1,2,0\nWeightsExportFormat=HWCO\n", "2 0 6 4 \n3 1 7 5 \n"),
        ("Type=Deconv\nNbOutputs=2\nKernelDims=1 1\nOutputsRemap=1,0\n", "2 3 \n0 1 \n"),
    ],
    ids=["plain", "flipped", "HWCO", "map", "groups", "groups HWCO", "Deconv"],
)
def test_outputs_are_written_and_read_in_the_order_of_OutputsRemap(section, text, tmp_path):
    made = numbered(network(section))
    weights.save(made, tmp_path)
    assert (tmp_path / "c_weights.syntxt").read_text() == text
    other = network(section)
    weights.load(other, tmp_path)
    assert torch.equal(other.layers["c"].weights, made.layers["c"].weights)


def test_biases_and_quantized_weights_have_that_order_too(tmp_path):
    section = "Type=Fc\nNbOutputs=4\nQWeight=SAT\nQWeight.Range=15\nNoBias=0\n"
    for name, remap in (("plain", ""), ("ordered", REMAPPED)):
        made = network(section + remap)
        with torch.no_grad():
            made.layers["c"].biases.copy_(torch.arange(4.0))
        weights.save(made, tmp_path / name)
        other = network(section + remap)
        weights.load(other, tmp_path / name)
        assert torch.equal(other.layers["c"].biases, torch.arange(4.0))
        assert torch.equal(other.layers["c"].weights, made.layers["c"].weights)
    assert (tmp_path / "ordered/c_biases.syntxt").read_text() == "0\n2\n1\n3\n"
    for file in ("c_weights", "c_quant_weights_quant"):
        plain, ordered = (
            (tmp_path / name / f"{file}.syntxt").read_text().splitlines() for name in ("plain", "ordered")
        )
        assert ordered == [plain[0], plain[2], plain[1], plain[3]]


def test_a_network_computes_the_same_whatever_the_order_of_its_files(tmp_path):
    plain, ordered = network(CONV), network(f"{CONV}OutputsRemap=1,0\n")
    x = torch.rand(1, 2, 4, 4)
    assert torch.equal(plain.eval()(x)["c"], ordered.eval()(x)["c"])
    (tmp_path / "c.syntxt").write_text(" ".join(str(value) for value in range(24)))
    weights.load(ordered, tmp_path)  # a single file is by output, as with WeightsExportFormat
    assert ordered.layers["c"].weights.flatten().tolist() == [float(value) for value in range(24)]
