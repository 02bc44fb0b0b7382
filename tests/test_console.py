"""What a run says, and who hears it."""

import io
import logging
import sys

import pytest

from n2d2py import console


@pytest.fixture
def stream():
    stream = io.StringIO()
    level = console.logger.level
    handler = console.install(stream)
    yield stream
    console.remove(handler)
    console.logger.setLevel(level)


def test_lines_notices_and_warnings(stream):
    console.line("Total number of neurons: 6732")
    console.line()
    console.notice("Unused section Conv_def in INI file")
    console.warning("overriding property K")
    assert stream.getvalue() == (
        "Total number of neurons: 6732\n\nNotice: Unused section Conv_def in INI file\nWarning: overriding property K\n"
    )


def test_signs_of_formatting_are_text(stream):
    console.line("96.6% {} %s %d")
    assert stream.getvalue() == "96.6% {} %s %d\n"


def test_a_terminal_has_colours():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    handler = console.install(stream)
    console.line("plain")
    console.notice("blue")
    console.warning("red")
    console.remove(handler)
    assert stream.getvalue() == "plain\n\033[34mNotice: blue\033[39m\n\033[31mWarning: red\033[39m\n"


def test_nothing_is_heard_after_removal():
    stream = io.StringIO()
    handler = console.install(stream)
    console.remove(handler)
    console.warning("nobody listens")
    assert stream.getvalue() == ""


def test_the_present_standard_output_is_used(monkeypatch):
    handler = console.install()
    later = io.StringIO()
    monkeypatch.setattr(sys, "stdout", later)
    console.line("here")
    console.remove(handler)
    assert later.getvalue() == "here\n"


def test_a_library_is_silent_by_default(capsys):
    console.warning("a library says nothing by itself")
    assert capsys.readouterr() == ("", "")


def test_a_stream_that_fails_is_not_hidden():
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    handler = console.install(Full())
    try:
        with pytest.raises(OSError, match="No space left"):
            console.line("lost")
    finally:
        console.remove(handler)


def test_levels_are_in_order():
    assert logging.INFO < console.NOTICE < logging.WARNING


def test_without_lines_only_notices_and_warnings_are_said(capsys):
    handler = console.install()
    try:
        with console.without_lines():
            console.line("plain")
            console.notice("note")
            console.warning("care")
        console.line("again")
    finally:
        console.remove(handler)
    assert capsys.readouterr().out == "Notice: note\nWarning: care\nagain\n"


def test_kept_warnings_are_said_and_kept_once():
    with console.kept_warnings() as warnings:
        console.notice("note")
        console.warning("care")
        console.warning("care")
        console.warning("more")
    console.warning("later")
    assert list(warnings) == ["care", "more"]


def test_of_warnings_about_the_same_thing_the_first_is_said(capsys):
    handler = console.install()
    try:
        with console.each_once():
            for cell in ("a", "b"):
                console.warning(f"7.5 is cut, for {cell}", about=("net.ini", 7))
                console.warning(f"unknown, in {cell}")
        console.warning("7.5 is cut, for c", about=("net.ini", 7))
    finally:
        console.remove(handler)
    said = [line.removeprefix("Warning: ") for line in capsys.readouterr().out.splitlines()]
    assert said == ["7.5 is cut, for a", "unknown, in a", "unknown, in b", "7.5 is cut, for c"]


def test_control_characters_do_not_reach_the_terminal():
    assert console.printable("a\x1b[31mb\x07\tc\n") == "a\\x1b[31mb\\x07\tc\n"
