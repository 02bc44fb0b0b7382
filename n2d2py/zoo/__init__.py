"""Small named networks that come with n2d2py: INI files as any other, in this folder.

``n2d2py -zoo`` lists them, ``n2d2py -zoo TernaryNN -learn-epoch 5`` runs one.
"""

from __future__ import annotations

from pathlib import Path

from n2d2py.errors import UsageError, did_you_mean

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The names of the networks."""
    return sorted(file.stem for file in FOLDER.glob("*.ini"))


def path_of(name: str) -> Path:
    """The file of a network; upper and lower case are one. Raises :class:`UsageError` for an unknown name."""
    for known in names():
        if known.lower() == name.lower():
            return FOLDER / f"{known}.ini"
    raise UsageError(f"-zoo {name}: there is no such network", remedy=did_you_mean(name, names()))


def summary(name: str) -> str:
    """The first comment of its file."""
    with path_of(name).open(encoding="utf-8") as stream:
        return stream.readline().removeprefix(";").strip()
