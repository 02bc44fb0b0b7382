"""A bounded run of the fuzzer, and templates of any pieces."""

import contextlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from n2d2py import ini
from n2d2py.errors import IniError, N2d2Error
from n2d2py.ini import template
from n2d2py.ini.rendering import Budget, render

from .fuzz import PIECES, SOURCES, try_round


@pytest.mark.parametrize("part", range(4))
def test_mutated_files_give_documents_or_errors(tmp_path, monkeypatch, part):
    monkeypatch.chdir(tmp_path)
    found = Counter(try_round(number, 1, tmp_path) for number in range(part * 100, part * 100 + 100))
    assert set(found) <= {"document", "wrong values", "IniError", "ParameterError"}
    assert found["document"] > 0
    assert found["IniError"] > 0


def test_the_files_that_are_mutated_are_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in SOURCES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    document = ini.load("net.ini")
    values = [document.value("conv2", key).text for key in ("v", "NbOutputs", "N")]
    assert values == ["conv2 block.1.in Frame 1", "11", "3"]
    assert document.value("block.1.in", "q").text == "11 block.1"


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.dictionaries(st.sampled_from("AN#"), st.text()))
def test_a_template_gives_a_text_with_a_line_for_each_line(text, variables):
    def load(file, place):
        return template.parse("{{A}}\n", file)

    with contextlib.suppress(N2d2Error):
        result = render(template.parse(text, "t"), variables, chain=(), budget=Budget(10_000, 10_000), load=load)
        if result.text:
            assert len(result.lines) == len(result.files) == result.text.count("\n") + 1
            assert all(1 <= line <= text.count("\n") + 2 for line in result.lines)


@given(st.text(alphabet="ab\n{}%", max_size=20))
def test_text_without_tags_is_left_as_it_is(text):
    if "{{" in text or "{%" in text:
        return
    result = render(template.parse(text, "t"), {}, chain=(), budget=Budget(), load=lambda file, place: None)
    assert result.text == text
    assert result.lines == (list(range(1, text.count("\n") + 2)) if text else [])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_nested_loops_multiply(bounds):
    opening = "".join(f"{{% for i{depth} in range({bound}) %}}" for depth, bound in enumerate(bounds))
    turns = 1
    for bound in bounds:
        turns *= bound
    tree = template.parse(opening + "x" + "{% endfor %}" * len(bounds), "t")
    assert render(tree, {}, chain=(), budget=Budget(), load=lambda file, place: None).text == "x" * turns
    with pytest.raises(IniError, match="steps"):
        render(tree, {}, chain=(), budget=Budget(steps=turns), load=lambda file, place: None)
