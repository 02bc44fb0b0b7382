"""Less precise products, and all that stays float32 beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from n2d2py import console, devices, ini
from n2d2py.errors import UsageError
from n2d2py.layers.weighted import exact_products
from n2d2py.learn import precision as precisions
from n2d2py.learn.precision import FULL, Precision, prepared, read
from n2d2py.quant.activations import ActivationQuantization
from n2d2py.quant.weights import WeightQuantization

from .test_waiting import QUANTIZERS, batch, course, text_of

CUDA = torch.device("cuda")


def test_words() -> None:
    assert read("", False) == FULL == Precision(False, False)
    assert read("bf16", True) == Precision(True, True)
    assert read("BF16", False).bf16
    assert not read("none", False).bf16


@pytest.mark.parametrize("word", ["fp16", "float16", "half"])
def test_float16_is_refused_with_the_reason(word: str) -> None:
    with pytest.raises(UsageError, match="gradients of quantized networks become unstable in float16") as error:
        read(word, False)
    assert "bf16" in str(error.value)
    assert "-tf32" in str(error.value)
    with pytest.raises(UsageError, match="there is no such precision"):
        read("int8", False)


@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_products_are_bfloat16_and_quantizers_see_float32(
    quantizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = course(text_of(quantizer), tmp_path, "cpu")
    learner.precision, learner.hooks = prepared(Precision(bf16=True), learner.network)
    products: list[torch.dtype] = []
    quantized: list[torch.dtype] = []
    convolve = torch.nn.functional.conv2d

    def seen(*given: Any) -> Tensor:
        made = convolve(*given)
        products.append(made.dtype)
        return made

    monkeypatch.setattr(torch.nn.functional, "conv2d", seen)
    for module in learner.network.modules():
        if isinstance(module, ActivationQuantization | WeightQuantization):
            module.register_forward_hook(lambda _, inputs, out: quantized.extend((inputs[0].dtype, out.dtype)))
    before = [one.detach().clone() for one in learner.parameters]
    learner._step(batch(False, 1), 0)
    assert products == [torch.bfloat16] * 2
    assert set(quantized) <= {torch.float32}
    assert learner.loss is not None
    assert learner.loss.dtype == torch.float32
    assert all(one.dtype == torch.float32 and one.isfinite().all() for one in learner.parameters)
    assert any(not torch.equal(now, then) for now, then in zip(learner.parameters, before, strict=True))


# But with signs, of which a rounding turns some.
@pytest.mark.parametrize("quantizer", [name for name in QUANTIZERS if not name.startswith("Binary")])
def test_a_step_of_bfloat16_is_near_that_of_float32(quantizer: str, tmp_path: Path) -> None:
    losses = []
    for wanted in (Precision(), Precision(bf16=True)):
        learner = course(text_of(quantizer), tmp_path, "cpu")
        learner.precision, learner.hooks = prepared(wanted, learner.network)
        learner._step(batch(False, 1), 0)
        assert learner.loss is not None
        losses.append(float(learner.loss))
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_it_waits_for_nothing(device: str, tmp_path: Path) -> None:
    from .test_waiting import there, watched

    learner = course(text_of("SAT"), tmp_path, device)
    learner.watch.add = lambda loss: True  # type: ignore[method-assign]
    if device == "cpu":  # tensors without values know no autocast
        learner.precision, learner.hooks = prepared(Precision(bf16=True), learner.network)
    one = there(batch(False, 2), device)
    with watched() as seen:
        learner._step(one, 0)
    assert seen.waits == []


def test_exact_integers_stay_exact(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    learner = course(text_of("SAT"), tmp_path, "cpu")
    learner.network.carries_codes = True
    with caplog.at_level(console.NOTICE, "n2d2py"):
        precision, hooks = prepared(Precision(True, True), learner.network)
    assert precision == Precision(tf32=True, bf16=False)
    assert hooks == []
    assert "-amp has no effect" in caplog.text


@pytest.mark.parametrize(("times", "told"), [(0.8, False), (9.3, True)])
def test_a_processor_that_imitates_bfloat16_is_told_of(
    times: float, told: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precisions, "slowness", lambda: times)
    learner = course(text_of("SAT"), tmp_path, "cpu")
    with caplog.at_level(console.NOTICE, "n2d2py"):
        prepared(Precision(), learner.network)
        assert "as long in" not in caplog.text
        assert prepared(Precision(bf16=True), learner.network)[0].bf16
    assert ("9.3 times as long in bfloat16" in caplog.text) is told


def test_slowness_is_that_of_this_processor() -> None:
    assert 0.01 < precisions.slowness() < 1000.0


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> Any:
    """torch's own flags, set back afterwards."""
    kept = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    yield lambda: (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32)
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = kept


def test_tf32_is_for_learning_alone(flags: Any) -> None:
    before = flags()
    with Precision(tf32=True).products(CUDA):
        assert flags() == (True, True)
        with exact_products():
            assert flags()[0] is False
            assert not torch.backends.cudnn.enabled
        with FULL.products(CUDA):  # a test at a log
            assert flags() == (False, False)
        assert flags() == (True, True)
    assert flags() == before
    with Precision(tf32=True).products(torch.device("cpu")):
        assert flags() == before
    with pytest.raises(ZeroDivisionError), Precision(tf32=True).products(CUDA):
        1 / 0  # noqa: B018
    assert flags() == before


def test_float32_on_a_gpu_is_float32(flags: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    document = ini.loads("DefaultModel=Frame_CUDA\n", file="net.ini")
    for word, expected in (("", CUDA), ("cuda", CUDA), ("1", torch.device("cuda", 1))):
        torch.backends.cudnn.allow_tf32 = True
        assert devices.choose_device(word, document) == expected
        assert torch.backends.cudnn.allow_tf32 is False
