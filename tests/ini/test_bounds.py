"""Enormous, deep and hostile input: it ends, and takes memory in proportion to its size."""

import tracemalloc

import pytest

from n2d2py import ini
from n2d2py.errors import IniError
from n2d2py.ini import template
from n2d2py.ini.lines import content
from n2d2py.ini.rendering import MAX_STEPS, Budget, render

MEGABYTE = 1 << 20


def peak(action):
    """The most bytes that an action had at one time, and what it gave or raised."""
    tracemalloc.start()
    try:
        result = action()
    except IniError as error:
        result = error
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most, result


@pytest.mark.parametrize(
    ("start", "piece", "end"),
    [
        ("k=", "x", ""),
        ("k=", '""', ""),
        ("k=", '"";', ""),
        ('k="', " ", ""),
        ("k", "k", "=1"),
        ("", "[", "]"),
        ("[a]", " b", ""),
        ("[a]", "b", ""),
        ("k=", "${", ""),
        ("", ";", ""),
    ],
)
def test_a_line_of_ten_megabytes(start, piece, end):
    text = start + piece * (10 * MEGABYTE // len(piece)) + end

    def read():
        document = ini.loads(text)
        return [document.value("", key) for key in document.sections[""]]

    most, result = peak(read)
    assert most < 12 * len(text), result
    assert not isinstance(result, IniError) or len(str(result)) < 1000


def test_a_line_of_a_million_lines():
    most, document = peak(lambda: ini.loads("k=" + "\\\n" * 500_000 + "1"))
    assert document.sections[""].properties == {"k": "1"}
    assert most < 60 * MEGABYTE


def test_comments_in_a_line_of_quotes():
    assert content("k=" + '"x;"' * 100_000 + "; c") == "k=" + '"x;"' * 100_000


def test_a_hundred_thousand_sections():
    document = ini.loads("[def]\na=1\nb=2\n" + "".join(f"[s{number}] def\nk={number}\n" for number in range(100_000)))
    assert len(document.sections) == 100_002
    assert document.value("s99999", "a").text == "1"
    assert document.value("s99999", "k").text == "99999"
    assert len(document.unused()) == 100_000


def test_sections_share_what_they_inherit():
    properties = "".join(f"key_number_{number}={number}\n" for number in range(100))

    def read(sections):
        return ini.loads(f"[def]\n{properties}" + "".join(f"[s{number}] def\n" for number in range(sections)))

    few, many = peak(lambda: read(1_000))[0], peak(lambda: read(11_000))[0]
    assert (many - few) / 10_000 < 1500  # bytes a section; each would have 100 properties otherwise


def test_a_thousand_parents_one_above_the_other():
    text = "[s0]\nk=0\n" + "".join(f"[s{number}] s{number - 1}\nk{number}=1\n" for number in range(1, 1001))
    document = ini.loads(text)
    assert len(document.sections["s1000"].properties) == 1001
    value = document.value("s1000", "k")
    assert value.text == "0"
    assert len(str(value.place)) < 1000


def test_a_circle_of_a_thousand_parents_is_found():
    text = "".join(f"[s{number}] s{(number + 1) % 1000}\n" for number in range(1000))
    with pytest.raises(IniError, match="inherit from each other in a circle: s0 -> s1 -> s2 -> "):
        ini.loads(text)


def test_many_references_to_sections_that_do_not_exist():
    document = ini.loads("".join(f"[section{number}]\nv=[sectoin{number}]x [n]y\n" for number in range(3000)))
    values = [document.value(f"section{number}", "v") for number in range(3000)]
    assert values[7].text == "[sectoin7]x [n]y"
    assert values[7].notes[0] == "there is no section [sectoin7], did you mean [section7]?"


@pytest.mark.parametrize("text", ["$X=${X}", "$X=$(9**9**9)", "$X=$(__import__('os').system('true'))", "$X=[]$X"])
def test_hostile_values(text):
    document = ini.loads(text)
    with pytest.raises(IniError):
        document.value("", "$X")


@pytest.mark.parametrize("text", ["a=1\0", "\0", "[\0]\n"])
def test_nul_characters(text):
    with pytest.raises(IniError, match="NUL"):
        ini.loads(text)


def given_by(text, steps=MAX_STEPS, **variables):
    tree = template.parse(text, "t.tpl")
    return render(tree, variables, chain=(), budget=Budget(steps=steps), load=lambda file, place: tree)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% for i in range(1e9) %}x{% endfor %}", "more than 4000000 steps"),
        ("{% for i in range(-1e308, 1e308) %}{% endfor %}", "more than 4000000 steps"),
        ("{% block N %}{% endblock %}", "more than 4000000 steps"),
        ("{% set A %}x{% endset %}" + "{% set A %}{{A}}{{A}}{% endset %}" * 64, "more than 32 MiB of text"),
        ("{% for i in range(100) %}{% set B %}{{B}}{{B}}{% endset %}{% endfor %}", "more than 32 MiB of text"),
        ("{% for i in range(1000) %}" + "x" * 100_000 + "{% endfor %}", "more than 32 MiB of text"),
        ("{% include t.tpl %}", "in a circle: t.tpl -> t.tpl"),
    ],
)
def test_template_bombs(text, said):
    most, result = peak(lambda: given_by(text, N="9" * 300, B="12345678"))
    assert isinstance(result, IniError)
    assert said in str(result)
    assert result.place.line == 1
    assert most < 80 * MEGABYTE


def test_nested_loops_are_bounded_together():
    loops = "".join(f"{{% for i{depth} in range(100) %}}" for depth in range(9)) + "x" + "{% endfor %}" * 9
    with pytest.raises(IniError, match="steps"):
        given_by(loops, steps=100_000)


@pytest.mark.parametrize("piece", ["{", "{{", "{%", "{% %}", "{% if A exists %}", "{{A}}", "%}", "}}", "{%}"])
def test_long_rows_of_tags_come_to_an_end(piece):
    with pytest.raises(IniError) as caught:
        given_by(piece * 50_000 + "{{A}}")
    assert len(str(caught.value)) < 500


@pytest.fixture
def small_budget(monkeypatch):
    monkeypatch.setattr("n2d2py.ini.inclusion.Budget", lambda: Budget(steps=100_000))


def test_sections_that_include_templates_share_one_budget(tmp_path, small_budget):
    (tmp_path / "t.tpl").write_text("{% for i in range(2400) %}{% endfor %}")
    text = "".join(f"[s{number}@{tmp_path}/t.tpl]\n" for number in range(50))
    with pytest.raises(IniError, match="steps") as caught:
        ini.loads(text)
    assert ", rendered for [s39] (<text>:40)" in str(caught.value.place)


def test_towers_of_templates_are_bounded(tmp_path, small_budget):
    for number in range(19):
        name = "{{SECTION_NAME}}"
        inside = "".join(f"[{name}{half}@t{number + 1}.tpl]\n" for half in "ab")
        (tmp_path / f"t{number}.tpl").write_text(inside)
    (tmp_path / "t19.tpl").write_text("[{{SECTION_NAME}}.end]\n")
    with pytest.raises(IniError, match="templates take more than 4000000 steps"):
        ini.loads("[s@t0.tpl]\n", file=str(tmp_path / "net.ini"))


def test_values_of_parameters_count(tmp_path):
    (tmp_path / "t.tpl").write_text("")
    doublings = "$X0=0123456789\n" + "".join(f"$X{i + 1}=${{X{i}}}${{X{i}}}\n" for i in range(16))
    text = f"{doublings}[s@t.tpl]\n" + "".join(f"P{number}=${{X16}}\n" for number in range(100))
    most, result = peak(lambda: ini.loads(text, file=str(tmp_path / "net.ini")))
    assert isinstance(result, IniError)
    assert "more than 32 MiB of text" in str(result)
    assert "[s], P" in str(result.place)
    assert most < 80 * MEGABYTE


def test_deep_templates_deep_tags_and_deep_references_together(tmp_path):
    for number in range(19):
        (tmp_path / f"t{number}.tpl").write_text(f"[s{number}@t{number + 1}.tpl]\nV={{{{V}}}}\n")
    deep = "{% if V exists %}" * 100 + "[end]\nv={{V}}\n" + "{% endif %}" * 100
    (tmp_path / "t19.tpl").write_text(deep)
    tower = "".join(f"$X{i}=${{X{i + 1}}}\n" for i in range(97))
    text = f"{tower}$X97=$({'(' * 80}1{')' * 80})\n[s@t0.tpl]\nV=${{X0}}\n"
    document = ini.loads(text, file=str(tmp_path / "net.ini"))
    assert document.value("end", "v").text == "1"
