"""Tensors that stand in files beside the model: read only from regular files inside its folder.

A model is often somebody else's. A location that leads out of the folder (``..``, an absolute path, a symbolic or
hard link) could make a part of any file of this computer a weight, which a run would then write down as text.
"""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from n2d2py.errors import GraphError, Place

_MOST_READ = 2
"""All tensors together may be this many times as large as the files that they are read from."""


class ExternalData:
    """The files beside one model."""

    def __init__(self, model: Path) -> None:
        self._folder = model.resolve().parent
        self._sizes: dict[str, int] = {}
        self._read = 0

    def read(self, tensor: TensorProto, place: Place) -> np.ndarray:
        """The values of a tensor; raises :class:`GraphError` for a location or a size that cannot be."""
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        problem = _problem(location)
        if problem:
            raise _refused(tensor, location, problem, place)
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
        needed = math.prod(tensor.dims) * dtype.itemsize
        offset, length = _number(entries.get("offset", ""), 0), _number(entries.get("length", ""), needed)
        if offset is None or length != needed:
            raise _refused(tensor, location, f"{needed} bytes are needed, length={entries.get('length')!r}", place)
        with self._open(tensor, location, place) as file:
            size = os.fstat(file.fileno()).st_size
            if offset + needed > size:
                beyond = f"bytes {offset} to {offset + needed} are needed, the file has {size}"
                raise _refused(tensor, location, beyond, place)
            self._sizes[location] = size
            self._read += needed
            if self._read > _MOST_READ * sum(self._sizes.values()):
                raise _refused(tensor, location, "the same bytes are used for too many tensors", place)
            file.seek(offset)
            return np.frombuffer(file.read(needed), dtype=dtype.newbyteorder("<")).reshape(tuple(tensor.dims))

    def _open(self, tensor: TensorProto, location: str, place: Place) -> _File:
        """The file of a location. Links are refused while it is opened, so that nobody can swap it in between."""
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            parts = Path(location).parts
            for part in parts[:-1]:
                below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                os.close(folder)
                folder = below
            handle = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except OSError as error:
            raise _refused(tensor, location, f"it cannot be opened ({error.strerror})", place) from None
        finally:
            os.close(folder)
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            os.close(handle)
            raise _refused(tensor, location, "it is a link or no regular file", place)
        return _File(handle)


class _File:
    """An open file by its descriptor."""

    def __init__(self, handle: int) -> None:
        self._stream = os.fdopen(handle, "rb")

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()

    def fileno(self) -> int:
        return self._stream.fileno()

    def seek(self, offset: int) -> None:
        self._stream.seek(offset)

    def read(self, length: int) -> bytes:
        return self._stream.read(length)


def _problem(location: str) -> str | None:
    if not location or "\0" in location:
        return "there is no location"
    path = Path(location)
    if path.is_absolute() or location.startswith(("\\", "/")) or ":" in location:
        return "the location is an absolute path"
    if ".." in location.replace("\\", "/").split("/"):
        return "the location leads out of the model's folder"
    return None


def _number(text: str, default: int) -> int | None:
    if not text:
        return default
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _refused(tensor: TensorProto, location: str, why: str, place: Place) -> GraphError:
    return GraphError(
        f"tensor {tensor.name!r} stands in another file, {location!r}, that is not read: {why}",
        place=place,
        expected="a regular file in the folder of the model, or below it",
        remedy="put the file beside the model, or save the model with its data inside (onnx.save)",
    )
