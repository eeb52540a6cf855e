# SPDX-License-Identifier: Apache-2.0
"""A room's row has its grade, the source of it and its end; they are worded for people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from filterd.overrides.current_rows import (
    CLASS,
    CLASSES,
    LEVELS,
    ROOM,
    ROOMS,
    class_rows,
    is_changed,
    level_lines,
    level_rows,
    levels_style,
    named_rows,
    room_row,
    room_rows,
    waiting_rows,
    waiting_sentence,
    week,
)
from filterd.policy.effective_policy import EffectiveState, at
from filterd.policy.log_levels import LogLevel, QueryLog
from filterd.policy.model import Holiday, Network, Period
from filterd.policy.temporary_rules import ClassLoan, LogSetting, Overrides, RoomSetting
from filterd.policy.unknown_time import UNKNOWN_LEAD_S
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
from tests.support.policies import NOW, a_policy
from tests.support.week import SEVEN, an_exam, timetabled, with_classes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.policy.model import Policy
    from filterd.texts.rows import Column, Row

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SET = RoomSetting(4, "lab", "8", "vì thế", "lan", SEVEN, SEVEN + 600)


def _now(now: float = SEVEN + 60, policy: Policy | None = None, **overrides: Any) -> EffectiveState:
    policy, set_ = policy or timetabled(), Overrides(**overrides)
    return EffectiveState(policy, set_, at(policy, set_, now), SchoolClock(ZONE, now))


def _row_texts(row: Row, now: float = SEVEN + 60) -> list[str]:
    wording = Wording(Texts("en"), SchoolClock(ZONE, now))
    return [column.cell(row, wording)[0] for column in ROOMS.columns]


@pytest.mark.parametrize(
    ("overrides", "lines"),
    [
        ({}, ["lab", "6", "tiet-1", "07:45", "1"]),
        ({"rooms": (SET,)}, ["lab", "8", "set by lan", "07:10", "1"]),
        ({"exams": (an_exam(),)}, ["lab", "6", "exam 9", "08:00", "1"]),
    ],
)
def test_a_room_is_reported_with_its_grade_the_source_and_the_end(
    overrides: dict[str, Any], lines: list[str]
) -> None:
    lab, office = room_rows(_now(**overrides))
    assert _row_texts(lab) == lines
    assert (is_changed(lab), is_changed(office)) == (True, False)
    assert _row_texts(office) == ["office", "staff", "", "", ""]


def test_between_lessons_the_row_states_it() -> None:
    lab, _ = room_rows(_now(SEVEN + 46 * 60))
    assert _row_texts(lab)[2:4] == ["between lessons", "07:50"]


def test_details_have_a_line_for_each_thing_that_is_set() -> None:
    now = _now(rooms=(SET,), exams=(an_exam(),))
    row = room_row(now, now.policy.networks[0])
    wording = Wording(Texts("en"), now.clock)
    lines = [text for column in ROOM.columns for text, _ in column.cells(row, wording)]
    assert lines[0] == "grade 8"
    assert lines[-2] == "room lab has grade 8 until 07:10"
    assert lines[-1].startswith("exam in room lab")
    assert len(row["timetable"]) == 2


def test_a_week_has_the_weekdays_and_lessons_that_are_used() -> None:
    now = _now()
    listing, rows = week(now, now.policy.networks[0])
    assert [column.heading for column in listing.columns] == ["", "Mon"]
    assert rows == [{"lesson": "tiet-1", "0": "6"}, {"lesson": "tiet-2", "0": "9"}]


LOANS = tuple(
    ClassLoan(number, "6A", to, "", "root", SEVEN - 60, ends_at)
    for number, to, ends_at in ((1, "minh", SEVEN + 60), (2, "hoa", SEVEN - 1))
)


def _class_rows(now: float) -> dict[str, dict[str, object]]:
    policy = with_classes(timetabled("6A", "9B"))
    home = Network("p-101", "6A", ("203.0.113.0/24",))
    policy = replace(policy, networks=(*policy.networks, home))
    overrides = Overrides(loans=LOANS)
    clock = SchoolClock(ZoneInfo(policy.time_zone), now)
    state = EffectiveState(policy, overrides, at(policy, overrides, now), clock)
    return {str(row["class"]): row for row in class_rows(state)}


def test_a_class_has_its_teachers_home_lessons_and_loans_that_last() -> None:
    row = _class_rows(SEVEN + 1)["6A"]
    assert (row["grade"], row["teachers"], row["networks"]) == ("6", ["lan"], ["p-101"])
    assert row["sits_in"] == ["lab"]
    assert row["lessons"] == [{"weekday": 0, "lesson": "tiet-1", "room": "lab", "teacher": ""}]
    assert isinstance(row["loans"], list)
    assert [one["to"] for one in row["loans"]] == ["minh"]


def test_between_lessons_no_class_is_said_to_sit_in_a_room() -> None:
    rows = _class_rows(SEVEN + 2_800)
    assert [row["sits_in"] for row in rows.values()] == [[], [], []]


FULL = LogSetting(7, "primary", "full", "điều tra", "lan", NOW, NOW + 3600, "minh")
WAITING = replace(FULL, id=8, confirmed_by="")
CLOCK = SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), NOW)
WORDING = Wording(Texts("en"), CLOCK)


def _log_state(now: float = NOW) -> EffectiveState:
    policy = replace(a_policy(), log=QueryLog(tiers={"staff": LogLevel.NAMES}))
    overrides = Overrides(log_settings=(FULL, WAITING))
    return EffectiveState(policy, overrides, at(policy, overrides, now), CLOCK)


def test_each_tier_has_its_level_that_of_the_files_and_the_setting() -> None:
    rows = {row["tier"]: row for row in level_rows(_log_state())}
    assert (rows["primary"]["level"], rows["primary"]["files"]) == ("full", "counts")
    assert rows["primary"]["setting"]["confirmed_by"] == "minh"
    assert (rows["staff"]["level"], rows["staff"]["setting"]) == ("names", None)
    assert [row["tier"] for row in named_rows(list(rows.values()))] == ["primary", "staff"]
    assert [row["id"] for row in waiting_rows(_log_state())] == [8]


def test_a_status_has_full_with_its_end_and_both_people_and_what_waits() -> None:
    day = {
        "log_levels": named_rows(level_rows(_log_state())),
        "log_waiting": waiting_rows(_log_state()),
    }
    full, staff, waits = level_lines(day, WORDING).splitlines()
    assert full.startswith("primary: full until ")
    assert full.endswith("(set by lan, confirmed by minh)")
    assert staff == "staff: names"
    assert waits.endswith("to confirm it: filterd log confirm 8")
    assert "(set by lan)" in waits
    assert levels_style(day) == "yellow"


def test_a_status_of_totals_only_has_no_line_and_names_no_colour() -> None:
    assert (level_lines({}, WORDING), levels_style({})) == ("", "")
    names = {"log_levels": [row for row in level_rows(_log_state()) if row["tier"] == "staff"]}
    assert levels_style(names) == ""


def test_at_an_unknown_time_a_setting_that_does_not_hold_is_not_shown_as_holding() -> None:
    rows = {row["tier"]: row for row in level_rows(_log_state(UNKNOWN_LEAD_S))}
    assert (rows["primary"]["level"], rows["primary"]["setting"]) == ("counts", None)


def test_a_row_of_a_room_is_whole() -> None:
    lab, office = room_rows(_now())
    assert lab == {
        "room": "lab",
        "is_room": True,
        "grade": "6",
        "class": None,
        "why": "lesson",
        "lesson": "tiet-1",
        "author": None,
        "until": SEVEN + 2_700,
        "exam": None,
        "holiday": None,
        "has_timetable": True,
        "cidrs": ["192.0.2.0/24"],
        "interfaces": [],
        "macs": ["02:00:5e:00:00:01"],
    }
    assert (office["is_room"], office["has_timetable"], office["until"]) == (False, False, None)


@pytest.mark.parametrize(
    ("now", "lesson"),
    [
        (SEVEN, "tiet-1"),
        (SEVEN + 2_699, "tiet-1"),
        (SEVEN + 2_700, None),
        (SEVEN + 3_000, "tiet-2"),
        (SEVEN - 1, None),
    ],
)
def test_the_lesson_is_that_of_the_moment(now: float, lesson: str | None) -> None:
    assert room_rows(_now(now))[0]["lesson"] == lesson


def test_of_two_lessons_that_touch_the_second_is_on_when_it_begins() -> None:
    school = timetabled()
    second = replace(school.lessons[1], starts_s=school.lessons[0].ends_s)
    policy = replace(school, lessons=(school.lessons[0], second))
    assert room_rows(_now(SEVEN + 2_700, policy))[0]["lesson"] == "tiet-2"


def test_a_class_is_named_in_its_lesson_and_not_between_lessons() -> None:
    policy = with_classes(timetabled("6A", "9B"))
    assert room_rows(_now(policy=policy))[0]["class"] == "6A"
    between = room_rows(_now(SEVEN - 60, policy))[0]
    assert (between["class"], between["grade"], between["why"]) == (None, "6", "between")


def test_a_holiday_is_named_where_it_is_why_there_is_no_lesson() -> None:
    holiday = Holiday("2026-03-02", "2026-03-02", "Lễ", "Day off")
    other = Holiday("2026-03-01", "2026-03-01", "Hôm qua", "The day before")
    policy = timetabled(holidays=(other, holiday))
    lab, office = room_rows(_now(policy=policy))
    assert (lab["holiday"], office["holiday"]) == ({"vi": "Lễ", "en": "Day off"}, None)
    assert _row_texts(lab)[2] == "holiday Day off"
    assert _row_texts({**lab, "holiday": None})[2] == "between lessons"


def test_a_lesson_without_a_name_is_one_all_the_same() -> None:
    lab, _ = room_rows(_now())
    assert _row_texts({**lab, "lesson": None})[2] == "a lesson"


def test_a_room_shows_what_is_set_for_it_and_has_not_ended() -> None:
    others = replace(SET, id=5, room="office"), replace(SET, id=6, ends_at=SEVEN + 60)
    now = _now(rooms=(SET, *others), exams=(an_exam(), an_exam(id=3, room="office")))
    row = room_row(now, now.policy.networks[0])
    assert ([one["id"] for one in row["rooms"]], [one["id"] for one in row["exams"]]) == ([4], [9])
    assert row["timetable"][0] == {"weekday": 0, "lesson": "tiet-1", "grade": "6"}


def test_a_week_has_a_cell_for_each_day_and_leaves_out_lessons_without_one() -> None:
    periods = (Period(4, "tiet-2", "9"), Period(1, "tiet-2", "8"))
    lab = Network("lab", "6", room=True, timetable=periods)
    listing, rows = week(_now(), lab)
    assert [column.heading for column in listing.columns] == ["", "Tue", "Fri"]
    assert rows == [{"lesson": "tiet-2", "1": "8", "4": "9"}]
    assert [column.cell(rows[0], LEVEL)[0] for column in listing.columns] == ["tiet-2", "8", "9"]
    assert not listing.is_whole
    _, rows = week(_now(), replace(lab, timetable=(Period(1, "tiet-1", "6"), *periods)))
    assert [row["lesson"] for row in rows] == ["tiet-1", "tiet-2"], "a day without one has no say"


LEVEL = Wording(Texts("en"), SchoolClock(ZONE, NOW))


def _level_texts(row: Row) -> list[str]:
    return [column.cell(row, LEVEL)[0] for column in LEVELS.columns]


def test_a_level_has_its_source_and_its_reason() -> None:
    rows = {row["tier"]: row for row in level_rows(_log_state())}
    assert _level_texts(rows["staff"])[2:] == ["site.yaml", ""]
    source, reason = _level_texts(rows["primary"])[2:]
    assert source.startswith("change 7 until ")
    assert source.endswith("(set by lan, confirmed by minh)")
    assert reason == "điều tra"
    assert LEVELS.columns[1].cell(rows["primary"], LEVEL)[1] == "yellow"
    nobody = {**rows["primary"], "setting": {**rows["primary"]["setting"], "author": ""}}
    assert _level_texts(nobody)[2] == source.partition(" (")[0]


def test_a_level_that_waits_names_who_set_it_where_that_is_known() -> None:
    (waiting,) = waiting_rows(_log_state())
    with_author = waiting_sentence(waiting, LEVEL)
    assert " (set by lan) waits for a second person" in with_author
    nobody = waiting_sentence({**waiting, "author": ""}, LEVEL)
    assert nobody == with_author.replace(" (set by lan)", "")


def test_what_waits_waits_until_its_end_and_full_alone_has_a_colour() -> None:
    assert waiting_rows(_log_state(NOW)) != []
    late = SchoolClock(ZONE, NOW + 3600)
    assert waiting_rows(replace(_log_state(NOW), clock=late)) == []
    assert levels_style({"log_levels": [{"level": "full"}]}) == "yellow"
    assert levels_style({"log_waiting": [{}]}) == "yellow"
    assert levels_style({"log_levels": [{"level": "blocked"}], "log_waiting": []}) == ""


def test_a_class_says_where_it_sits_who_has_it_and_when() -> None:
    wording = Wording(Texts("en"), SchoolClock(ZONE, SEVEN + 1))
    row = _class_rows(SEVEN + 1)["6A"]
    shown = [one.cell(row, wording)[0] for one in CLASSES.columns]
    assert shown[:5] == ["6A", "6", "lan", "p-101", "lab"]
    assert shown[5].startswith("minh ")
    assert isinstance(row["lessons"], list)
    lessons = [{**one, "teacher": teacher} for one in row["lessons"] for teacher in ("", "hoa")]
    (column,) = (one for one in CLASS.columns if one.each == "lessons")
    found = [text for text, _ in column.cells({"lessons": lessons}, wording)]
    assert found == ["Mon tiet-1: lab", "Mon tiet-1: lab, hoa"]


def test_details_are_headed_by_the_room_and_the_class() -> None:
    assert ROOM.title({"room": "lab"}, WORDING) == "lab"
    assert CLASS.title({"class": "6A"}, WORDING) == "class 6A"


def test_a_row_of_a_network_is_its_own() -> None:
    now = _now()
    assert [room_row(now, network)["room"] for network in now.policy.networks] == ["lab", "office"]


def test_an_exam_changes_a_network_that_has_its_own_grade() -> None:
    assert is_changed({"why": "own", "exam": 9})
    assert not is_changed({"why": "own", "exam": None})


def test_the_list_of_rooms_names_the_class_in_a_lesson() -> None:
    lab, _ = room_rows(_now(policy=with_classes(timetabled("6A", "9B"))))
    assert _row_texts(lab)[1] == "6A"
    assert lab["lesson"] == "tiet-1"


def test_a_room_that_is_set_has_no_lesson() -> None:
    lab, _ = room_rows(_now(rooms=(SET,)))
    assert (lab["why"], lab["lesson"], lab["author"]) == ("set", None, "lan")


def test_a_class_has_no_seat_and_no_loan_of_another() -> None:
    row = _class_rows(SEVEN + 1)["9B"]
    assert (row["sits_in"], row["loans"]) == ([], [])


def test_loans_of_a_class_stand_in_a_line_each() -> None:
    loans = [{"to": to, "starts_at": None, "ends_at": SEVEN + 600} for to in ("minh", "hoa")]
    (column,) = (one for one in CLASSES.columns if one.key == "loans")
    shown = column.cell({"loans": loans}, Wording(Texts("en"), SchoolClock(ZONE, SEVEN)))[0]
    assert shown == "minh until 07:10\nhoa until 07:10"


BY = Wording(Texts("en"), SchoolClock(ZONE, SEVEN + 60))


def _shown(columns: Iterable[Column], row: Row) -> dict[str, list[str]]:
    """Return the texts under each heading."""
    found = dict[str, list[str]]()
    for column in columns:
        found.setdefault(str(column.heading), []).extend(text for text, _ in column.cells(row, BY))
    return found


def test_a_room_shows_all_that_it_has() -> None:
    now = _now(rooms=(SET,), exams=(an_exam(),))
    row = room_row(now, now.policy.networks[0])
    row |= {"cidrs": ["10.0.0.0/24"], "interfaces": ["eth1"], "macs": ["aa", "bb"]}
    found = _shown(ROOM.columns, row)
    assert found == {
        "Grade": ["grade 8"],
        "Because": ["exam 9"],
        "Until": ["08:00"],
        "Ranges": ["10.0.0.0/24, eth1"],
        "Devices": ["aa\nbb"],
        "Set": ["room lab has grade 8 until 07:10"],
        "Exam": ["exam in room lab (1 name, services: -) until 08:00"],
    }
    assert _shown(ROOMS.columns, row)["Devices"] == ["2"]
    assert _shown(ROOMS.columns, {**row, "macs": []})["Devices"] == [""]
    assert not ROOMS.is_whole


def test_a_room_that_is_as_in_the_files_has_no_end() -> None:
    office = room_rows(_now())[1]
    assert _shown(ROOMS.columns, {**office, "until": SEVEN + 600})["Until"] == [""]


def test_a_class_shows_all_that_it_has() -> None:
    exception = {"kind": "name", "target": "a.example", "allow": True, "audience": "class"}
    row: Row = {
        "class": "6A",
        "grade": "6",
        "teachers": ["lan", "hoa"],
        "networks": ["p-101", "p-102"],
        "sits_in": ["lab"],
        "loans": [{"class_id": "6A", "to": "minh", "ends_at": SEVEN + 600}],
        "lessons": [{"weekday": 0, "lesson": "tiet-1", "room": "lab", "teacher": ""}],
        "exceptions": [{**exception, "whom": "6A"}],
    }
    common = {
        "Grade": ["6"],
        "Teachers": ["lan, hoa"],
        "Home room": ["p-101, p-102"],
        "Sits in": ["lab"],
    }
    assert _shown(CLASS.columns, row) == {
        **common,
        "Lent": ["class 6A is lent to minh until 07:10"],
        "Lessons": ["Mon tiet-1: lab"],
        "Set": ["allow a.example for class 6A"],
    }
    assert _shown(CLASSES.columns, row) == {
        "Class": ["6A"],
        **common,
        "Lent": ["minh until 07:10"],
    }


def test_a_tier_shows_its_level() -> None:
    row = {"tier": "lower-secondary", "level": "names", "files": "names", "setting": None}
    assert _shown(LEVELS.columns, row) == {
        "Tier": ["lower secondary"],
        "Level": ["names"],
        "Source": ["site.yaml"],
        "Reason": [""],
    }
