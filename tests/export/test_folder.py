"""An export is written whole, replaces an older one, and never anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from n2d2py.errors import WeightsError
from n2d2py.export import folder


def fill(text: str):
    def write(path: Path) -> list[str]:
        (path / "file").write_text(text)
        return [text]

    return write


def test_a_new_folder_and_an_older_export(tmp_path: Path) -> None:
    target = tmp_path / "export_C_int4"
    assert folder.write(target, "C", {"network": "net"}, fill("one")) == ["one"]
    (target / "left").write_text("over")
    folder.write(target, "C", {}, fill("two"))
    assert {path.name for path in target.iterdir()} == {"file", folder.MARK}
    assert (target / "file").read_text() == "two"
    assert json.loads((target / folder.MARK).read_text())["format"] == "n2d2py export C"
    assert [path.name for path in tmp_path.iterdir()] == ["export_C_int4"]


def test_what_is_no_export_stays(tmp_path: Path) -> None:
    target = tmp_path / "export_C_int4"
    target.mkdir()
    (target / "mine").write_text("kept")
    with pytest.raises(WeightsError, match="is not an export") as caught:
        folder.write(target, "C", {}, fill("one"))
    assert "move it away" in str(caught.value)
    assert (target / "mine").read_text() == "kept"


def test_a_failure_leaves_the_older_export(tmp_path: Path) -> None:
    target = tmp_path / "export_C_int4"
    folder.write(target, "C", {}, fill("one"))

    def fail(path: Path) -> list[str]:
        (path / "file").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(WeightsError, match="No space left on device"):
        folder.write(target, "C", {}, fail)
    assert (target / "file").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["export_C_int4"]
