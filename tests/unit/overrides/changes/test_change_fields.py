# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import ChangeError
from filterd.overrides import mistake_answers, review_requests
from filterd.overrides.changes import change_fields, exception_changes, room_changes
from filterd.overrides.changes.change_fields import ChangeFields
from filterd.overrides.history import policy_versions, quarantine, snapshot
from filterd.overrides.rights import permissions
from filterd.policy import field_checks
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


@pytest.mark.parametrize("entry", ["a.example", "=a.example", "*.a.example", "~i9bet#", "~9bet#"])
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


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ([["name", "A.example"]], ((TargetKind.NAME, "a.example"),)),
        ((("service", "youtube"),), ((TargetKind.SERVICE, "youtube"),)),
        ([["name", "a.example"]] * 2, ((TargetKind.NAME, "a.example"),)),
        ([["name", "a.example"]] * change_fields.MAX_TARGETS, ((TargetKind.NAME, "a.example"),)),
        ([["entry", "a.example"]], ((TargetKind.ENTRY, "a.example"),)),
    ],
)
def test_targets_are_pairs_each_once(value: Any, taken: tuple[tuple[TargetKind, str], ...]) -> None:
    assert change_fields.targets(value) == taken


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a list expected"),
        ((), "a list expected"),
        (None, "a list expected"),
        ("name", "a list expected"),
        ({"name": "a"}, "a list expected"),
        ([["name", "a.example"]] * (change_fields.MAX_TARGETS + 1), "51 are too many"),
        (["na"], "is not a target"),  # a text of two letters is no pair
        ([["name"]], "is not a target"),
        ([["name", "a.example", 3]], "is not a target"),
        ([["pause", "x"]], "kind of target"),
        ([["name", "a..b"]], "."),
    ],
)
def test_what_is_no_list_of_targets_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ChangeError, match=message):
        change_fields.targets(value)


@pytest.mark.parametrize(
    ("value", "taken"), [(1, 1), (9.0, 9), ((1 << 53) - 1, (1 << 53) - 1), (7, 7)]
)
def test_a_number_is_whole_and_at_least_one(value: Any, taken: int) -> None:
    if isinstance(value, float):
        with pytest.raises(ChangeError):
            change_fields.number(value)
    else:
        assert change_fields.number(value) == taken


@pytest.mark.parametrize("value", [0, -1, 1 << 53, 1.5, "7", None, True])
def test_what_is_no_number_of_a_change_is_refused(value: Any) -> None:
    with pytest.raises(ChangeError, match="not the number of a change"):
        change_fields.number(value)


ENTRY: list[Any] = ["copied", "gambling", "a.example", 4, "v7"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "entry",
        [ENTRY] * (change_fields.MAX_ENTRIES + 1),
        [ENTRY[:4]],
        [[*ENTRY, "more"]],
        ["abcde"],  # five letters
        [{"list": "copied"}],
        [["x" * 101, *ENTRY[1:]]],
        [[*ENTRY[:3], 0, "v7"]],
        [["a\nb", *ENTRY[1:]]],
    ],
)
def test_what_is_no_list_of_entries_is_refused(value: Any) -> None:
    with pytest.raises(ChangeError):
        change_fields.naming_entries(value)


def test_entries_are_taken_field_by_field_and_as_many_as_the_bound() -> None:
    found = change_fields.naming_entries((tuple(ENTRY),) * change_fields.MAX_ENTRIES)
    assert len(found) == change_fields.MAX_ENTRIES
    one = found[0]
    assert (one.list, one.category, one.entry, one.line, one.version) == tuple(ENTRY)
    assert change_fields.naming_entries([]) == ()


def test_a_short_text_has_up_to_a_hundred_characters_without_spaces_around() -> None:
    assert change_fields.short_text(f" {'x' * 100} ") == "x" * 100


@pytest.mark.parametrize(
    ("kind", "value", "is_name"),
    [
        (TargetKind.NAME, "WWW.A.example", True),
        (TargetKind.ENTRY, "WWW.A.example", True),
        (TargetKind.SERVICE, "youtube", False),
        (TargetKind.CATEGORY, "games", False),
    ],
)
def test_a_target_is_checked_by_its_kind(kind: TargetKind, value: str, is_name: bool) -> None:
    assert change_fields.target(kind)(value) == (value.lower() if is_name else value)
    if not is_name:
        with pytest.raises(ChangeError):
            change_fields.target(kind)("a b.example")


@dataclass(frozen=True)
class _Fields:
    must: Annotated[str, field_checks.identifier]
    may: Annotated[int, change_fields.number] | None = None
    has: Annotated[str, field_checks.identifier] = "x"


def test_the_fields_of_a_change_are_checked_and_what_may_be_missing_has_its_default() -> None:
    fields = ChangeFields({"must": "a", "has": "b", "more": 1})
    assert fields.values_of(_Fields) == {"must": "a", "may": None, "has": "b"}
    with pytest.raises(ChangeError, match="unknown: 'more'"):
        fields.end()
    with pytest.raises(ChangeError, match=r"^'must' is missing$"):
        ChangeFields({"may": 3}).values_of(_Fields)
    with pytest.raises(ChangeError, match=r"^may: 0 is not the number"):
        ChangeFields({"must": "a", "may": 0}).values_of(_Fields)
    whole = ChangeFields({"must": "a", "may": 3})
    assert whole.values_of(_Fields)["may"] == 3
    whole.end()


def test_changes_and_what_is_kept_of_them_are_bounded_as_the_guides_say() -> None:
    fields = change_fields
    assert (fields.MAX_REASON, fields.MAX_TARGETS, fields.MAX_NAMES) == (400, 50, 2_000)
    assert (fields.MAX_DEVICES, fields.MAX_TABLE, fields.MAX_ENTRIES) == (256, 5_000, 16)
    assert exception_changes.ENTRY_S == permissions.LONGEST_LOAN_S == 14 * 86_400
    assert room_changes.LONGEST_EXAM_S == 12 * 3600
    assert (mistake_answers.KEPT_DAYS, mistake_answers.MOST_ANSWERS) == (90, 1_000)
    assert (policy_versions.KEPT, quarantine.KEPT_ASIDE) == (30, 8)
    kept = review_requests.MOST, review_requests.MOST_OF_SEAT, review_requests.KEEP_DAYS
    assert kept == (200, 40, 30)
    assert (snapshot.KEPT_AFTER_END_S, snapshot.KEPT_AT_LEAST) == (86_400, 200)


@pytest.mark.parametrize("key", sorted(change_fields._CALLED))
def test_a_field_that_people_fill_in_is_called_as_they_call_it(key: str) -> None:
    with pytest.raises(ChangeError) as caught:
        ChangeFields({key: 7.5}).take(key, field_checks.identifier)
    called = str(change_fields._CALLED[key])
    assert str(caught.value).startswith(f"{called}: ")


def test_these_are_the_fields_that_people_fill_in() -> None:
    assert sorted(change_fields._CALLED) == [
        *("class_id", "ends_at", "for_s", "grade", "id", "level", "mac", "macs", "name", "names"),
        *("number", "room", "services", "starts_at", "target", "targets", "tier", "to", "whom"),
    ]


@pytest.mark.parametrize("entry", [5, None, {"a": 1}, "abcde", ["a"] * 4, ["a"] * 6])
def test_what_has_not_the_five_fields_of_an_entry_is_refused(entry: Any) -> None:
    with pytest.raises(ChangeError, match="is not a list entry"):
        change_fields.naming_entries([entry])


@pytest.mark.parametrize("entry", ["~!i9bet#", "~.9bet#", "~ 9bet#"])
def test_a_shape_is_one_from_its_first_letter_on(entry: str) -> None:
    with pytest.raises(ChangeError):
        change_fields.naming_entries([["copied", "gambling", entry, 4, "v7"]])


def test_a_command_has_bounds() -> None:
    assert (*(400, 50, 2000),) == (
        change_fields.MAX_REASON,
        change_fields.MAX_TARGETS,
        change_fields.MAX_NAMES,
    )
    assert (*(256, 5_000, 16),) == (
        change_fields.MAX_DEVICES,
        change_fields.MAX_TABLE,
        change_fields.MAX_ENTRIES,
    )
    with pytest.raises(ChangeError, match=r"known: name, service, category, entry\)"):
        change_fields.target_kind("pause")


@pytest.mark.parametrize(
    ("field", "called"),
    [
        *((one, one) for one in ("target", "targets", "name", "names", "services", "macs")),
        *((one, one) for one in ("tier", "room", "grade", "number")),
        *(("mac", "MAC"), ("whom", "for whom"), ("level", "level of the log")),
        *(("class_id", "class"), ("to", "the substitute"), ("id", "number")),
        *(("starts_at", "the start"), ("ends_at", "the end"), ("for_s", "the length")),
    ],
)
def test_a_field_has_a_name_for_people(field: str, called: str) -> None:
    assert str(change_fields._CALLED[field]) == called
