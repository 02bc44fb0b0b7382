"""Headers, properties, inheritance, and what is said where they are wrong."""

import contextlib
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from n2d2py import ini
from n2d2py.errors import IniError, N2d2Error


def raw(text, section=""):
    return ini.loads(text).sections[section].properties


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("a=1 ; c", "a", "1"),
        ('a="x ; y" # z', "a", "x ; y"),
        ("a=b=c", "a", "b=c"),
        ("a=", "a", ""),
        ('a=""', "a", ""),
        ("  a \t=  b c  ", "a", "b c"),
        ('a="x" "y"', "a", 'x" "y'),
        ('a= "1" 2', "a", '"1" 2'),
        ("Mapping(conv1)=1 0", "Mapping(conv1)", "1 0"),
        ("Kernel[0][1]=1", "Kernel[0][1]", "1"),
        ("Solvers.Momentum=0.9", "Solvers.Momentum", "0.9"),
        ("[abc=3", "[abc", "3"),
        ("$X=${Y}", "$X", "${Y}"),
    ],
)
def test_properties(line, key, value):
    assert raw(line) == {key: value}


def test_keys_are_case_sensitive():
    assert raw("a=1\nA=2") == {"a": "1", "A": "2"}


def test_matrix_over_several_lines():
    assert raw("M=\\\n1 0 \\\n0 1\n") == {"M": "1 0 0 1"}


def test_a_blank_after_the_backslash_gives_another_result():
    with pytest.raises(IniError, match="Missing value for property: 1 0"):
        raw("M=\\ \n1 0\n")


def test_sections_keep_the_order_of_the_file_and_the_global_one_is_first():
    document = ini.loads("[b]\n[a:0/x]\n[1309]\n")
    assert list(document.sections) == ["", "b", "a:0/x", "1309"]
    assert document.sections["1309"].place.line == 3


def test_a_section_ends_at_the_next_header():
    document = ini.loads("g=0\n[a]\np=1\n[b]\np=2\n")
    assert [dict(section.properties) for section in document.sections.values()] == [{"g": "0"}, {"p": "1"}, {"p": "2"}]


def test_a_duplicate_key_warns_and_the_last_one_wins(caplog):
    with caplog.at_level(logging.INFO, logger="n2d2py"):
        document = ini.loads("[s]\nK=1\nK=2\n", file="net.ini")
    assert document.sections["s"].properties == {"K": "2"}
    assert caplog.messages == ['overriding property K (previous value was "1") in section [s] in INI file net.ini']


def test_first_parent_wins_and_own_properties_override(caplog):
    with caplog.at_level(logging.INFO, logger="n2d2py"):
        document = ini.loads("[A]\np=1\nq=2\n[B]\np=3\nr=4\n[C] A \t B\nq=9\n", file="net.ini")
    assert document.sections["C"].properties == {"p": "1", "q": "9", "r": "4"}
    assert document.sections["C"].parents == ("A", "B")
    assert caplog.messages == [
        'Warning: overriding property q (previous value was "2") in section [C] in INI file net.ini'
    ]


def test_no_blank_is_needed_before_a_parent():
    assert raw("[A]\np=1\n[C]A ; comment\n", "C") == {"p": "1"}


def test_a_child_does_not_change_its_parent():
    assert raw("[A]\np=1\n[C]A\np=2\n[D]A\n", "A") == {"p": "1"}


def test_places_of_inherited_properties_lead_to_the_line():
    document = ini.loads("[a]\np=1\n[b] a\nq=1\n[c] b\n", file="net.ini")
    assert str(document.sections["a"].place_of("p")) == "net.ini:2, [a], p"
    assert str(document.sections["c"].place_of("p")) == (
        "net.ini:5, [c], p, inherited from [b] (net.ini:3), inherited from [a] (net.ini:2)"
    )
    assert document.sections["c"].origin("p") == ("net.ini", 2)


def test_the_place_of_a_continued_line_is_its_first():
    assert ini.loads("a=1\nb=1 \\\n2\nc=3\n").sections[""].place_of("b").line == 2


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("[s]\nK", "Missing value for property: K in INI file n.ini\n  at: n.ini:2, [s]", ""),
        ("[conv1\nK=1", "Missing value for property: [conv1", "close the header with ']'"),
        ('[s]\nK="x', "Malformed property in section [s] in INI file n.ini", "second one on the same line"),
        ("[s]\n[t]\n[s]", "Section [s] already exists in INI file n.ini", "the first one is at n.ini:1, [s]"),
        ("[]\na=1", "Section [] already exists", "before the first header"),
        ("[Conv_def]\n[c] conv_def", "Inherited section [conv_def] does not exist for section [c]", "mean Conv_def?"),
        ("[c] c", "sections inherit from each other in a circle: c -> c\n", "remove one"),
        ("[x]\n[a] x b\n[b] c\n[c]a ; d", "in a circle: a -> b -> c -> a\n  at: n.ini:2, [a]", "remove one"),
        ("[c] d\n[d]", "Inherited section [d] does not exist for section [c] in INI file n.ini", "[d] stands below"),
        ("[c] d\n; [d]", "Inherited section [d] does not exist", "a parent stands above"),
        ("[Kernel]=5", "Inherited section [=5] does not exist", "a property begins on a line of its own"),
        ("=5", "Missing name of a property", "KEY=VALUE"),
        ("[s]\n" + "k" * 1001 + "=1", "the name of a property has more than 1000 characters: kkk", "KEY=VALUE"),
        ("[" + "k" * 1001 + "]", "the name of a section has more than 1000 characters", ""),
        ("hello world", "Missing value for property: hello world", "is this the right file?"),
        ("a=\0", "NUL", "an INI file"),
    ],
)
def test_mistakes_name_place_and_remedy(text, message, remedy):
    with pytest.raises(IniError) as caught:
        ini.loads(text, file="n.ini")
    assert message in str(caught.value)
    assert remedy in str(caught.value)
    assert "at: n.ini" in str(caught.value)


@pytest.mark.parametrize("name", ["a@", "@a", "a@b@c", "@"])
def test_only_two_parts_around_an_at_sign_make_a_template(name):
    assert name in ini.loads(f"[{name}]").sections


def test_a_last_backslash_is_warned_of_and_its_line_kept(caplog):
    with caplog.at_level(logging.INFO, logger="n2d2py"):
        assert raw("[s]\nK=1\\", "s") == {"K": "1"}
    assert caplog.messages == ["the last line ends in a backslash and nothing follows, at: <text>:2, [s]"]


def test_blanks_in_a_section_name_are_kept_and_warned_of(caplog):
    with caplog.at_level(logging.INFO, logger="n2d2py"):
        assert " a " in ini.loads("[ a ]").sections
    assert "begins or ends with a blank" in caplog.text


def test_a_tower_of_parents_is_refused_before_it_fills_the_memory():
    tower = "[s0]\n"
    for number in range(1, 900):
        tower += f"[s{number}] s{number - 1}\n" + "".join(f"k{number}.{digit}=\n" for digit in range(9))
    with pytest.raises(IniError, match="inherit more than"):
        ini.loads(tower)


NAMES = st.text(alphabet="abcXYZ019_.:-/ ()$é", min_size=1, max_size=8).map(str.strip).filter(bool)
KEYS = NAMES.filter(lambda key: not key.startswith("["))
VALUES = st.text(alphabet="ab01 .,;#=[]{}$()\\é'", max_size=12)


@st.composite
def documents(draw):
    """Sections with parents among those above them, and their own properties."""
    names = draw(st.lists(NAMES, unique=True, max_size=5))
    without_blanks = []
    sections = [("", [], draw(st.dictionaries(KEYS, VALUES, max_size=3)))]
    for name in names:
        parents = draw(st.lists(st.sampled_from(without_blanks), max_size=2)) if without_blanks else []
        sections.append((name, parents, draw(st.dictionaries(KEYS, VALUES, max_size=4))))
        if " " not in name:
            without_blanks.append(name)
    return sections


@given(documents(), st.sampled_from(["\n", "\r\n", " ; comment\n", "#\n\n", "\t\n  "]))
def test_round_trip(sections, end):
    lines = []
    expected: dict[str, dict[str, str]] = {}
    for name, parents, own in sections:
        lines += [f"[{name}]{' '.join(parents)}"] if name else []
        lines += [f'{key} = "{value}"' for key, value in own.items()]
        expected[name] = dict(own)
        for parent in parents:
            expected[name] = expected[parent] | expected[name]
    document = ini.loads("".join(line + end for line in lines) + "\n")
    assert {name: dict(section.properties) for name, section in document.sections.items()} == expected


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "[a]",
                "[b] a",
                "[c",
                "]",
                "=",
                "$X=",
                "${X}",
                "${",
                "}",
                "$(",
                ")",
                "(",
                "[a]k",
                "k=",
                '"',
                "\\\n",
                "\n",
                "\r\n",
                ";",
                "#",
                "@",
                "[t@f]",
                " ",
                "1",
                "**",
                "9",
                "${SECTION_NAME}",
                "[]",
                "\ufeff",
                "\0",
                "k=[a]k\n",
            ]
        ),
        st.text(max_size=3),
    ),
    max_size=30,
).map("".join)


@given(PIECES)
def test_no_text_gives_another_exception(text):
    with contextlib.suppress(N2d2Error):
        document = ini.loads(text)
        for name, section in document.sections.items():
            for key in section.properties:
                with contextlib.suppress(N2d2Error):
                    assert document.value(name, key) is not None


def test_a_template_that_is_read_as_a_network_is_recognised():
    with pytest.raises(IniError) as error:
        ini.loads("; block\n{% if EXPANSION exists %}\n[{{SECTION_NAME}}.conv]\n", file="block.ini.tpl")
    assert "at: block.ini.tpl:2" in str(error.value)
    assert "this is a template: a section [NAME@FILE] of an INI file includes it" in str(error.value)
