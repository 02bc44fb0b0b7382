import pytest
import torch
from torch import nn

from n2d2py.layers.base import Learned
from n2d2py.learn import solving
from n2d2py.parts.solvers import SGD, Adam


def group(record, *values, batch_size=1):
    tensors = [nn.Parameter(torch.tensor(value)) for value in values]
    learned = [("cell", Learned("weights", tensor, record)) for tensor in tensors]
    return solving.build(learned, batch_size), tensors


def step(solver, tensors, *gradients):
    for tensor, gradient in zip(tensors, gradients, strict=True):
        new = None if gradient is None else torch.tensor(gradient)
        tensor.grad = new if tensor.grad is None or new is None else tensor.grad + new
    solver.step()


def test_momentum_has_the_rate_inside_the_velocity():
    solver, (w,) = group(SGD(learning_rate=0.1, momentum=0.9), [0.0], batch_size=4)
    step(solver, [w], [-4.0])
    assert w.tolist() == pytest.approx([0.1])
    step(solver, [w], [-4.0])
    assert w.tolist() == pytest.approx([0.29])


def test_velocity_keeps_its_size_after_a_drop_of_the_rate():
    record = SGD(learning_rate=1.0, momentum=0.5, policy="StepDecay", rate_decay=0.01, step_size=1)
    solver, (w,) = group(record, [0.0])
    step(solver, [w], [-1.0])
    step(solver, [w], [0.0])
    assert w.tolist() == pytest.approx([1.5])


def test_decay_is_not_divided_by_the_batch_size():
    solver, (w,) = group(SGD(learning_rate=0.5, decay=0.1), [2.0], batch_size=10)
    step(solver, [w], [10.0])
    assert w.tolist() == pytest.approx([2.0 - 0.5 - 0.5 * 0.1 * 2.0])


def test_rate_zero_changes_nothing_not_even_the_velocity():
    record = SGD(learning_rate=1.0, momentum=0.5, decay=0.5, policy="PolyDecay", power=1.0, max_iterations=1)
    solver, (w,) = group(record, [0.0])
    step(solver, [w], [-1.0])
    before = w.tolist()
    step(solver, [w], [-1.0])
    step(solver, [w], [-1.0])
    assert w.tolist() == before == [1.0]


def test_a_rate_of_zero_still_counts_updates_and_forgets_gradients():
    record = SGD(learning_rate=1.0, policy="CosineDecay", warm_up_duration=2, warm_up_fraction=0.0, max_iterations=99)
    solver, (w,) = group(record, [0.0])
    step(solver, [w], [-1.0])
    assert w.tolist() == [0.0]
    step(solver, [w], [-1.0])
    assert w.tolist() == [0.5]


def test_iteration_size_sums_batches_and_divides_by_their_number():
    solver, (w,) = group(SGD(learning_rate=1.0, iteration_size=3), [0.0], batch_size=2)
    for gradient in (-1.0, -2.0):
        step(solver, [w], [gradient])
        assert w.tolist() == [0.0]
    step(solver, [w], [-3.0])
    assert w.tolist() == [1.0]
    assert w.grad is None
    assert solver.groups[0].updates == 1


@pytest.mark.parametrize(
    ("bounds", "expected"), [((-0.5, 0.5), [0.5, -0.5]), ((None, 0.5), [0.5, -2.0]), ((-0.5, None), [2.0, -0.5])]
)
def test_clamping_holds_after_an_update(bounds, expected):
    solver, (w,) = group(SGD(learning_rate=1.0, clamping=bounds), [0.0, 0.0])
    step(solver, [w], [-2.0, 2.0])
    assert w.tolist() == expected


def test_tensors_of_equal_records_share_a_solver_and_keep_their_velocities():
    first, second = SGD(learning_rate=0.1, momentum=0.9), SGD(learning_rate=0.1, momentum=0.9)
    a, b, c = (nn.Parameter(torch.zeros(1)) for _ in range(3))
    learned = [("x", Learned("weights", a, first)), ("y", Learned("weights", b, second))]
    learned.append(("z", Learned("weights", c, SGD(learning_rate=0.2))))
    solver = solving.build(learned, 1)
    assert [len(item.tensors) for item in solver.groups] == [2, 1]
    for _ in range(2):
        step(solver, [a, b, c], [-1.0], [-2.0], [-1.0])
    assert (a.item(), b.item(), c.item()) == pytest.approx((0.29, 0.58, 0.4))
    assert list(solver.rates().values()) == [0.1, 0.2]
    assert solver.rate == 0.1


def test_a_tensor_that_stands_twice_is_updated_once():
    record = SGD(learning_rate=1.0)
    w = nn.Parameter(torch.zeros(1))
    solver = solving.build([("x", Learned("weights", w, record)), ("y", Learned("weights", w, record))], 1)
    step(solver, [w], [-1.0])
    assert w.item() == 1.0


def test_a_tensor_without_gradient_stays():
    solver, (a, b) = group(SGD(learning_rate=1.0, momentum=0.9, decay=0.1), [1.0], [1.0])
    step(solver, [a, b], [-1.0], None)
    assert (a.item(), b.item()) == pytest.approx((1.9, 1.0))


def test_without_any_gradient_nothing_is_counted():
    solver, _ = group(SGD(learning_rate=1.0), [1.0])
    solver.step()
    assert solver.groups[0].updates == 0


def test_a_change_of_a_step_policy_is_announced(caplog):
    caplog.set_level("INFO", logger="n2d2py")
    record = SGD(learning_rate=0.1, policy="StepDecay", rate_decay=0.1, step_size=8)
    solver, (w,) = group(record, [0.0], batch_size=4)
    step(solver, [w], [0.0])
    assert caplog.messages == []
    step(solver, [w], [0.0])
    assert caplog.messages == ["Learning rate after 2(x4) iteration(s): 0.01"]


def test_adam_uses_the_sum_of_gradients():
    record = Adam(learning_rate=0.001)
    solver, (w,) = group(record, [0.0], batch_size=1000)
    step(solver, [w], [-5.0])
    # t = 1: m / sqrt(u) is the sign of the gradient, whatever the batch size.
    assert w.tolist() == pytest.approx([0.001], rel=1e-6)


def test_adam_is_torchs_adam_with_its_epsilon():
    record = Adam(learning_rate=0.01, beta1=0.8, beta2=0.95, epsilon=1e-3)
    solver, (w,) = group(record, [0.5, -1.0])
    twin = nn.Parameter(torch.tensor([0.5, -1.0], dtype=torch.float64))
    # torch adds epsilon to sqrt(u / (1 - Beta2^t)), which is the same.
    reference = torch.optim.Adam([twin], lr=0.01, betas=(0.8, 0.95), eps=1e-3)
    for gradient in ([0.1, 2.0], [-3.0, 0.5], [0.01, 0.0], [1.0, -1.0]):
        step(solver, [w], gradient)
        twin.grad = torch.tensor(gradient, dtype=torch.float64)
        reference.step()
    assert w.tolist() == pytest.approx(twin.tolist(), rel=1e-5)


def test_adam_clamps_and_obeys_a_rate_of_zero():
    solver, (w,) = group(Adam(learning_rate=1.0, clamping=(None, 0.25)), [0.0])
    step(solver, [w], [-1.0])
    assert w.item() == 0.25
    solver, (w,) = group(Adam(learning_rate=0.0), [0.0])
    step(solver, [w], [-1.0])
    assert w.item() == 0.0
