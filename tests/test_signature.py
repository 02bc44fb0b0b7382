"""Files that are told from their first bytes."""

import pytest

from n2d2py.signature import identify, known_format


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer: the file itself was never downloaded"),
        (b"PK\x03\x04", "a ZIP archive: unpack it first"),
        (b"\x1f\x8b\x08", "a gzip file"),
        (b"\xff\xfea\x00", "text in UTF-16: save it as UTF-8"),
        (b"\x7fELF", "a program"),
        (b"\xef\xbb\xbf\n <!DOCTYPE html>", "a web page"),
        (b"", "an empty file"),
        (b' {"a": 1}', "a JSON text"),
    ],
)
def test_words(head, words):
    found = identify(head)
    assert found is not None
    assert found.startswith(words)


def test_text_is_nothing_known():
    assert identify(b"0.5 0.25 \n") is None
    assert known_format(b"[sp]\nSizeX=3\n") is None
    assert known_format(b"") is None


def test_the_remedy_stands_apart():
    found = known_format(b"BZh9")
    assert found is not None
    assert (found.name, found.remedy) == ("a bzip2 file", "unpack it first")
