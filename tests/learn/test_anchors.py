"""Anchors made from the sizes of regions."""

from __future__ import annotations

import numpy as np
import pytest

from n2d2py.learn.anchors import clustered, overlaps


def test_overlap_of_sizes() -> None:
    found = overlaps(np.array([[2.0, 4.0], [3.0, 3.0]]), np.array([[4.0, 2.0], [2.0, 4.0]]))
    assert found.tolist() == [[4 / 12, 1.0], [6 / 11, 6 / 11]]


@pytest.mark.parametrize("seed", range(5))
def test_clusters_are_found(seed: int) -> None:
    random = np.random.default_rng(seed)
    true = np.array([[10.0, 20.0], [40.0, 15.0], [60.0, 90.0]])
    sizes = (true[:, None] * random.uniform(0.95, 1.05, (3, 50, 2))).reshape(-1, 2)
    found = clustered(random.permutation(sizes), 3, 1000)
    assert np.allclose(found, sizes.reshape(3, 50, 2).mean(1))


def test_clusters_do_not_depend_on_the_scale() -> None:
    sizes = np.random.default_rng(1).integers(1, 60, (300, 2)).astype(np.float64)
    assert np.allclose(clustered(sizes * 4, 6, 1000), 4 * clustered(sizes, 6, 1000))


def test_more_iterations_fit_better() -> None:
    sizes = np.random.default_rng(2).integers(1, 60, (500, 2)).astype(np.float64)
    fits = [overlaps(sizes, clustered(sizes, 6, iterations)).max(1).mean() for iterations in (1, 1000)]
    assert fits[0] < fits[1]


def test_as_many_anchors_as_sizes() -> None:
    sizes = np.repeat(np.array([[5.0, 5.0], [1.0, 9.0], [9.0, 1.0], [3.0, 3.0]]), 3, 0)
    found = clustered(sizes, 4, 1000)
    assert found.tolist() == [[1.0, 9.0], [3.0, 3.0], [9.0, 1.0], [5.0, 5.0]]
