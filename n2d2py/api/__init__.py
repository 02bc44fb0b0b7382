"""Networks from Python: load, look, quantize, learn, test, fuse, save. The command line goes the same way.

::

    import n2d2py as n2

    net = n2.load("LeNet.ini")                            # or n2.load("model.onnx"), n2.from_torch(module, (3, 32, 32))
    print(net)                                            # cells, dimensions, and what is not default
    net.quantize("*", weights=15, activations=15)         # 4 bits
    net.learn(epochs=10)
    print(net.test().rate)
    print(net.fuse())                                     # the integer network and its proof

Nothing is printed unless :func:`n2d2py.console.install` was called, and nothing is written unless a folder is named.
Reading, checking and printing a network take no torch; it is imported by what computes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from n2d2py.api.fused import Fused
from n2d2py.api.net import Net
from n2d2py.graph.settings import provider_section
from n2d2py.opening import open_network

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Fused", "Net", "from_torch", "load"]


def load(
    file: str | Path, *, seed: int = 1, device: str = "", batch_size: int | None = None, strict: bool = False
) -> Net:
    """The network of an INI file or of an ONNX model.

    ``seed`` decides the partition of the data, fillers and draws; ``device`` is the word of ``-dev``; ``batch_size``
    replaces that of the file; ``strict`` makes an error of a key that nobody reads. Raises an
    :class:`~n2d2py.errors.N2d2Error` that names the place of what is wrong.
    """
    path = Path(file)
    document = open_network(path, strict=strict)
    if batch_size is not None:
        document.publish(provider_section(document), "BatchSize", batch_size)
    return Net(document, path.name, path=path, seed=seed, device=device)


def from_torch(
    module: nn.Module,
    input_shape: tuple[int, ...],
    *,
    seed: int = 1,
    device: str = "cpu",
    batch_size: int | None = None,
) -> Net:
    """The network of a torch module that is fed with stimuli of ``input_shape``, such as (channels, height, width).

    The module goes through ONNX, in the mode of evaluation and with its values; BatchNorm and Dropout stay cells that
    learn. It is not changed. Raises :class:`GraphError` for operators that have no cell, all of them at once.
    """
    from n2d2py.layers.exporting import export

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{type(module).__name__}.onnx"
        export(module, input_shape, path)
        document = open_network(path, title=path.name)
        if batch_size is not None:
            document.publish(provider_section(document), "BatchSize", batch_size)
        return Net(document, path.name, seed=seed, device=device)
