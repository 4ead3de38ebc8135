"""Settings are typed, read late and checked at start-up; what is wrong says what to do."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from django.core.checks import run_checks

from holdfast.conf import AppSettings, BackendSpec, load_backend, words


class Lamp:
    def __init__(self, color="white"):
        self.color = color
        self.lit = True

    def close(self):
        self.lit = False


class NotALamp:
    def __init__(self):
        raise RuntimeError("no bulb")


LAMP = f"{__name__}.Lamp"


class HouseSettings(AppSettings, setting="HOUSE"):
    """The settings of a house."""

    ROOMS: Annotated[int, "How many rooms."] = 3
    HEIGHT_METERS: Annotated[float, "How high."] = 2.5
    OPEN: Annotated[bool, "Whether it is open."] = True
    STYLE: Annotated[Literal["plain", "grand"], "How it looks."] = "plain"
    FLOORS: Annotated[tuple[str, ...], "What lies on the floors."] = ("wood",)
    DOORS: Annotated[list[int], "How wide the doors are."] = []
    TENANT: Annotated[str | None, "Who lives there."] = None
    RENT: Annotated[dict[str, int], "What each tenant pays."] = {}
    LAMPS: Annotated[dict[str, BackendSpec], "What gives light in each room."] = {"hall": {"BACKEND": LAMP}}
    LAMP: Annotated[BackendSpec, "What gives light."] = {"BACKEND": LAMP}
    SPARE: Annotated[BackendSpec | None, "What gives light when the lamp is broken."] = None
    ANYTHING: Annotated[Any, "Whatever you like."] = object


house = HouseSettings()


def errors():
    return [(error.id, error.msg, error.hint) for error in house.check("house")]


def test_without_a_setting_the_defaults_hold_and_nothing_is_wrong():
    assert (house.ROOMS, house.STYLE, house.TENANT) == (3, "plain", None)
    assert errors() == []


def test_a_setting_is_read_when_it_is_asked_for(settings):
    settings.HOUSE = {"ROOMS": 5}
    assert house.ROOMS == 5
    settings.HOUSE = {"ROOMS": 6}
    assert (house.ROOMS, house.HEIGHT_METERS) == (6, 2.5)


def test_a_name_that_nobody_declared_is_no_setting():
    with pytest.raises(AttributeError):
        _ = house.CELLARS


@pytest.mark.parametrize("value", [None, [], "ROOMS=3"])
def test_a_setting_that_is_no_dict_is_an_error(settings, value):
    settings.HOUSE = value

    ((error, message, hint),) = errors()
    assert (error, message) == ("house.E001", "HOUSE is not a dict.")
    assert "ROOMS" in hint
    assert house.ROOMS == 3


def test_an_unknown_key_is_an_error_that_guesses_what_was_meant(settings):
    settings.HOUSE = {"ROMS": 3, "rooms": 3, "X": True, 7: 8}

    found = {message: hint for error, message, hint in errors() if error == "house.E002"}
    assert found["HOUSE has an unknown key 'ROMS'."] == "Did you mean 'ROOMS'?"
    assert found["HOUSE has an unknown key 'rooms'."] == "Did you mean 'ROOMS'?"
    assert found["HOUSE has an unknown key 'X'."].startswith("The keys are: ANYTHING, DOORS,")
    assert len(found) == 4


@pytest.mark.parametrize(
    ("name", "value", "is_not"),
    [
        ("ROOMS", "3", "int"),
        ("ROOMS", 3.0, "int"),
        ("ROOMS", True, "int"),
        ("ROOMS", None, "int"),
        ("HEIGHT_METERS", "2.5", "float"),
        ("HEIGHT_METERS", Decimal("2.5"), "float"),
        ("HEIGHT_METERS", False, "float"),
        ("OPEN", 1, "bool"),
        ("STYLE", "modern", "'plain' or 'grand'"),
        ("STYLE", None, "'plain' or 'grand'"),
        ("FLOORS", "wood", "list of str"),
        ("FLOORS", ["wood", 3], "list of str"),
        ("DOORS", [80, "90"], "list of int"),
        ("TENANT", 7, "str or None"),
        ("RENT", {"anna": "1"}, "dict of str to int"),
        ("RENT", {1: 1}, "dict of str to int"),
        ("RENT", [], "dict of str to int"),
        ("LAMP", LAMP, '{"BACKEND": "dotted.path", "OPTIONS": {...}}'),
        ("LAMP", {}, '{"BACKEND": "dotted.path", "OPTIONS": {...}}'),
        ("LAMP", {"BACKEND": Lamp}, '{"BACKEND": "dotted.path", "OPTIONS": {...}}'),
        ("LAMP", {"BACKEND": LAMP, "OPTIONS": None}, '{"BACKEND": "dotted.path", "OPTIONS": {...}}'),
        ("LAMP", {"BACKEND": LAMP, "OPTION": {}}, '{"BACKEND": "dotted.path", "OPTIONS": {...}}'),
        ("LAMP", None, '{"BACKEND": "dotted.path", "OPTIONS": {...}}'),
        ("SPARE", "lamp", '{"BACKEND": "dotted.path", "OPTIONS": {...}} or None'),
    ],
)
def test_a_value_of_the_wrong_type_is_an_error_that_says_the_right_one(settings, name, value, is_not):
    settings.HOUSE = {name: value}

    ((error, message, hint),) = errors()
    assert error == "house.E003"
    assert message == f"HOUSE[{name!r}] is {value!r}, which is not {is_not}."
    assert hint == house.declared[name].description


@pytest.mark.parametrize(
    "values",
    [
        {"HEIGHT_METERS": 3, "FLOORS": ["tiles"], "DOORS": (80, 90), "TENANT": "anna", "RENT": {"anna": 1}},
        {"STYLE": "grand", "OPEN": False, "SPARE": {"BACKEND": LAMP}, "ANYTHING": None},
        {"LAMP": {"BACKEND": LAMP, "OPTIONS": {"color": "red"}}, "ANYTHING": True},
    ],
)
def test_what_people_write_for_these_types_is_right(settings, values):
    settings.HOUSE = values

    assert errors() == []


@pytest.mark.parametrize("name", ["LAMP", "SPARE"])
@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"BACKEND": "lamps.Lamp"}, "No module named 'lamps'"),
        ({"BACKEND": f"{__name__}.Candle"}, 'does not define a "Candle" attribute/class'),
        ({"BACKEND": "Lamp"}, "doesn't look like a module path"),
        ({"BACKEND": LAMP, "OPTIONS": {"colour": "red"}}, "unexpected keyword argument 'colour'"),
        ({"BACKEND": f"{__name__}.NotALamp"}, "no bulb"),
    ],
)
def test_a_backend_that_cannot_be_loaded_is_an_error_that_says_why(settings, name, spec, why):
    settings.HOUSE = {name: spec}

    ((error, message, hint),) = errors()
    assert error == "house.E004"
    assert message.startswith(f"HOUSE[{name!r}] cannot be loaded from {spec['BACKEND']!r}: ")
    assert why in message
    assert hint == "Give the dotted path of an importable class, and the OPTIONS that its constructor takes."


def test_each_backend_of_several_is_loaded_and_named_where_it_cannot_be(settings):
    settings.HOUSE = {"LAMPS": {"hall": {"BACKEND": LAMP}, "attic": {"BACKEND": "lamps.Lamp"}}}

    ((error, message, _hint),) = errors()
    assert error == "house.E004"
    assert message.startswith("HOUSE['LAMPS']['attic'] cannot be loaded from 'lamps.Lamp': ")
    settings.HOUSE = {"LAMPS": {"hall": "lamp"}}
    assert [error for error, _message, _hint in errors()] == ["house.E003"]


def test_one_setting_is_one_backend_until_it_changes(settings):
    settings.HOUSE = {"LAMP": {"BACKEND": LAMP, "OPTIONS": {"color": "red"}}}
    first = load_backend(house.LAMP)
    assert (first.color, load_backend(house.LAMP)) == ("red", first)

    settings.HOUSE = {"LAMP": {"BACKEND": LAMP, "OPTIONS": {"color": "green"}}}
    assert not first.lit
    assert load_backend(house.LAMP).color == "green"
    assert load_backend({"BACKEND": LAMP}).color == "white"


def test_each_setting_says_what_it_is():
    with pytest.raises(TypeError, match=r"Undocumented\.ROOMS needs Annotated"):

        class Undocumented(AppSettings, setting="UNDOCUMENTED"):
            ROOMS: int = 3

    assert {name: words(declared.type) for name, declared in house.declared.items()}["ANYTHING"] == "Any"


@pytest.mark.django_db  # a check of Django's asks SQLite whether it knows JSON
@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"PROBLEM_TYP": "x"}, "holdfast.E002"),
        ({"MAX_BODY_BYTES": "1 MB"}, "holdfast.E003"),
        ({"IDEMPOTENCY_RETENTION_HOURS": 23}, "holdfast.E005"),
    ],
)
def test_the_foundations_own_settings_are_checked_at_start_up(settings, values, error):
    assert [found.id for found in run_checks() if found.id.startswith("holdfast.E")] == []
    settings.HOLDFAST = values

    assert [found.id for found in run_checks() if found.id.startswith("holdfast.E")] == [error]
