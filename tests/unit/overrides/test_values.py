# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.errors import ChangeError
from filterd.overrides import values
from filterd.overrides.values import Fields
from filterd.policy.model import Audience
from filterd.policy.overrides import TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
CHECKS: list[Callable[[Any], Any]] = [
    values.name,
    values.identifier,
    values.grade,
    values.target_kind,
    values.audience,
    values.mac,
    values.many(values.mac, 3),
    values.time,
    values.number,
    values.boolean,
    values.author,
    values.short_text,
    lambda value: values.reason(value, required=True),
    *(values.whom(audience) for audience in Audience),
    *(values.target(kind) for kind in TargetKind),
]


@given(st.sampled_from(CHECKS), anything)
def test_whatever_is_asked_it_is_taken_or_refused_on_one_short_line(
    check: Callable[[Any], Any], value: Any
) -> None:
    told = ""
    try:
        check(value)
    except ChangeError as error:
        told = str(error)
    assert len(told.splitlines()) <= 1
    assert len(told) < 600


@pytest.mark.parametrize(
    ("check", "value", "taken"),
    [
        (values.name, "WWW.Example.COM.", "www.example.com"),
        (values.name, "tiếngviệt.vn", "xn--tingvit-5t4cyc.vn"),
        (values.identifier, "lab-a", "lab-a"),
        (values.grade, "7", "7"),
        (values.grade, 7, "7"),
        (values.mac, "02-00-5E-10-00-01", "02:00:5e:10:00:01"),
        (values.time, 5, 5.0),
        (values.whom(Audience.CLIENT), "FD00:0::1", "fd00::1"),
        (values.whom(Audience.TIER), "primary", "primary"),
        (values.whom(Audience.NETWORK), "lab-a", "lab-a"),
        (values.whom(Audience.EVERYBODY), "", ""),
        (values.many(values.identifier, 3), ["b", "a", "b"], ("a", "b")),
        (values.author, "lan", "lan"),
    ],
)
def test_a_good_value_has_one_form(check: Callable[[Any], Any], value: Any, taken: Any) -> None:
    assert check(value) == taken
    assert check(taken) == taken


@pytest.mark.parametrize(
    ("check", "value", "told"),
    [
        (values.name, "*.example.com", "write 'example.com'"),
        (values.name, "example", "'example' "),
        (values.name, "192.168.1.1", "address"),
        (values.name, "example.com/page", "'example.com/page' "),
        (values.identifier, "Lab A", "no identifier"),
        (values.identifier, "a" * 65, "no identifier"),
        (values.grade, "13", "no grade"),
        (values.grade, True, "text expected"),
        (values.target_kind, "servise", "did you mean 'service'"),
        (values.mac, "02:00:5e:10:00", "no MAC"),
        (values.time, float("nan"), "beyond every calendar"),
        (values.time, -1, "beyond every calendar"),
        (values.time, 1e300, "beyond every calendar"),
        (values.time, True, "a Unix time expected"),
        (values.time, "now", "a Unix time expected"),
        (values.number, 0, "no number of a change"),
        (values.number, True, "no number of a change"),
        (values.number, 1 << 60, "no number of a change"),
        (values.boolean, 1, "true or false"),
        (values.author, "two words", "no name of a user"),
        (values.author, "", "no name of a user"),
        (values.author, "x" * 65, "no name of a user"),
        (values.author, "a\u202eb", "U\\+202E"),
        (values.whom(Audience.CLIENT), "lab-a", "no address"),
        (values.whom(Audience.CLIENT), "fe80::1%eth0", "one interface"),
        (values.whom(Audience.EVERYBODY), "7", "is for everybody"),
        (values.whom(Audience.TIER), "primery", "did you mean 'primary'"),
        (values.many(values.mac, 1), ["02:00:5e:10:00:01"] * 2, "too many"),
        (values.many(values.mac, 1), "02:00:5e:10:00:01", "a list expected"),
        (values.short_text, "x" * 101, "too long"),
    ],
)
def test_a_bad_value_is_refused_and_it_says_why(
    check: Callable[[Any], Any], value: Any, told: str
) -> None:
    with pytest.raises(ChangeError, match=told):
        check(value)


@pytest.mark.parametrize(
    "text", ["a\nb", "a\x1b[31mb", "a\u2028b", "\ud800", "a\u202eb", "a\u200fb", "\0"]
)
def test_a_reason_has_no_character_that_does_something(text: str) -> None:
    with pytest.raises(ChangeError, match="the reason has the character U"):
        values.reason(text, required=True)


def test_a_reason_is_limited_and_may_be_required() -> None:
    assert values.reason("  bài học 5  ", required=True) == "bài học 5"
    assert len(values.reason("ạ" * values.MAX_REASON, required=True)) == values.MAX_REASON
    assert values.reason(None, required=False) == ""
    with pytest.raises(ChangeError, match="401 characters"):
        values.reason("x" * 401, required=True)
    for missing in (None, "", "  "):
        with pytest.raises(ChangeError, match="a reason is missing"):
            values.reason(missing, required=True)


def test_fields_are_named_in_what_is_wrong_with_them() -> None:
    with pytest.raises(ChangeError, match=r"^'grade' is missing$"):
        Fields({"grade": None}).take("grade", values.grade)
    with pytest.raises(ChangeError, match=r"^grade: '13' is no grade"):
        Fields({"grade": "13"}).take_or("grade", values.grade, "7")
    assert Fields({}).take_or("grade", values.grade, "7") == "7"
    with pytest.raises(ChangeError, match="unknown: 'color'"):
        Fields({"color": 1}).end()


def test_what_is_long_is_shown_short() -> None:
    assert values.shown("x" * 1000) == f"'{'x' * 76}..."


def test_which_value_is_wrong_is_told_in_vietnamese_too() -> None:
    for key, told in (
        ("target", "đối tượng: "),
        ("room", "phòng: "),
        ("ends_at", "lúc kết thúc: "),
    ):
        with pytest.raises(ChangeError) as caught:
            Fields({key: 7.5}).take(key, values.identifier)
        assert caught.value.told("vi").startswith(told)
