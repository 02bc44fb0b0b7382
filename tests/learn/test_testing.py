from types import SimpleNamespace

import numpy as np
import pytest
import torch

from n2d2py.errors import LearningError, Place
from n2d2py.learn import testing
from n2d2py.learn.comparing import comparisons
from n2d2py.parts.targets import PlainTarget, TargetCompare, TargetROIs, TargetScore
from n2d2py.quant.grid import Coded, Grid

from .fakes import FakeNetwork, FakeStimuli


def identity(sizes=(3, 3), **options):
    network = FakeNetwork(*sizes, **options)
    with torch.no_grad():
        network.cells[0].weights.copy_(torch.eye(3))
    return network


def test_rate_confusion_and_mistakes(caplog):
    caplog.set_level("INFO", logger="n2d2py")
    stimuli = FakeStimuli(test=20, batch_size=8)
    ids, points, labels = stimuli.sets["Test"]
    points[3, :, 0, 0] = [0, 1, 0]  # its label is 0
    (result,) = testing.test(identity(), stimuli)
    assert result.rate == 19 / 20
    assert result.confusion.matrix.tolist() == [[6, 1, 0], [0, 7, 0], [0, 0, 6]]
    assert result.mistakes == [(ids[3], 0, 1, 1)]
    assert result.outputs.shape == (20, 3)
    assert (result.labels == labels).all()
    assert (result.ids == ids).all()
    assert result.successes[:, 0].tolist() == [7 / 8, 1.0, 1.0]
    assert caplog.messages == [
        "Testing #16   95%",
        "Final recognition rate: 95%    (error rate: 5%)",
        *result.lines()[1:],
    ]


def test_lines_come_at_the_asked_distance(caplog):
    caplog.set_level("INFO", logger="n2d2py")
    testing.evaluate(identity(), FakeStimuli(test=32, batch_size=4), "Test", report=10)
    assert [message.split()[1] for message in caplog.messages] == ["#12", "#20", "#28"]


def test_the_network_is_as_it_was_afterwards():
    network = identity()
    network.train()
    testing.evaluate(network, FakeStimuli(), "Test")
    assert network.training
    assert testing.evaluate(network, FakeStimuli(), "Test")[0].outputs is None


def test_only_scoring_targets_have_results():
    targets = (PlainTarget(name="a", cell="fc0"), TargetScore(name="b", cell="fc0"))
    results = testing.evaluate(identity(targets=targets), FakeStimuli(), "Test")
    assert [result.target.name for result in results] == ["b"]


def test_a_quantized_network_gets_codes_and_its_codes_decide():
    network = identity()
    network.quantized = True
    grid = Grid(1.0, 0, 1 << 30)
    seen = []

    def evaluate(stimuli, wanted=None):
        seen.append(stimuli)
        codes = torch.tensor([[1 << 30, (1 << 30) + 1, 0]], dtype=torch.float64).repeat(len(stimuli.values), 1)
        return {"fc0": Coded(codes, grid)}

    network.evaluate = evaluate
    stimuli = FakeStimuli(test=3)
    original = stimuli.batch

    def batch(name, positions):
        result = original(name, positions)
        result.codes = Coded(torch.ones_like(result.inputs), Grid(1 / 255, 0, 255))
        return result

    stimuli.batch = batch
    (result,) = testing.evaluate(network, stimuli, "Test", keep_outputs=True)
    assert seen[0].grid == Grid(1 / 255, 0, 255)
    # As float32 the first two outputs would be equal, and the first would win.
    assert result.estimated.tolist() == [1, 1, 1]


def test_a_bias_beside_the_codes_counts():
    network = identity()
    offset = torch.tensor([0.0, 5.0, 0.0], dtype=torch.float64)
    codes = torch.tensor([[3.0, 1.0, 2.0]])[:, :, None, None]
    network.evaluate = lambda stimuli, wanted: {"fc0": Coded(codes, Grid(1.0, 0, 7), offset)}
    (result,) = testing.evaluate(network, FakeStimuli(test=1), "Test")
    assert result.estimated.tolist() == [1]


def test_one_output_neuron_is_compared_with_its_threshold_in_real_values():
    network = identity()
    network.network["fc0"].output.channels = 1
    network.evaluate = lambda stimuli, wanted: {"fc0": Coded(torch.tensor([[3.0], [20.0]]), Grid(0.1, 0, 255))}
    stimuli = FakeStimuli(test=2, classes=2)
    (result,) = testing.evaluate(network, stimuli, "Test")
    assert result.estimated.tolist() == [0, 1]
    assert result.rate == 1.0


def test_a_set_without_stimuli():
    (result,) = testing.evaluate(identity(), FakeStimuli(), "Validation")
    assert (result.rate, len(result.ids), result.mistakes) == (0.0, 0, [])


def test_a_label_without_output():
    with pytest.raises(LearningError, match="target out of range"):
        testing.evaluate(FakeNetwork(4, 3), FakeStimuli(classes=4), "Test")


def test_mistakes_of_pixels_are_counted_by_pair():
    labels = np.array([[[0, 0, 0, -1]], [[1, 1, 1, 1]]])
    estimated = np.array([[[1, 1, 2, 0]], [[1, 1, 1, 1]]])
    assert testing.mistakes(np.array([7, 8]), labels, estimated) == [(7, 0, 1, 2), (7, 0, 2, 1)]


def test_a_target_that_cannot_be_tested():
    targets = (TargetCompare(name="box.Target", cell="fc0", places={"": Place("net.ini", 9, "box.Target")}),)
    with pytest.raises(LearningError) as error:
        testing.evaluate(identity(targets=targets), FakeStimuli(), "Test")
    text = str(error.value)
    assert "target box.Target can be neither learned nor tested: data of a target's own are not read" in text
    assert "net.ini:9, [box.Target]" in text
    assert "remove [box.Target], or give it Type=TargetScore" in text


def test_a_network_of_spikes():
    network = identity()
    cell = SimpleNamespace(place=lambda: Place("net.ini", 3, "fc"))
    network.network.spiking = [SimpleNamespace(name="fc", model="Spike_Analog", cell=cell)]
    with pytest.raises(LearningError, match="cell fc has the model Spike_Analog") as error:
        comparisons(network, FakeStimuli())
    assert "DefaultModel=Frame" in str(error.value)


def test_regions_of_pixels_score_in_a_test():
    targets = (TargetROIs(name="roi.Target", cell="fc0"), TargetScore(name="b", cell="fc0"))
    results = testing.evaluate(identity(targets=targets), FakeStimuli(), "Test")
    assert [result.target.name for result in results] == ["roi.Target", "b"]
    # Of one pixel each is one region, and none is a background.
    assert results[0].rate == results[1].rate
    assert results[0].ids.tolist() == results[1].ids.tolist()


def test_the_mask_of_a_target_is_evaluated_too():
    targets = (
        TargetScore(name="a", cell="fc0", mask_label_target="b", masked_label=0),
        PlainTarget(name="b", cell="fc0"),
    )
    (result,) = testing.evaluate(identity(targets=targets), FakeStimuli(test=9), "Test")
    assert result.confusion.has_none
    # Only what is estimated to be 0 counts as an answer.
    assert result.confusion.matrix.tolist() == [[3, 0, 0, 0], [0, 0, 0, 3], [0, 0, 0, 3], [0, 0, 0, 0]]
