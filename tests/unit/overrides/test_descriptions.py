# SPDX-License-Identifier: Apache-2.0
"""Settings and changes are described in words."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from filterd.overrides.descriptions import Describer, not_ended, state_of, warning_sentence
from filterd.overrides.history.history_chain import VIEW
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
from tests.support.changes import LESSON_S, Book, a_table
from tests.support.fake_daemon import MONDAY_AT_8

CLOCK = SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), MONDAY_AT_8)
DESCRIBER = Describer(Texts("en"), CLOCK)


def _book() -> Book:
    book = Book(MONDAY_AT_8)
    ends_at = MONDAY_AT_8 + LESSON_S
    book.make("room", room="lab-a", grade="staff", ends_at=ends_at)
    book.make("room-devices", room="lab-a", macs=["02:00:5e:00:00:01"])
    book.make("exam", room="lab-a", names=["a.example"], services=["azota"], ends_at=ends_at)
    book.make("grade", grade="7", target_kind="category", target="games", opens=False)
    book.make("exam-stop", id=3)
    book.make("room-devices", room="lab-a", macs=[])
    book.make("undo", number=4)
    book.make("report-mistake", name="vnu.edu.vn", ends_at=ends_at)
    book.make("device-table", rooms=a_table(lab_a=["02:00:5e:00:00:01"], lab_b=[]))
    book.make("device-table", rooms=a_table(lab_b=["02:00:5e:00:00:02"], lab_a=[]))
    book.make("room-devices", room="lab-c", macs=[])
    book.make("pause", audience="grade", whom="6", ends_at=ends_at)
    book.make("device-name", mac="02:00:5e:00:00:01", name="Máy 1")
    book.make("device-name", mac="02:00:5e:00:00:01", name="")
    return book


def test_every_kind_of_change_has_words() -> None:
    sentences = [DESCRIBER.row(row.to_plain()) for row in _book().rows]
    exam = "exam in room lab-a (1 name, services: azota) until 08:45"
    assert sentences == [
        "room lab-a has staff until 08:45",
        "devices of room lab-a: 1",
        exam,
        "close category:games to grade 7",
        f"ended: {exam}",
        "the devices of room lab-a are those of site.yaml again",
        "change 4 is undone",
        "allow entry:vnu.edu.vn for everybody until 08:45",
        "devices of room lab-a: 1",
        "devices of room lab-b: 1, the devices of room lab-a are those of site.yaml again",
        "the devices of room lab-c are those of site.yaml again",
        "pause for grade 6 until 08:45",
        "device 02:00:5e:00:00:01 is named Máy 1",
        "device 02:00:5e:00:00:01 has no name",
    ]


@pytest.mark.parametrize(
    ("payload", "sentences"),
    [
        (
            {"what": "added", "roles": ["admin", "teacher"]},
            "account lan added (administrator, teacher)",
        ),
        ({"what": "disabled"}, "account lan disabled"),
        (
            {"what": "token-revoked", "label": "{x}"},
            "an API token of account lan was revoked ({x})",
        ),
    ],
)
def test_a_change_of_an_account_is_a_sentence(payload: dict[str, Any], sentences: str) -> None:
    row = {"kind": "account", "payload": {"account": "lan", **payload}, "before": {}, "after": {}}
    assert DESCRIBER.row(row) == sentences


def test_a_history_that_begins_anew_is_described_as_such() -> None:
    row = {"kind": "restored", "payload": {"file": "x.damaged"}, "before": {}, "after": {}}
    assert DESCRIBER.row(row) == "a new history begins; the damaged file: x.damaged"


@pytest.mark.parametrize(
    ("audience", "whom", "sentences"),
    [
        ("everybody", "", "everybody"),
        ("tier", "lower-secondary", "lower secondary"),
        ("grade", "8", "grade 8"),
        ("grade", "staff", "staff"),
        ("network", "lab-a", "lab-a"),
        ("client", "10.0.0.1", "10.0.0.1"),
    ],
)
def test_an_audience_has_words(audience: str, whom: str, sentences: str) -> None:
    assert DESCRIBER.whom(audience, whom) == sentences


@pytest.mark.parametrize(
    ("starts", "ends", "state"),
    [(-1, None, "on"), (0, 1, "on"), (-2, 0, "ended"), (1, 2, "coming"), (1, None, "coming")],
)
def test_what_is_in_force_is_reported_to_the_second(
    starts: int, ends: int | None, state: str
) -> None:
    thing = {
        "starts_at": MONDAY_AT_8 + starts,
        "ends_at": None if ends is None else MONDAY_AT_8 + ends,
    }
    assert state_of(thing, MONDAY_AT_8) == state
    assert bool(not_ended([thing], MONDAY_AT_8)) is (state != "ended")


EIGHT = MONDAY_AT_8
TOMORROW = EIGHT + 86_400
MIDNIGHT = EIGHT + 16 * 3600


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ({}, ""),
        ({"starts_at": EIGHT - 60}, ""),
        ({"starts_at": EIGHT}, ""),
        ({"starts_at": EIGHT + 60}, "from 08:01"),
        ({"ends_at": EIGHT + 2_700}, "until 08:45"),
        ({"starts_at": EIGHT + 60, "ends_at": EIGHT + 2_700}, "from 08:01 until 08:45"),
        ({"starts_at": EIGHT - 60, "ends_at": EIGHT + 2_700}, "until 08:45"),
        ({"ends_at": TOMORROW}, "until 08:00 01/12/2026 (Tue)"),
        (
            {"starts_at": TOMORROW, "ends_at": TOMORROW + 60},
            "from 08:00 01/12/2026 (Tue) until 08:01",
        ),
        ({"ends_at": MIDNIGHT}, "until the end of 30/11/2026 (Mon)"),
        ({"for_s": 2_700, "ends_at": EIGHT}, "for 45 minutes from when the time is known"),
        ({"for_s": None, "ends_at": EIGHT + 2_700}, "until 08:45"),
    ],
)
def test_a_term_leaves_out_what_is_past_and_what_goes_without_saying(
    term: dict[str, Any], words: str
) -> None:
    today = DESCRIBER.clock.shows(EIGHT)
    shift = f"{today:%d/%m/%Y}"
    assert today.weekday() == 0
    dated = words.replace("30/11/2026", shift)
    tomorrow = DESCRIBER.clock.shows(TOMORROW)
    assert DESCRIBER.term(term) == dated.replace("01/12/2026", f"{tomorrow:%d/%m/%Y}")


@pytest.mark.parametrize(
    ("confirmed_by", "tier", "words"),
    [
        ("", "", "log level full for all tiers until 08:45"),
        ("minh", "primary", "log level full for primary until 08:45 (confirmed by minh)"),
        ("", "lower-secondary", "log level full for lower secondary until 08:45"),
    ],
)
def test_a_level_of_the_log_names_who_confirmed_it(
    confirmed_by: str, tier: str, words: str
) -> None:
    thing = {"level": "full", "tier": tier, "confirmed_by": confirmed_by, "author": "lan"}
    assert DESCRIBER.thing("log_settings", thing | {"ends_at": EIGHT + 2_700}) == words
    both = "set by lan, confirmed by minh" if confirmed_by else "set by lan"
    assert DESCRIBER.agreed(thing) == both


@pytest.mark.parametrize(
    ("days", "class_id", "words"),
    [
        ([], None, "looked at rows"),
        (["a", "b", "c"], None, "looked at rows (a, b, c)"),
        (["a", "b", "c", "d"], None, "looked at rows (a ... d)"),
        (["a"], "6A", "looked at rows (class 6A, a)"),
    ],
)
def test_a_look_names_the_class_and_the_days(
    days: list[str], class_id: str | None, words: str
) -> None:
    payload = {"view": "unheard", "days": days, "class_id": class_id}
    found = DESCRIBER.row({"kind": VIEW, "payload": payload, "before": {}, "after": {}})
    assert found == words.replace("rows", "unheard")


@pytest.mark.parametrize(
    ("thing", "state"),
    [
        ({}, "on"),
        ({"starts_at": None, "ends_at": None}, "on"),
        ({"starts_at": 9.0}, "on"),
        ({"starts_at": 9.5}, "coming"),
        ({"ends_at": 9.0}, "ended"),
        ({"ends_at": 9.5}, "on"),
        ({"starts_at": 9.5, "ends_at": 9.0}, "ended"),
    ],
)
def test_a_thing_is_on_from_its_begin_to_just_before_its_end(
    thing: dict[str, Any], state: str
) -> None:
    assert state_of(thing, 9.0) == state
    assert not_ended([thing], 9.0) == ([] if state == "ended" else [thing])


WORDING = Wording(Texts("en"), CLOCK)


@pytest.mark.parametrize(
    ("warning", "words"),
    [
        ("what is this", "what is this"),
        (5, "5"),
        ({"warning": "unheard", "a": 1}, "warning unheard, a 1"),
        ({"warning": "idle"}, "warning idle"),  # its values are missing
        (
            {"warning": "contradiction", "number": 7, "author": "lan"},
            None,
        ),
    ],
)
def test_a_warning_that_is_not_known_is_shown_as_it_came(warning: Any, words: str | None) -> None:
    found = warning_sentence(warning, WORDING)
    if words is None:
        assert "7" in found
        assert not found.startswith("warning")
    else:
        assert found == words


def test_a_warning_shows_times_by_the_clock_and_reasons_in_words() -> None:
    found = warning_sentence(
        {"warning": "exam", "exam": 9, "room": "lab", "from_at": EIGHT, "until_at": EIGHT + 2_700},
        WORDING,
    )
    assert "08:00" in found
    assert "08:45" in found
    idle = {"warning": "idle", "target": "a.example", "why": "not-blocked"}
    assert "not-blocked" not in warning_sentence(idle, WORDING)


def test_a_history_that_begins_anew_without_a_file_says_so() -> None:
    row = {"kind": "restored", "payload": {"file": None}, "before": {}, "after": {}}
    assert DESCRIBER.row(row) == "a new history begins; the damaged file: -"


@pytest.mark.parametrize(("allow", "verb"), [(True, "allow"), (False, "block")])
def test_an_exception_allows_or_blocks(allow: bool, verb: str) -> None:
    thing = {"kind": "name", "target": "a.example", "allow": allow}
    thing |= {"audience": "grade", "whom": "6"}
    assert DESCRIBER.thing("exceptions", thing) == f"{verb} a.example for grade 6"


@pytest.mark.parametrize(
    ("kind", "payload", "sentence"),
    [
        ("clock", {}, "the time is known"),
        ("exam-trial", {"room": "lab-a"}, "a trial run in room lab-a"),
        ("from-backup", {"made_at": EIGHT}, "restored from the backup of 08:00"),
        ("site-edit", {"keys": ["networks", "classes"]}, "site.yaml: networks, classes"),
        ("site-edit", {}, "site.yaml: "),
        ("log-view", {"view": "unheard"}, "looked at unheard"),
        ("log-view", {"view": "unheard", "days": None}, "looked at unheard"),
        ("log-removal", {"what": "unheard", "day": "2026-11-30"}, "unheard (2026-11-30)"),
        ("log-removal", {"what": "unheard"}, "unheard"),
        ("undo", {"number": 7}, "change 7 is undone"),
    ],
)
def test_a_note_of_the_history_is_a_sentence(
    kind: str, payload: dict[str, Any], sentence: str
) -> None:
    row = {"kind": kind, "payload": payload, "before": {}, "after": {}}
    assert DESCRIBER.row(row) == sentence


def test_what_was_revoked_is_what_has_ended() -> None:
    book = Book(MONDAY_AT_8)
    book.make("grade", grade="7", target_kind="category", target="games", opens=False)
    row = book.make("revoke", id=1)
    assert DESCRIBER.row(row.to_plain()) == "ended: close category:games to grade 7"


def test_a_category_is_opened_or_closed_to_a_grade() -> None:
    thing = {"kind": "category", "target": "games", "grade": "7"}
    found = [DESCRIBER.thing("grades", {**thing, "opens": opens}) for opens in (True, False)]
    assert found == ["open category:games to grade 7", "close category:games to grade 7"]


def test_a_loan_names_class_and_borrower() -> None:
    thing = {"class_id": "6A", "to": "minh", "starts_at": None, "ends_at": EIGHT + 2_700}
    assert DESCRIBER.thing("loans", thing) == "class 6A is lent to minh until 08:45"


def test_a_name_of_a_device_is_a_thing_too() -> None:
    thing = {"mac": "02:00:5e:00:00:01", "name": "Máy 1"}
    expected = "device 02:00:5e:00:00:01 is named Máy 1"
    assert DESCRIBER.thing("device_names", thing) == expected


def test_an_exam_without_services_says_so() -> None:
    thing = {"room": "lab-a", "names": ["a.example"], "services": [], "ends_at": EIGHT + 2_700}
    expected = "exam in room lab-a (1 name, services: -) until 08:45"
    assert DESCRIBER.thing("exams", thing) == expected


def test_a_room_that_gets_other_devices_is_not_as_in_the_files_again() -> None:
    book = Book(MONDAY_AT_8)
    book.make("room-devices", room="lab-a", macs=["02:00:5e:00:00:01"])
    row = book.make("room-devices", room="lab-a", macs=["02:00:5e:00:00:01", "02:00:5e:00:00:02"])
    assert DESCRIBER.row(row.to_plain()) == "devices of room lab-a: 2"


def test_an_end_on_another_day_than_the_start_has_its_date() -> None:
    term = {"starts_at": TOMORROW, "ends_at": TOMORROW + 86_400}
    start, end = (f"{DESCRIBER.clock.shows(one):%d/%m/%Y}" for one in term.values())
    assert DESCRIBER.term(term) == f"from 08:00 {start} (Tue) until 08:00 {end} (Wed)"


def test_what_starts_at_the_first_second_is_on_then() -> None:
    assert state_of({"starts_at": None}, 0.5) == "on"
    assert state_of({}, 0.5) == "on"


def test_a_table_that_empties_a_room_gives_it_back_to_the_files() -> None:
    book = Book(MONDAY_AT_8)
    book.make("room-devices", room="lab-a", macs=["02:00:5e:00:00:01"])
    row = book.make("device-table", rooms=a_table(lab_a=[]))
    expected = "the devices of room lab-a are those of site.yaml again"
    assert DESCRIBER.row(row.to_plain()) == expected


def test_a_table_that_changes_nothing_names_its_rooms() -> None:
    row = Book(MONDAY_AT_8).make("device-table", rooms=a_table(lab_a=[], lab_b=[]))
    of_files = "the devices of room {} are those of site.yaml again"
    expected = ", ".join(of_files.format(one) for one in ("lab-a", "lab-b"))
    assert DESCRIBER.row(row.to_plain()) == expected
