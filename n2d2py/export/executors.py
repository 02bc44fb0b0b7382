"""Ways to compute an integer network, each of which gives the codes of its operations.

An executor is a class, registered as kind ``executor``, that is made for an export. ``missing()`` says why it cannot
run here, if it cannot.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Protocol

import numpy as np

from n2d2py.cells.base import PROVIDER
from n2d2py.errors import IntegerError
from n2d2py.export.base import Export
from n2d2py.integer import interpreter, torch_executor
from n2d2py.registry import register


class Executor(Protocol):
    """What is asked of an executor."""

    def __init__(self, export: Export) -> None: ...

    @staticmethod
    def missing() -> str | None:
        """Why it cannot run here; None if it can."""
        ...

    def run(self, stimuli: np.ndarray) -> dict[str, np.ndarray]:
        """int64 codes (batch, channels, height, width) of the operations that it stores, by name."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


@register("executor", "interpreter")
class Interpreter:
    """The reference: NumPy on int64."""

    def __init__(self, export: Export) -> None:
        self._export = export

    @staticmethod
    def missing() -> str | None:
        """It is always there."""
        return None

    def run(self, stimuli: np.ndarray) -> dict[str, np.ndarray]:
        """Codes of all operations."""
        return interpreter.run(self._export.network, stimuli, {op.name for op in self._export.operations})

    def close(self) -> None:
        """It holds nothing."""


@register("executor", "torch")
class Torch:
    """torch, on the device of the export."""

    def __init__(self, export: Export) -> None:
        self._export = export

    @staticmethod
    def missing() -> str | None:
        """It comes with n2d2py."""
        return None

    def run(self, stimuli: np.ndarray) -> dict[str, np.ndarray]:
        """Codes of all operations."""
        import torch

        wanted = {op.name for op in self._export.operations}
        results = torch_executor.run(self._export.network, torch.from_numpy(stimuli).to(self._export.device), wanted)
        return {name: values.cpu().numpy().astype(np.int64) for name, values in results.items()}

    def close(self) -> None:
        """It holds nothing."""


@register("executor", "ONNX Runtime")
class OnnxRuntime:
    """The ONNX export in ONNX Runtime; accumulators inside QLinearConv are not seen."""

    exporter = "ONNX"

    def __init__(self, export: Export) -> None:
        import onnxruntime

        from n2d2py.export.qlinear.exporter import FORMS
        from n2d2py.export.qlinear.model import build
        from n2d2py.export.qlinear.writing import IN_RESCALING

        names = [operation.name for operation in export.operations]
        self._model = build(export, names, FORMS[self.exporter])
        self._tensors = {
            name: self._model.outputs.get(name, self._model.values[name].name)
            for name in names
            if self._model.paths[name] != IN_RESCALING
        }
        self._session = onnxruntime.InferenceSession(
            self._model.proto.SerializeToString(), providers=["CPUExecutionProvider"]
        )

    def _zero(self, name: str) -> int:
        return 0 if name in self._model.outputs else self._model.values[name].zero

    @staticmethod
    def missing() -> str | None:
        """It comes with n2d2py."""
        return None

    def run(self, stimuli: np.ndarray) -> dict[str, np.ndarray]:
        """Codes of the operations that the graph stores."""
        wanted = sorted(set(self._tensors.values()))
        results = self._session.run(wanted, {PROVIDER: stimuli.astype(self._model.stimuli_type)})
        stored = dict(zip(wanted, results, strict=True))
        return {name: stored[tensor].astype(np.int64) - self._zero(name) for name, tensor in self._tensors.items()}

    def close(self) -> None:
        """It holds nothing outside of this process."""


@register("executor", "ONNX Runtime, QDQ")
class OnnxRuntimeQdq(OnnxRuntime):
    """The export ONNX-QDQ in ONNX Runtime."""

    exporter = "ONNX-QDQ"


@register("executor", "ONNX Runtime, packed")
class OnnxRuntimePacked(OnnxRuntime):
    """The export ONNX-packed in ONNX Runtime."""

    exporter = "ONNX-packed"


@register("executor", "C")
class CProgram:
    """The C export, compiled here; accumulators that are rescaled at once are not seen."""

    def __init__(self, export: Export) -> None:
        from n2d2py.export.c.exporter import export_c
        from n2d2py.export.c.plan import Plan

        self._export, self._plan = export, Plan(export)
        self._folder = tempfile.TemporaryDirectory(prefix="n2d2py_c_")
        path = Path(self._folder.name)
        export_c(export, path)
        made = subprocess.run(
            ["make", "CFLAGS=-O2 -DNETWORK_TRACED", f"CC={_compiler()}"],
            cwd=path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise IntegerError(
                f"the C compiler refuses the export: {made.stderr.strip()[:500]}", remedy="report it with the INI file"
            )

    @staticmethod
    def missing() -> str | None:
        """It needs a compiler and make."""
        return None if _compiler() and shutil.which("make") else "there is no C compiler with make"

    def run(self, stimuli: np.ndarray) -> dict[str, np.ndarray]:
        """Codes of all steps of the program."""
        from n2d2py.export.c.exporter import write_stimuli

        path, pixels = Path(self._folder.name), self._export.pixels(stimuli)
        batch = "batch.bin" if pixels is None else "batch.raw"
        if pixels is None:
            write_stimuli(self._export, stimuli, path / batch)
        else:
            (path / batch).write_bytes(pixels.tobytes())
        ran = subprocess.run(
            ["./network", "-trace", "batch.codes", batch], cwd=path, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise IntegerError(f"the program of the C export fails: {ran.stderr.strip()[:500]}")
        codes = np.fromfile(path / "batch.codes", dtype="<i8").reshape(len(stimuli), -1)
        edges, found, start = self._export.network.edges, {}, 0
        for step in self._plan.steps:
            dims = edges[step.name].dims
            found[step.name] = codes[:, start : start + dims.size].reshape(len(stimuli), *dims.shape)
            start += dims.size
        return found

    def close(self) -> None:
        """Remove the program."""
        self._folder.cleanup()


def _compiler() -> str | None:
    return next((name for name in ("gcc", "cc", "clang") if shutil.which(name)), None)
