"""The torch executor computes where its stimuli are. There is no GPU here: torch's fake tensors stand for one.

They have shapes, types and devices but no values, and torch refuses any operation whose tensors are on two devices.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from n2d2py.integer import torch_executor
from n2d2py.integer.lower import lower

from . import blocks
from .learned import IMAGES, network

NAMES = ("resnet_v1", "mobilenet_v2", "inception", "levels", "space")


def placed(thresholds: torch.Tensor, values: torch.Tensor, right: bool) -> torch.Tensor:
    """As searchsorted, which has no fake form."""
    assert thresholds.device == values.device
    assert right
    return torch.zeros_like(values)


@pytest.mark.parametrize("name", NAMES)
def test_all_of_it_is_on_the_device_of_the_stimuli(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "searchsorted", placed)
    integer = lower(network(getattr(blocks, name)(), 1), IMAGES)
    assert integer.islands == ["softmax"]  # islands are computed on the CPU
    integer = replace(integer, operations=tuple(op for op in integer if op.name != "softmax"))
    with FakeTensorMode(allow_non_fake_inputs=True):
        stimuli = torch.zeros(2, *integer.stimuli.dims.shape, device="cuda")
        results = torch_executor.run(integer, stimuli)
    assert set(results) == {operation.name for operation in integer}
    for operation, values in results.items():
        assert values.device.type == "cuda"
        assert values.dtype == torch.int64
        assert tuple(values.shape) == (2, *integer.edges[operation].dims.shape)
