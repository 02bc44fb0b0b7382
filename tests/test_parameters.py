"""Declarations of parameters: reading them from a section, defaults, prefixes, places."""

from dataclasses import FrozenInstanceError, dataclass

import pytest

from n2d2py import ini, registry
from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, integer, one_of, positive, real, unsigned
from n2d2py.parameters import REQUIRED, Record, axes, choice, declarations, known_keys, parameter, read


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_entries", {})
    registry.register("wheel", "Steel")(Steel)
    registry.register("wheel", "Wood")(Wood)


@dataclass(frozen=True, kw_only=True)
class Wheel(Record):
    spokes: int = parameter("Spokes", positive, 8, "number of spokes", unit="spokes")


@dataclass(frozen=True, kw_only=True)
class Steel(Wheel):
    grade: str = parameter("Grade", one_of("A", "B"), "A", "quality", spellings=("Quality",))


@dataclass(frozen=True, kw_only=True)
class Wood(Wheel):
    tree: int = parameter("Tree", integer, REQUIRED, "which tree")


@dataclass(frozen=True, kw_only=True)
class Cart(Record):
    name: str
    load: float = parameter("Load", real, REQUIRED, "what it carries", unit="kg")
    brake: bool = parameter("Brake", boolean, False, "1: it brakes")
    body: tuple[int, ...] = axes("BodyDims", "BodySize", ("BodyX", "BodyY", "BodyZ"), positive, REQUIRED, "size")
    gap: tuple[int, ...] = axes("GapDims", "Gap", ("GapX", "GapY", "GapZ"), unsigned, 0, "gap")
    front: Wheel | None = choice(("Front", "Wheels"), "wheel", None, "front wheel")
    rear: Wheel = choice(("Rear", "Wheels"), "wheel", None, "rear wheel", type_default="Steel")


def cart(text, *configs, strict=True):
    document = ini.loads(f"{text}\n", file="n.ini")
    scope = document.scope("cart", *configs)
    record = read(Cart, scope, name="cart")
    scope.close(strict=strict)
    return record


BASE = "[cart]\nLoad=5\nBodySize=2\n"


def test_defaults_and_values():
    record = cart(BASE)
    assert (record.name, record.load, record.brake) == ("cart", 5.0, False)
    assert (record.body, record.gap, record.front, record.rear) == ((2, 2), (0, 0), None, Steel())


def test_a_record_knows_the_places_of_its_values():
    record = cart(BASE + "Brake=1\n")
    assert str(record.place("brake")) == "n.ini:4, [cart], Brake"
    assert str(record.place("body")) == "n.ini:3, [cart], BodySize"
    assert str(record.place("gap")) == "n.ini:1, [cart]"
    assert str(record.place()) == "n.ini:1, [cart]"


def test_records_are_frozen_and_equal_by_value_wherever_they_stand():
    record = cart(BASE)
    assert record == cart("\n\n" + BASE)
    with pytest.raises(FrozenInstanceError):
        record.load = 6.0


def test_a_missing_key_says_what_was_expected():
    with pytest.raises(ParameterError) as caught:
        cart("[cart]\nBodySize=2")
    assert str(caught.value) == ("missing key Load\n  at: n.ini:1, [cart]\n  expected: a real number (what it carries)")


def test_a_wrong_value_names_its_line():
    with pytest.raises(ParameterError, match=r"unreadable value 'x' for Load\n  at: n.ini:2, \[cart\], Load"):
        cart("[cart]\nLoad=x\nBodySize=2")


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        ("BodyDims=3 4", (3, 4)),
        ("BodyDims=3 4 5", (3, 4, 5)),
        ("BodyDims=3", (3, 1)),
        ("BodySize=3", (3, 3)),
        ("BodyX=3\nBodyY=4", (3, 4)),
        ("BodyX=3\nBodyY=4\nBodyZ=5", (3, 4, 5)),
    ],
)
def test_three_ways_of_writing_axes(lines, body):
    assert cart(f"[cart]\nLoad=5\n{lines}").body == body


@pytest.mark.parametrize(
    ("lines", "gap"), [("GapDims=3", (3, 0)), ("Gap=3", (3, 3)), ("GapX=3", (3, 0)), ("GapY=3", (0, 3)), ("", (0, 0))]
)
def test_axes_that_are_not_given_have_their_default(lines, gap):
    assert cart(f"{BASE}{lines}").gap == gap


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("BodyX=3", "missing key BodyY\n  at: n.ini:1, [cart]\n  expected: an integer of at least 1, beside BodyX"),
        ("BodyDims=", "BodyDims has 0 values\n  at: n.ini:3, [cart], BodyDims\n  expected: 1 to 3 values"),
        ("BodyDims=1 2 3 4", "BodyDims has 4 values"),
        ("BodyDims=1 0", "unreadable value '1 0' for BodyDims"),
        ("", "missing key BodyDims\n  at: n.ini:1, [cart]\n  expected: an integer of at least 1 for each axis"),
    ],
)
def test_wrong_axes(lines, message):
    with pytest.raises(ParameterError) as caught:
        cart(f"[cart]\nLoad=5\n{lines}")
    assert message in str(caught.value)


def test_a_choice_reads_the_parameters_of_its_type():
    record = cart(BASE + "Front=Wood\nFront.Tree=3\nFront.Spokes=12\n")
    assert record.front == Wood(tree=3, spokes=12)
    assert str(record.front.place("tree")) == "n.ini:5, [cart], Front.Tree"


def test_the_first_base_of_a_choice_wins():
    record = cart(BASE + "Wheels=Steel\nWheels.Spokes=6\nWheels.Grade=B\nFront.Spokes=5\n")
    assert record.front == Steel(spokes=5, grade="B")
    assert record.rear == Steel(spokes=6, grade="B")


def test_a_type_default_reads_parameters_without_the_type():
    assert cart(BASE + "Rear.Quality=B\n").rear == Steel(grade="B")


def test_configuration_sections_reach_into_choices():
    record = cart("[common]\nRear.Spokes=3\n[special]\nRear.Spokes=4\nBrake=true\n" + BASE, "common", "special")
    assert record.rear == Steel(spokes=4)
    assert record.brake is True


def test_an_unknown_type_names_the_nearest():
    with pytest.raises(ParameterError) as caught:
        cart(BASE + "Front=Wod\n")
    assert str(caught.value) == "unknown wheel 'Wod'\n  at: n.ini:4, [cart], Front\n  to do: did you mean Wood?"


def test_types_are_found_in_any_case():
    assert cart(BASE + "Front=STEEL\n").front == Steel()


def test_an_unknown_parameter_of_a_type_is_an_error_even_where_keys_are_not_checked():
    with pytest.raises(ParameterError, match=r"unknown parameter Front\.Spoke\n.*\n.* mean Front\.Spokes\?"):
        cart(BASE + "Front=Steel\nFront.Spoke=3\n", strict=False)


def test_parameters_without_their_type_are_warned_of(caplog):
    cart(BASE + "Front.Spokes=3\n")
    assert [record.message for record in caplog.records] == [
        "parameter Front.Spokes has no effect without Front (add Front=, or remove Front.Spokes), "
        "at: n.ini:4, [cart], Front.Spokes"
    ]


def test_declarations_are_listed_in_the_order_of_the_class():
    assert list(declarations(Cart)) == ["load", "brake", "body", "gap", "front", "rear"]
    assert known_keys(Steel, "W.") == ("W.Spokes", "W.Grade", "W.Quality")
    assert known_keys(Cart)[:6] == ("Load", "Brake", "BodyDims", "BodySize", "BodyX", "BodyY")


def test_declarations_describe_and_write_themselves():
    declared = declarations(Cart)
    assert declared["load"].type_name == "a real number"
    assert declared["load"].unit == "kg"
    assert declared["front"].type_name == "a wheel: Steel, Wood"
    assert declared["body"].type_name == "an integer of at least 1 for each axis (X Y [Z])"
    assert declared["load"].format(5.0) == "5"
    assert declared["body"].format((3, 4)) == "3 4"
    assert declared["front"].format(Steel()) == "Steel"
    assert declared["front"].format(None) == ""
    assert repr(REQUIRED) == "required"
