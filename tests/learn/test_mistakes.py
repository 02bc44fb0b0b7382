import numpy as np
import torch

from n2d2py.learn.mistakes import Mistaken, mistaken, mistakes, records
from n2d2py.learn.tally import PENDING, Tally
from n2d2py.learn.targets import Comparison, Judged
from n2d2py.parts.targets import TargetScore


def judged(labels, estimated):
    labels, estimated = torch.tensor(labels), torch.tensor(estimated)
    return Judged(labels, estimated, (labels == estimated).double(), labels >= 0)


def test_only_what_is_wrong_is_kept_and_ignored_labels_are_not():
    ids, labels, estimated = np.array([5, 6, 7]), np.array([0, 1, -1]), np.array([0, 2, 2])
    assert mistaken(ids, labels, estimated).tolist() == [[6, 1, 2, 1]]
    assert mistakes(ids, labels, estimated) == [(6, 1, 2, 1)]


def test_nothing_is_wrong():
    for shape in ((2,), (2, 3, 3)):
        found = mistaken(np.arange(2), np.ones(shape, np.int64), np.ones(shape, np.int64))
        assert found.shape == (0, 4)
    assert Mistaken().take().shape == (0, 4)


def test_many_batches_are_gathered_in_their_order_and_pending_ones_are_few():
    gathered = Mistaken()
    for index in range(2 * PENDING + 3):
        gathered.add(np.array([index, -index]), judged([1, 1], [1, index % 3]))
        assert len(gathered._pending) < PENDING
    expected = [(-index, 1, index % 3, 1) for index in range(2 * PENDING + 3) if index % 3 != 1]
    assert records(gathered.take()) == expected
    assert gathered.take().shape == (0, 4)


def test_a_tally_holds_few_tensors_however_long_it_counts():
    tally = Tally(Comparison(TargetScore(name="fc.Target", cell="fc"), 2))
    output = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    successes = []
    for index in range(PENDING + 10):
        labels = torch.tensor([index % 2, 0])
        tally.add({"fc": output}, labels, output)
        assert len(tally._pending) < PENDING
        successes.append((index % 2 + 1) / 2)
    assert tally.successes()[:, 0].tolist() == successes
    assert tally.rate == sum(successes) / len(successes)
    assert tally.recent(3) == sum(successes[-3:]) / 3
    first = tally.successes()
    tally.add({"fc": output}, torch.tensor([1, 0]), output)
    assert np.shares_memory(first, tally.successes())
    assert len(first) == PENDING + 10
