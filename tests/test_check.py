"""``-check`` and ``-report-net``: a network is checked without learning, torch, data or a trace on the disk."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from n2d2py import cli

NET = """\
[database]
Type=MNIST_IDX_Database

[sp]
SizeX=28
SizeY=28
BatchSize=4

[conv]
Input=sp
Type=Conv
NbOutputs=4
KernelSize=3
Solvers.MaxIterations=$(10 * [sp]_EpochSize / [sp]BatchSize )

[out]
Input=conv
Type=Fc
NbOutputs=10

[out.Target]
"""


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """``check(text, *words)``: exit status and what is printed, in an empty folder without data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("N2D2_DATA", str(tmp_path / "nothing"))

    def run(text: str, *words: str) -> tuple[int, str]:
        Path("net.ini").write_text(text)
        status = cli.main(["net.ini", *(words or ("-check",))])
        return status, capsys.readouterr().out

    return run


def test_a_right_network_is_reported_and_leaves_no_trace(check, tmp_path):
    status, said = check(NET)
    assert status == 0
    assert said.endswith("net.ini: 2 cells, no errors, 0 warnings\n")
    assert "Total number of synapses: 27090" in said
    assert "Notice: Unused section out.Target in INI file" in said
    assert "parameters: 27,076 weights, and 14 biases" in said
    assert "Layer:" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["net.ini"]


def test_without_data_sizes_are_those_of_the_published_collection(check):
    _, said = check(NET)
    assert "Notice: the data are not there" in said
    assert "Notice: [sp]_EpochSize is 60000: the number of learning stimuli as published" in said


def test_a_folder_in_a_variable_that_is_not_set_is_data_that_are_not_there(check, monkeypatch):
    monkeypatch.delenv("NO_SUCH_FOLDER", raising=False)
    status, said = check(NET.replace("_Database", "_Database\nDataPath=${NO_SUCH_FOLDER}/mnist"))
    assert status == 0
    assert "Notice: the data are not there (the environment variable NO_SUCH_FOLDER is not set)" in said
    assert said.endswith("net.ini: 2 cells, no errors, 0 warnings\n")


def test_an_error_that_each_cell_meets_is_told_once(check):
    text = NET + "[common.config]\nSolvers.Decay=$(1 / 0)\n"
    for cell in ("KernelSize=3", "Input=conv"):
        text = text.replace(cell, cell + "\nConfigSection=common.config")
    status, said = check(text)
    assert status == 1
    assert said.count("Error:") == 1


def test_a_database_of_unknown_size_gives_one_batch(check):
    status, said = check(NET.replace("MNIST_IDX_Database", "DIR_Database\nDataPath=nowhere\nLearn=0.8"))
    assert status == 0
    assert "Notice: [sp]_EpochSize is 4: one batch, because their number is not known" in said


def test_an_unread_key_is_a_warning_with_the_nearest_name(check):
    status, said = check(NET.replace("Type=Fc", "Type=Fc\nNoBais=1"))
    assert status == 0
    assert "Warning: unknown parameter NoBais (did you mean NoBias?), at: net.ini:19, [out], NoBais" in said
    assert said.endswith("net.ini: 2 cells, no errors, 1 warning\n")


def test_strict_makes_every_warning_an_error_and_still_shows_all(check):
    text = NET.replace("Type=Fc", "Type=Fc\nNoBais=1\nOther=2")
    status, said = check(text, "-check", "-strict")
    assert status == 1
    assert "NoBais" in said
    assert "unknown parameter Other" in said
    assert said.endswith("net.ini: 2 cells, no errors, 2 warnings, which are errors because of -strict\n")


def test_overriding_what_is_inherited_is_no_flaw_and_writing_twice_is_one(check):
    status, said = check("[def]\nNbOutputs=3\n" + NET.replace("[conv]", "[conv] def"), "-check", "-strict")
    assert status == 0
    assert 'Warning: overriding property NbOutputs (previous value was "3") in section [conv]' in said
    assert said.endswith("net.ini: 2 cells, no errors, 0 warnings\n")
    status, said = check(NET.replace("NbOutputs=10", "NbOutputs=9\nNbOutputs=10"), "-check", "-strict")
    assert status == 1
    assert said.endswith("1 warning, which is an error because of -strict\n")


def test_errors_of_several_sections_are_told_at_once(check):
    text = (
        NET.replace("KernelSize=3", "KernelSize=three")
        .replace("SizeX=28", "SizeX=28\nSise=3")
        .replace("Type=Fc", "Type=Fc\nNoBias=maybe")
    )
    status, said = check(text)
    assert status == 1
    assert said.count("Error:") == 3
    assert "unknown parameter Sise" in said
    assert "unreadable value 'three' for KernelSize" in said
    assert "unreadable value 'maybe' for NoBias" in said
    assert said.endswith("net.ini: not built, 3 errors, 0 warnings\n")


def test_what_follows_from_an_error_is_not_told(check):
    text = NET.replace("KernelSize=3", "KernelSize=three").replace("NbOutputs=10", "NbOutputs=[conv]_OutputsWidth")
    status, said = check(text)
    assert status == 1
    assert said.count("Error:") == 1
    assert said.endswith("net.ini: not built, 1 error, 0 warnings\n")


def test_unknown_inputs_are_all_told(check):
    text = NET.replace("Input=sp", "Input=ps").replace("Input=conv", "Input=con")
    status, said = check(text)
    assert status == 1
    assert "input 'ps' of cell conv does not exist" in said
    assert "did you mean conv?" in said


@pytest.mark.parametrize("text", ["[sp", "", "[sp]\nSizeX=2\nSizeY=2\n", NET.replace("Input=sp", "Input=out")])
def test_no_mistake_gives_a_traceback(check, text):
    status, said = check(text)
    assert status == 1
    assert "Error: " in said
    assert "Traceback" not in said
    assert "net.ini: not built, 1 error, " in said


def test_a_file_that_is_missing(check, capsys):
    assert cli.main(["missing.ini", "-check"]) == 1
    assert "missing.ini: not built, 1 error" in capsys.readouterr().out


def test_report_net_prints_the_table_alone(check):
    status, said = check(NET, "-report-net")
    assert status == 0
    lines = [line for line in said.splitlines() if not line.startswith("Notice:")]
    assert lines[0].split() == "cell type output weights others MACs BOPs w bits in bits out bits bytes".split()
    assert lines[-1].startswith("one stimulus: ")
    assert "Total number" not in said


def test_report_net_raises_the_first_error(check):
    status, said = check(NET.replace("KernelSize=3", "KernelSize=three"), "-report-net")
    assert status == 1
    assert "Error: unreadable value 'three'" in said
    assert "not built" not in said


def test_the_table_is_written_as_csv(check):
    status, said = check(NET, "-report-net", "-report-csv", "cost.csv")
    assert status == 0
    assert "[LOG] Cost of each cell (cost.csv)" in said
    rows = list(csv.DictReader(Path("cost.csv").read_text().splitlines()))
    assert [row["name"] for row in rows] == ["conv", "out", "total"]
    assert rows[0]["input_bits"] == "8"


def test_report_csv_alone_is_wrong_usage(check):
    status, said = check(NET, "-report-csv", "cost.csv")
    assert status == 2
    assert "-report-csv goes with -check or -report-net" in said


@pytest.mark.parametrize(
    ("lines", "bits"),
    [
        ("", "8"),
        ("[sp.Transformation]\nType=RangeAffineTransformation\nFirstOperator=Minus\nFirstValue=127.5\n", "8"),
        ("[sp.Transformation]\nType=RangeAffineTransformation\nFirstOperator=Minus\nFirstValue=1.5\n"
         "[sp.Transformation-2]\nType=RescaleTransformation\nWidth=28\nHeight=28\n", "32"),
    ],
)  # fmt: skip
def test_the_bits_of_the_stimuli_are_those_of_their_images(check, lines, bits):
    check(NET + lines, "-report-net", "-report-csv", "cost.csv")
    assert next(csv.DictReader(Path("cost.csv").read_text().splitlines()))["input_bits"] == bits


def test_levels_of_the_stimuli_give_their_bits(check):
    check(NET.replace("SizeX=28", "SizeX=28\nQuantizationLevels=16"), "-report-net", "-report-csv", "cost.csv")
    assert next(csv.DictReader(Path("cost.csv").read_text().splitlines()))["input_bits"] == "4"


def test_nothing_of_it_imports_torch_or_opencv(tmp_path):
    (tmp_path / "net.ini").write_text(NET)
    code = (
        "import json, sys; from n2d2py.cli import main\n"
        "statuses = [main(words.split()) for words in ('net.ini -check', 'net.ini -report-net', '-explain Conv', "
        "'-explain NoBias', '-list', '-list cells', '-list policies', '-h')]\n"
        "found = sorted({'torch', 'cv2', 'matplotlib'} & set(sys.modules))\n"
        "print(json.dumps([statuses, found]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [[0] * 8, []]
    assert [path.name for path in tmp_path.iterdir()] == ["net.ini"]


@pytest.mark.parametrize(
    "lines",
    [
        "[sp.Transformation-1]\nType=FlipTransformation\nHorizontalFlipp=1",
        "[sp.OnTheFlyTransformation]\nType=FlipTransformation\nHorizontalFlipp=1",
        "[sp.ChannelsTransformation]\nType=FlipTransformation\nHorizontalFlipp=1",
        "[sp.StimuliData-1]\nMeenData=1",
        "[database.slicing]\nWidth=4\nHeight=4\nStrideX=4\nStrideY=4\nApplyTo=All\nWith=1",
        "[database.sortAndDropLabels]\nNbKeep=2\nAscendin=1",
        "[database.filterROIs]\nLabels=1\nFilterKep=1",
        "[out.Target-2]\nTopM=1",
        "[out2]\nInput=conv\nType=Fc\nNbOutputs=2\nConfigSection=more\n[more]\nNoBais=1",
    ],
)
def test_a_key_that_n2d2_does_not_know_in_a_section_that_it_checks_is_an_error(check, lines):
    made = "[sp.ChannelTransformation]\nType=FlipTransformation\n" if "Channels" in lines else ""
    text = f"{NET}{made}{lines}\n"
    status, out = check(text)
    key = lines.rpartition("\n")[2].partition("=")[0]
    assert status == 1
    assert f"unknown parameter {key}\n" in out
    assert f"at: net.ini:{text.count(chr(10))}, [" in out
    assert "to do: did you mean" in out


@pytest.mark.parametrize(("before", "after"), [("[sp]\n", "[sp]\nSizeW=1\n"), ("[database]", "Default=1\n[database]")])
def test_a_key_of_the_stimuli_or_of_the_file_that_nobody_knows_is_an_error(check, before, after):
    status, out = check(NET.replace(before, after))
    assert status == 1
    assert "unknown parameter" in out


@pytest.mark.parametrize("name", ["c" * 250, "/./"])
def test_names_of_cells_that_no_file_can_have_are_found(check, tmp_path, name):
    status, out = check(NET.replace("[conv]", f"[{name}]").replace("Input=conv", f"Input={name}"))
    assert status == 1
    assert f"the name of cell {name[:60]}" in out.replace("'", "")
    assert "at: net.ini:9, [" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.ini"]
