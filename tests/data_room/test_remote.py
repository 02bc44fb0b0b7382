"""Batches for a network on a GPU are those of the CPU, bit for bit, and nobody waits for them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from n2d2py.data import feeding, preparing, remote
from n2d2py.data.batch import Batch, Parcel
from n2d2py.data.conversion import Affine, Leveled, Real, Scaled, Tabled
from n2d2py.data.draws import Draws
from n2d2py.data.feeding import DrawnMoves
from n2d2py.data.moves import Moves, Moving
from n2d2py.data.transformations.flip import FlipTransformation
from n2d2py.data.transformations.slice_extraction import SliceExtractionTransformation
from n2d2py.quant.grid import Grid

from .test_batches import CHAINS, DATABASE, PROVIDER, folder, learned, make, same

__all__ = ["folder"]
CPU, META = torch.device("cpu"), torch.device("meta")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU counts as a device with a memory of its own."""
    for module in (feeding, preparing):
        monkeypatch.setattr(module, "is_remote", lambda device: True)


def parts(
    text: str, folder: Path, monkeypatch: pytest.MonkeyPatch, memory: str = "64", workers: int = 0
) -> list[Batch]:
    monkeypatch.setenv("N2D2_MEMORY", memory)
    return learned(make(text, folder, workers=workers))


@pytest.mark.parametrize("chain", [*CHAINS, "", "QuantizationLevels=7\n"])
@pytest.mark.parametrize(("memory", "workers"), [("64", 0), ("64", 2), ("0", 0)])
def test_the_same_batches(folder: Path, chain: str, memory: str, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = chain or "[sp.Transformation]\nType=RescaleTransformation\nWidth=6\nHeight=5\n"
    if chain.startswith("Quant"):
        chain += "[sp.Transformation]\nType=RescaleTransformation\nWidth=6\nHeight=5\n"
    text = DATABASE + PROVIDER + chain
    expected = parts(text, folder, monkeypatch, memory, workers)
    monkeypatch.setattr(feeding, "is_remote", lambda device: True)
    monkeypatch.setattr(preparing, "is_remote", lambda device: True)
    found = parts(text, folder, monkeypatch, memory, workers)
    assert same(found, expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine.codes is None) == (theirs.codes is None)
        if mine.codes is not None and theirs.codes is not None:
            assert torch.equal(mine.codes.values, theirs.codes.values)
            assert mine.codes.grid == theirs.codes.grid


def test_what_fits_is_gathered_on_the_device(folder: Path, elsewhere: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(remote, "room", lambda device, budget: asked.append(budget) or budget)
    gathered: list[int] = []
    gather = DrawnMoves.gather

    def counted(self: DrawnMoves, planes: Tensor, rows: Tensor, *drawn: Tensor) -> Tensor:
        gathered.append(len(rows))
        return gather(self, planes, rows, *drawn)

    monkeypatch.setattr(DrawnMoves, "gather", counted)
    make_all = make(DATABASE + PROVIDER + CHAINS[0], folder, workers=0)
    assert len(learned(make_all)) == 14
    assert gathered == [4] * 12  # of learning; the others have no moves
    assert asked[0] == 12 * 3 * 10 * 9  # bytes that were padded


def test_what_does_not_fit_is_made_by_the_host(folder: Path, elsewhere: None, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = parts(DATABASE + PROVIDER + CHAINS[0], folder, monkeypatch)
    monkeypatch.setattr(remote, "room", lambda device, budget: 0)
    monkeypatch.setattr(DrawnMoves, "gather", None)
    assert same(parts(DATABASE + PROVIDER + CHAINS[0], folder, monkeypatch), expected)


def test_half_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 5000))
    assert feeding.room(torch.device("cuda"), 400) == 400
    assert feeding.room(torch.device("cuda"), 4000) == 500
    assert feeding.room(CPU, 4000) == 4000


@pytest.mark.parametrize("sliced", [True, False])
@pytest.mark.parametrize("flipped", ["none", "fixed", "random"])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_gathering_is_that_of_the_host(sliced: bool, flipped: str, dtype: torch.dtype) -> None:
    slicing = SliceExtractionTransformation(width=5, height=3, random_offset_x=True, random_offset_y=True)
    flipping = {
        "none": None,
        "fixed": FlipTransformation(horizontal=True, vertical=True),
        "random": FlipTransformation(random_horizontal=True, random_vertical=True),
    }[flipped]
    moves = Moves((2, slicing) if sliced else None, None if flipping is None else (3, flipping))
    planes = torch.randint(0, 256, (9, 3, 6, 8), generator=torch.Generator().manual_seed(1)).to(dtype)
    rows = np.random.default_rng(2).integers(0, 9, 20)
    expected, _ = Moving(moves, planes).gather(rows, Draws.of(5, 1, range(20)))
    drawn, tensors = DrawnMoves.of(moves, (8, 6, 3), Draws.of(5, 1, range(20)))
    found = drawn.gather(planes, torch.from_numpy(rows), *tensors)
    assert found.dtype == dtype
    assert torch.equal(found, expected)
    # Where nothing has a value, nothing can be waited for.
    there = [one.to(META) for one in (planes, torch.from_numpy(rows), *tensors)]
    assert drawn.gather(*there).shape == expected.shape


@pytest.mark.parametrize(
    "conversion",
    [
        Scaled(Grid(1 / 255, 0, 255)),
        Leveled(Grid(1.0, 0, 3), torch.arange(256.0)),
        Tabled(torch.arange(768.0).view(3, 256)),
        Affine(((False, torch.ones(3, 1, 1)), (True, torch.ones(3, 1, 1)))),
        Real(),
    ],
)
def test_tables_lie_on_the_device(conversion: Any) -> None:
    held = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    there = feeding.on_device(conversion, META)
    assert there.inputs(held.to(META)).shape == conversion.inputs(held).shape
    for name in ("table", "operations"):
        value = getattr(there, name, ())
        tensors = [value] if isinstance(value, Tensor) else [operand for _, operand in value]
        assert all(one.device == META for one in tensors)
    assert feeding.on_device(conversion, CPU) is conversion


class Recorded:
    """Stands for torch.cuda: says what is asked of it, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.now = "network"

    def stream_class(self, device: torch.device) -> SimpleNamespace:
        return SimpleNamespace(name="side")

    @contextlib.contextmanager
    def stream(self, stream: SimpleNamespace) -> Iterator[None]:
        before, self.now = self.now, stream.name
        yield
        self.now = before

    def current_stream(self, device: torch.device) -> SimpleNamespace:
        return SimpleNamespace(wait_stream=lambda other: self.events.append(f"network waits for {other.name}"))


class Sent:
    """Stands for a tensor of the host."""

    def __init__(self, name: str, recorded: Recorded) -> None:
        self.name, self.recorded = name, recorded

    def pinned(self) -> Sent:
        self.recorded.events.append(f"pin {self.name}")
        return self

    def to(self, device: torch.device, non_blocking: bool = False) -> Sent:
        assert non_blocking
        self.recorded.events.append(f"copy {self.name} on {self.recorded.now}")
        return self

    def record_stream(self, stream: object) -> None:
        self.recorded.events.append(f"keep {self.name}")


def test_copies_run_beside_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Recorded()
    monkeypatch.setattr(torch.cuda, "Stream", recorded.stream_class)
    monkeypatch.setattr(torch.cuda, "stream", recorded.stream)
    monkeypatch.setattr(feeding, "pinned", Sent.pinned)
    monkeypatch.setattr(torch.cuda, "current_stream", recorded.current_stream)

    def parcel(number: int) -> Any:
        def finish(images: Sent, nothing: None) -> Any:
            recorded.events.append(f"make {images.name} on {recorded.now}")
            return number

        return Parcel(np.zeros(1, np.int64), (Sent(f"images{number}", recorded), None), finish)  # type: ignore[arg-type]

    for number in feeding.feed(map(parcel, range(3)), torch.device("cuda")):
        recorded.events.append(f"learn {number}")
    expected = ["pin images0", "copy images0 on side"]
    for one in range(3):
        if one < 2:
            expected += [f"pin images{one + 1}", f"copy images{one + 1} on side"]
        expected += ["network waits for side", f"keep images{one}", f"make images{one} on network", f"learn {one}"]
    assert recorded.events == expected
