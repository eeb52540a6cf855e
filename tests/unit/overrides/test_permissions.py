# SPDX-License-Identifier: Apache-2.0
"""A teacher may make changes of the same day, an administrator all."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from filterd.errors import ControlError, FilterdError
from filterd.overrides.change_kinds import KINDS, parse
from filterd.overrides.effects import ChangeEffect
from filterd.overrides.history_chain import GENESIS, HistoryRow
from filterd.overrides.history_notes import LETTING_IN
from filterd.overrides.log_changes import ConfirmLogging
from filterd.overrides.permissions import (
    Classroom,
    check_change,
    check_class,
    check_confirmation,
    readable_classes,
)
from filterd.overrides.roles import Author, Rank, Role
from filterd.overrides.room_changes import LONGEST_EXAM_S
from filterd.policy.model import SchoolClass
from filterd.policy.temporary_rules import ClassLoan, LogSetting, Overrides
from tests.support.changes import (
    a_grade_setting,
    a_table,
    an_exam,
    an_exception,
    some_exceptions,
)
from tests.support.policies import NOW
from tests.support.week import a_school

EVENING = NOW + 10 * 3600
TOMORROW = EVENING + 8 * 3600
SCHOOL = a_school()
TEACHER = Author("lan", Rank.TEACHER)

MAY = [
    ("exception", an_exception(audience="grade", whom="7", ends_at=NOW + 60)),
    ("exception", an_exception(audience="network", whom="lab", ends_at=EVENING)),
    ("exceptions", some_exceptions(audience="grade", whom="7", ends_at=NOW + 60)),
    ("exception", an_exception(audience="client", whom="192.0.2.7", ends_at=NOW + 60)),
    (
        "exception",
        an_exception(
            target_kind="category", target="games", audience="grade", whom="7", ends_at=NOW + 60
        ),
    ),
    ("pause", {"audience": "network", "whom": "lab", "ends_at": NOW + 300}),
    ("room", {"room": "lab", "grade": "8", "ends_at": EVENING}),
    ("exam", an_exam(room="lab")),
    ("exam", an_exam(room="lab", starts_at=TOMORROW, ends_at=TOMORROW + LONGEST_EXAM_S)),
]
MAY_NOT = [
    ("room", {"room": "lab", "grade": "staff", "ends_at": EVENING}, "bring staff into a room"),
    ("exception", an_exception(audience="grade", whom="7"), "ends the same day"),
    ("exceptions", some_exceptions(audience="grade", whom="7"), "ends the same day"),
    (
        "exceptions",
        some_exceptions(
            ("name", "a.example"),
            ("entry", "b.example"),
            audience="grade",
            whom="7",
            ends_at=NOW + 60,
        ),
        "may not suspend an entry",
    ),
    ("exception", an_exception(audience="grade", whom="7", ends_at=EVENING + 1), "the same day"),
    ("exception", an_exception(ends_at=NOW + 60), "one room, grade, network or device"),
    (
        "exception",
        an_exception(audience="tier", whom="primary", ends_at=NOW + 60),
        "one room, grade, network or device",
    ),
    ("exception", an_exception(target_kind="entry", ends_at=NOW + 60), "may not suspend an entry"),
    ("pause", {"ends_at": NOW + 300}, "one room, grade, network or device"),
    ("room", {"room": "lab", "grade": "8"}, "ends the same day"),
    ("room", {"room": "lab", "grade": "8", "ends_at": TOMORROW}, "ends the same day"),
    ("room", {"room": "office", "grade": "8", "ends_at": EVENING}, "office, which is not a room"),
    ("room", {"room": "nowhere", "grade": "8", "ends_at": EVENING}, "which is not a room"),
    ("exam", an_exam(room="office"), "may not hold an exam in office, which is not a room"),
    ("exam", an_exam(room="nowhere"), "which is not a room"),
    ("exam", an_exam(room="lab", ends_at=TOMORROW), "ends the same day"),
    ("room-devices", {"room": "lab", "macs": []}, "administrators may"),
    ("device-name", {"mac": "02:00:5e:10:00:01", "name": "one"}, "administrators may"),
    ("device-table", {"rooms": a_table(lab=[])}, "administrators may"),
    ("grade", a_grade_setting(), "administrators may"),
    ("report-mistake", {"name": "a.example"}, "administrators may"),
    ("exam-trial", {"room": "lab"}, "administrators may"),
    ("class-lend", {"class_id": "6A", "to": "minh", "ends_at": EVENING}, "administrators may"),
    ("log-level", {"level": "off"}, "administrators may"),
    ("log-view", {"view": "rows"}, "administrators may"),
    ("log-removal", {"what": "all"}, "administrators may"),
    ("review-refusal", {"name": "a.example", "seat": "6A"}, "administrators may"),
    ("account", {"what": "added", "account": "x"}, "administrators may"),
    ("site-edit", {"keys": ["school"], "digest": "0" * 64}, "administrators may"),
    (
        "program-update",
        {"version": "1.1.0", "before": "1.0.0", "ending": "taken"},
        "administrators may",
    ),
    ("clock", {}, "administrators may"),
    ("clock-accept", {}, "administrators may"),
]


def _check(author: Author, kind: str, payload: dict[str, Any], made_by: str = "") -> None:
    classroom = Classroom(SCHOOL, Overrides(), NOW, EVENING, lambda _: "lab")
    check_change(author, parse(kind, payload), classroom, made_by)


@pytest.mark.parametrize(("kind", "payload"), MAY)
def test_a_teacher_may_do_what_a_lesson_needs(kind: str, payload: dict[str, Any]) -> None:
    _check(TEACHER, kind, payload)


@pytest.mark.parametrize(("kind", "payload", "words"), MAY_NOT)
def test_a_teacher_may_do_nothing_else(kind: str, payload: dict[str, Any], words: str) -> None:
    with pytest.raises(FilterdError, match=words) as refused:
        _check(TEACHER, kind, payload)
    assert "administrators may" in str(refused.value)
    _check(Author("minh", Rank.ADMIN), kind, payload)


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        ("undo", {"number": 4}, "undo another person's change"),
        ("revoke", {"id": 4}, "undo another person's change"),
        ("exam-stop", {"id": 4}, "end another person's exam"),
    ],
)
def test_a_teacher_stops_and_takes_back_only_what_is_the_teachers_own(
    kind: str, payload: dict[str, Any], words: str
) -> None:
    for oneself in ("lan", "web:lan"):
        _check(TEACHER, kind, payload, made_by=oneself)
    for another in ("minh", "web:minh", "lan:x", ""):
        with pytest.raises(FilterdError, match=f"lan may not {words}; administrators may"):
            _check(TEACHER, kind, payload, made_by=another)
        _check(Author("minh", Rank.ADMIN), kind, payload, made_by=another)


def test_a_reader_changes_nothing() -> None:
    reader = Author("pupil", Rank.READER)
    for kind, payload in MAY:
        with pytest.raises(FilterdError, match="pupil may not change anything"):
            _check(reader, kind, payload)


@pytest.mark.parametrize(
    ("class_id", "loans", "now", "is_shown"),
    [
        ("6A", (), NOW, True),
        ("6A", (), None, True),
        ("7B", (), NOW, False),
        ("7B", (ClassLoan(1, "7B", "lan", "", "minh", NOW - 1, NOW + 60),), NOW, True),
        ("7B", (ClassLoan(1, "7B", "lan", "", "minh", NOW - 60, NOW - 1),), NOW, False),
    ],
)
def test_a_teacher_looks_at_own_and_lent_classes(
    class_id: str, loans: tuple[ClassLoan, ...], now: float | None, is_shown: bool
) -> None:
    classes = (SchoolClass("6A", "6", ("lan",)), SchoolClass("7B", "7", ("minh",)))
    policy, overrides = replace(SCHOOL, classes=classes), Overrides(loans=loans)
    classroom = Classroom(policy, overrides, now, EVENING, lambda _: None)
    check_class(Author("minh", Rank.ADMIN), class_id, classroom)
    refused = pytest.raises(ControlError, match=f"look at class {class_id}")
    with nullcontext() if is_shown else refused:
        check_class(TEACHER, class_id, classroom)


def test_all_kinds_of_change_were_thought_of() -> None:
    thought_of = {kind for kind, *_ in (*MAY, *MAY_NOT)} | {
        "undo",
        "revoke",
        "exam-stop",
        "log-confirm",
    }
    assert thought_of == set(KINDS)


def _may_confirm(
    name: str, *roles: Role, set_by: str = "lan", past: tuple[HistoryRow, ...] = ()
) -> bool:
    setting = LogSetting(5, "primary", "full", "điều tra", set_by, NOW, NOW + 60)
    author = Author.of(1000, name, [one.group for one in roles], own_uid=999)
    try:
        overrides = Overrides(log_settings=(setting,))
        check_confirmation(author, ConfirmLogging(5), overrides, past, NOW)
    except ControlError:
        return False
    return True


@pytest.mark.parametrize("role", Role)
def test_full_is_confirmed_by_a_principal_or_an_administrator(role: Role) -> None:
    assert _may_confirm("minh", role) == (role in (Role.PRINCIPAL, Role.ADMIN))


@pytest.mark.parametrize(
    ("by", "account", "what", "age_s", "may"),
    [
        ("web:lan", "hoa", "code", 60, False),
        ("lan", "hoa", "added", 6 * 86_400, False),
        ("lan", "hoa", "password", 8 * 86_400, True),
        ("lan", "minh", "code", 60, True),
        ("hoa", "hoa", "password", 60, True),
        ("lan", "hoa", "device-revoked", 60, True),
    ],
)
def test_an_account_that_the_setter_can_sign_in_to_is_no_second_person(
    by: str, account: str, what: str, age_s: float, *, may: bool
) -> None:
    noted = {"what": what, "account": account}
    row = HistoryRow.of(4, NOW - age_s, by, "account", noted, "", ChangeEffect(), GENESIS)
    assert _may_confirm("hoa", Role.PRINCIPAL, set_by="web:lan", past=(row,)) is may


def test_root_confirms_nothing_and_what_root_has_set_only_a_principal_confirms() -> None:
    assert not _may_confirm("root", Role.ADMIN, Role.PRINCIPAL)
    assert not _may_confirm("minh", Role.ADMIN, set_by="root")
    assert _may_confirm("minh", Role.PRINCIPAL, set_by="root")


@pytest.mark.parametrize(
    ("what", "lets_in"),
    [
        *((one, True) for one in ("added", "roles", "password", "code", "enabled", "totp-off")),
        ("recovered", True),
        *((one, False) for one in ("disabled", "totp-on", "token-added", "device-revoked")),
    ],
)
def test_what_lets_another_person_in_is_a_table(what: str, lets_in: bool) -> None:
    assert (what in LETTING_IN) is lets_in


@pytest.mark.parametrize(("age_s", "may"), [(7 * 86_400, False), (7 * 86_400 + 1, True)])
def test_access_that_was_given_a_week_ago_counts_no_more(age_s: float, may: bool) -> None:
    noted = {"what": "code", "account": "hoa"}
    row = HistoryRow.of(4, NOW - age_s, "lan", "account", noted, "", ChangeEffect(), GENESIS)
    other = HistoryRow.of(5, NOW, "lan", "clock", {}, "", ChangeEffect(), GENESIS)
    assert _may_confirm("hoa", Role.PRINCIPAL, past=(other, row)) is may


def test_while_the_time_is_not_known_a_teacher_has_the_own_classes_all_the_same() -> None:
    classes = (SchoolClass("7A", "7", ("lan",)), SchoolClass("8A", "8", ("minh",)))
    policy = replace(SCHOOL, classes=classes)
    classroom = Classroom(policy, Overrides(), None, EVENING, lambda _: "lab")
    for seat, may in (("7A", True), ("8A", False)):
        payload = an_exception(audience="class", whom=seat, ends_at=NOW + 60)
        refused = pytest.raises(ControlError, match="what class 8A may see")
        with nullcontext() if may else refused:
            check_change(TEACHER, parse("exception", payload), classroom)
    assert readable_classes(TEACHER, lambda: classroom) == frozenset({"7A"})
    assert readable_classes(Author("minh", Rank.ADMIN), lambda: classroom) is None
    assert readable_classes(Author("thu", Rank.READER), lambda: classroom) == frozenset()
