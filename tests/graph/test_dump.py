"""The text form of a network, against golden files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from n2d2py import ini
from n2d2py.graph.build import build
from n2d2py.graph.dump import dump, map_text
from tests.graph.networks import TINY, network

TESTS = Path(__file__).parent.parent


@pytest.mark.parametrize("name", ["LeNet_clamp", "branches"])
def test_golden(name: str) -> None:
    document = ini.load(TESTS / "data" / f"{name}.ini")
    assert dump(build(document, f"{name}.ini")) == (TESTS / "golden" / f"{name}.txt").read_text(encoding="utf-8")


def test_equal_networks_have_equal_texts() -> None:
    assert dump(network(TINY)) == dump(network(TINY.replace("KernelSize=3", "KernelDims=3 3")))
    assert dump(network(TINY)) != dump(network(TINY.replace("NoBias=1", "NoBias=0")))


def test_maps_in_words() -> None:
    assert map_text(np.eye(4, dtype=bool)) == "unit"
    assert map_text(np.eye(4, 2, dtype=bool)) == "2 of 8 pairs"
