"""A step of learning never waits for its device.

Tensors without values ("meta") stand for those of a GPU: asking one for a number, copying it to the host or mixing it
with the host's is an error there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from n2d2py import ini
from n2d2py.data.batch import Batch
from n2d2py.data.random import Generator
from n2d2py.graph.build import build
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import progress
from n2d2py.learn.history import Plan
from n2d2py.learn.loop import _Course
from n2d2py.learn.precision import Precision

NETWORK = """
[sp]
Size=8 8 3
BatchSize=4
{provider}

[conv1]
Input=sp
Type=Conv
KernelSize=3
NbOutputs=6
ActivationFunction=Linear
NoBias=1
{weights}

[bn1]
Input=conv1
Type=BatchNorm
NbOutputs=6
{activation}

[pool1]
Input=bn1
Type=Pool
PoolDims=2
Pooling=Max
NbOutputs=6
Mapping.ChannelsPerGroup=1

[conv2]
Input=pool1
Type=Conv
KernelSize=3
NbOutputs=6
ActivationFunction=Linear
{weights}
{activation}

[add]
Input=conv2,conv2
Type=ElemWise
NbOutputs=6
Operation=Sum
{activation}

[fc]
Input=add
Type={last}
NbOutputs=5
ActivationFunction=Linear
{weights}

[softmax]
Input=fc
Type=Softmax
NbOutputs=5
WithLoss=1

[softmax.Target]
{target}
"""
RECTIFIER = "ActivationFunction=Rectifier"
QUANTIZERS = {
    "float": ("", RECTIFIER),
    "SAT": ("QWeight=SAT\nQWeight.Range=15", "ActivationFunction=Linear\nQAct=SAT\nQAct.Range=15"),
    "SAT scaled": ("QWeight=SAT\nQWeight.Range=15\nQWeight.ApplyScaling=1", "QAct=SAT\nQAct.Range=15"),
    "SAT clamp": ("QWeight=SAT\nQWeight.ApplyQuantization=0", RECTIFIER),
    "SAT asymmetric": ("QWeight=SAT\nQWeight.Range=15\nQWeight.Mode=Asymmetric", "QAct=SAT\nQAct.Range=15"),
    "SAT power of two": (
        "QWeight=SAT\nQWeight.Range=15\nQWeight.PowerOfTwo=1",
        "QAct=SAT\nQAct.Range=15\nQAct.PowerOfTwo=1",
    ),
    "Binary scaled": ("QWeight=Binary\nQWeight.Scale=Constant\nQWeight.ScaleValue=0.5", "QAct=Binary"),
    "SAT full range": ("QWeight=SAT\nQWeight.Range=15\nQWeight.Mode=FullRange", "QAct=SAT\nQAct.Range=15"),
    "LSQ": ("QWeight=LSQ\nQWeight.Range=15", "ActivationFunction=Linear\nQAct=LSQ\nQAct.Range=15"),
    "LSQ+": ("QWeight=LSQ\nQWeight.Range=15", "QAct=LSQ\nQAct.Range=15\nQAct.Offset=1"),
    "PACT": ("QWeight=DoReFa\nQWeight.Range=15", "QAct=PACT\nQAct.Range=15"),
    "DoReFa": ("QWeight=DoReFa\nQWeight.Range=15", "QAct=DoReFa\nQAct.Range=15"),
    "Binary": ("QWeight=Binary", "QAct=Binary"),
    "Ternary": ("QWeight=Ternary", "QAct=Ternary"),
    "APoT": ("QWeight=APoT\nQWeight.Range=15", "QAct=APoT\nQAct.Range=15"),
}


class Stimuli:
    """Batches of noise with labels."""

    batch_size = 4
    label_names = ("0", "1", "2", "3", "4")

    def size(self, name: str) -> int:
        return 64 if name == "Learn" else 0

    def labels(self, name: str) -> np.ndarray[Any, Any]:
        return np.arange(self.size(name)) % 5


def batch(pixels: bool, number: int) -> Batch:
    generator = torch.Generator().manual_seed(number)
    labels = torch.randint(-1, 5, (4, 8, 8) if pixels else (4,), generator=generator)
    return Batch(np.arange(4), torch.rand(4, 3, 8, 8, generator=generator), labels)


def there(one: Batch, device: str) -> Batch:
    return Batch(one.ids, one.inputs.to(device), one.labels.to(device))


class Watched(TorchDispatchMode):
    """Sees every operation; knows those that wait for a device or bring something to it from the host."""

    WAITING = (
        "aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::is_nonzero", "aten::equal",
        "aten::_unique2", "aten::unique_dim", "aten::repeat_interleave.Tensor", "aten::bincount",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []
        self.operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operations += 1
        name = func._schema.name
        if name in self.WAITING:
            self.waits.append(name)
        made = func(*args, **(kwargs or {}))
        if name in ("aten::_to_copy", "aten::copy_") and isinstance(made, torch.Tensor):
            source = args[1] if name == "aten::copy_" else args[0]
            if source.device != made.device:
                self.waits.append(f"{name} from {source.device} to {made.device}")
        return made


class Constants(TorchFunctionMode):
    """Sees numbers of the host become tensors of a device, which waits as any other copy does."""

    def __init__(self, waits: list[str]) -> None:
        super().__init__()
        self.waits = waits

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if func in (torch.tensor, torch.as_tensor, torch.Tensor.new_tensor) and made.device.type != "cpu":
            self.waits.append(f"a constant brought to {made.device}")
        return made


@contextmanager
def watched() -> Iterator[Watched]:
    seen = Watched()
    with seen, Constants(seen.waits):
        yield seen


def course(text: str, tmp_path: Path, device: str, precision: Precision = Precision(), pixels: bool = False) -> _Course:  # noqa: B008
    """A learner on a device that has learned a batch on the CPU, which decides what first batches decide."""
    network = TorchNetwork(build(ini.loads(text, file="net.ini"), "net.ini"))
    network.fill(1)
    network.train()

    def make() -> _Course:
        plan = Plan(epochs=1, folder=tmp_path, precision=precision)
        return _Course(network, Stimuli(), plan, Generator(1), None, None, None)  # type: ignore[arg-type]

    first = make()
    first._step(batch(pixels, 0), 0)
    for hook in first.hooks:
        hook.remove()
    if device == "cpu":
        return first
    network.to(device)
    learner = make()
    learner._step(there(batch(pixels, 1), device), 0)  # tables reach the device with the first batch
    return learner


def text_of(quantizer: str, pixels: bool = False) -> str:
    weights, activation = QUANTIZERS[quantizer]
    return NETWORK.format(
        weights=weights,
        activation=activation,
        provider="CompositeStimuli=1" if pixels else "",
        last="Conv\nKernelSize=1" if pixels else "Fc",
        target="",
    )


@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_a_step_waits_for_nothing(quantizer: str, device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = course(text_of(quantizer), tmp_path, device)
    monkeypatch.setattr(learner.watch, "add", lambda loss: True)  # on the CPU each loss is looked at
    before = learner.batches
    batches = [there(batch(False, number), device) for number in (2, 3)]
    with watched() as seen:
        for one in batches:
            learner._step(one, 0)
    assert learner.batches == before + 2
    assert seen.operations > 100
    assert seen.waits == []


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_labels_of_pixels(device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = course(text_of("SAT", pixels=True), tmp_path, device, pixels=True)
    monkeypatch.setattr(learner.watch, "add", lambda loss: True)
    one = there(batch(True, 2), device)
    with watched() as seen:
        learner._step(one, 0)
    assert seen.waits == []


def test_a_mapping_of_labels_lies_on_the_device(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("0 1\n1 0\n2 2\n3 3\n4 4\n")
    text = text_of("SAT").replace("[softmax.Target]", f"[softmax.Target]\nLabelsMapping={tmp_path}/labels.txt")
    learner = course(text, tmp_path, "meta")
    one = there(batch(False, 2), "meta")
    with watched() as seen:
        learner._step(one, 0)
    assert seen.waits == []


def test_what_a_gpu_has_counted_is_looked_at_once_in_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    learner = course(text_of("float"), tmp_path, "meta")
    assert not learner._may_look
    now[0] += 1.5
    assert [learner._may_look, learner._may_look] == [True, False]
    learner.device = torch.device("cpu")
    assert learner._may_look


def test_the_watch_sees_what_waits() -> None:
    values = torch.arange(4.0)
    with watched() as seen:
        float(values.sum())
        torch.nonzero(values)
        values.to("meta")
        values.to("meta").new_tensor(1.0)
    assert len(seen.waits) == 5
