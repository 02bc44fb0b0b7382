"""What only a GPU can show: that batches there are those of the CPU, and that a step never waits for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from data_room.test_batches import CHAINS, DATABASE, PROVIDER, folder, learned, make
from learn.test_waiting import QUANTIZERS, batch, course, text_of, there

from n2d2py.data import remote
from n2d2py.data.batch import Batch
from n2d2py.learn.precision import Precision, prepared

__all__ = ["folder"]
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def on_cpu(batches: list[Batch]) -> list[tuple[list[int], torch.Tensor, torch.Tensor]]:
    return [(one.ids.tolist(), one.inputs.cpu(), one.labels.cpu()) for one in batches]


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("way", ["held there", "held here", "made anew"])
def test_batches_are_those_of_the_cpu(
    folder: Path,
    chain: str,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("N2D2_MEMORY", "0" if way == "made anew" else "64")
    if way == "held here":
        monkeypatch.setattr(remote, "room", lambda device, budget: 0)
    text = DATABASE + PROVIDER + chain
    expected = on_cpu(learned(make(text, folder, workers=2)))
    batches = learned(make(text, folder, workers=2, device="cuda"))
    assert all(one.inputs.device.type == one.labels.device.type == "cuda" for one in batches)
    for mine, theirs in zip(on_cpu(batches), expected, strict=True):
        assert mine[0] == theirs[0]
        assert torch.equal(mine[1], theirs[1])
        assert torch.equal(mine[2], theirs[2])


@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("precision", [Precision(), Precision(tf32=True), Precision(bf16=True)])
def test_a_step_waits_for_nothing(quantizer: str, precision: Precision, tmp_path: Path) -> None:
    learner = course(text_of(quantizer), tmp_path, "cuda")
    learner.precision, learner.hooks = prepared(precision, learner.network)
    batches = [there(batch(False, number), "cuda") for number in range(2, 5)]
    with learner.precision.products(learner.device):
        learner._step(batches[0], 0)
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            for one in batches[1:]:
                learner._step(one, 0)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert learner.loss is not None
    assert np.isfinite(float(learner.loss))
