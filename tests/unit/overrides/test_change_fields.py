# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd import field_checks
from filterd.errors import ChangeError
from filterd.overrides import change_fields
from filterd.overrides.change_fields import ChangeFields
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
CHECKS: list[Callable[[Any], Any]] = [
    field_checks.name,
    field_checks.identifier,
    field_checks.grade,
    change_fields.target_kind,
    change_fields.audience,
    field_checks.mac,
    field_checks.many(field_checks.mac, 3),
    field_checks.time,
    change_fields.number,
    field_checks.boolean,
    field_checks.user,
    change_fields.short_text,
    lambda value: change_fields.reason(value, required=True),
    *(change_fields.whom(audience) for audience in Audience),
    *(change_fields.target(kind) for kind in TargetKind),
]


@given(st.sampled_from(CHECKS), anything)
def test_whatever_is_asked_it_is_taken_or_refused_on_one_short_line(
    check: Callable[[Any], Any], value: Any
) -> None:
    text = ""
    try:
        check(value)
    except ChangeError as error:
        text = str(error)
    assert len(text.splitlines()) <= 1
    assert len(text) < 600


@pytest.mark.parametrize(
    ("check", "value", "taken"),
    [
        (change_fields.whom(Audience.CLIENT), "FD00:0::1", "fd00::1"),
        (change_fields.whom(Audience.TIER), "primary", "primary"),
        (change_fields.whom(Audience.NETWORK), "lab-a", "lab-a"),
        (change_fields.whom(Audience.EVERYBODY), "", ""),
        (field_checks.user, "lan", "lan"),
    ],
)
def test_a_good_value_has_one_form(check: Callable[[Any], Any], value: Any, taken: Any) -> None:
    assert check(value) == taken
    assert check(taken) == taken


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (change_fields.target_kind, "servise", "did you mean 'service'"),
        (change_fields.number, 0, "not the number of a change"),
        (change_fields.number, True, "not the number of a change"),
        (change_fields.number, 1 << 60, "not the number of a change"),
        (field_checks.user, "two words", "not a user name"),
        (field_checks.user, "", "not a user name"),
        (field_checks.user, "x" * 65, "not a user name"),
        (field_checks.user, "a\u202eb", "U\\+202E"),
        (change_fields.whom(Audience.CLIENT), "lab-a", "not an IP address"),
        (change_fields.whom(Audience.CLIENT), "fe80::1%eth0", "one interface"),
        (change_fields.whom(Audience.EVERYBODY), "7", "an audience of everybody"),
        (change_fields.whom(Audience.TIER), "primery", "did you mean 'primary'"),
        (change_fields.short_text, "x" * 101, "too long"),
    ],
)
def test_a_bad_value_is_refused_with_its_reason(
    check: Callable[[Any], Any], value: Any, message: str
) -> None:
    with pytest.raises(ChangeError, match=message):
        check(value)


@pytest.mark.parametrize(
    "text", ["a\nb", "a\x1b[31mb", "a\u2028b", "\ud800", "a\u202eb", "a\u200fb", "\0"]
)
def test_a_reason_has_no_character_that_does_something(text: str) -> None:
    with pytest.raises(ChangeError, match="the reason has the character U"):
        change_fields.reason(text, required=True)


def test_a_reason_is_limited_and_may_be_required() -> None:
    assert change_fields.reason("  bài học 5  ", required=True) == "bài học 5"
    assert (
        len(change_fields.reason("ạ" * change_fields.MAX_REASON, required=True))
        == change_fields.MAX_REASON
    )
    assert change_fields.reason(None, required=False) == ""
    with pytest.raises(ChangeError, match="401 characters"):
        change_fields.reason("x" * 401, required=True)
    for missing in (None, "", "  "):
        with pytest.raises(ChangeError, match="a reason is missing"):
            change_fields.reason(missing, required=True)


@pytest.mark.parametrize("entry", ["a.example", "=a.example", "*.a.example", "~i9bet#"])
def test_an_entry_is_in_the_notation_of_lists(entry: str) -> None:
    (read,) = change_fields.naming_entries([["copied", "gambling", entry, 4, "v7"]])
    assert read.entry == entry


@pytest.mark.parametrize(
    "entry", ["~", "~a#", "~i9\u202ebet#", "~i9bet##", "~" + "x" * 99, "i9bet#"]
)
def test_what_is_no_entry_is_refused(entry: str) -> None:
    with pytest.raises(ChangeError):
        change_fields.naming_entries([["copied", "gambling", entry, 4, "v7"]])


def test_fields_are_named_in_what_is_wrong_with_them() -> None:
    with pytest.raises(ChangeError, match=r"^'grade' is missing$"):
        ChangeFields({"grade": None}).take("grade", field_checks.grade)
    with pytest.raises(ChangeError, match=r"^grade: '13' is not a grade"):
        ChangeFields({"grade": "13"}).take_or("grade", field_checks.grade, "7")
    assert ChangeFields({}).take_or("grade", field_checks.grade, "7") == "7"
    with pytest.raises(ChangeError, match="unknown: 'color'"):
        ChangeFields({"color": 1}).end()


def test_which_value_is_wrong_is_worded_in_vietnamese_too() -> None:
    for key, text in (
        ("target", "đối tượng: "),
        ("room", "phòng: "),
        ("ends_at", "lúc kết thúc: "),
    ):
        with pytest.raises(ChangeError) as caught:
            ChangeFields({key: 7.5}).take(key, field_checks.identifier)
        assert caught.value.translated("vi").startswith(text)
