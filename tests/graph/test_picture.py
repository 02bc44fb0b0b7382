"""The picture of a network: its boxes, the text of its graph, and the files that are drawn from it."""

from __future__ import annotations

import html
import itertools
import re
import subprocess
from pathlib import Path

import pytest

from n2d2py import console, ini
from n2d2py.graph import build, drawing, picture
from n2d2py.graph.files import with_suffix, write
from n2d2py.graph.picture import Box, Picture, Tag
from tests.graph.networks import TINY, network

NET = """
DefaultModel=Frame
[sp]
SizeX=8
SizeY=8
BatchSize=4
[conv1]
Input=sp
Type=Conv
KernelSize=3
NbOutputs=6
ActivationFunction=Linear
NoBias=1
QWeight=SAT
QWeight.Range=255
[bn1]
Input=conv1
Type=BatchNorm
NbOutputs=6
ActivationFunction=Linear
QAct=SAT
QAct.Range=15
[pool1]
Input=bn1
Type=Pool
Pooling=Max
PoolSize=2
Stride=2
NbOutputs=6
Mapping.Size=1
[fc1]
Input=pool1
Type=Fc
NbOutputs=3
ActivationFunction=Linear
QWeight=SAT
QWeight.ApplyQuantization=0
[softmax]
Input=fc1
Type=Softmax
NbOutputs=3
WithLoss=1
[softmax.Target]
"""


@pytest.fixture(scope="module")
def drawn() -> Picture:
    return picture.picture_of(build.build(ini.loads(NET, file="net.ini"), "net.ini"))


def words(source: str) -> str:
    """The text of a graph as one reads it."""
    return " ".join(html.unescape(re.sub(r"<[^<>]*>", " ", source)).split())


def test_boxes_say_name_type_dims_and_quantizers(drawn: Picture) -> None:
    conv, norm = drawn.boxes[1:3]
    assert (conv.name, conv.type, conv.dims, conv.family) == ("conv1", "Conv", "6x6x6", "weights")
    assert "3x3" in conv.lines
    assert conv.tags == (Tag("QWeights: SAT on range [255 q-step]", "8 bits"),)
    assert norm.tags == (Tag("QAct: SAT on range [15 q-step]", "4 bits"),)
    assert "ACT: Linear" in norm.lines
    assert not any("SAT" in line for box in drawn.boxes for line in box.lines)


def test_families_come_from_the_records(drawn: Picture) -> None:
    families = {box.name: box.family for box in drawn.boxes}
    expected = {"env": "stimuli", "conv1": "weights", "bn1": "learned", "pool1": "resampling", "fc1": "weights"}
    assert families == {**expected, "softmax": "plain"}


def test_pooling_that_keeps_the_size_is_pooling() -> None:
    text = TINY.replace("PoolSize=2\nStride=2", "PoolSize=3\nStride=1\nPadding=1")
    families = {box.name: box.family for box in picture.picture_of(network(text)).boxes}
    assert families["last"] == "resampling"


def test_clamping_alone_has_no_bits(drawn: Picture) -> None:
    assert next(box for box in drawn.boxes if box.name == "fc1").tags == (Tag("QWeights: SAT, clamp only", ""),)


def test_edges_and_target(drawn: Picture) -> None:
    assert drawn.edges == (("env", "conv1"), ("conv1", "bn1"), ("bn1", "pool1"), ("pool1", "fc1"), ("fc1", "softmax"))
    assert "target softmax.Target" in drawn.boxes[-1].lines


def test_dot_has_title_legend_and_labels(drawn: Picture) -> None:
    text = words(picture.dot(drawn, "LeNet.ini").source)
    for part in ("LeNet.ini", "QWeights: SAT on range [255 q-step]", "8 bits", "6x6x6", "scale and bias", "quantizer"):
        assert part in text
    assert "clip then rescale" not in text
    assert "cell1 -> cell2" in text


def test_dot_of_a_network_is_that_of_its_picture(drawn: Picture) -> None:
    network = build.build(ini.loads(NET, file="net.ini"), "net.ini")
    assert picture.dot(network, "t").source == picture.dot(drawn, "t").source


def test_names_that_mean_something_to_graphviz_are_only_names() -> None:
    name = 'a<b>&"c"\\N->\n{d|e}\x07é'
    odd = Picture((Box(name, "Conv<", "1x1x1", ("x & y",)), Box("b:c", "Fc")), ((name, "b:c"),))
    source = picture.dot(odd, 'q"<uote>\\').source
    assert "cell0 -> cell1" in source
    assert "a&lt;b&gt;&amp;&quot;c&quot;" in source
    if drawing.programs():
        svg = subprocess.run(
            [str(drawing.programs()[0]), "-Tsvg"], input=source.encode(), capture_output=True, check=True
        ).stdout.decode()
        assert "x &amp; y" in svg


def test_short_lines_share_a_row() -> None:
    assert picture._joined(["5x5", "stride 2", "y" * 36, "z"]) == ["5x5 | stride 2", "y" * 36 + " | z"]


@pytest.mark.skipif(not drawing.programs(), reason="no program draws graphs here")
def test_draws_dot_png_and_svg(drawn: Picture, tmp_path: Path) -> None:
    files = drawing.draw(picture.dot(drawn, "net.ini"), tmp_path / "out" / "net.ini")
    assert [file.name for file in files] == ["net.ini.dot", "net.ini.png", "net.ini.svg"]
    assert files[1].read_bytes().startswith(b"\x89PNG\r\n")
    assert "QAct: SAT on range [15 q-step]" in html.unescape(files[2].read_text())
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(file.name for file in files)


@pytest.mark.skipif(not drawing.programs(), reason="no program draws graphs here")
def test_a_deep_network_is_drawn_at_a_size_that_viewers_take(tmp_path: Path) -> None:
    boxes = tuple(Box(f"conv{index}", "Conv", "64x56x56", ("3x3",) * 12) for index in range(150))
    edges = tuple((before.name, after.name) for before, after in itertools.pairwise(boxes))
    png = drawing.draw(picture.dot(Picture(boxes, edges), "deep"), tmp_path / "deep")[1].read_bytes()
    assert 1000 < int.from_bytes(png[20:24], "big") <= 32767


def test_without_a_program_the_dot_file_is_written_and_a_notice_says_so(
    drawn: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drawing, "programs", list)
    handler = console.install()
    try:
        files = drawing.draw(picture.dot(drawn, "net.ini"), tmp_path / "net.ini")
    finally:
        console.remove(handler)
    assert files == [tmp_path / "net.ini.dot"]
    said = capsys.readouterr().out
    assert "net.ini.dot is written but not drawn: neither dot nor graphviz-pure is installed" in said
    assert "pip install graphviz-pure" in said


def test_a_failing_program_is_no_error(
    drawn: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\necho 'libgvc is broken' >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(drawing, "programs", lambda: [broken, tmp_path / "gone"])
    handler = console.install()
    try:
        files = drawing.draw(picture.dot(drawn, "net.ini"), tmp_path / "net.ini")
    finally:
        console.remove(handler)
    assert [file.suffix for file in files] == [".dot"]
    assert "dot: libgvc is broken; gone:" in capsys.readouterr().out


def test_write_replaces_whole_files_and_leaves_no_others(tmp_path: Path) -> None:
    path = with_suffix(tmp_path / "deep" / "a.ini", ".dot")
    write(path, "one")
    write(path, "two é")
    assert path.read_text(encoding="utf-8") == "two é"
    assert list(path.parent.iterdir()) == [path]


def test_write_keeps_the_old_file_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a", "old")

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
