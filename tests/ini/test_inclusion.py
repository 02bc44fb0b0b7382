"""[NAME@FILE]: sections that templates give, where their files are found, and the places of their mistakes."""

import logging
import re
import textwrap
from pathlib import Path

import pytest

from n2d2py import ini
from n2d2py.errors import IniError, ParameterError

LAYER = """\
[{{SECTION_NAME}}_layer1]
Input={{INPUT}}
Type=Conv
NbOutputs={{SIZE}}

[{{SECTION_NAME}}_layer2]
Input={{SECTION_NAME}}_layer1
Type=Fc
NbOutputs={{SIZE}}

{% block ARRAY %}
[{{SECTION_NAME}}_array{{#}}]
Prop1=Config{{.P1}}
Prop2={{.P2}}
{% endblock %}
"""

INCEPTION = """\
[inception@layer.ini.tpl]
INPUT=layer3
SIZE=32
ARRAY=2 ; the number of elements
ARRAY[0].P1=Conv
ARRAY[0].P2=32
ARRAY[1].P1=Pool
ARRAY[1].P2=64
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """``load(text, name=template, ...)``: the document of net.ini in the working directory."""
    monkeypatch.chdir(tmp_path)

    def load(text, templates=None, strict=False):
        for name, content in (templates or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        (tmp_path / "net.ini").write_text(text)
        return ini.load("net.ini", strict=strict)

    return load


@pytest.fixture
def warnings(caplog):
    caplog.set_level(logging.INFO, logger="n2d2py")
    return caplog


def own(document, section):
    return {key: text for key, text in document.sections[section].properties.items() if not key.startswith("$")}


def test_the_example_of_the_manual(load, warnings):
    document = load(INCEPTION, {"layer.ini.tpl": LAYER})
    assert list(document.sections) == [
        "", "inception", "inception_layer1", "inception_layer2", "inception_array0", "inception_array1",
    ]  # fmt: skip
    assert own(document, "inception_layer1") == {"Input": "layer3", "Type": "Conv", "NbOutputs": "32"}
    assert own(document, "inception_layer2") == {"Input": "inception_layer1", "Type": "Fc", "NbOutputs": "32"}
    assert own(document, "inception_array0") == {"Prop1": "ConfigConv", "Prop2": "32"}
    assert own(document, "inception_array1") == {"Prop1": "ConfigPool", "Prop2": "64"}
    assert warnings.messages == []


def test_the_example_of_the_page_of_templates(load, warnings):
    page = (Path(__file__).parents[2] / "docs" / "templates.md").read_text()
    net, layers = (
        textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", page, re.MULTILINE)[:2]
    )
    document = load(net, {"inception.ini.tpl": layers})
    assert list(document.sections) == ["", "inception", "inception_layer1", "inception_array0", "inception_array1"]
    assert own(document, "inception_layer1") == {"Input": "layer3", "Type": "Conv", "NbOutputs": "32"}
    assert own(document, "inception_array1") == {"Prop1": "ConfigPool", "Prop2": "64"}
    assert warnings.messages == []


def test_the_including_section_stays_with_its_properties_and_counts_as_unused(load):
    document = load("[a@t.tpl]\nV=1\n", {"t.tpl": "[b]\nv={{V}}\n"})
    assert document.sections["a"].properties == {"V": "1"}
    assert document.value("b", "v").text == "1"
    assert document.unused() == ["a"]


def test_parameters_are_evaluated_first_for_the_including_section(load):
    text = "$ALPHA=0.5\n[base]\nN=64\n[def]\nINHERITED=${SECTION_NAME}\n[a@t.tpl] def\nV=$(int([base]N * ${ALPHA}))\n"
    document = load(text, {"t.tpl": "[{{SECTION_NAME}}.x]\nv=$({{V}} * 2)\nw={{INHERITED}}\nf={{SECTION_FILE_NAME}}\n"})
    assert own(document, "a.x") == {"v": "$(32 * 2)", "w": "a", "f": "t.tpl"}
    assert document.value("a.x", "v").text == "64"


def test_what_a_run_computes_is_not_there_yet(load):
    with pytest.raises(IniError, match=r"Property _EpochSize not found in section \[sp\]\n  at: net.ini:3, \[a\], N"):
        load("[sp]\n[a@t.tpl]\nN=[sp]_EpochSize\n", {"t.tpl": ""})


def test_hidden_property_and_previous_section(load):
    document = load(
        "[first]\n[block@t.tpl]\n[last]\nv=${PREV_SECTION_NAME}\n",
        {"t.tpl": "[x]\na=${PARENT_SECTION_NAME} ${PREV_SECTION_NAME}\n[y]\nb=${PREV_SECTION_NAME}\n"},
    )
    assert document.sections["x"].properties["$PARENT_SECTION_NAME"] == "block"
    assert document.value("x", "a").text == "block first"
    assert document.value("y", "b").text == "x"
    assert document.value("last", "v").text == "y"
    assert "$PARENT_SECTION_NAME" not in document.sections["last"].properties


def test_lines_before_the_first_header_are_global(load):
    document = load("G=1\n[a@t.tpl]\n[z]\nq=0\n", {"t.tpl": "; comment\n$H=2\n[b]\nv=${H}\n"})
    assert document.sections[""].properties == {"G": "1", "$H": "2"}
    assert document.value("b", "v").text == "2"
    assert str(document.sections[""].place_of("$H")) == "t.tpl:2, global section, $H, rendered for [a] (net.ini:2)"


def test_sections_of_a_template_inherit_and_are_inherited_from(load):
    document = load("[def]\np=1\n[a@t.tpl]\n[c] b\n", {"t.tpl": "[b] def\nq=2\n"})
    assert own(document, "c") == {"p": "1", "q": "2"}
    assert str(document.sections["c"].place_of("q")) == "net.ini:4, [c], q, inherited from [b] (t.tpl:2)"


def test_templates_nest_and_their_files_are_relative_to_the_main_file(load, tmp_path, monkeypatch):
    templates = {
        "models/sub/outer.tpl": "[{{SECTION_NAME}}_in@sub/inner.tpl]\nV={{V}}{{V}}\n[{{SECTION_NAME}}_end]\n",
        "models/sub/inner.tpl": "[x]\nv={{V}} {{$PARENT_SECTION_NAME}} {{SECTION_FILE_NAME}}\n[y]\n[z] a_in\n",
    }
    load("", templates)
    (tmp_path / "models" / "net.ini").write_text("[a@sub/outer.tpl]\nV=1\n[b]\n")
    document = ini.load("models/net.ini")
    assert list(document.sections) == ["", "a", "a_in", "x", "y", "z", "a_end", "b"]
    assert document.sections["x"].properties["v"] == "11 a models/sub/inner.tpl"
    assert document.sections["x"].properties["$PARENT_SECTION_NAME"] == "a_in"
    assert document.sections["a_end"].properties["$PARENT_SECTION_NAME"] == "a"
    assert str(document.sections["x"].place_of("v")) == (
        "models/sub/inner.tpl:2, [x], v, rendered for [a_in] (models/sub/outer.tpl:1), "
        "rendered for [a] (models/net.ini:1)"
    )


def test_absolute_files_and_the_environment(load, tmp_path, monkeypatch):
    monkeypatch.setenv("PARTS_OF_NETS", str(tmp_path / "parts"))
    monkeypatch.delenv("UNSET_FOR_SURE", raising=False)
    document = load(
        f"$LOCAL=parts\n[a@${{PARTS_OF_NETS}}/t.tpl]\n[b@{tmp_path}/parts/u.tpl]\n[c@parts/v${{UNSET_FOR_SURE}}.tpl]\n"
        "[d@${LOCAL}/w.tpl]\n",
        {"parts/t.tpl": "[t]\n", "parts/u.tpl": "[u]\n", "parts/v.tpl": "[v]\n", "parts/w.tpl": "[w]\n"},
    )
    assert list(document.sections) == ["", "a", "t", "b", "u", "c", "v", "d", "w"]


def test_a_path_with_a_backslash_or_a_drive_is_absolute(load):
    for file in ("\\\\parts\\t.tpl", "C:/t.tpl"):
        with pytest.raises(IniError) as caught:
            load(f"[a@{file}]\nV=1\n")
        assert f"Could not open template file: {file}\n" in str(caught.value)


@pytest.mark.parametrize("name", ["a@", "@a", "a@b@c", "@"])
def test_only_two_parts_around_at_signs_make_a_template(load, name):
    assert name in load(f"[{name}]").sections


def test_empty_parts_are_dropped(load):
    assert list(load("[@a@@t.tpl]", {"t.tpl": "[b]"}).sections) == ["", "a", "b"]


def test_an_included_file_is_found_in_the_working_directory(load, tmp_path):
    document = load("[a@t.tpl]\nV=1\n", {"t.tpl": "[b]\n{% include part.tpl %}\n", "part.tpl": "v={{V}}\nw"[:-2]})
    assert own(document, "b") == {"v": "1"}
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "net.ini").write_text("[a@../t.tpl]\nV=2\n")
    assert own(ini.load("sub/net.ini"), "b") == {"v": "2"}


def test_byte_order_mark_carriage_returns_and_latin_1(load, warnings):
    document = load("[a@t.tpl]\r\nV=1\r\n", {"t.tpl": b"\xef\xbb\xbf[b]\r\n; \xe9\r\nv={{V}} \\\r\n2\r\n"})
    assert own(document, "b") == {"v": "1 2"}
    assert warnings.messages == ["t.tpl is not UTF-8 (line 2): it is read as Latin-1"]


# ------------------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("text", "templates", "said"),
    [
        (
            "[a]\n[b@net.tp]\n",
            {"net.tpl": ""},
            "Could not open template file: net.tp\n  at: net.ini:2, [b]\n  to do: did you mean net.tpl?",
        ),
        ("[b@sub/net.tpl]\n", {}, "to do: there is no folder sub"),
        (
            "[b@other/]\n",
            {"other/t.tpl": ""},
            "expected: a file; this is a folder\n  to do: name the template file in it",
        ),
        ("[b@${UNSET_FOR_SURE}/t.tpl]\n", {}, "the environment variable UNSET_FOR_SURE is not set"),
        ("[b@${UNSET_FOR_SURE}]\n", {}, "no template file is named by [...@${UNSET_FOR_SURE}]\n  at: net.ini:1, [b]"),
        (
            "[b@t.tpl]\n",
            {"t.tpl": "<!DOCTYPE html>"},
            "t.tpl is a web page (HTML or XML), often the error page of a server "
            "in place of the file\n  at: net.ini:1, [b]\n"
            "  expected: a template file\n  to do: download the file itself",
        ),
        ("[b@t.tpl]\n", {"t.tpl": b"a\n\0"}, "t.tpl is binary data\n  at: t.tpl:2"),
        (
            "[b@t.tpl]\n",
            {"t.tpl": "[c]\n[c]"},
            "Section [c] already exists in INI file t.tpl\n  at: t.tpl:2, [c], rendered for [b] (net.ini:1)\n",
        ),
        ("[c]\n[b@t.tpl]\n", {"t.tpl": "\n[c]"}, "the first one is at net.ini:1, [c]"),
        ("[b@t.tpl]\n[b]\n", {"t.tpl": ""}, "Section [b] already exists in INI file net.ini\n  at: net.ini:2, [b]"),
        (
            "[b@t.tpl]\n",
            {"t.tpl": "\n[c] d\n"},
            "Inherited section [d] does not exist for section [c] in INI file t.tpl\n"
            "  at: t.tpl:2, [c], rendered for [b] (net.ini:1)",
        ),
        (
            "[b@t.tpl]\n",
            {"t.tpl": "\n[c]\n{% if X not_exists %}\n\nK\n{% endif %}"},
            "Missing value for property: K in INI file t.tpl\n  at: t.tpl:5, [c], rendered for [b] (net.ini:1)",
        ),
        ("[b@t.tpl]\n", {"t.tpl": '[c]\nK="x\n'}, "at: t.tpl:2, [c], rendered for [b] (net.ini:1)"),
        ("[b@t.tpl]\n[c]\nK=1\nK", {"t.tpl": "[d]\n"}, "at: net.ini:4, [c]"),
        ("[b@t.tpl]\nN=$(1 / 0)\n", {"t.tpl": ""}, "division by zero\n  at: net.ini:2, [b], N\n"),
        (
            "[b@t.tpl]\n",
            {"t.tpl": "[c]\nK={{N}}"},
            "Undefined variable name: N\n  at: t.tpl:2, rendered for [b] (net.ini:1)",
        ),
        (
            "[b@t.tpl]\n",
            {"t.tpl": "\n{% include gone.tpl %}"},
            "Could not open template file: gone.tpl\n  at: t.tpl:2, rendered for [b] (net.ini:1)",
        ),
        ("[b@t.tpl]\n", {"t.tpl": "{% include u.tpl %}", "u.tpl": "\n{% endif %}"}, "without {% if %}\n  at: u.tpl:2"),
        (
            "[b@t.tpl]\n",
            {"t.tpl": "\n[c@t.tpl]"},
            "templates include each other in a circle: t.tpl -> t.tpl\n"
            "  at: t.tpl:2, [c], rendered for [b] (net.ini:1)",
        ),
        ("[b@t.tpl]\n", {"t.tpl": "[c@u.tpl]", "u.tpl": "[d@./t.tpl]"}, "in a circle: t.tpl -> u.tpl -> ./t.tpl\n"),
        (
            "[b@t.tpl]\n",
            {"t.tpl": "{% include t.tpl %}"},
            "in a circle: t.tpl -> t.tpl\n  at: t.tpl:1, rendered for [b]",
        ),
    ],
)
def test_mistakes_name_template_line_and_including_section(load, monkeypatch, text, templates, said):
    monkeypatch.delenv("UNSET_FOR_SURE", raising=False)
    with pytest.raises(IniError) as caught:
        load(text, templates)
    assert said in f"{caught.value}\n"


def test_a_wrong_value_points_into_the_template(load):
    document = load("\n[a@t.tpl]\nV=x y\n", {"t.tpl": "[b]\n\nv=[b]w\nw={{V}}\n"})
    place = document.value("b", "v").place
    assert str(place) == "t.tpl:3, [b], v, rendered for [a] (net.ini:2), read through [b]w (t.tpl:4)"


def test_templates_inside_templates_are_bounded(load):
    templates = {f"t{number}.tpl": f"[s{number}@t{number + 1}.tpl]\n" for number in range(30)}
    with pytest.raises(IniError, match="templates are nested more than 20 deep") as caught:
        load("[s@t0.tpl]\n", templates)
    assert str(caught.value.place).startswith("t19.tpl:1, [s19], rendered for [s18] (t18.tpl:1), rendered for")


def test_a_parameter_that_the_template_does_not_know_is_warned_of(load, warnings):
    template = {"t.tpl": "[b]\nv={{SIZE}}\n{% if NO_RELU exists %}w=1{% endif %}{% block A %}{{.P}}{% endblock %}\n"}
    text = "[def]\nInherited=1\n[a@t.tpl] def\nSIZE=3\n$V=1\nA=0\nA[0].P=1\nNO_REUL=1\n"
    load(text, template)
    assert warnings.messages == [
        "parameter NO_REUL is not used by template t.tpl (did you mean NO_RELU?), at: net.ini:8, [a], NO_REUL"
    ]
    with pytest.raises(ParameterError, match=r"parameter NO_REUL is not used by template t.tpl\n  at: net.ini:8"):
        load(text, template, strict=True)


def test_a_template_that_includes_files_may_know_more(load, warnings):
    load("[a@t.tpl]\nA=1\n", {"t.tpl": "{% if B exists %}{% include u.tpl %}{% endif %}"})
    assert warnings.messages == []


def test_overriding_in_a_template_names_its_file(load, warnings):
    load("[a@t.tpl]\n", {"t.tpl": "[b]\nK=1\nK=2\n"})
    assert warnings.messages == ['overriding property K (previous value was "1") in section [b] in INI file t.tpl']


def test_the_section_before_one_of_a_template_is_never_the_including_one(load):
    document = load(
        "[b@t.tpl]\n[c@t.tpl]\n",
        {"t.tpl": "[{{SECTION_NAME}}1]\nv=${PREV_SECTION_NAME}|${PARENT_SECTION_NAME}\n"},
    )
    assert document.value("b1", "v").text == "|b"  # what is before [b] is the global section
    assert document.value("c1", "v").text == "b1|c"


def test_values_of_a_template_are_those_at_its_place(load):
    """A template may change what stands before the first section; who has read it before keeps what it got."""
    document = load(
        "$N=1\nG=[a]v\n[a]\nv=$(${N} + 1)\n[x@t.tpl]\nV=[]G\n[y@u.tpl]\nV=[]G\n",
        {"t.tpl": "$N=5\n[one]\nv={{V}}\n", "u.tpl": "[two]\nv={{V}}\n"},
    )
    assert (document.value("one", "v").text, document.value("two", "v").text) == ("2", "6")
