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


def test_where_learning_stands_is_said_in_words():
    assert progress.course(0.5, None, 1e-5, 4000) == "loss 0.5, learning rate 1e-05, 1 h 6 min left"


def test_it_is_due_once_in_a_while(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    due = progress.Due(60)
    found = []
    for now[0] in (1.0, 59.0, 61.0, 62.0, 120.0, 122.0):
        found.append(bool(due))
    assert found == [False, False, True, False, False, True]


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
    monkeypatch.setenv("COLUMNS", "80")
    handler = console.install()
    try:
        with progress.Bar("Learning", 3) as bar:
            assert bar.drawn
            bar.to(2, "50.00% at 178 p./s, loss 6.5, best validation 96.25%, learning rate 0.0499781, 3 min 10 s left")
            console.line("a line")
        assert not bar.drawn
    finally:
        console.remove(handler)
    shown = " ".join(sys.stdout.getvalue().split())
    assert "a line" in shown
    assert "2/3" in shown
    for words in ("50.00%", "178 p./s", "loss 6.5", "96.25%", "0.0499781", "left"):
        assert words in shown, "nothing is cut, however narrow the terminal is"
