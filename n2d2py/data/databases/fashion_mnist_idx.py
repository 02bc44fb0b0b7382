"""Fashion-MNIST: 70,000 pictures of clothes of 28 x 28 pixels, in MNIST's format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from n2d2py.data.databases.idx import IdxDatabase
from n2d2py.registry import register


@register("database", "Fashion_MNIST_IDX_Database")
@dataclass(frozen=True, kw_only=True)
class FashionMnistIdxDatabase(IdxDatabase):
    """Fashion-MNIST (Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747); labels are named "0" to "9", as in N2D2.

    By default in $N2D2_DATA/fashion-mnist/data/fashion (a clone of its repository) or $N2D2_DATA/fashion-mnist.
    """

    folders: ClassVar[tuple[str, ...]] = ("fashion-mnist/data/fashion", "fashion-mnist")
    fetch_name: ClassVar[str] = "fashion-mnist"
