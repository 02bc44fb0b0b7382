"""What is written about a network before it learns: statistics, maps, receptive fields, labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from n2d2py import ini
from n2d2py.graph import build
from n2d2py.graph.network import Network
from n2d2py.report import labels, maps, receptive, stats

NET = """
DefaultModel=Frame
[sp]
SizeX=12
SizeY=10
NbChannels=2
BatchSize=4
[conv1]
Input=sp
Type=Conv
KernelWidth=5
KernelHeight=3
NbOutputs=4
NoBias=1
[pool1]
Input=conv1
Type=Pool
Pooling=Max
PoolSize=2
Stride=2
NbOutputs=4
Mapping.Size=1
[a/conv2]
Input=pool1
Type=Conv
KernelSize=2
NbOutputs=3
NoBias=1
Mapping(pool1)=1 0 1  1 1 0  0 1 0  0 0 1
[fc]
Input=a/conv2
Type=Fc
NbOutputs=5
"""


@pytest.fixture(scope="module")
def network() -> Network:
    return build.build(ini.loads(NET, file="net.ini"), "net.ini")


def test_statistics(network: Network, tmp_path: Path) -> None:
    files = stats.write_stats(tmp_path / "stats", network)
    assert [file.name for file in files] == ["stats.log", "stats.dat", "stats_relative.dat", "stats.png"]
    lines = files[1].read_text().splitlines()
    assert lines[0] == "Cell ParamMemory Computing DataMemory"
    assert lines[1] == "conv1 120 7680 256"
    assert lines[2] == "pool1 0 256 64"
    assert files[2].read_text().splitlines()[2].startswith("pool1 0.00 ")
    log = files[0].read_text()
    for part in ("[Global stats]", "[Memory]", "[Computing]", "Input data (int-8): 0.24 kB (0.234375 KiB)"):
        assert part in log
    assert f"Total number of connections: {network.cost.connections}" in log


def test_shares_add_up(network: Network) -> None:
    columns = list(zip(*stats.relative_costs(stats.costs(network)), strict=True))[1:]
    assert [round(sum(column), 9) for column in columns] == [100.0, 100.0, 100.0]
    assert stats.relative_costs([("a", 0, 0, 0)]) == [("a", 0.0, 0.0, 0.0)]


def test_maps_are_written_channel_by_channel(network: Network, tmp_path: Path) -> None:
    files = maps.write_maps(tmp_path, network)
    assert [str(file.relative_to(tmp_path)) for file in files] == [
        "conv1_map.dat", "pool1_map.dat", "a/conv2_map.dat", "fc_map.dat"
    ]  # fmt: skip
    assert files[0].read_text() == "1 1 1 1\n1 1 1 1\n"
    assert files[1].read_text() == "1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n"
    assert files[2].read_text() == "1 0 1\n1 1 0\n0 1 0\n0 0 1\n"
    assert files[3].read_text() == ""


def test_receptive_fields(network: Network, tmp_path: Path) -> None:
    fields = receptive.receptive_fields(network)
    assert fields["conv1"] == ((5, 1), (3, 1))
    assert fields["pool1"] == ((6, 2), (4, 2))
    assert fields["a/conv2"] == ((8, 2), (6, 2))
    lines = receptive.write_receptive_fields(tmp_path / "receptive_fields.log", network).read_text().splitlines()
    assert lines[:2] == ["Name R.F. R.F./env", "conv1 5x3 0.4167x0.3"]
    assert lines[-1] == "fc 12x10 1x1"


def test_labels_are_counted_by_set(tmp_path: Path) -> None:
    stimuli = {"Learn": np.array([0, 1, 1, -1]), "Test": np.array([[0], [0]])}
    file = labels.write_labels_mapping(tmp_path, ["cat", "big dog"], [1, -1], stimuli)
    assert file.read_text().splitlines() == [
        "label name output nb.stimuli(Learn) nb.stimuli(Validation) nb.stimuli(Test) "
        "nb.ROIs(Learn) nb.ROIs(Validation) nb.ROIs(Test)",
        "0 cat 1 1 0 2 0 0 0",
        '1 "big dog" -1 2 0 0 0 0 0',
    ]
