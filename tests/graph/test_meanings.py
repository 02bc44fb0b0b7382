"""One notice says which keys mean something of n2d2py's own."""

from __future__ import annotations

import logging

import pytest

from n2d2py import console
from tests.cells.test_detection import NET, OTHERS, PARTED, built


def notices(text: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.set_level(logging.INFO, "n2d2py")
    caplog.clear()
    built(text)
    return [record.getMessage() for record in caplog.records if record.levelno == console.NOTICE]


def test_one_notice_for_all_keys(caplog: pytest.LogCaptureFixture) -> None:
    (said,) = notices(PARTED, caplog)
    assert said == (
        "Flip (anchor), NumParts (det, final), NumTemplates (det): N2D2 does not document what it computes with these "
        "keys; n2d2py's own definition stands in docs/compatibility.md"
    )


def test_one_key(caplog: pytest.LogCaptureFixture) -> None:
    (said,) = notices(NET.replace("Pooling=Max\n[Heads]", "Pooling=Max\nIgnorePadding=1\n[Heads]"), caplog)
    assert said.startswith("IgnorePadding (roipool): N2D2 does not document what it computes with this key; ")


@pytest.mark.parametrize("text", [NET, OTHERS, NET.replace("Pooling=Max\n[Heads]", "Pooling=Max\nFlip=0\n[Heads]")])
def test_defaults_say_nothing(text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert notices(text, caplog) == []


def test_many_cells_are_not_all_named(caplog: pytest.LogCaptureFixture) -> None:
    more = "".join(
        f"[roi{number}]\nInput=rp,conv2\nType=ROIPooling\nOutputsWidth=1\nOutputsHeight=1\nNbOutputs=12\nPooling=Max\n"
        "Flip=1\n"
        for number in range(12)
    )
    (said,) = notices(NET + more, caplog)
    assert "roi9, ...): N2D2" in said
    assert "roi10" not in said
