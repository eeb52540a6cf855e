# SPDX-License-Identifier: Apache-2.0
"""The effective policy of a moment: rooms, schedules, exceptions, exams.

``tests/twins/test_naive_week.py`` holds it, second by second, against a naive model.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.lists.rules import SafeSearchRewrite
from filterd.policy import effective_policy, log_levels, policy_file
from filterd.policy.effective_policy import LONGEST_SUSPENSION_S, EffectivePolicy, at
from filterd.policy.engine import Engine
from filterd.policy.grade_changes import LONGEST_PAUSE_S, Why
from filterd.policy.log_levels import LogLevel, level_of
from filterd.policy.model import (
    Audience,
    Client,
    Holiday,
    Schedule,
    Scheduled,
    Window,
)
from filterd.policy.temporary_rules import (
    GradeSetting,
    LocalException,
    LogSetting,
    Overrides,
    RoomDevices,
    RoomSetting,
    TargetKind,
)
from filterd.policy.unknown_time import UNKNOWN_BEFORE, UNKNOWN_LEAD_S, Certainty
from filterd.policy.verdict import Rule
from tests.support.policies import NOW, a_category, a_pin, a_policy, allow, an_index, block, wire
from tests.support.week import (
    PUPIL_PC,
    ROOM,
    SEVEN,
    A,
    a_school,
    an_exam,
    an_exception,
    grade_in,
    scheduled,
    timetabled,
    with_classes,
)

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Policy


def decide(
    folder: Path, moment: EffectivePolicy, name: str, now: float, **lists: tuple[str, bool, str]
) -> tuple[bool, Rule | None]:
    """Ask for a name from the room: whether it is blocked, and which rule decided."""
    texts = {
        list_id.replace("_", ":"): (category, "adblock", own, [line])
        for list_id, (category, own, line) in lists.items()
    }
    texts.setdefault("other", ("games", "adblock", False, ["||elsewhere.example^"]))
    engine = Engine(moment.policy, an_index(folder, texts))
    verdict = engine.decide(Client(grade_in(moment, "lab"), "lab"), wire(name), A, now)
    return verdict.blocked, verdict.match.rule if verdict.match else None


def test_without_time_a_policy_is_its_own_moment() -> None:
    policy = a_school()
    moment = at(policy, Overrides(number=7), SEVEN)
    assert moment.policy is policy
    assert (moment.since, moment.until) == (-inf, inf)
    assert moment.until_of("lab", "6") == inf


def test_what_is_made_is_plain_and_survives_its_file() -> None:
    policy = timetabled(scheduled=scheduled(Scheduled("a", False, "category", "games")).scheduled)
    exception = an_exception(
        "games", kind=TargetKind.CATEGORY, audience=Audience.CLIENT, whom=PUPIL_PC
    )
    moment = at(policy, Overrides((exception,)), SEVEN)
    assert policy_file.parse(policy_file.dump(moment.policy), "policy") == moment.policy
    again = at(moment.policy, Overrides(), SEVEN)
    assert again.policy is moment.policy


@pytest.mark.parametrize(
    ("minutes", "grade", "why", "until"),
    [
        (-5, "6", Why.BETWEEN, 0),
        (0, "6", Why.LESSON, 45),
        (45, "6", Why.BETWEEN, 50),
        (50, "9", Why.LESSON, 95),
    ],
)
def test_a_room_has_the_grade_of_its_lesson_and_between_lessons_the_strictest(
    minutes: int, grade: str, why: Why, until: int
) -> None:
    moment = at(timetabled(), Overrides(), SEVEN + minutes * 60)
    seat = moment.seats["lab"]
    assert (seat.grade, seat.why, moment.until) == (grade, why, SEVEN + until * 60)
    assert grade_in(moment, "lab").grade == grade
    assert moment.until_of("lab", grade) == moment.until
    assert moment.until_of("office", "staff") == inf


def test_a_room_that_was_set_has_that_grade_until_the_time_that_was_said() -> None:
    settings_ = [
        RoomSetting(1, "lab", "9", "", "", SEVEN - 60, SEVEN + 3600),
        RoomSetting(2, "lab", "3", "", "", SEVEN - 30, SEVEN + 600),
        RoomSetting(3, "lab", "44", "no such grade", "", SEVEN - 30, SEVEN + 600),
    ]
    moment = at(timetabled(), Overrides(rooms=tuple(settings_)), SEVEN)
    assert grade_in(moment, "lab").grade == "3"
    assert (moment.since, moment.until) == (SEVEN - 30, SEVEN + 600)
    then = at(timetabled(), Overrides(rooms=tuple(settings_)), SEVEN + 600)
    assert (grade_in(then, "lab").grade, then.seats["lab"].setting) == ("9", settings_[0])


def test_between_lessons_it_may_become_another_grade_s_turn_to_be_the_strictest() -> None:
    ninth = (Audience.GRADE, "9")
    closing = [Scheduled("a", False, "category", one, *ninth) for one in CLOSED_TO_THE_NINTH]
    policy = replace(timetabled(), scheduled=tuple(closing))
    policy = replace(policy, schedules=scheduled(starts_s=25_200 + 46 * 60).schedules)
    overrides = Overrides()
    moments = [at(policy, overrides, SEVEN + minutes * 60) for minutes in (45, 46)]
    assert [grade_in(moment, "lab").grade for moment in moments] == ["6", "9"]
    assert moments[0].until_of("lab", "6") == SEVEN + 46 * 60
    assert moments[0].until_of("office", "staff") == inf


CLOSED_TO_THE_NINTH = ("games", "social-media", "ads-trackers")


def test_learned_devices_stand_instead_of_those_in_the_files() -> None:
    devices = (
        RoomDevices("lab", ("02:00:5e:00:00:02",)),
        RoomDevices("gone", ("02:00:5e:00:00:03",)),
    )
    policy = at(a_school(), Overrides(devices=devices), SEVEN).policy
    assert {network.id: network.macs for network in policy.networks} == {
        "lab": ("02:00:5e:00:00:02",),
        "office": (),
    }


@pytest.mark.parametrize(
    ("what", "grade", "closed"),
    [
        (Scheduled("a", False, "category", "ads-trackers"), "staff", True),
        (Scheduled("a", True, "category", "games"), "6", False),
        (Scheduled("a", True, "category", "games", Audience.GRADE, "7"), "6", True),
        (Scheduled("a", True, "category", "games", Audience.TIER, "lower-secondary"), "6", False),
        (Scheduled("a", True, "category", "porn"), "staff", True),
        (Scheduled("a", True, "category", "law-ordered"), "staff", True),
    ],
)
def test_a_schedule_opens_and_closes_a_category(what: Scheduled, grade: str, closed: bool) -> None:
    moments = [at(scheduled(what), Overrides(), SEVEN + later) for later in (0, 3599, 3600)]
    found = [what.target in moment.policy.grades[grade].closed for moment in moments]
    ever = what.target in a_school().grades[grade].closed
    assert found == [closed, closed, ever]
    assert moments[0].until == moments[1].until == SEVEN + 3600


def test_a_tier_that_is_closed_sees_allowed_names_only(tmp_path: Path) -> None:
    policy = scheduled(Scheduled("a", False, "tier", "lower-secondary"))
    policy = replace(policy, rules=(allow("ok.example"),), pins=(a_pin("pin.example"),))
    moment = at(policy, Overrides((an_exception("extra.example"),)), SEVEN)
    asked = {
        name: decide(tmp_path, moment, name, SEVEN)
        for name in ("www.ok.example", "pin.example", "extra.example", "new.example", "example")
    }
    assert asked == {
        "www.ok.example": (False, Rule.LOCAL),
        "pin.example": (False, Rule.PIN),
        "extra.example": (False, Rule.LOCAL),
        "new.example": (True, Rule.ALLOW_ONLY),
        "example": (True, Rule.ALLOW_ONLY),
    }
    assert not moment.policy.grades["1"].allow_only
    assert decide(tmp_path, at(policy, Overrides(), SEVEN - 1), "new.example", SEVEN - 1) == (
        False,
        None,
    )


def test_a_list_is_opened_and_closed_by_itself(tmp_path: Path) -> None:
    lists = {"one": ("games", False, "||a.example^"), "two": ("games", False, "||b.example^")}
    opening = scheduled(Scheduled("a", True, "list", "one"))
    closing = scheduled(Scheduled("a", False, "list", "two"))
    closing = replace(closing, networks=(replace(ROOM, grade="9"),))
    found = [
        decide(tmp_path, at(policy, Overrides(), SEVEN), name, SEVEN, **lists)[1]
        for policy in (opening, closing)
        for name in ("a.example", "b.example")
    ]
    assert found == [Rule.OPEN, Rule.CATEGORY, Rule.OPEN, Rule.CATEGORY]


def test_a_service_that_is_opened_is_open_although_lists_of_its_category_name_it(
    tmp_path: Path,
) -> None:
    lists = {
        "service_play": ("games", True, "||play.example^"),
        "games": ("games", False, "||play.example^"),
        "ads": ("malware", False, "||ads.play.example^"),
    }
    policy = scheduled(Scheduled("a", True, "service", "play"))
    found = [
        decide(tmp_path, at(policy, Overrides(), now), name, now, **lists)
        for now in (SEVEN - 1, SEVEN)
        for name in ("www.play.example", "ads.play.example")
    ]
    assert found == [
        (True, Rule.CATEGORY),
        (True, Rule.LOCKED),
        (False, Rule.LIST_EXCEPTION),
        (True, Rule.LOCKED),
    ]


def test_a_block_above_a_service_that_is_open_does_not_deny_it(tmp_path: Path) -> None:
    index = an_index(
        tmp_path,
        {
            "service:play": ("games", "adblock", True, ["||mp3.zing.example^"]),
            "games": ("games", "adblock", False, ["||zing.example^"]),
        },
    )
    policy = scheduled(Scheduled("a", True, "service", "play"))
    for now, action in ((SEVEN - 1, "nxdomain"), (SEVEN, "nodata")):
        engine = Engine(at(policy, Overrides(), now).policy, index)
        client = Client(engine.policy.grades["6"])
        assert engine.decide(client, wire("zing.example"), A, now).action == action
        passes = not engine.decide(client, wire("mp3.zing.example"), A, now).blocked
        assert passes is (now == SEVEN)


def test_an_exception_for_a_name_is_a_rule_with_its_dates(tmp_path: Path) -> None:
    overrides = Overrides(
        (an_exception("elsewhere.example", audience=Audience.NETWORK, whom="lab"),)
    )
    for now, blocked in ((SEVEN - 1, True), (SEVEN, False), (SEVEN + 3599, False)):
        moment = at(a_school(), overrides, now)
        assert decide(tmp_path, moment, "elsewhere.example", now)[0] is blocked
        (rule,) = moment.policy.rules
        assert (rule.id, rule.starts_at, rule.ends_at) == ("exception:1", SEVEN, SEVEN + 3600)
        assert moment.until == SEVEN + 3600
    moment = at(a_school(), overrides, SEVEN + 3600)
    assert (moment.policy.rules, moment.since) == ((), SEVEN + 3600)


def test_an_opened_service_keeps_the_level_of_safe_search_of_its_tier(tmp_path: Path) -> None:
    policy = a_school()
    strict = replace(policy.grades["6"], youtube="strict")
    rewrite = SafeSearchRewrite("youtube", "strict", wire("safe.example"), (wire("play.example"),))
    policy = replace(policy, grades=policy.grades | {"6": strict}, rewrites=(rewrite,))
    opened = an_exception("play", kind=TargetKind.SERVICE, audience=Audience.GRADE, whom="6")
    lists = {"games": ("games", "adblock", False, ["||play.example^", "||play.test^"])}
    engine = Engine(at(policy, Overrides((opened,)), SEVEN).policy, an_index(tmp_path, lists))
    client = Client(engine.policy.grades["6"], "lab")
    first, second = (
        engine.decide(client, wire(n), A, SEVEN) for n in ("play.example", "play.test")
    )
    assert (first.blocked, first.target) == (False, wire("safe.example"))
    assert (second.blocked, second.target) == (False, None)
    assert not engine.decide_target(client, first, wire("safe.example"), A, SEVEN).blocked


@pytest.mark.parametrize(
    ("audience", "whom", "seeing"),
    [
        (Audience.EVERYBODY, "", {"lab", "lab/pc", "nowhere", "nowhere/pc"}),
        (Audience.TIER, "lower-secondary", {"lab", "lab/pc"}),
        (Audience.GRADE, "6", {"lab", "lab/pc"}),
        (Audience.NETWORK, "lab", {"lab", "lab/pc"}),
        (Audience.CLIENT, PUPIL_PC, {"lab/pc", "nowhere/pc"}),
        (Audience.NETWORK, "no such room", set()),
    ],
)
def test_a_category_is_opened_for_its_audience_only(
    audience: Audience, whom: str, seeing: set[str]
) -> None:
    games = an_exception("games", kind=TargetKind.CATEGORY, audience=audience, whom=whom)
    moment = at(a_school(), Overrides((games,)), SEVEN)
    places = {"lab": "lab", "nowhere": None}
    found = {
        f"{place}{pc}"
        for place, network in places.items()
        for pc, address in (("", None), ("/pc", PUPIL_PC))
        if "games" not in grade_in(moment, network, address).closed
    }
    assert found == seeing
    assert moment.until_of("lab", grade_in(moment, "lab").key, PUPIL_PC) == (
        SEVEN + 3600 if seeing else inf
    )


@pytest.mark.parametrize("kept", ["games", "service:play"])
def test_what_the_school_keeps_closed_no_exception_and_no_setting_opens(
    kept: str, tmp_path: Path
) -> None:
    lists = {"service_play": ("games", True, "||play.example^")}
    policy = a_school(kept_closed=frozenset({kept}))
    exceptions = (
        an_exception("games", kind=TargetKind.CATEGORY),
        an_exception("play", kind=TargetKind.SERVICE),
        an_exception("play.example"),
    )
    setting = GradeSetting(4, "6", TargetKind.SERVICE, "play", True, "", "", SEVEN)
    moment = at(policy, Overrides(exceptions, grades=(setting,)), SEVEN)
    assert decide(tmp_path, moment, "play.example", SEVEN, **lists) == (True, Rule.LOCKED)
    control = at(a_school(), Overrides(exceptions, grades=(setting,)), SEVEN)
    assert not decide(tmp_path, control, "play.example", SEVEN, **lists)[0]


def test_of_exception_schedule_and_setting_the_first_wins() -> None:
    close = Scheduled("a", False, "category", "games", Audience.GRADE, "9")
    setting = GradeSetting(1, "9", TargetKind.CATEGORY, "games", True, "", "", 0.0)
    exception = an_exception("games", kind=TargetKind.CATEGORY, starts_at=SEVEN + 60, id=2)
    overrides = Overrides((exception,), grades=(setting,))
    found = [
        "games" in at(scheduled(close), overrides, SEVEN + later).policy.grades["9"].closed
        for later in (-1, 0, 60)
    ]
    assert found == [False, True, False]


def test_a_newer_setting_of_a_grade_replaces_an_older_one() -> None:
    older = GradeSetting(1, "6", TargetKind.CATEGORY, "games", False, "", "", SEVEN)
    newer = replace(older, id=2, opens=True, starts_at=SEVEN + 60)
    for order in ((older, newer), (newer, older)):
        moments = [at(a_school(), Overrides(grades=order), SEVEN + later) for later in (0, 60)]
        assert ["games" in moment.policy.grades["6"].closed for moment in moments] == [True, False]


LISTS_OF_A_MISTAKE = {
    "malware": ("malware", False, "||uni.example^"),
    "more": ("malware", False, "||deep.uni.example^"),
}


def test_a_suspended_entry_blocks_nothing_and_entries_beneath_it_still_do(tmp_path: Path) -> None:
    overrides = Overrides((an_exception("uni.example", kind=TargetKind.ENTRY),))
    moment = at(a_school(), overrides, SEVEN)
    found = {
        name: decide(tmp_path, moment, name, SEVEN, **LISTS_OF_A_MISTAKE)
        for name in ("uni.example", "www.uni.example", "a.deep.uni.example")
    }
    assert found == {
        "uni.example": (False, Rule.PROTECTED),
        "www.uni.example": (False, Rule.PROTECTED),
        "a.deep.uni.example": (True, Rule.LOCKED),
    }


def test_an_entry_is_suspended_for_fourteen_days_at_most() -> None:
    overrides = Overrides((an_exception("uni.example", kind=TargetKind.ENTRY, ends_at=None),))
    moment = at(a_school(), overrides, SEVEN)
    assert moment.until == moment.until_of("office", "staff") == SEVEN + LONGEST_SUSPENSION_S
    assert len(moment.policy.protections) == 1
    assert at(a_school(), overrides, moment.until).policy.protections == ()


@pytest.mark.parametrize(
    ("category", "own", "how"),
    [
        ("law-ordered", True, {}),
        ("malware", True, {}),
        ("malware", False, {"audience": Audience.GRADE, "whom": "6"}),
        ("malware", False, {"allow": False}),
    ],
)
def test_an_order_or_an_own_entry_is_not_suspended_nor_any_entry_for_some_only(
    category: str, own: bool, how: dict[str, Any], tmp_path: Path
) -> None:
    overrides = Overrides((an_exception("uni.example", kind=TargetKind.ENTRY, **how),))
    moment = at(a_school(), overrides, SEVEN)
    lists = {"a": (category, own, "||uni.example^")}
    assert decide(tmp_path, moment, "uni.example", SEVEN, **lists)[0]


def a_pause(**how: Any) -> LocalException:
    return an_exception("", kind=TargetKind.PAUSE, **how)


AROUND = replace(a_category("around", 18), guarded=True)
ALL_CLOSED = frozenset(("games", "social-media", "around", "porn", "law-ordered", "malware"))


def _paused_school(**changes: Any) -> Policy:
    policy = a_school(**changes)
    categories = policy.categories | {AROUND.id: AROUND}
    grades = {key: replace(grade, closed=ALL_CLOSED) for key, grade in policy.grades.items()}
    return replace(policy, categories=categories, grades=grades)


@pytest.mark.parametrize(
    ("category", "opens"),
    [
        ("games", True),
        ("social-media", False),  # kept closed by the school
        ("around", False),
        ("porn", False),
        ("law-ordered", False),
    ],
)
def test_a_pause_opens_what_is_not_locked_and_ends_by_itself(
    tmp_path: Path, category: str, opens: bool
) -> None:
    policy = _paused_school(kept_closed=frozenset({"social-media"}))
    overrides = Overrides((a_pause(ends_at=SEVEN + 300),))
    lists: Any = {"copied": (category, True, "||a.example^")}
    before, during, after = (
        decide(tmp_path, at(policy, overrides, now), "a.example", now, **lists)[0]
        for now in (SEVEN - 1, SEVEN, SEVEN + 300)
    )
    assert (before, during, after) == (True, not opens, True)


def test_a_pause_is_for_its_audience_and_an_hour_at_most() -> None:
    policy = _paused_school()
    of_room = Overrides((a_pause(audience=Audience.NETWORK, whom="lab", ends_at=SEVEN + 9e6),))
    moment = at(policy, of_room, SEVEN)
    assert "games" not in grade_in(moment, "lab").closed
    assert "games" in grade_in(moment, "office").closed
    assert moment.until == SEVEN + LONGEST_PAUSE_S
    assert "games" in grade_in(at(policy, of_room, SEVEN + LONGEST_PAUSE_S), "lab").closed


def test_a_pause_lifts_the_school_s_blocks_of_names_but_no_expectation(tmp_path: Path) -> None:
    expected = replace(block("kept.example"), id="expectation:x.yaml:7")
    policy = _paused_school(rules=(block("a.example"), expected))
    for overrides, blocked in (
        (Overrides(), [True, True]),
        (Overrides((a_pause(),)), [False, True]),
    ):
        moment = at(policy, overrides, SEVEN)
        names = ("a.example", "kept.example")
        assert [decide(tmp_path, moment, name, SEVEN)[0] for name in names] == blocked


def test_a_pause_opens_nothing_in_an_exam(tmp_path: Path) -> None:
    policy = _paused_school(rules=(block("www.exam.example"),))
    overrides = Overrides((a_pause(),), exams=(an_exam(),))
    moment = at(policy, overrides, SEVEN)
    for name, blocked in (("exam.example", False), ("www.exam.example", True), ("b.example", True)):
        assert decide(tmp_path, moment, name, SEVEN)[0] is blocked


def test_control_without_the_care_for_exams_a_pause_would_open_a_part_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = effective_policy._Compiler._changed
    monkeypatch.setattr(
        effective_policy._Compiler,
        "_changed",
        lambda self, client, variant="", **_: changed(self, client, variant),
    )
    policy = _paused_school(rules=(block("www.exam.example"),))
    moment = at(policy, Overrides((a_pause(),), exams=(an_exam(),)), SEVEN)
    assert not decide(tmp_path, moment, "www.exam.example", SEVEN)[0]


def test_a_pause_opens_a_tier_that_a_schedule_closes(tmp_path: Path) -> None:
    policy = scheduled(Scheduled("a", False, "tier", "lower-secondary"))
    assert decide(tmp_path, at(policy, Overrides(), SEVEN), "a.example", SEVEN)[0]
    assert not decide(tmp_path, at(policy, Overrides((a_pause(),)), SEVEN), "a.example", SEVEN)[0]


def test_safe_search_stays_on_in_a_pause() -> None:
    policy = a_school()
    strict = replace(policy.grades["6"], safe_search="on", youtube="strict")
    policy = replace(policy, grades=policy.grades | {"6": strict})
    grade = at(policy, Overrides((a_pause(),)), SEVEN).policy.grades["6"]
    assert (grade.paused, grade.safe_search, grade.youtube) == (True, "on", "strict")


@pytest.mark.parametrize("for_s", [None, 300.0])
def test_while_the_time_is_unknown_nothing_is_paused(for_s: float | None) -> None:
    """A thing of an earlier time, and one whose length waits for the time."""
    overrides = Overrides((a_pause(for_s=for_s),))
    policy = _paused_school()
    unknown = at(policy, overrides, UNKNOWN_LEAD_S + 9, Certainty(SEVEN))
    assert "games" in unknown.policy.grades["6"].closed
    known = at(policy, Overrides((a_pause(),)), SEVEN)
    assert "games" not in known.policy.grades["6"].closed, "a control: with the time it opens"


def test_an_exam_opens_its_names_and_services_and_pins_and_nothing_else(tmp_path: Path) -> None:
    policy = a_school(rules=(allow("school.example"), block("chat.exam.example")))
    policy = replace(policy, pins=(a_pin("pin.example"),))
    exceptions = (
        an_exception("extra.example", audience=Audience.NETWORK, whom="lab"),
        an_exception("exam.example", allow=False, audience=Audience.CLIENT, whom=PUPIL_PC),
        an_exception("ads-trackers", kind=TargetKind.CATEGORY),
    )
    overrides = Overrides(exceptions, exams=(an_exam(services=("play",)),))
    moment = at(policy, overrides, SEVEN)
    lists = {
        "games": ("games", False, "||play.test^"),
        "porn": ("porn", False, "||bad.exam.example^"),
    }
    found = {
        name: decide(tmp_path, moment, name, SEVEN, **lists)
        for name in (
            "www.exam.example",
            "play.test",
            "pin.example",
            "chat.exam.example",
            "bad.exam.example",
            "school.example",
            "extra.example",
            "new.example",
        )
    }
    assert found == {
        "www.exam.example": (False, Rule.LOCAL),
        "play.test": (False, Rule.LOCAL),
        "pin.example": (False, Rule.PIN),
        "chat.exam.example": (True, Rule.LOCAL),
        "bad.exam.example": (True, Rule.LOCKED),
        "school.example": (True, Rule.ALLOW_ONLY),
        "extra.example": (True, Rule.ALLOW_ONLY),
        "new.example": (True, Rule.ALLOW_ONLY),
    }


def test_an_exam_is_in_its_room_only_and_ends_by_itself(tmp_path: Path) -> None:
    overrides = Overrides(exams=(an_exam(),))
    moment = at(a_school(), overrides, SEVEN)
    assert (moment.since, moment.until) == (SEVEN, SEVEN + 3600)
    assert moment.exams == {"lab": overrides.exams[0]}
    assert not grade_in(moment, "office").allow_only
    assert not moment.policy.grades["6"].allow_only
    assert moment.until_of("lab", "6@lab") == SEVEN + 3600
    assert moment.until_of("office", "staff") == inf
    for now, blocked in ((SEVEN - 1, False), (SEVEN + 3599, True), (SEVEN + 3600, False)):
        assert decide(tmp_path, at(a_school(), overrides, now), "b.example", now)[0] is blocked


def test_what_an_exam_allows_covers_where_its_names_lead(tmp_path: Path) -> None:
    engine = Engine(
        at(a_school(), Overrides(exams=(an_exam(),)), SEVEN).policy,
        an_index(tmp_path, {"porn": ("porn", "adblock", False, ["||porn.example^"])}),
    )
    client = Client(engine.policy.grades["6@lab"], "lab")
    passed = engine.decide(client, wire("exam.example"), A, SEVEN)
    found = [
        engine.decide_target(client, passed, wire(name), A, SEVEN).blocked
        for name in ("cdn.example", "porn.example")
    ]
    assert found == [False, True]


def test_of_two_exams_in_a_room_the_one_set_last_is_on() -> None:
    other = an_exam(id=10, names=("other.example",), starts_at=SEVEN + 60, ends_at=SEVEN + 120)
    overrides = Overrides(exams=(other, an_exam()))
    moments = [at(a_school(), overrides, SEVEN + later) for later in (0, 60, 120)]
    assert [moment.exams["lab"].id for moment in moments] == [9, 10, 9]
    assert [moment.until - SEVEN for moment in moments] == [60, 120, 3600]


def test_what_names_nothing_that_there_is_has_no_effect() -> None:
    overrides = Overrides(
        (
            an_exception("no..name"),
            an_exception("gone", kind=TargetKind.SERVICE),
            an_exception("gone", kind=TargetKind.CATEGORY),
            an_exception("x" * 64, kind=TargetKind.ENTRY),
        ),
        exams=(an_exam(room="gone", services=("gone",)),),
        grades=(GradeSetting(3, "44", TargetKind.CATEGORY, "games", True, "", "", SEVEN),),
    )
    policy = scheduled(Scheduled("gone", True, "category", "games"))
    moment = at(policy, overrides, SEVEN)
    control = at(a_school(), Overrides(rooms=(RoomSetting(1, "gone", "6", "", "", 0.0),)), SEVEN)
    assert moment.policy == control.policy
    assert moment.until_of("gone", "44") == moment.until


FULL = LogSetting(1, "lower-secondary", "full", "điều tra", "lan", NOW, NOW + 60, "minh")


@pytest.mark.parametrize(
    ("now", "level", "until"),
    [(NOW - 1, "counts", NOW), (NOW, "full", NOW + 60), (NOW + 60, "counts", inf)],
)
def test_a_level_of_the_log_begins_and_ends_at_an_edge(
    now: float, level: str, until: float
) -> None:
    found = at(a_policy(), Overrides(log_settings=(FULL,)), now)
    assert found.policy.log.level_of("lower-secondary").value == level
    assert found.policy.log.level_of("staff").value == "counts"
    assert found.until == until


def test_full_never_holds_while_the_time_is_not_known() -> None:
    found = at(a_policy(), Overrides(log_settings=(FULL,)), UNKNOWN_LEAD_S, Certainty(NOW))
    assert found.policy.log.level_of("lower-secondary").value == "counts"


SETTINGS = st.builds(
    lambda at, length, tier, level, by: LogSetting(
        0, tier, level, "", "lan", at, None if length is None else at + length, by
    ),
    st.integers(0, 9).map(float),
    st.none() | st.integers(1, 9).map(float),
    st.sampled_from(["", "primary", "staff"]),
    st.sampled_from(list(LogLevel)).map(str),
    st.sampled_from(["", "minh"]),
)


@given(st.lists(SETTINGS, max_size=6), st.integers(0, 20))
def test_the_levels_of_the_log_stay_the_same_until_the_edge(
    settings: list[LogSetting], now: int
) -> None:
    policy = a_policy()
    numbered = tuple(replace(setting, id=number) for number, setting in enumerate(settings))
    overrides = Overrides(log_settings=numbered)
    found = at(policy, overrides, float(now))
    for later in range(20):
        if found.since <= later < found.until:
            for tier in ("primary", "staff", "guest"):
                naive = level_of(policy, overrides, tier, float(later)).level
                assert found.policy.log.level_of(tier) is naive


@pytest.mark.parametrize(
    ("now", "holds"),
    [(SEVEN - 1, False), (SEVEN, True), (SEVEN + 3599, True), (SEVEN + 3600, False)],
)
def test_a_policy_holds_from_its_begin_to_just_before_its_end(now: float, holds: bool) -> None:
    assert EffectivePolicy(a_school(), SEVEN, SEVEN + 3600).holds_at(now) is holds
    assert EffectivePolicy(a_school()).holds_at(now)


def test_what_is_in_force_has_no_time_in_it() -> None:
    school = timetabled(
        holidays=(Holiday("2026-03-09", "2026-03-09", "Lễ", "Day off"),),
        schedules=(Schedule("a", (Window(frozenset({0}), 0, 60),)),),
        scheduled=(Scheduled("a", True, "category", "games"),),
    )
    found = at(school, Overrides(), SEVEN).policy
    assert (found.lessons, found.holidays, found.schedules, found.scheduled) == ((), (), (), ())
    assert {network.timetable for network in found.networks} == {()}


def test_edges_are_remembered_for_a_bounded_number_of_clients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(effective_policy, "_MOST_KNOWN", 3)
    moment = at(a_school(), Overrides(exams=(an_exam(),)), SEVEN)
    for number in range(10):
        assert moment.until_of("office", "staff", f"192.0.2.{number}") == inf
        assert moment.until_of("lab", "6@lab", f"192.0.2.{number}") == SEVEN + 3600
    assert len(moment._edges) <= 3


def test_a_client_of_no_network_has_the_edges_of_suspensions_and_no_room_s() -> None:
    entry = an_exception("porn.example", kind=TargetKind.ENTRY, ends_at=SEVEN + 60)
    moment = at(a_school(), Overrides((entry,), exams=(an_exam(),)), SEVEN)
    assert moment.until_of(None, "preschool") == SEVEN + 60
    assert moment.until_of("lab", "6@lab") == SEVEN + 60
    alone = at(a_school(), Overrides(exams=(an_exam(),)), SEVEN)
    assert alone.until_of(None, "preschool") == inf


def _shared_room(**changes: Any) -> Policy:
    """Return a school with classes whose room is that of 6A, and between lessons of all."""
    school = with_classes(timetabled("6A", "9B"))
    return replace(school, **changes)


def test_in_a_lesson_a_room_is_of_its_class_and_between_lessons_of_none() -> None:
    in_lesson = grade_in(at(_shared_room(), Overrides(), SEVEN), "lab")
    assert (in_lesson.class_id, in_lesson.grade, in_lesson.variant) == ("6A", "6", "")
    between = grade_in(at(_shared_room(), Overrides(), SEVEN - 60), "lab")
    assert (between.class_id, between.grade, between.variant) == ("", "6", "lab")


def test_a_client_with_an_exception_keeps_the_class_in_whose_room_it_is() -> None:
    opened = an_exception(
        "games", kind=TargetKind.CATEGORY, audience=Audience.CLIENT, whom=PUPIL_PC
    )
    moment = at(_shared_room(), Overrides((opened,)), SEVEN)
    mine = grade_in(moment, "lab", PUPIL_PC)
    assert (mine.class_id, "games" in mine.closed) == ("6A", False)
    assert "games" in grade_in(moment, "lab", "192.0.2.8").closed
    between = at(_shared_room(), Overrides((replace(opened, starts_at=SEVEN - 99),)), SEVEN - 60)
    assert grade_in(between, "lab", PUPIL_PC).class_id == ""


def test_rules_of_exceptions_that_are_over_or_of_another_kind_hide_no_later_ones() -> None:
    exceptions = (
        an_exception("games", id=1, kind=TargetKind.CATEGORY),
        an_exception("over.example", id=2, starts_at=SEVEN - 60, ends_at=SEVEN),
        an_exception("later.example", id=3, starts_at=SEVEN + 600),
        an_exception("play", id=4, kind=TargetKind.SERVICE),
    )
    moment = at(a_school(), Overrides(exceptions), SEVEN)
    assert {rule.id for rule in moment.policy.rules} == {"exception:3", "exception:4"}
    assert (moment.since, moment.until) == (SEVEN, SEVEN + 3600)
    before = at(a_school(), Overrides(exceptions[2:3]), SEVEN)
    assert (before.since, before.until) == (-inf, SEVEN + 3600)


def test_a_suspended_entry_says_why() -> None:
    entry = an_exception("porn.example", kind=TargetKind.ENTRY, reason="nhầm")
    moment = at(a_school(), Overrides((entry,)), SEVEN)
    assert [
        (protection.name, protection.reason, protection.entry_only)
        for protection in moment.policy.protections
    ] == [(wire("porn.example"), "nhầm", True)]


def test_a_policy_says_whether_it_is_of_a_confirmed_time() -> None:
    assert at(timetabled(), Overrides(), SEVEN).is_confirmed
    assert at(a_school(), Overrides(), SEVEN).is_confirmed
    unknown = at(timetabled(), Overrides(exams=(an_exam(),)), UNKNOWN_LEAD_S, Certainty(SEVEN))
    assert not unknown.is_confirmed
    assert unknown.since < UNKNOWN_LEAD_S < unknown.until < UNKNOWN_BEFORE, "till the exam ends"


def test_a_room_of_one_class_only_keeps_it_between_lessons() -> None:
    school = with_classes(timetabled("6A", "6A"))
    between = grade_in(at(school, Overrides(), SEVEN - 60), "lab")
    assert (between.class_id, between.variant) == ("6A", "")


def test_changes_for_others_in_a_room_make_no_variant_of_it() -> None:
    for_office = an_exception(
        "games", kind=TargetKind.CATEGORY, audience=Audience.NETWORK, whom="office", allow=False
    )
    for_grade = an_exception("games", kind=TargetKind.CATEGORY, audience=Audience.GRADE, whom="lab")
    moment = at(a_school(), Overrides((for_office, for_grade)), SEVEN)
    assert grade_in(moment, "lab").variant == ""
    assert grade_in(moment, "office").variant == "office"


def test_a_rule_of_an_exam_has_its_times_its_room_and_its_author() -> None:
    (rule,) = at(a_school(), Overrides(exams=(an_exam(),)), SEVEN).policy.rules
    assert (rule.id, rule.name, rule.audience, rule.whom, rule.exam) == (
        *("exam:9", wire("exam.example"), Audience.NETWORK, "lab", "9"),
    )
    assert (rule.reason, rule.author) == ("thi", "lan")
    assert (rule.starts_at, rule.ends_at) == (SEVEN, SEVEN + 3600)
    for_ever = at(a_school(), Overrides(exams=(an_exam(ends_at=inf),)), SEVEN).policy.rules
    assert for_ever[0].ends_at is None


def test_one_name_that_is_none_does_not_hide_those_after_it() -> None:
    exam = an_exam(names=("no..name", "exam.example"))
    rules = at(a_school(), Overrides(exams=(exam,)), SEVEN).policy.rules
    assert [rule.name for rule in rules] == [wire("exam.example")]


def test_a_client_in_an_exam_has_no_exception_of_its_own_and_elsewhere_it_has() -> None:
    opened = an_exception(
        "games", kind=TargetKind.CATEGORY, audience=Audience.CLIENT, whom=PUPIL_PC
    )
    moment = at(a_school(), Overrides((opened,), exams=(an_exam(),)), SEVEN)
    instead = moment.policy.clients[PUPIL_PC]
    assert "6@lab" not in instead
    assert instead["staff"] == f"staff@{PUPIL_PC}"
    assert instead["preschool"] == f"preschool@{PUPIL_PC}"


def test_what_is_for_a_time_lasts_as_long_at_most_as_the_guides_say() -> None:
    assert LONGEST_SUSPENSION_S == 14 * 86_400
    assert LONGEST_PAUSE_S == 3600
    assert log_levels.LONGEST_FULL_S == 7 * 86_400
    assert log_levels.LEAST_K == 5
