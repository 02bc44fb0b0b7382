"""From bytes to text, and what is said of a file that is not an INI file."""

import logging

import pytest

from n2d2py import ini
from n2d2py.errors import IniError
from n2d2py.ini.source import decode


def test_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "LeNet.ini").write_text("a=1\n")
    with pytest.raises(IniError) as caught:
        ini.load(tmp_path / "Lenet.ini")
    assert f"Could not open INI file: {tmp_path / 'Lenet.ini'}" in str(caught.value)
    assert f"did you mean {tmp_path / 'LeNet.ini'}?" in str(caught.value)


def test_missing_folder(tmp_path):
    with pytest.raises(IniError, match="there is no folder"):
        ini.load(tmp_path / "nowhere" / "a.ini")


def test_folder_is_not_a_file(tmp_path):
    with pytest.raises(IniError) as caught:
        ini.load(tmp_path)
    assert "this is a folder" in str(caught.value)


def test_name_with_nul():
    with pytest.raises(IniError, match="Could not open INI file"):
        ini.load("a\0b.ini")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"<!DOCTYPE html>\n<html></html>", "a web page"),
        (b"\n  <HTML>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer"),
        (b"\x1f\x8b\x08\x00", "a gzip file"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x89PNG\r\n", "a PNG image"),
        (b"\xff\xfea\x00=\x001\x00", "UTF-16"),
        (b"a=1\nb=\x00\n", "binary data"),
    ],
)
def test_other_files_are_named(tmp_path, data, what):
    path = tmp_path / "net.ini"
    path.write_bytes(data)
    with pytest.raises(IniError, match=what) as caught:
        ini.load(path)
    assert str(path) in str(caught.value)
    assert "expected: an INI file" in str(caught.value)


def test_binary_data_names_the_line():
    with pytest.raises(IniError, match=r"net\.ini:2"):
        decode(b"a=1\nb=\0", "net.ini")


def test_latin_1_is_read_with_a_notice(tmp_path, caplog):
    path = tmp_path / "net.ini"
    path.write_bytes("a=1\n; réseau\nb=2\n".encode("latin-1"))
    with caplog.at_level(logging.INFO, logger="n2d2py"):
        document = ini.load(path)
    assert document.sections[""].properties == {"a": "1", "b": "2"}
    assert caplog.messages == [f"{path} is not UTF-8 (line 2): it is read as Latin-1"]


def test_byte_order_mark_in_latin_1():
    assert decode(b"\xef\xbb\xbfa=\xe9\n", "net.ini") == "a=é\n"


def test_utf_8_is_silent(tmp_path, caplog):
    path = tmp_path / "net.ini"
    path.write_bytes("\ufeffa=é ; réseau\r\nb=2\r\n".encode())
    with caplog.at_level(logging.INFO, logger="n2d2py"):
        assert ini.load(path).sections[""].properties == {"a": "é", "b": "2"}
    assert caplog.messages == []


def test_the_file_is_called_as_it_was_given(tmp_path, monkeypatch):
    (tmp_path / "net.ini").write_text("a\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IniError, match=r"Missing value for property: a in INI file net\.ini\n  at: net\.ini:1, global"):
        ini.load("net.ini")
