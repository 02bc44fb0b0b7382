"""Where the results of a target lie, and what its classes are called."""

from __future__ import annotations

from pathlib import Path

from n2d2py.learn.names import path_of
from n2d2py.parts.targets import Target
from n2d2py.session import Session


def folder_of(target: Target) -> Path:
    """The folder of the results of a target."""
    return Path(path_of(target.name))


def class_names(session: Session, target: Target) -> list[str]:
    """Names of the outputs: those of the labels, unless a file maps them."""
    return [] if target.labels_mapping else session.stimuli.label_names
