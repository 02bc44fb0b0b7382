import io
import sys

from n2d2py import console
from n2d2py.learn import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_lines_of_n2d2():
    line = progress.epoch_line(0, 0.2, [0.7446], 44.3, 290.49)
    assert line == (
        "Learning [=========>                                        ] #epoch 0 74.46% duration 00:44 min "
        "at 0290.49 p./s (0017429 p./min)"
    )
    line = progress.step_line(5112, 48000, [0.6441], 679.54)
    assert line == "Learning #5112    (10.65%)    64.41% at  679.54 p./s (  40772 p./min)"


def test_the_bar_is_full_at_the_end():
    assert progress.bar(0.0) == " " * 50
    assert progress.bar(1.0) == "=" * 50


def test_two_targets_have_two_values():
    assert progress.shown([0.5, 0.25]) == "50.00% 25.00%"


def test_a_library_and_a_file_see_no_bar(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    with progress.Bar("Learning", 3) as bar:
        assert not bar.drawn
        bar.to(1, "50%")
    assert sys.stdout.getvalue() == ""


def test_a_terminal_sees_a_bar_and_the_lines(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    handler = console.install()
    try:
        with progress.Bar("Learning", 3) as bar:
            assert bar.drawn
            bar.to(2, "50.00%")
            console.line("a line")
        assert not bar.drawn
    finally:
        console.remove(handler)
    shown = sys.stdout.getvalue()
    assert "a line" in shown
    assert "2/3" in shown
    assert "50.00%" in shown
