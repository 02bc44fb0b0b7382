import pytest
import torch

from n2d2py.learn import losses
from n2d2py.parts.targets import TargetScore


def target(**parameters):
    return TargetScore(name="fc.Target", cell="fc", **parameters)


def gradient(function, output):
    leaf = output.clone().requires_grad_()
    function(leaf).backward()
    return leaf.grad


def test_the_gradient_is_output_minus_wanted_summed_over_the_batch():
    output = torch.tensor([[0.2, 0.3], [0.9, -1.0]])
    found = gradient(lambda y: losses.squared_error(target(), y, torch.tensor([0, 1])), output)
    assert torch.equal(found, output - torch.eye(2))


def test_target_and_default_value():
    output = torch.zeros(1, 3, 1, 1)
    found = gradient(
        lambda y: losses.squared_error(target(target_value=2.0, default_value=-1.0), y, torch.tensor([1])), output
    )
    assert found.flatten().tolist() == [1.0, -2.0, 1.0]


def test_ignored_stimuli_have_no_gradient():
    found = gradient(lambda y: losses.squared_error(target(), y, torch.tensor([-1, 0])), torch.ones(2, 2))
    assert found.tolist() == [[0.0, 0.0], [0.0, 1.0]]


def test_one_output_neuron():
    output = torch.full((3, 1, 1, 1), 0.25)
    found = gradient(lambda y: losses.squared_error(target(default_value=-1.0), y, torch.tensor([1, 0, -1])), output)
    assert found.flatten().tolist() == [-0.75, 1.25, 0.0]


def test_spatial_outputs_are_balanced_by_class_in_each_stimulus():
    labels = torch.tensor([[[0, 0, 1, -1]]])
    found = gradient(lambda y: losses.squared_error(target(), y, labels), torch.zeros(1, 2, 1, 4))
    assert found.tolist() == [[[[-0.5, -0.5, 0.0, 0.0]], [[0.0, 0.0, -1.0, 0.0]]]]


def test_cross_entropy_is_the_squared_error_of_a_softmax_that_lets_errors_pass():
    logits = torch.tensor([[0.3, -1.0, 2.0], [0.0, 0.5, 1.0], [1.0, 1.0, 1.0]])
    labels = torch.tensor([2, 0, -1])
    found = gradient(lambda z: losses.cross_entropy(z, labels), logits)
    passed = gradient(lambda y: losses.squared_error(target(), y, labels), logits.softmax(1))
    assert torch.allclose(found, passed, atol=1e-6)


def test_spatial_cross_entropy_is_balanced():
    logits = torch.randn(2, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[[0, 0], [0, 2]], [[1, -1], [-1, -1]]])
    found = gradient(lambda z: losses.cross_entropy(z, labels), logits)
    passed = gradient(lambda y: losses.squared_error(target(), y, labels), logits.softmax(1))
    assert torch.allclose(found, passed, atol=1e-6)


def test_a_softmax_without_loss_has_its_true_jacobian():
    logits = torch.tensor([[0.3, -1.0, 2.0]], dtype=torch.float64)
    found = gradient(lambda z: losses.squared_error(target(), z.softmax(1), torch.tensor([1])), logits)
    y = logits.softmax(1)[0]
    d = torch.tensor([0.0, 1.0, 0.0]) - y
    expected = [-sum(d[o] * y[o] * (float(o == c) - y[c]) for o in range(3)) for c in range(3)]
    assert found[0].tolist() == pytest.approx([value.item() for value in expected])


def test_reconstruction_is_balanced_over_bins():
    data = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    found = gradient(lambda y: losses.reconstruction_error(y, data), torch.ones(1, 4))
    assert found[0].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0.0])


def test_every_form_of_logits_has_the_gradient_of_its_outputs():
    logits = torch.tensor([[0.3, -1.0, 2.0], [0.0, 0.5, 1.0]])
    labels = torch.tensor([2, -1])
    other = target(target_value=0.8, default_value=0.1)
    for form, outputs in (("cross-entropy", logits.softmax(1)), ("logistic", logits.sigmoid()), ("square", logits)):
        for wanted in (target(), other):
            found = gradient(lambda z, form=form, wanted=wanted: losses.error(form, wanted, z, labels), logits)
            passed = gradient(lambda y, wanted=wanted: losses.squared_error(wanted, y, labels), outputs)
            assert torch.allclose(found, passed, atol=1e-6)


def test_a_threshold_looks_at_probabilities():
    logits = torch.tensor([[0.25]])
    assert losses.outputs("logistic", logits).item() > 0.5
    assert losses.outputs("cross-entropy", logits) is logits
