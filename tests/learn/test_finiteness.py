import torch

from n2d2py.learn.finiteness import LossWatch


def test_on_the_cpu_every_loss_is_looked_at():
    watch = LossWatch()
    assert watch.add(torch.tensor(1.0))
    assert not watch.add(torch.tensor(float("nan")))
    assert watch.add(torch.tensor(2.0))
    assert watch.look()


def test_elsewhere_losses_wait_until_somebody_looks():
    watch = LossWatch()
    loss = torch.tensor(1.0, device="meta")
    assert all(watch.add(loss) for _ in range(10))
    assert len(watch._waiting) == 10
