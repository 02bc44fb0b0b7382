"""Modules of torch that are exported to ONNX: small networks, blocks of well-known ones, every activation function."""

from __future__ import annotations

import runpy
from pathlib import Path

import torch
from torch import Tensor, nn

_EXAMPLES = Path(__file__).parents[2] / "examples"


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.depth = nn.Sequential(nn.Conv2d(8, 8, 3, 2, 1, groups=8), nn.ReLU6(), nn.Conv2d(8, 16, 1))
        self.around = nn.Conv2d(8, 16, 1, 2)
        self.out = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = torch.relu(self.depth(x) + self.around(x))
        return self.out(x.mean((2, 3)))


class _Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 5, padding=2)
        self.gate = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.cat([self.a(x), nn.functional.leaky_relu(self.b(x), 0.1)], 1)
        y = y * torch.sigmoid(self.gate(nn.functional.adaptive_avg_pool2d(y, 1).flatten(1)))[..., None, None]
        first, second = torch.chunk(nn.functional.silu(y), 2, 1)
        return torch.maximum(first, second) - 0.5 * first


class _Hard(nn.Module):
    """A block of MobileNet-v3: squeeze and excitation with HardSigmoid, HardSwish around it."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Sequential(nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish())
        self.depth = nn.Sequential(nn.Conv2d(16, 16, 5, 1, 2, groups=16), nn.Hardswish())
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 4, 1), nn.ReLU(), nn.Conv2d(4, 16, 1))
        self.narrow = nn.Conv2d(16, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.depth(self.wide(x))
        return x + self.narrow(y * nn.functional.hardsigmoid(self.gate(y)))


class _Neck(nn.Module):
    """What detectors of the YOLO family are made of: SiLU, parts of the channels, pools in a row, a way up."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(4, 8, 3, 2, 1), nn.SiLU())
        self.part = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.SiLU())
        self.pool, self.after = nn.MaxPool2d(5, 1, 2), nn.Conv2d(8 + 4 + 8 * 3, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.down(x)
        first, second = y.chunk(2, 1)
        once = self.pool(y)
        twice = self.pool(once)
        y = self.after(torch.cat([first, self.part(second), second, once, twice, self.pool(twice)], 1))
        return torch.cat([nn.functional.interpolate(y, scale_factor=2.0), x], 1).flatten(2)


class _ChannelsLast(nn.Module):
    """The perceptron of a block of ConvNeXt, which multiplies the last axis."""

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.wide, self.narrow = nn.Conv2d(6, 6, 7, padding=3, groups=6), nn.Linear(6, 24), nn.Linear(24, 6)
        self.scale = nn.Parameter(torch.rand(6))

    def forward(self, x: Tensor) -> Tensor:
        y = self.narrow(nn.functional.gelu(self.wide(self.depth(x).permute(0, 2, 3, 1))))
        return x + (y * self.scale).permute(0, 3, 1, 2)


def _functions() -> dict[str, nn.Module]:
    by_channel = nn.PReLU(4)
    by_channel.weight.data = torch.tensor([0.25, 0.5, -0.5, 1.5])
    return {
        "ReLU": nn.ReLU(),
        "ReLU6": nn.ReLU6(),
        "LeakyReLU": nn.LeakyReLU(0.2),
        "PReLU": nn.PReLU(),
        "PReLU by channel": by_channel,
        "ELU": nn.ELU(0.5),
        "SELU": nn.SELU(),
        "CELU": nn.CELU(0.5),
        "GELU": nn.GELU(),
        "GELU by tanh": nn.GELU("tanh"),
        "SiLU": nn.SiLU(),
        "Mish": nn.Mish(),
        "Hardswish": nn.Hardswish(),
        "Hardsigmoid": nn.Hardsigmoid(),
        "Hardtanh": nn.Hardtanh(),
        "Hardtanh from -1 to 2": nn.Hardtanh(-1.0, 2.0),
        "Softplus": nn.Softplus(),
        "Softplus of beta 2": nn.Softplus(2.0),
        "Softsign": nn.Softsign(),
        "Sigmoid": nn.Sigmoid(),
        "LogSigmoid": nn.LogSigmoid(),
        "Tanh": nn.Tanh(),
        "Softshrink": nn.Softshrink(),
        "Hardshrink": nn.Hardshrink(),
        "Tanhshrink": nn.Tanhshrink(),
    }


def modules() -> dict[str, tuple[nn.Module, tuple[int, ...]]]:
    """Modules that are exported, and the shape of their stimuli."""
    torch.manual_seed(0)
    resnet20 = runpy.run_path(str(_EXAMPLES / "cifar10_onnx.py"))["ResNet20"]
    conv = nn.Conv2d
    return {
        "perceptron": (nn.Sequential(nn.Flatten(), nn.Linear(48, 20), nn.Tanh(), nn.Linear(20, 5)), (3, 4, 4)),
        "LeNet": (
            nn.Sequential(
                conv(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), conv(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
                nn.Linear(256, 120), nn.ReLU(), nn.Dropout(), nn.Linear(120, 10), nn.Softmax(1),
            ),
            (1, 28, 28),
        ),
        "ResNet-20": (resnet20(8), (3, 32, 32)),
        "residual block with a depthwise convolution": (_Residual(), (3, 16, 16)),
        "branches, gate, swish, maximum": (_Branches(), (3, 9, 7)),
        "autoencoder": (
            nn.Sequential(conv(3, 8, 3, 2, 1), nn.Softplus(), nn.ConvTranspose2d(8, 3, 2, 2), nn.Sigmoid()),
            (3, 16, 16),
        ),
        "nearest upsampling": (nn.Sequential(conv(3, 4, 3), nn.Upsample(scale_factor=2), conv(4, 2, 1)), (3, 8, 8)),
        "1-D convolution": (nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(56, 3)), (2, 16)),
        "3-D convolution": (nn.Sequential(nn.Conv3d(1, 2, 3), nn.ReLU(), nn.MaxPool3d(2)), (1, 8, 8, 8)),
        "local response normalisation": (nn.Sequential(conv(3, 8, 3), nn.LocalResponseNorm(5)), (3, 8, 8)),
        "LSTM": (nn.LSTM(6, 4, batch_first=True), (5, 6)),
        "attention": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (5, 8)),
        "layer normalisation": (nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.LayerNorm(4)), (3, 2, 2)),
        "transposed convolution with output_padding": (
            nn.Sequential(conv(3, 4, 3, 2, 1), nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2), nn.ReLU()), (3, 9, 9),
        ),
        "block of MobileNet-v3": (_Hard(), (8, 9, 7)),
        "neck of a detector": (_Neck(), (4, 8, 12)),
        "perceptron with channels last": (_ChannelsLast(), (6, 8, 9)),
        **{
            f"convolution and {name}": (nn.Sequential(conv(3, 4, 3), function), (3, 6, 6))
            for name, function in _functions().items()
        },
    }  # fmt: skip
