"""Small float networks with parameters that look learned, and batches of images for them."""

from __future__ import annotations

from integer.learned import Images, network

from n2d2py.layers.network import TorchNetwork

HEAD = "[env]\nSizeX=8\nSizeY=8\nNbChannels={channels}\nBatchSize=4\n"


def conv(name: str, source: str, outputs: int, size: int = 3, more: str = "") -> str:
    """A Conv section that keeps the size of maps."""
    return f"[{name}]\nInput={source}\nType=Conv\nKernelSize={size}\nPadding={size // 2}\nNbOutputs={outputs}\n{more}\n"


def norm(name: str, source: str, outputs: int, function: str = "Rectifier") -> str:
    """A BatchNorm section."""
    return f"[{name}]\nInput={source}\nType=BatchNorm\nNbOutputs={outputs}\nActivationFunction={function}\n"


def pool(name: str, source: str, outputs: int, kind: str = "Max", size: int = 2) -> str:
    """A Pool section, each channel alone."""
    return (
        f"[{name}]\nInput={source}\nType=Pool\nPoolSize={size}\nStride={size}\nNbOutputs={outputs}\n"
        f"Pooling={kind}\nMapping.Size=1\n"
    )


def fc(name: str, source: str, outputs: int, function: str = "Linear") -> str:
    """An Fc section."""
    return f"[{name}]\nInput={source}\nType=Fc\nNbOutputs={outputs}\nActivationFunction={function}\n"


LINEAR = "ActivationFunction=Linear\nNoBias=1\n"
RECTIFIER = "ActivationFunction=Rectifier\n"

CHAIN = (
    HEAD.format(channels=3)
    + conv("conv1", "env", 6, more=LINEAR)
    + norm("bn1", "conv1", 6)
    + pool("pool1", "bn1", 6)
    + conv("dw2", "pool1", 6, more=LINEAR + "Mapping.Size=1\n")
    + norm("bn2", "dw2", 6)
    + conv("pw2", "bn2", 8, 1, more=RECTIFIER)
    + pool("pool2", "pw2", 8, "Average")
    + fc("fc1", "pool2", 10, "Rectifier")
    + fc("fc2", "fc1", 4)
    + "[softmax]\nInput=fc2\nType=Softmax\nNbOutputs=4\n"
)
RESIDUAL = (
    HEAD.format(channels=3)
    + conv("conv1", "env", 6, more=RECTIFIER)
    + conv("conv2", "conv1", 6, more=LINEAR)
    + norm("bn2", "conv2", 6, "Linear")
    + "[add]\nInput=conv1,bn2\nType=ElemWise\nOperation=Sum\nNbOutputs=6\nActivationFunction=Rectifier\n"
    + conv("left", "add", 4, 1, more=RECTIFIER)
    + conv("right", "add", 5, 3, more=RECTIFIER)
    + conv("joined", "left,right", 4, 1, more=RECTIFIER)
    + pool("pool", "joined", 4, "Average", 8)
    + fc("fc", "pool", 3)
)


def learned(text: str, seed: int = 0) -> TorchNetwork:
    """The network of a text with random parameters, no channel of a BatchNorm being dead or wild."""
    return network(text, seed, gammas="plain")


def batches(made: TorchNetwork, count: int = 3, size: int = 4) -> list[Images]:
    """Batches of random images, as the calibration takes them."""
    return [Batch(made, size, seed) for seed in range(count)]


class Batch(Images):
    """Images that know how many they are."""

    def __len__(self) -> int:
        return len(self.inputs)
