import pytest

from n2d2py.errors import ParameterError
from n2d2py.learn.labels import lookup
from n2d2py.parts.targets import TargetScore

NAMES = ["cat", "dog", "wild cat", "wild dog"]


def mapped(tmp_path, text, names=NAMES):
    file = tmp_path / "labels.txt"
    file.write_text(text)
    return lookup(TargetScore(name="t", cell="fc", labels_mapping=str(file)), names)


def test_without_a_file_labels_are_outputs():
    assert lookup(TargetScore(name="t", cell="fc"), NAMES) is None


def test_names_wildcards_quotes_comments_and_default(tmp_path):
    text = '# animals\ncat 1  # small\n"wild  cat" 3\ndo? 0\ndefault -1\n'
    assert mapped(tmp_path, text.replace("wild  cat", "wild cat")).tolist() == [1, 0, 3, -1, -1]


def test_blanks_between_the_words_of_a_label_count_as_one(tmp_path):
    assert mapped(tmp_path, "wild    *  5\ncat 0\ndog 0\n* 7\n").tolist() == [0, 0, 5, 5, 7]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cat 0\n", ("incomplete class mapping", "'dog' and 2 others", "default -1")),
        ("* 0\ncat 1\nc* 2\ndefault 0\n", ("'cat' is mapped twice", "labels.txt:3")),
        ("cat\n", ("unreadable mapping", "labels.txt:1")),
        ("cat -2\n", ("unreadable mapping",)),
        ("default 0\ndefault 1\n", ("'default' is mapped twice", "labels.txt:2")),
        ("default 0\n* 1\n* 2\n", ("'*' is mapped twice", "labels.txt:3")),
    ],
)
def test_mistakes(tmp_path, text, words):
    with pytest.raises(ParameterError) as caught:
        mapped(tmp_path, text)
    for word in words:
        assert word in str(caught.value)


def test_a_label_that_the_database_lacks_is_warned_of(tmp_path, caplog):
    mapped(tmp_path, "dgo 1\ndefault 0\n")
    assert "no label 'dgo' in the database" in caplog.text
    assert "did you mean dog?" in caplog.text


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ParameterError, match=r"there is no file nowhere\.txt"):
        lookup(TargetScore(name="t", cell="fc", labels_mapping="nowhere.txt"), NAMES)


def test_labels_that_are_to_be_created_are_not_warned_of(tmp_path, caplog):
    file = tmp_path / "labels.txt"
    file.write_text("bird 2\ndefault 0\n* -1\n")
    target = TargetScore(name="t", cell="fc", labels_mapping=str(file), create_missing_labels=True)
    assert lookup(target, NAMES).tolist() == [0, 0, 0, 0, -1]
    assert caplog.text == ""


def test_the_label_of_what_has_none(tmp_path):
    """The last entry is that of label -1, so that -1 as an index finds it."""
    assert mapped(tmp_path, "default 3\n* 0\n")[-1] == 0
    assert mapped(tmp_path, "default 3\n")[-1] == -1


def test_the_environment_is_expanded_in_the_path(tmp_path, monkeypatch):
    (tmp_path / "labels.txt").write_text("default 1\n")
    monkeypatch.setenv("LABELS", str(tmp_path))
    assert lookup(TargetScore(name="t", cell="fc", labels_mapping="${LABELS}/labels.txt"), ["a"]).tolist() == [1, -1]
