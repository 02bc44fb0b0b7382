"""From torch to integers on CIFAR-10: a ResNet-20 learns in torch, goes through ONNX, and learns on at 4 bits.

    python examples/cifar10_onnx.py DATA OUT [--float-epochs 3] [--epochs 1] [--threads 2]

``DATA`` holds CIFAR-10 in its binary version (``cifar10_binary.py`` makes it of images). ``OUT`` gets the ONNX file,
the INI file of each stage and its weights, and ``results.txt``. The stages: float in torch; the same network imported,
which must give the label that torch gives for every image of the test set; weights clamped; weights and activations of
4 bits, 8 in the first and in the last layer; integers, which must give every code that the 4-bit network gives, on a
part of the test set.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad, relu

import n2d2py as n2
from n2d2py import console
from n2d2py.layers.exporting import export

SIDE, CLASSES = 32, 10
_RECORD = 1 + 3 * SIDE * SIDE

_HEAD = """\
[database]
Type=CIFAR10_Database
DataPath={data}
Validation=0

[sp]
SizeX=32
SizeY=32
NbChannels=3
BatchSize=128

[sp.Transformation-1]
Type=ColorSpaceTransformation
ColorSpace=RGB

[sp.Transformation-2]
Type=PadCropTransformation
Width=40
Height=40
BorderType=ConstantBorder
ApplyTo=LearnOnly

[sp.OnTheFlyTransformation-3]
Type=SliceExtractionTransformation
Width=32
Height=32
RandomOffsetX=1
RandomOffsetY=1
ApplyTo=LearnOnly

[sp.OnTheFlyTransformation-4]
Type=FlipTransformation
RandomHorizontalFlip=1
ApplyTo=LearnOnly

[onnx]
Input=sp
Type=ONNX
File={file}

[softmax]
Input=output
Type=Softmax
NbOutputs=10
WithLoss=1

[softmax.Target]
LabelsMapping={labels}
"""
_SOLVER = """\
{0}=SGD
{0}.LearningRatePolicy=CosineDecay
{0}.LearningRate={1}
{0}.Momentum=0.9
{0}.Decay=0.00004
{0}.MaxIterations=$([sp]_EpochSize * {2})
"""
_QUANTIZED = """
[onnx:Conv_def]
QWeight=SAT
QWeight.ApplyQuantization={on}
QWeight.Range=15
ConfigSection=learn.config

[onnx:Fc_def]
QWeight=SAT
QWeight.ApplyScaling=1
QWeight.ApplyQuantization={on}
QWeight.Range=255
ConfigSection=learn.config

[onnx:BatchNorm_def]
ConfigSection=learn.config

[{first}]onnx:Conv_def
QWeight.Range=255

[learn.config]
"""
_ACTIVATION = """
[ReluQ_def]
ActivationFunction=Linear
QAct=SAT
QAct.Range=15
"""


class Block(nn.Module):
    """Two 3x3 convolutions and the way around them (He et al. 2016)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        stride = after // before
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.around = (
            nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
            if before != after
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        return relu(y + self.around(x))


class ResNet20(nn.Module):
    """ResNet-20 for images of 32x32 pixels; ``width`` is the channels of the first of three stages."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        widths = [width] * 4 + [2 * width] * 3 + [4 * width] * 3
        self.blocks = nn.Sequential(*(Block(before, after) for before, after in pairwise(widths)))
        self.fc = nn.Linear(4 * width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(relu(self.bn(self.conv(x))))
        return self.fc(x.mean((2, 3)))


def records(files: Sequence[Path]) -> tuple[Tensor, Tensor]:
    """Images (count, 3, 32, 32) from 0 to 1 in red, green, blue, and labels."""
    rows = np.concatenate([np.fromfile(file, np.uint8).reshape(-1, _RECORD) for file in files])
    images = torch.from_numpy(rows[:, 1:].reshape(-1, 3, SIDE, SIDE).copy())
    return images.float().div_(255), torch.from_numpy(rows[:, 0].astype(np.int64))


def learn_in_torch(module: nn.Module, images: Tensor, labels: Tensor, epochs: int) -> None:
    """SGD with a cosine over all batches; images are shifted by up to 4 pixels and mirrored."""
    steps = epochs * (len(images) // 128)
    solver = torch.optim.SGD(module.parameters(), 0.1, 0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(solver, max(1, steps))
    module.train()
    for epoch in range(epochs):
        begin = time.monotonic()
        for index in torch.randperm(len(images)).split(128):
            if len(index) < 128:
                continue
            batch = pad(images[index], (4, 4, 4, 4))
            dy, dx = torch.randint(9, (2,)).tolist()
            batch = batch[:, :, dy : dy + SIDE, dx : dx + SIDE]
            mirrored = torch.rand(len(index), 1, 1, 1) < 0.5
            loss = cross_entropy(module(torch.where(mirrored, batch.flip(3), batch)), labels[index])
            solver.zero_grad()
            loss.backward()
            solver.step()
            schedule.step()
        console.line(f"torch, epoch {epoch}: loss {loss.item():.3f}, {time.monotonic() - begin:.0f} s")
    module.eval()


@torch.no_grad()
def answers(module: nn.Module, images: Tensor) -> np.ndarray:
    """The class that the module gives each image."""
    return torch.cat([module(batch).argmax(1) for batch in images.split(128)]).numpy()


def write_stages(out: Path, data: Path, epochs: int) -> None:
    """The INI files of the float network and of both stages; the names of the nodes are those of the ONNX file."""
    file = out / "resnet20.onnx"
    nodes = onnx.load(file).graph.node
    relus = [node.output[0] for node in nodes if node.op_type == "Relu"]
    first = next(node.output[0] for node in nodes if node.op_type == "Conv")
    # The labels of the database have their ids in the order in which they first appear, those of torch are numbers.
    labels = out / "labels.dat"
    names = (data / "batches.meta.txt").read_text().split()
    labels.write_text("".join(f"{name} {number}\n" for number, name in enumerate(names)), encoding="utf-8")
    head = _HEAD.format(data=data.resolve(), file=file.resolve(), labels=labels.resolve())
    solver = _SOLVER.format("Solvers", 0.05, epochs)
    (out / "float.ini").write_text(head, encoding="utf-8")
    clamp = _QUANTIZED.format(on=0, first=first) + solver
    (out / "clamp.ini").write_text(head + clamp, encoding="utf-8")
    four_bits = _QUANTIZED.format(on=1, first=first) + solver + _ACTIVATION + _SOLVER.format("QActSolver", 0.05, epochs)
    sections = "".join(f"[{name}]ReluQ_def\n" for name in relus)
    (out / "4bit.ini").write_text(head + four_bits + sections, encoding="utf-8")


def write_part(data: Path, out: Path, count: int) -> None:
    """The first ``count`` test images as a database, and the INI file of the 4-bit stage that tests on them."""
    part = out / "part"
    part.mkdir(exist_ok=True)
    for file in (*data.glob("data_batch_*.bin"), data / "test_batch.bin"):
        with file.open("rb") as stream:
            (part / file.name).write_bytes(stream.read(_RECORD * count))
    (part / "batches.meta.txt").write_bytes((data / "batches.meta.txt").read_bytes())
    text = (out / "4bit.ini").read_text(encoding="utf-8")
    (out / "integers.ini").write_text(text.replace(str(data.resolve()), str(part.resolve())), encoding="utf-8")


def main(words: Sequence[str] | None = None) -> None:
    """Learn, export, import, compare, learn on, fuse."""
    parser = argparse.ArgumentParser(description="From torch to integers on CIFAR-10.")
    parser.add_argument("data", type=Path, help="folder of data_batch_*.bin and test_batch.bin")
    parser.add_argument("out", type=Path)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--float-epochs", type=int, default=3, help="epochs in torch")
    parser.add_argument("--epochs", type=int, default=1, help="epochs of each stage in n2d2py")
    parser.add_argument("--integers", type=int, default=1000, help="test images on which codes are compared")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args(words)
    console.install()
    torch.set_num_threads(given.threads)
    torch.manual_seed(1)
    given.out.mkdir(parents=True, exist_ok=True)
    results: list[str] = []

    def tell(text: str) -> None:
        results.append(text)
        console.line(text)
        (given.out / "results.txt").write_text("\n".join([*results, ""]), encoding="utf-8")

    module = ResNet20(given.width)
    learn_in_torch(module, *records(sorted(given.data.glob("data_batch_*.bin"))), given.float_epochs)
    images, labels = records([given.data / "test_batch.bin"])
    known = answers(module, images)
    tell(f"float, torch: {np.mean(known == labels.numpy()):.2%} of {len(labels)}")
    export(module, (3, SIDE, SIDE), given.out / "resnet20.onnx")
    write_stages(given.out, given.data, given.epochs)

    net = n2.load(given.out / "float.ini")
    result = net.test()
    order = np.argsort(result.ids)
    differing = int((result.estimated[order] != known).sum())
    tell(f"float, n2d2py: {result.rate:.2%}; {differing} of {len(labels)} answers differ from torch's")

    for stage in ("clamp", "4bit"):
        net = n2.load(given.out / f"{stage}.ini")
        if stage == "4bit":
            net.load_weights(given.out / "weights_clamp", missing="notice")
        begin = time.monotonic()
        net.learn(given.epochs)
        net.save(given.out / f"weights_{stage}")
        tell(f"{stage}: {net.test().rate:.2%} after {given.epochs} epochs ({time.monotonic() - begin:.0f} s)")
    net.draw(given.out / "4bit")

    write_part(given.data, given.out, given.integers)
    net = n2.load(given.out / "integers.ini")
    net.load_weights(given.out / "weights_4bit")
    fused = net.fuse()
    console.line(str(fused))
    fused.save(given.out / "weights_quantized")
    same, checked = fused.verification, net.stimuli.size("Test")
    tell(f"integers, first {checked} test images: {fused.test().rate:.2%} (4bit: {net.test().rate:.2%})")
    tell(f"integers: {same.differing} codes and {same.differing_labels} labels differ from those of the 4-bit network")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
