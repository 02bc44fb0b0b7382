"""References, variables and expressions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from n2d2py import ini
from n2d2py.errors import IniError, ParameterError
from n2d2py.kinds import integer


def text(source, section="", key="v"):
    return ini.loads(source, file="n.ini").value(section, key).text


def test_reference_extends_to_the_next_blank():
    assert text("[a]\nw=3\nh=4\n[s]\nv=[a]w [a]h x", "s") == "3 4 x"
    assert text("[t]\nV=3\n[s]\nv=$([t]V * 4)", "s") == "12"


def test_a_parenthesis_after_a_reference_belongs_to_its_name():
    with pytest.raises(IniError) as caught:
        text("$X=4\n[t]\nV=3\n[s]\nv=$(${X} * [t]V)", "s")
    assert str(caught.value) == (
        "Property V) not found in section [t]\n"
        "  at: n.ini:5, [s], v\n"
        "  to do: a reference extends to the next blank: put one after [t]V"
    )


def test_a_missing_property_names_the_nearest():
    with pytest.raises(IniError, match=r"did you mean \[c\]NbOutputs\?"):
        text("[c]\nNbOutputs=3\n[s]\nv=[c]NbOutput", "s")


def test_references_go_forward_and_to_the_global_section():
    assert text("g=5\n[s]\nv=[]g [z]q\n[z]\nq=6", "s") == "5 6"


def test_an_unknown_section_is_left_as_it_is():
    assert text("v=[nowhere]x [a] [0]") == "[nowhere]x [a] [0]"


def test_an_unknown_section_explains_a_later_error():
    value = ini.loads("[conv1]\n[s]\nv=[conv2]NbOutputs", file="n.ini").value("s", "v")
    with pytest.raises(ParameterError, match=r"there is no section \[conv2\], did you mean \[conv1\]\?"):
        integer.read(value)


def test_an_unknown_variable_explains_a_later_error():
    value = ini.loads("v=${EPOCHS}").value("", "v")
    with pytest.raises(ParameterError, match=r"there is no variable \$\{EPOCHS\}: a line \$EPOCHS=\.\.\. before"):
        integer.read(value)
    with pytest.raises(IniError, match=r"there is no variable \$\{EPOCHS\}"):
        text("v=$(${EPOCHS} * 2)")


def test_a_bracket_that_does_not_close_is_an_error():
    with pytest.raises(IniError, match=r"'\[' without '\]' in 1 \[2"):
        text("v=1 [2")


def test_variables_of_the_section_shadow_global_ones():
    source = "$X=1\nv=${X}\n[s]\n$X=2\nv=${X}${X}\n[t]\nv=${X}"
    assert [text(source, section) for section in ("", "s", "t")] == ["1", "22", "1"]


def test_variables_that_do_not_exist_survive():
    assert text("v=${HOME_OF_NOBODY}/x ${") == "${HOME_OF_NOBODY}/x ${"


def test_values_do_not_see_the_environment(monkeypatch):
    monkeypatch.setenv("HOME_OF_NOBODY", "/nobody")
    survived = text("v=${HOME_OF_NOBODY}/x${UNSET_FOR_SURE}")
    assert survived == "${HOME_OF_NOBODY}/x${UNSET_FOR_SURE}"


def test_variables_of_the_document_may_stand_in_a_name_that_survives():
    assert text("$B=C\nv=${A${B}}") == "${AC}"


def test_special_variables():
    source = "v=${SECTION_NAME}|${PREV_SECTION_NAME}\n[a]\nv=${SECTION_NAME}|${PREV_SECTION_NAME}\n[b] a\n"
    assert [text(source, section) for section in ("", "a", "b")] == ["|", "a|", "b|a"]


def test_a_referenced_value_is_evaluated_for_the_section_that_reads():
    source = "$X=0\n[a]\n$X=1\nv=${SECTION_NAME}${X}\n[b]\n$X=2\nv=[a]v\n"
    assert text(source, "b") == "b2"


def test_expressions():
    assert text("$N=10\nv=a $(${N} / 4) b $(2 * $(1 + (2)))") == "a 2.5 b 6"
    assert text("v=$(int(75000 * 40 / 128))") == "23437"
    assert text("v=(1) $ (2)") == "(1) $ (2)"


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("$(1 / 0)", r"cannot work out \$\(1 / 0\): division by zero"),
        ("$(9**9**9)", "too large"),
        ("$(1 + (2)", r"\$\( is not closed in \$\(1 \+ \(2\)"),
        ("$()", "not an expression"),
        ("$(__import__('os').system('true'))", "not arithmetic|not known"),
        ("$(" * 200 + ")" * 200, "nested more than 100 deep"),
    ],
)
def test_wrong_expressions(value, what):
    with pytest.raises(IniError, match=what) as caught:
        text(f"[s]\nv={value}", "s")
    assert "at: n.ini:2, [s], v" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "circle"),
    [
        ("$v=${v}", "[]$v -> []$v"),
        ("[a]\n$v=[a]$v", "[a]$v -> [a]$v"),
        ("[a]\n$v=[b]y\n[b]\ny=[c]z\n[c]\nz=${v}", "[a]$v -> [b]y -> [c]z -> [a]$v"),
        ("[a]\n$v=[b]y\n[b]\ny=$([b]y + 1)", "[b]y -> [b]y"),
    ],
)
def test_circles_are_printed(source, circle):
    document = ini.loads(source)
    section = list(document.sections)[-1] if source[0] == "$" else "a"
    with pytest.raises(IniError) as caught:
        document.value(section, "$v")
    assert f"references go round in a circle: {circle}\n" in str(caught.value)


def test_the_chain_tells_what_a_value_was_read_through():
    source = "$N=7\n[conv1]\nNbOutputs=${N}\n[bn_def]\nNbOutputs=[conv1]NbOutputs\n[bn1] bn_def\n"
    value = ini.loads(source, file="n.ini").value("bn1", "NbOutputs")
    assert str(value.place) == (
        "n.ini:6, [bn1], NbOutputs, inherited from [bn_def] (n.ini:5), "
        "read through [conv1]NbOutputs (n.ini:3), read through ${N} (n.ini:1)"
    )


def test_references_lead_through_any_number_of_properties():
    """A chain of cells that each say NbOutputs=[previous]NbOutputs is as long as the network."""
    cells = "[c0]\nn=64\n" + "".join(f"[c{i}]\nn=[c{i - 1}]n\n" for i in range(1, 5000))
    assert text(cells, "c4999", "n") == "64"
    tower = "".join(f"$X{i}=${{X{i + 1}}}\n" for i in range(5000)) + "$X5000=1\nv=${X0}\n"
    assert text(tower) == "1"


def test_reading_a_whole_chain_takes_each_property_once():
    """Each of the cells reads its value: what was worked out for one is not worked out again for the next."""
    cells = "$N=2\n[c0]\nn=$(32 * ${N})\n" + "".join(f"[c{i}]\nn=$([c{i - 1}]n + 1)\n" for i in range(1, 3000))
    document = ini.loads(cells)
    read = []
    raw = document.raw
    document.raw = lambda section, key: read.append(key) or raw(section, key)  # type: ignore[method-assign]
    assert [document.value(f"c{i}", "n").text for i in range(3000)] == [str(64 + i) for i in range(3000)]
    assert read.count("n") < 5 * 3000


def test_what_is_kept_of_a_value_is_true_for_all_who_read_it():
    source = "$X=1\n[a]\nv=${X}\nw=${SECTION_NAME}\nx=[b]\n[c]\ny=[a]v [a]w\n[d]\n$X=2\ny=[a]v [a]w\n[e]\ny=[c]y"
    document = ini.loads(source)
    assert [document.value(section, "y").text for section in "cdece"] == ["1 c", "2 d", "1 e", "1 c", "1 e"]
    document = ini.loads("[a]\n_n=1\n[b]\nv=[a]_n")
    assert document.value("b", "v").text == "1"
    document.publish("a", "_n", 2)
    assert document.value("b", "v").text == "2"


def test_a_kept_value_tells_the_same_chain():
    source = "[a]\nv=1\n[b]\nv=[a]v\n[c]\nv=[b]v [a]v\n"
    document = ini.loads(source, file="n.ini")
    chain = "n.ini:6, [c], v, read through [b]v (n.ini:4), read through [a]v (n.ini:2)"
    assert [str(document.value("c", "v").place) for _ in range(2)] == [chain, chain]
    document = ini.loads(source, file="n.ini")
    document.value("b", "v")
    assert str(document.value("c", "v").place) == chain


def test_a_long_circle_is_found_and_cut():
    document = ini.loads("".join(f"[c{i}]\nn=[c{(i + 1) % 5000}]n\n" for i in range(5000)), file="n.ini")
    with pytest.raises(IniError) as caught:
        document.value("c0", "n")
    circle = caught.value.what.removeprefix("references go round in a circle: ").split(" -> ")
    assert (circle[0], circle[1], circle[-2], circle[-1]) == ("[c0]n", "[c1]n", "[c4999]n", "[c0]n")
    assert "..." in circle
    assert len(str(caught.value)) < 2000


def test_a_mistake_at_the_end_of_a_chain_says_how_it_was_reached():
    with pytest.raises(IniError) as caught:
        text("[a]\nv=[b]w\n[b]\nw=1 [c]x\n[c]\nx=$(1 +)\n", "a")
    assert "at: n.ini:2, [a], v, read through [b]w (n.ini:4), read through [c]x (n.ini:6)\n" in str(caught.value)


def test_long_values_of_many_properties_are_bounded():
    tower = f"$X0={'x' * 900_000}\n" + "".join(f"$X{i}=${{X{i - 1}}}y\n" for i in range(1, 100)) + "v=${X99}"
    with pytest.raises(IniError, match="more than 20000000 characters"):
        text(tower)


def test_doublings_are_bounded():
    doublings = "$X0=0123456789\n" + "".join(f"$X{i + 1}=${{X{i}}}${{X{i}}}\n" for i in range(40))
    assert len(text(doublings + "v=${X10}")) == 10240
    with pytest.raises(IniError, match="longer than 1000000 characters"):
        text(doublings + "v=${X40}")
    empty = "$X0=\n" + "".join(f"$X{i + 1}=${{X{i}}}${{X{i}}}\n" for i in range(60))
    assert text(empty + "v=${X60}") == ""


@pytest.mark.parametrize("piece", ["[", "${", "$(", "[a", "[]", "[a]", "${a}", "("])
@pytest.mark.parametrize("end", ["", "]", "}", ")"])
def test_long_rows_of_brackets_come_to_an_end(piece, end):
    try:
        value = text(f"v={piece * 50_000}{end}")
    except IniError as error:
        assert error.place is not None
    else:
        assert len(value) <= len(piece) * 50_000 + len(end)


@given(st.integers(0, 10**9), st.sampled_from(["{:,}", "{:d}", "{:d}.0", "+{:d}"]))
def test_numbers_with_commas(number, style):
    document = ini.loads(f"v={style.format(number)}\nw=[]v\n")
    assert integer.read(document.value("", "v")) == number
    assert integer.read(document.value("", "w")) == number


def test_no_interpreter_is_started(monkeypatch):
    """N2D2 hands expressions to the program that N2D2_PYTHON names."""
    monkeypatch.setenv("N2D2_PYTHON", "/nowhere/python")
    monkeypatch.setenv("PATH", "")
    assert text("v=$(6 * 7)") == "42"
