"""n2d2py: a network written as text, learned, quantized, and turned into integers that are proved equal to it.

``n2d2py.load`` and ``n2d2py.from_torch`` give a network to look at, quantize, learn, test, fuse and save; see
:mod:`n2d2py.api`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from n2d2py.version import __version__

if TYPE_CHECKING:
    from n2d2py.api import Fused, Net, from_torch, load

__all__ = ["Fused", "Net", "__version__", "from_torch", "load"]


def __getattr__(name: str) -> Any:
    """What the Python API offers, imported when it is first named: the command line often needs none of it."""
    if name in __all__:
        from n2d2py import api

        return getattr(api, name)
    raise AttributeError(f"module 'n2d2py' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
