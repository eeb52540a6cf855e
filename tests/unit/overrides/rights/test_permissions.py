# SPDX-License-Identifier: Apache-2.0
"""A teacher may make changes of the same day, an administrator all."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from filterd.base.errors import ChangeError, ControlError, FilterdError
from filterd.overrides.changes.change_kinds import KINDS
from filterd.overrides.changes.effects import ChangeEffect
from filterd.overrides.changes.log_changes import ConfirmLogging
from filterd.overrides.changes.room_changes import LONGEST_EXAM_S
from filterd.overrides.history.history_chain import GENESIS, HistoryRow
from filterd.overrides.history.history_notes import LETTING_IN
from filterd.overrides.rights import permissions
from filterd.overrides.rights.permissions import (
    Classroom,
    check_class,
    check_confirmation,
    check_listening,
    readable_classes,
)
from filterd.overrides.rights.roles import Author, PasswordNeededError, Rank, Role
from filterd.policy.model import SchoolClass
from filterd.policy.temporary_rules import ClassLoan, LogSetting, Overrides
from tests.support.changes import (
    Book,
    a_grade_setting,
    a_table,
    an_exam,
    an_exception,
    check_permission,
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
        some_exceptions(("entry", "b.example"), ends_at=NOW + 60),
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
    ("exam", an_exam(room="lab", starts_at=EVENING - 60, ends_at=TOMORROW), "ends the same day"),
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
    ("guarded-end", {"numbers": [1], "ends_at": EVENING}, "administrators may"),
    ("clock-accept", {}, "administrators may"),
]


def _check(
    author: Author,
    kind: str,
    payload: dict[str, Any],
    overrides: Overrides | None = None,
    past: Book | None = None,
) -> None:
    classroom = Classroom(SCHOOL, overrides or Overrides(), NOW, EVENING, lambda _: "lab")
    check_permission(author, kind, payload, classroom, past)


@pytest.mark.parametrize(("kind", "payload"), MAY)
def test_a_teacher_may_do_what_a_lesson_needs(kind: str, payload: dict[str, Any]) -> None:
    _check(TEACHER, kind, payload)


@pytest.mark.parametrize(("kind", "payload", "words"), MAY_NOT)
def test_a_teacher_may_do_nothing_else(kind: str, payload: dict[str, Any], words: str) -> None:
    with pytest.raises(FilterdError, match=words) as refused:
        _check(TEACHER, kind, payload)
    assert "administrators may" in str(refused.value)
    _check(Author("root", Rank.ADMIN, is_fresh=True), kind, payload)


OWN = [
    ("undo", {"number": 1}, "exception", an_exception(audience="grade", whom="7", ends_at=EVENING)),
    ("revoke", {"id": 1}, "exception", an_exception(audience="grade", whom="7", ends_at=EVENING)),
    ("undo", {"number": 1}, "room", {"room": "lab", "grade": "8", "ends_at": EVENING}),
    ("revoke", {"id": 1}, "room", {"room": "lab", "grade": "8", "ends_at": EVENING}),
    ("undo", {"number": 1}, "exam", an_exam(room="lab")),
    ("exam-stop", {"id": 1}, "exam", an_exam(room="lab")),
]


def _after(author: str, kind: str, payload: dict[str, Any], reason: str = "bài học") -> Book:
    book = Book()
    book.make(kind, reason, author, **payload)
    return book


@pytest.mark.parametrize(("kind", "payload", "made", "what"), OWN)
def test_a_teacher_stops_and_takes_back_only_what_is_the_teachers_own(
    kind: str, payload: dict[str, Any], made: str, what: dict[str, Any]
) -> None:
    for oneself in ("lan", "web:lan"):
        book = _after(oneself, made, what)
        _check(TEACHER, kind, payload, book.overrides, book)
    words = "end another person's exam" if made == "exam" else "undo another person's change"
    for another in ("minh", "web:minh"):
        book = _after(another, made, what)
        with pytest.raises(FilterdError, match=f"lan may not {words}; administrators may"):
            _check(TEACHER, kind, payload, book.overrides, book)
        _check(Author("minh", Rank.ADMIN), kind, payload, book.overrides, book)


FORMER = [
    ("exception", an_exception(allow=False)),
    ("exception", an_exception(allow=False, ends_at=NOW + 60)),
    ("exception", an_exception(allow=False, audience="grade", whom="7")),
    ("exception", an_exception(allow=False, audience="grade", whom="staff", ends_at=NOW + 60)),
    ("exception", an_exception(target_kind="entry", ends_at=NOW + 60)),
    ("pause", {"audience": "network", "whom": "office", "ends_at": NOW + 300}),
    ("room", {"room": "lab", "grade": "staff", "ends_at": EVENING}),
    ("room", {"room": "office", "grade": "7", "ends_at": EVENING}),
    ("exam", an_exam(room="office")),
    ("grade", a_grade_setting()),
    ("room-devices", {"room": "lab", "macs": ["02:00:5e:10:00:01"]}),
    ("device-name", {"mac": "02:00:5e:10:00:01", "name": "one"}),
    ("class-lend", {"class_id": "6A", "to": "minh", "ends_at": EVENING}),
    ("log-level", {"level": "off", "ends_at": EVENING}),
]


@pytest.mark.parametrize(("made", "what"), FORMER)
def test_a_former_administrator_takes_nothing_back_that_a_teacher_could_not_set(
    made: str, what: dict[str, Any]
) -> None:
    book = _after("lan", made, what)
    with pytest.raises(ControlError, match=r"lan may not .*administrators may"):
        _check(TEACHER, "undo", {"number": 1}, book.overrides, book)
    _check(Author("lan", Rank.ADMIN), "undo", {"number": 1}, book.overrides, book)
    book.make("undo", author="lan", number=1)
    with pytest.raises(FilterdError, match="administrators may"):
        _check(TEACHER, "undo", {"number": 2}, book.overrides, book)


def test_no_undo_of_another_s_setting_passes_for_what_it_had_replaced() -> None:
    book = _after("lan", "room", {"room": "lab", "grade": "7", "ends_at": NOW + 60})
    book.make("room", author="minh", room="lab", grade="8", ends_at=NOW + 3600)
    with pytest.raises(ControlError, match="lan may not undo another person's change"):
        _check(TEACHER, "undo", {"number": 2}, book.overrides, book)


def test_what_a_room_s_new_setting_replaces_may_be_another_person_s() -> None:
    book = _after("minh", "room", {"room": "lab", "grade": "7", "ends_at": NOW + 60})
    _check(TEACHER, "room", {"room": "lab", "grade": "8", "ends_at": EVENING}, book.overrides, book)


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
    author = Author.of(1000, name, [role.group for role in roles], own_uid=999)
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
            check_permission(TEACHER, "exception", payload, classroom)
    assert readable_classes(TEACHER, lambda: classroom) == frozenset({"7A"})
    assert readable_classes(Author("minh", Rank.ADMIN), lambda: classroom) is None
    assert readable_classes(Author("thu", Rank.READER), lambda: classroom) == frozenset()


def _opens_violence(thing: Any) -> frozenset[str]:
    is_open = getattr(thing, "allow", getattr(thing, "opens", True))
    return frozenset(("violence",)) if is_open else frozenset()


GUARDED_SCHOOL = Classroom(SCHOOL, Overrides(), NOW, EVENING, lambda _: "lab", _opens_violence)
FORTNIGHT = NOW + 14 * 86_400
PRINCIPAL_S_OWN = Author("web:minh", Rank.ADMIN, is_fresh=True)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("exception", an_exception(audience="grade", whom="7", ends_at=NOW + 60)),
        ("exception", an_exception(audience="grade", whom="7", ends_at=FORTNIGHT)),
        ("exceptions", some_exceptions(audience="grade", whom="7", ends_at=NOW + 60)),
        ("exam", an_exam(room="lab")),
    ],
)
def test_what_is_guarded_an_administrator_opens_who_has_just_given_the_password(
    kind: str, payload: dict[str, Any]
) -> None:
    check_permission(PRINCIPAL_S_OWN, kind, payload, GUARDED_SCHOOL)
    check_permission(Author("root", Rank.ADMIN, is_fresh=True), kind, payload, GUARDED_SCHOOL)
    for author, error, words in (
        (TEACHER, ControlError, "lan may not open violence, which is guarded; administrators may"),
        (Author("web:minh", Rank.ADMIN), PasswordNeededError, "password once more"),
        (Author("api:minh", Rank.ADMIN), ControlError, "root may, or an administrator in the dash"),
        (
            Author("minh", Rank.ADMIN),
            ControlError,
            "root may, or an administrator in the dashboard",
        ),
    ):
        is_late = author is TEACHER and payload.get("ends_at") == FORTNIGHT
        expected = "ends the same day" if is_late else words
        with pytest.raises(FilterdError, match=expected) as refused:
            check_permission(author, kind, payload, GUARDED_SCHOOL)
        assert isinstance(refused.value, error) or author is TEACHER


@pytest.mark.parametrize(
    ("kind", "payload", "hint"),
    [
        ("exception", an_exception(audience="grade", whom="7"), "--for 14d"),
        ("exception", an_exception(audience="grade", whom="7", ends_at=FORTNIGHT + 1), "--for 14d"),
        (
            "grade",
            a_grade_setting(),
            "open it for a time: filterd allow category:streaming --grade 7 --for 14d",
        ),
    ],
)
def test_what_is_guarded_is_opened_for_two_weeks_at_most(
    kind: str, payload: dict[str, Any], hint: str
) -> None:
    with pytest.raises(ChangeError, match=r"violence is guarded: .*14 days at most") as refused:
        check_permission(PRINCIPAL_S_OWN, kind, payload, GUARDED_SCHOOL)
    assert hint in str(refused.value)


def test_to_close_what_is_guarded_takes_no_proof_and_to_open_it_again_by_undo_does() -> None:
    minh = Author("web:minh", Rank.ADMIN)
    closes = an_exception(audience="grade", whom="7", allow=False)
    check_permission(minh, "exception", closes, GUARDED_SCHOOL)
    book = _after("minh", "exception", an_exception(audience="grade", whom="7", ends_at=FORTNIGHT))
    school = GUARDED_SCHOOL._replace(overrides=book.overrides)
    check_permission(minh, "revoke", {"id": 1}, school, book)
    book.make("revoke", author="minh", id=1)
    school = GUARDED_SCHOOL._replace(overrides=book.overrides)
    with pytest.raises(PasswordNeededError):
        check_permission(minh, "undo", {"number": 2}, school, book)


def _after_off_was_revoked() -> tuple[Classroom, Book]:
    book = _after("minh", "log-level", {"level": "off", "ends_at": EVENING})
    book.make("revoke", author="minh", id=1)
    return Classroom(SCHOOL, book.overrides, NOW, EVENING, lambda _: "lab"), book


def test_no_session_brings_the_log_level_off_back_without_a_password() -> None:
    school, book = _after_off_was_revoked()
    with pytest.raises(PasswordNeededError):
        check_permission(Author("web:minh", Rank.ADMIN), "undo", {"number": 2}, school, book)
    with pytest.raises(ControlError, match="api:minh may not set the log level off"):
        check_permission(Author("api:minh", Rank.ADMIN), "undo", {"number": 2}, school, book)
    with pytest.raises(ControlError, match="minh may not set the log level off; root may"):
        check_permission(Author("minh", Rank.ADMIN), "undo", {"number": 2}, school, book)
    for author in (PRINCIPAL_S_OWN, Author("root", Rank.ADMIN, is_fresh=True)):
        check_permission(author, "undo", {"number": 2}, school, book)


def test_to_undo_a_level_or_what_waits_for_a_second_person_takes_no_password() -> None:
    minh = Author("web:minh", Rank.ADMIN)
    for level in ("off", "full", "counts"):
        book = _after("minh", "log-level", {"level": level, "ends_at": EVENING})
        school = Classroom(SCHOOL, book.overrides, NOW, EVENING, lambda _: "lab")
        check_permission(minh, "undo", {"number": 1}, school, book)
        book.make("revoke", author="minh", id=1)
        if level != "off":
            school = Classroom(SCHOOL, book.overrides, NOW, EVENING, lambda _: "lab")
            check_permission(minh, "undo", {"number": 2}, school, book)


@pytest.mark.control
def test_control_by_its_kind_alone_the_undo_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "PROVED", ())
    school, book = _after_off_was_revoked()
    check_permission(Author("web:minh", Rank.ADMIN), "undo", {"number": 2}, school, book)


def _refusal_to_confirm(author: Author, *settings: LogSetting) -> str:
    try:
        check_confirmation(author, ConfirmLogging(5), Overrides(log_settings=settings), (), NOW)
    except ControlError as error:
        return str(error)
    return ""


def test_who_may_confirm_is_by_who_set_the_level_that_is_confirmed() -> None:
    mine, of_root = (
        LogSetting(number, "primary", "full", "điều tra", by, NOW, NOW + 60)
        for number, by in ((4, "lan"), (5, "root"))
    )
    admin = Author.of(1000, "minh", [Role.ADMIN.group], own_uid=999)
    assert _refusal_to_confirm(admin, replace(mine, id=5), replace(of_root, id=4)) == ""
    assert _refusal_to_confirm(admin, mine, of_root).endswith(f"in: {Role.PRINCIPAL.group}")


def test_a_refusal_to_confirm_names_the_groups_in_order_and_the_days() -> None:
    setting = LogSetting(5, "primary", "full", "điều tra", "lan", NOW, NOW + 60)
    teacher = Author.of(1000, "hoa", [Role.TEACHER.group], own_uid=999)
    groups = ", ".join(sorted((Role.PRINCIPAL.group, Role.ADMIN.group)))
    assert _refusal_to_confirm(teacher, setting).endswith(f"in: {groups}")
    noted = {"what": "code", "account": "hoa"}
    row = HistoryRow.of(4, NOW, "lan", "account", noted, "", ChangeEffect(), GENESIS)
    author = Author.of(1000, "hoa", [Role.PRINCIPAL.group], own_uid=999)
    with pytest.raises(ControlError, match="within the last 7 days"):
        check_confirmation(
            author, ConfirmLogging(5), Overrides(log_settings=(setting,)), [row], NOW
        )


@pytest.mark.parametrize(("lasts_s", "may"), [(1.5, True), (1.0, True), (0.5, False)])
def test_a_teacher_looks_at_a_class_that_is_lent_for_a_second_more(
    lasts_s: float, may: bool
) -> None:
    classes = (SchoolClass("7A", "7", ("lan",)), SchoolClass("8A", "8", ("minh",)))
    loan = ClassLoan(3, "8A", "lan", "", "minh", NOW - 60, NOW + lasts_s)
    policy = replace(SCHOOL, classes=classes)
    classroom = Classroom(policy, Overrides(loans=(loan,)), NOW, EVENING, lambda _: "lab")
    assert readable_classes(TEACHER, lambda: classroom) == frozenset(("7A", "8A")[: 1 + may])


def test_who_only_reads_does_not_listen_to_a_room() -> None:
    classroom = Classroom(SCHOOL, Overrides(), NOW, EVENING, lambda _: "lab")
    with pytest.raises(ControlError, match="pupil may not watch what a room looks up"):
        check_listening(Author("pupil", Rank.READER), "lab", classroom)
    check_listening(TEACHER, "lab", classroom)


def test_a_class_may_be_lent_for_two_weeks_to_the_second() -> None:
    classes = (SchoolClass("7A", "7", ("lan",)),)
    classroom = Classroom(
        replace(SCHOOL, classes=classes), Overrides(), NOW, EVENING, lambda _: "lab"
    )
    for longer_s, may in ((0.0, True), (1.0, False)):
        ends_at = NOW + 14 * 86_400 + longer_s
        payload = {"class_id": "7A", "to": "minh", "ends_at": ends_at}
        refused = pytest.raises(FilterdError, match="14 days at most")
        with nullcontext() if may else refused:
            check_permission(TEACHER, "class-lend", payload, classroom)


def test_to_accept_the_clock_dates_what_is_guarded_and_takes_no_proof() -> None:
    book = Book(FORTNIGHT)
    until = FORTNIGHT + 3600
    book.make("exception", author="minh", **an_exception(starts_at=FORTNIGHT + 60, ends_at=until))
    school = GUARDED_SCHOOL._replace(overrides=book.overrides)
    accept = {"ahead_s": 14 * 86_400.0}
    check_permission(Author("web:minh", Rank.ADMIN), "clock-accept", accept, school, book)


def test_what_filterd_has_ended_no_undo_makes_endless_again() -> None:
    book = _after("minh", "exception", an_exception(audience="grade", whom="7"))
    book.make("guarded-end", author="filterd", numbers=[1], ends_at=FORTNIGHT)
    school = GUARDED_SCHOOL._replace(overrides=book.overrides)
    with pytest.raises(ChangeError, match="14 days at most"):
        check_permission(PRINCIPAL_S_OWN, "undo", {"number": 2}, school, book)


def test_what_ends_sooner_keeps_its_end() -> None:
    book = _after("minh", "exception", an_exception(ends_at=NOW + 60))
    book.make("exception", author="minh", **an_exception(target="b.example"))
    book.make("guarded-end", author="filterd", numbers=[1, 2], ends_at=FORTNIGHT)
    assert [exception.ends_at for exception in book.overrides.exceptions] == [NOW + 60, FORTNIGHT]
