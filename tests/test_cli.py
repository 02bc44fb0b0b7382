"""The process: exit statuses, no traceback for a user's mistake, and help that does not wait for torch."""

import subprocess
import sys

import pytest

from n2d2py import cli


def run(*words, cwd):
    return subprocess.run(
        [sys.executable, "-m", "n2d2py", *words], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_help_needs_no_torch(tmp_path):
    code = "import sys; from n2d2py.cli import main; main(['-h']); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Usage: n2d2py <net> [options]" in done.stdout


def test_version(capsys):
    assert cli.main(["-v"]) == 0
    assert capsys.readouterr().out.startswith("n2d2py 0.")


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        ([], 2, "Option <net> is required"),
        (["-nonsense"], 2, "Unknown option(s): -nonsense"),
        (["missing.ini", "-test", "-seed", "1"], 1, "missing.ini"),
        (["-fetch", "imagenet"], 2, "imagenet"),
    ],
)
def test_a_mistake_has_an_exit_status_and_no_traceback(words, status, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == status
    printed = capsys.readouterr().out
    assert text in printed
    assert "Traceback" not in printed


def test_the_command_line_is_remembered(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cli.main(["missing.ini", "-seed", "1", "-w", "my weights"])
    assert (tmp_path / "n2d2py.args").read_text() == "n2d2py missing.ini -seed 1 -w 'my weights'\n"


def test_python_m_is_the_same(tmp_path):
    done = run("missing.ini", "-seed", "1", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")]
)
def test_a_lack_of_memory_is_said_without_a_traceback(error, tmp_path, monkeypatch, capsys):
    def run(line):
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("n2d2py.run.run", run)
    assert cli.main(["net.ini", "-seed", "1"]) == 1
    assert "Error: there is not enough memory for this network with this batch" in capsys.readouterr().out


def test_any_other_failure_of_ours_is_not_hidden(tmp_path, monkeypatch):
    def run(line):
        raise RuntimeError("a bug")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("n2d2py.run.run", run)
    with pytest.raises(RuntimeError, match="a bug"):
        cli.main(["net.ini", "-seed", "1"])
