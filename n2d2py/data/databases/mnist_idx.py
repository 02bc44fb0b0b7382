"""MNIST: 70,000 handwritten digits of 28 x 28 pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from n2d2py.data.databases.idx import IdxDatabase
from n2d2py.registry import register


@register("database", "MNIST_IDX_Database")
@dataclass(frozen=True, kw_only=True)
class MnistIdxDatabase(IdxDatabase):
    """MNIST (LeCun, Cortes and Burges): 60,000 handwritten digits to learn, 10,000 to test.

    By default in $N2D2_DATA/mnist.
    """

    folders: ClassVar[tuple[str, ...]] = ("mnist",)
    fetch_name: ClassVar[str] = "mnist"
