"""One registry for everything that has a name in an INI file or a module of its own.

Cells, activations, fillers, solvers, quantizers, databases, transformations, layers and lowerings are entered
the same way and listed the same way::

    @register("cell", "Conv")
    class Conv(Cell): ...

Adding a type is adding its modules: :func:`import_rooms` imports every module of a package, so that no list
of types stands anywhere. :func:`index_rooms` does so later, where there are many and a run needs few.
"""

from __future__ import annotations

import fnmatch
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from n2d2py.errors import ParameterError, Place, did_you_mean

_entries: dict[str, dict[str, Any]] = {}
_CALLED_ELSEWHERE = {
    "activation": {
        "relu": "Rectifier",
        "relu6": "Rectifier with ActivationFunction.Clipping=6",
        "leakyrelu": "Rectifier with ActivationFunction.LeakSlope=0.01",
        "sigmoid": "Logistic",
        "silu": "Swish",
        "hardtanh": "Saturation",
        "identity": "Linear",
        "none": "Linear",
    },
    "cell": {
        "dense": "Fc",
        "gemm": "Fc",
        "linear": "Fc",
        "conv1d": "Conv",
        "conv2d": "Conv",
        "conv3d": "Conv",
        "convtranspose": "Deconv",
        "maxpool": "Pool with Pooling=Max",
        "averagepool": "Pool with Pooling=Average",
        "avgpool": "Pool with Pooling=Average",
        "add": "ElemWise with Operation=Sum",
        "concat": "a cell with several names in Input=",
        "flatten": "Fc, which takes any input, or Reshape",
        "upsample": "Resize",
    },
}
"""What other tools call some entries, in small letters: a word that looks alike may mean another one."""
_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class _Elsewhere:
    """Stands for an entry whose module is imported when the entry is asked for."""

    module: str


def register(kind: str, name: str) -> Callable[[_Entry], _Entry]:
    """Enter the decorated class or function as ``name`` among the entries of ``kind``."""

    def enter(entry: _Entry) -> _Entry:
        known = _entries.setdefault(kind, {})
        if name in known and known[name] is not entry and not isinstance(known[name], _Elsewhere):
            raise ValueError(f"{kind} {name} is registered twice")
        known[name] = entry
        return entry

    return enter


def find(kind: str, name: str, place: Place | None = None) -> Any:
    """The entry called ``name``; the comparison falls back to ignoring case (``ADAM`` is ``Adam``).

    Raises :class:`ParameterError`, with the nearest known name, if there is none.
    """
    known = _entries.get(kind, {})
    if name in known:
        return _imported(known, name)
    for candidate in known:
        if candidate.lower() == name.lower():
            return _imported(known, candidate)
    same = _CALLED_ELSEWHERE.get(kind, {}).get(name.lower())
    remedy = f"did you mean {same}?" if same else did_you_mean(name, known)
    raise ParameterError(f"unknown {kind} {name!r}", place=place, remedy=remedy)


def _imported(known: dict[str, Any], name: str) -> Any:
    entry = known[name]
    if isinstance(entry, _Elsewhere):
        importlib.import_module(entry.module)  # which registers it
        entry = known[name]
    return entry


def known(kind: str, name: str) -> bool:
    """Whether there is an entry of exactly this name."""
    return name in _entries.get(kind, {})


def names(kind: str, pattern: str = "*") -> list[str]:
    """The names of a kind that match a wildcard pattern, sorted."""
    return sorted(fnmatch.filter(_entries.get(kind, {}), pattern))


def name_of(kind: str, entry: Any) -> str:
    """The name under which ``entry`` was registered."""
    for name, candidate in _entries.get(kind, {}).items():
        if candidate is entry:
            return name
    raise ValueError(f"{entry!r} is not registered as {kind}")


def kinds() -> list[str]:
    """All kinds that have entries, sorted."""
    return sorted(_entries)


_REGISTERED = re.compile(r'^@register\("([^"]+)", "([^"]+)"\)$', re.MULTILINE)


def index_rooms(package: str, path: Iterable[str]) -> None:
    """As :func:`import_rooms`, but a module is imported when a name that it registers is first asked for.

    The names are those of its lines ``@register("kind", "Name")``.
    """
    for folder in path:
        for module in sorted(Path(folder).glob("*.py")):
            for kind, name in _REGISTERED.findall(module.read_text(encoding="utf-8")):
                _entries.setdefault(kind, {}).setdefault(name, _Elsewhere(f"{package}.{module.stem}"))


def import_rooms(package: str, path: Any) -> None:
    """Import every module of ``package``, so that all that registers itself there is known."""
    for module in sorted(info.name for info in pkgutil.iter_modules(path)):
        importlib.import_module(f"{package}.{module}")
