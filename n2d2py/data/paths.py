"""Folders of data sets: ``N2D2_DATA``, and ``${NAME}`` of the process environment in paths of an INI file.

``N2D2_CACHE`` is the folder for what is kept of them between runs.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from n2d2py.errors import DataError, Place
from n2d2py.kinds import Kind

CACHE_VARIABLE = "N2D2_CACHE"
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def data_root() -> Path:
    """The folder that holds data sets: ``$N2D2_DATA``, else N2D2's own default below ``/local``."""
    root = os.environ.get("N2D2_DATA")
    if root:
        return Path(root)
    user = os.environ.get("USER")
    return Path("/local", user, "n2d2_data") if user else Path("/local", "n2d2_data")


def cache_root() -> Path | None:
    """Where indices of large data sets are kept: ``$N2D2_CACHE`` (0: nowhere), else in the user's cache folder."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return None if given == "0" else Path(given)
    usual = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        return (Path(usual) if usual else Path.home() / ".cache") / "n2d2py"
    except RuntimeError:  # a user without a home
        return None


def data_root_remedy() -> str:
    """What to do if a data set is not where it is looked for."""
    if os.environ.get("N2D2_DATA"):
        return "N2D2_DATA names the folder of all data sets; DataPath= in [database] names that of this one"
    return "set the environment variable N2D2_DATA to the folder that holds the data sets (it is not set)"


path = Kind("a path, in which ${NAME} is a variable of the environment", lambda text, place: text.strip())


def expand(text: str, place: Place | None) -> Path:
    """The path with its variables of the process environment.

    N2D2 reads an unset variable as an empty text, and then fails on a path that nobody wrote: here it is the
    error, a :class:`DataError`, when the path is used.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise DataError(
                f"the environment variable {name} is not set",
                place=place,
                expected=f"{name}, for the path {text}",
                remedy="set it, or write the path itself",
            )
        return os.environ[name]

    return Path(_VARIABLE.sub(value, text))
