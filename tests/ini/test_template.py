"""The template language: every construct of it, and what is said where it is wrong."""

import pytest

from n2d2py.errors import IniError
from n2d2py.ini import template
from n2d2py.ini.rendering import Budget, render


def rendered(text, files=None, **variables):
    """What a template gives; ``files`` are those that it may include."""

    def load(file, place):
        if file not in (files or {}):
            raise IniError(f"no {file}", place=place)
        return template.parse(files[file], file)

    return render(
        template.parse(text, "t.tpl"), variables, chain=("rendered for [s] (n.ini:1)",), budget=Budget(), load=load
    )


@pytest.mark.parametrize(
    ("text", "variables", "result"),
    [
        ("no tags } }} %} { %", {}, "no tags } }} %} { %"),
        ("", {}, ""),
        ("a{{A}}b{{A}}", {"A": "1"}, "a1b1"),
        ("{{A}}", {"A": "{{B}}"}, "{{B}}"),
        ("{{a b}}", {"a b": "1"}, "1"),
        # tests
        ("{% if A == x %}yes{% endif %}", {"A": "x"}, "yes"),
        ("{% if A == x %}yes{% endif %}", {"A": "y"}, ""),
        ("{% if A != x %}yes{% endif %}", {"A": "y"}, "yes"),
        ("{% if A == 1 %}yes{% endif %}", {"A": "1.0"}, ""),
        ("{% if A == %}empty{% endif %}", {"A": ""}, "empty"),
        ("{% if A != %}full{% endif %}", {"A": "x"}, "full"),
        ("{%if A exists%}yes{%endif%}", {"A": ""}, "yes"),
        ("{% if A exists %}yes{% endif %}", {}, ""),
        ("{% if A not_exists %}no{% endif %}", {}, "no"),
        ("{% if A not_exists %}no{% endif %}", {"A": ""}, ""),
        ("{% if A == x %}1{% else %}2{% endif %}", {"A": "x"}, "1"),
        ("{% if A == x %}1{% else %}2{% endif %}", {"A": "y"}, "2"),
        ("{% if A exists %}1{% else %}2{% endif %}", {}, "2"),
        ("{% if A exists %}1{% else %}{% endif %}", {}, ""),
        ("{% if A exists %}{% if A == 1 %}1{% else %}2{% endif %}{% else %}3{% endif %}", {"A": "5"}, "2"),
        ("{% if (A) == ,x %}separators{% endif %}", {"A": "x"}, "separators"),
        ("{%\nif A\n==\nx\n%}lines{% endif %}", {"A": "x"}, "lines"),
        # the else asks again, after the first branch
        ("{% if A not_exists %}{% set A %}1{% endset %}a{% else %}b{% endif %}", {}, "ab"),
        # loops
        ("{% for i in range(3) %}{{i}} {% endfor %}", {}, "0 1 2 "),
        ("{% for i in range(1, 3) %}{{i}} {% endfor %}", {}, "1 2 "),
        ("{% for i in range(2.5) %}{{i}} {% endfor %}", {}, "0 1 2 "),
        ("{% for i in range(0.5,2) %}{{i}} {% endfor %}", {}, "0.5 1.5 "),
        ("{% for i in range(N) %}{{i}}{% endfor %}", {"N": "4"}, "0123"),
        ("{% for i in range(M, N) %}{{i}}{% endfor %}", {"M": "-1", "N": "2.0"}, "-101"),
        ("{% for i in range(0) %}x{% endfor %}{% for i in range(-3) %}x{% endfor %}", {}, ""),
        ("{% for i in range(2) %}{% for j in range(2) %}{{i}}{{j}} {% endfor %}{% endfor %}", {}, "00 01 10 11 "),
        ("{% for i in range(2) %}{{i}}{% endfor %}{% if i exists %}left{% endif %}", {}, "01"),
        # arrays
        (
            "{% block A %}{{#}}{{.P}}{{x}};{% endblock %}",
            {"A": "2", "A[0].P": "p", "A[1].P": "q", "A[0]x": "1", "A[1]x": "2"},
            "0p1;1q2;",
        ),
        ("{% block A %}{{#}}{% endblock %}", {"A": "2.0"}, "01"),
        ("{% block A %}x{% endblock %}", {"A": "0"}, ""),
        ("{% block A %}{% if .P exists %}{{.P}}{% else %}-{% endif %}{% endblock %}", {"A": "3", "A[1].P": "p"}, "-p-"),
        ("{% block A %}{{B}}{% set B %}{{#}}{% endset %}{{B}} {% endblock %}{{B}}", {"A": "2", "B": "b"}, "b0 b1 b"),
        (
            "{% block A %}{% block .B %}{{.C}}{% endblock %};{% endblock %}",
            {"A": "2", "A[0].B": "1", "A[0].B[0].C": "u", "A[1].B": "2", "A[1].B[0].C": "v", "A[1].B[1].C": "w"},
            "u;vw;",
        ),
        # variables
        ("{% set A %}x{{B}}{% endset %}[{{A}}{{A}}]", {"B": "1"}, "[x1x1]"),
        ("{% set A %}{{A}}{{A}}{% endset %}{{A}}", {"A": "ab"}, "abab"),
        ("{% set A %}{% if B exists %}1{% else %}2{% endif %}{% endset %}{{A}}", {}, "2"),
        ("{% set A %}{% endset %}[{{A}}]", {}, "[]"),
    ],
)
def test_constructs(text, variables, result):
    assert rendered(text, **variables).text == result


def test_included_files_share_the_variables():
    files = {"a.tpl": "<{{A}}{% include b.tpl %}{{C}}>", "b.tpl": "{% set C %}c{% endset %}b"}
    assert rendered("{% include a.tpl %}{{C}} {% include b.tpl %}", files, A="1").text == "<1bc>c b"


def test_every_line_knows_where_it_was_written():
    text = "one\n{% for i in range(2) %}two {{i}}\n  {% if i == 1 %}\nfour{% endif %}{% endfor %}\n"
    text += "{% include a.tpl %}{{V}}\n"
    result = rendered(text, {"a.tpl": "a\nb\n\nd "}, V="v\nw")
    lines = result.text.split("\n")
    assert [(line, *result.origin(number)) for number, line in enumerate(lines, start=1)] == [
        ("one", "t.tpl", 1), ("two 0", "t.tpl", 2), ("  two 1", "t.tpl", 2), ("  ", "t.tpl", 3), ("four", "t.tpl", 4),
        ("a", "a.tpl", 1), ("b", "a.tpl", 2), ("", "a.tpl", 3), ("d v", "a.tpl", 4), ("w", "t.tpl", 5),
        ("", "t.tpl", 6),
    ]  # fmt: skip


def test_a_line_is_that_of_its_first_word():
    result = rendered("  {% if A exists %}\nx\n{% endif %}K=1")
    assert result.text == "  K=1"
    assert result.origin(1) == ("t.tpl", 3)


@pytest.mark.parametrize(
    ("text", "variables", "said"),
    [
        (
            "x\n{{B}}",
            {},
            "Undefined variable name: B\n  at: t.tpl:2, rendered for [s] (n.ini:1)\n  to do: give the section",
        ),
        ("{{SIZE}}", {"SIEZ": "1"}, "did you mean SIEZ?"),
        (
            "{{ A }}",
            {"A": "1"},
            "Undefined variable name:  A \n  at: t.tpl:1, rendered for [s] (n.ini:1)\n"
            "  to do: a name is taken with its blanks: write {{A}}",
        ),
        ("\n\n{{A", {}, "Unterminated section: {{ without }}\n  at: t.tpl:3\n  expected: }} after {{A"),
        ("{% if A exists", {}, "Unterminated section: {% without %}\n  at: t.tpl:1"),
        ("\n{% if A exists %}\n", {}, "Missing endif\n  at: t.tpl:2\n  expected: {% endif %} further down"),
        ("{% for i in range(2) %}", {}, "Missing endfor\n  at: t.tpl:1"),
        ("{% block A %}", {}, "Missing endblock\n  at: t.tpl:1"),
        ("{% set A %}", {}, "Missing endset\n  at: t.tpl:1"),
        (
            "{% block A %}\n{% endfor %}",
            {},
            "Missing endblock before {% endfor %}\n  at: t.tpl:2\n  expected: the end of the block of line 1 first",
        ),
        ("{% endif %}", {}, "{% endif %} without {% if %}\n  at: t.tpl:1"),
        ("{% endif A %}", {}, "{% endif A %} has too many words"),
        ("{% else %}", {}, "{% else %} without {% if %}"),
        ("{% if A exists %}{% for i in range(1) %}{% else %}", {}, "{% else %} inside {% for %}"),
        (
            "{% if A exists %}\n{% else %}\n{% else %}",
            {},
            "a second {% else %}\n  at: t.tpl:3\n  expected: one else for the if of line 1",
        ),
        ("{% if A exists %}{% else if B exists %}{% endif %}", {}, "{% else %} has no test of its own"),
        ("{% elif A exists %}", {}, "Unknown control section: elif\n  at: t.tpl:1\n  to do: nest an {% if ... %} in"),
        ("{% fro i in range(1) %}", {}, "Unknown control section: fro\n  at: t.tpl:1\n  to do: did you mean for?"),
        ("{% macro %}", {}, "known: if, else, for, block, set, include, endif"),
        ("{% %}", {}, "an empty control section"),
        ("{% if A %}{% endif %}", {}, "{% if A %} has no test"),
        (
            "{% if A==x %}{% endif %}",
            {"A": "x"},
            "{% if A==x %} has no test\n  at: t.tpl:1\n  expected: if VAR == VALUE",
        ),
        ("{% if A == x y %}{% endif %}", {"A": "x y"}, "expected: a value without blanks, commas and parentheses"),
        ("{% if A exists now %}{% endif %}", {}, "has too many words\n  at: t.tpl:1\n  expected: if VAR exists"),
        ("{% if A == x %}{% endif %}", {}, "Undefined variable name: A"),
        ("{% for i in 3 %}{% endfor %}", {}, "{% for i in 3 %} is no loop"),
        (
            "{% for i in range(1,2,3) %}{% endfor %}",
            {},
            "expected: for VAR in range(END), or for VAR in range(START, END)",
        ),
        ("{% for A in range(2) %}{% endfor %}", {"A": ""}, "the variable A of a for exists already"),
        (
            "{% for i in range(A) %}{% endfor %}",
            {"A": "x"},
            "A is 'x'\n  at: t.tpl:1, rendered for [s] (n.ini:1)\n  expected: a number for a bound of range",
        ),
        ("{% for i in range(A) %}{% endfor %}", {}, "Undefined variable name: A"),
        ("{% block A %}{% endblock %}", {}, "Undefined variable name: A"),
        (
            "{% block A %}{% endblock %}",
            {"A": "two"},
            "A is 'two'\n  at: t.tpl:1, rendered for [s] (n.ini:1)\n  expected: the number of elements of the array",
        ),
        ("{% block A %}{% endblock %}", {"A": "-1"}, "to do: A=2 for A[0]... and A[1]..."),
        ("{% block A B %}{% endblock %}", {}, "does not have two words\n  at: t.tpl:1\n  expected: block ARRAY"),
        ("{% set %}{% endset %}", {}, "expected: set VAR"),
        ("{% include %}", {}, "expected: include FILE"),
        ("\n{% include nowhere.tpl %}", {}, "no nowhere.tpl\n  at: t.tpl:2, rendered for [s] (n.ini:1)"),
    ],
)
def test_mistakes_name_line_and_remedy(text, variables, said):
    with pytest.raises(IniError) as caught:
        rendered(text, **variables)
    assert said in str(caught.value)


def test_a_mistake_in_an_included_file_says_where_it_is_included():
    with pytest.raises(IniError) as caught:
        rendered("\n{% include a.tpl %}", {"a.tpl": "\n\n{{B}}"})
    assert str(caught.value.place) == "a.tpl:3, included at t.tpl:2, rendered for [s] (n.ini:1)"


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"t.tpl": "{% include t.tpl %}"}, "t.tpl -> t.tpl"),
        ({"a.tpl": "{% include b.tpl %}", "b.tpl": "{% include ./a.tpl %}"}, "a.tpl -> b.tpl -> ./a.tpl"),
    ],
)
def test_files_that_include_each_other_are_a_circle(files, circle):
    files["./a.tpl"] = files.get("a.tpl", "")
    first = next(iter(files))
    with pytest.raises(IniError) as caught:
        rendered(f"{{% include {first} %}}", files)
    assert f"templates include each other in a circle: {circle}\n" in str(caught.value)


def test_a_tag_that_is_not_reached_does_no_harm():
    assert rendered("{% if A exists %}{% include t.tpl %}{{B}}{% endif %}").text == ""


def test_nesting_is_bounded():
    deep = "{% if A not_exists %}"
    assert rendered(deep * 100 + "x" + "{% endif %}" * 100).text == "x"
    with pytest.raises(IniError, match="nested more than 100 deep"):
        rendered(deep * 101 + "{% endif %}" * 101)
    half = deep * 60 + "{}" + "{% endif %}" * 60
    with pytest.raises(IniError, match="nested more than 100 deep"):
        rendered(half.replace("{}", "{% include a.tpl %}"), {"a.tpl": half})


def test_what_a_template_speaks_of():
    block = "{% block D %}{% endblock %}"
    tree = template.parse(
        f"{{{{A}}}}{{% if B exists %}}{{% for i in range(C, 2) %}}{block}{{% endfor %}}{{% endif %}}", "t"
    )
    assert tree.names == {"A", "B", "C", "2", "D"}
    assert not tree.includes
    assert template.parse("{% include x %}", "t").includes
