# SPDX-License-Identifier: Apache-2.0
"""A parameter's check and its schema agree, for JSON and for the text of forms."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from filterd.base.errors import ConfigError
from filterd.operations.parameters.scalar import Choice, Fields, Flag, Several, Text, Whole
from filterd.operations.parameters.time import Time

if TYPE_CHECKING:
    from filterd.operations.parameters.scalar import Parameter

_NAME = Text(5, r"[a-z]+")


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (_NAME, "abc", "abc"),
        (Text(9, lines=True), "a\nb", "a\nb"),
        (Whole(1, 5), "3", 3),
        (Whole(1, 5), 3.0, 3),
        (Flag(), "on", True),
        (Flag(), False, False),
        (Choice(("a", "b")), "b", "b"),
        (Several(_NAME, 2), "a\r\nb\n", ["a", "b"]),
        (Several(_NAME, 2), ["a"], ["a"]),
        (Time(), 1.5, 1.5),
        (Time(), "1764570600", 1_764_570_600.0),
        (Time(), "2025-12-01T06:30:00Z", 1_764_570_600.0),
        (Time(), "2025-12-01t13:30+07:00", 1_764_570_600.0),
        (Time(), "2025-12-01T13:30", datetime(2025, 12, 1, 13, 30)),  # noqa: DTZ001 -- of the school
    ],
)
def test_json_and_the_text_of_a_form_are_read(kind: Parameter, value: Any, read: Any) -> None:
    assert kind.read(value) == read


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (_NAME, "abcdef"),
        (_NAME, "a1"),
        (_NAME, 1),
        (_NAME, "a\n"),
        (Text(9), "a\nb"),
        (Text(9), "a\0b"),
        (Whole(1, 5), 6),
        (Whole(1, 5), "٣"),
        (Whole(1, 5), True),
        (Whole(1, 5), 1.5),
        (Flag(), "yes"),
        (Flag(), 1),
        (Choice(("a",)), "c"),
        (Several(_NAME, 2), ["a", "b", "c"]),
        (Several(_NAME, 2, 1), []),
        (Several(_NAME, 2), {"a": 1}),
        (Time(), -1),
        (Time(), float("nan")),
        (Time(), "0000-01-01T00:00:00Z"),
        (Time(), "9999-12-31T23:59:59-14:00"),
        (Time(), "2025-13-01T00:00"),
        (Time(), "2025-12-01"),
        (Time(), True),
    ],
)
def test_what_is_of_another_kind_is_refused(kind: Parameter, value: Any) -> None:
    with pytest.raises(ConfigError):
        kind.read(value)


@pytest.mark.parametrize(
    ("kind", "value", "is_right"),
    [
        (_NAME, "abc", True),
        (_NAME, "abcdef", False),
        (_NAME, "a1", False),
        (Whole(1, 5), 6, False),
        (Choice(("a",)), "c", False),
        (Several(_NAME, 1), ["a", "b"], False),
        (Time(), 5, True),
        (Time(), -5, False),
    ],
)
def test_the_schema_judges_json_as_the_check_does(
    kind: Parameter, value: Any, is_right: bool
) -> None:
    assert Draft202012Validator(kind.schema).is_valid(value) is is_right


FIELDS = Fields({"name": _NAME, "days": Whole(1, 5)}, ("name",))


def test_an_empty_text_stands_for_a_field_that_is_not_there() -> None:
    assert FIELDS.read({"name": "a", "days": ""}) == {"name": "a"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "an object with fields"),
        ({"days": 1}, "the field name is missing"),
        ({"name": "", "days": 1}, "the field name is missing"),
        ({"name": "a", "other\x1b": 1}, "there is no field 'other.x1b'"),
        ({"name": "a", "days": 9}, "days: a whole number from 1 to 5"),
    ],
)
def test_wrong_fields_are_named(given: Any, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        FIELDS.read(given)


def test_some_of_the_fields_keep_which_are_required() -> None:
    assert FIELDS.only(["days"]).required == ()
    assert FIELDS.only(["name"]).schema["required"] == ["name"]
