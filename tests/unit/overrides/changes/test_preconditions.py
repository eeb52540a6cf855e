# SPDX-License-Identifier: Apache-2.0
"""A change names existing things; one that never has an effect is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ChangeError
from filterd.overrides.changes.change_kinds import parse
from filterd.overrides.changes.preconditions import SchoolState, check, why_never
from filterd.policy.conflicts import Idle
from filterd.policy.engine import Engine
from filterd.policy.temporary_rules import Overrides, RoomDevices, RoomSetting, TargetKind
from tests.support.changes import (
    a_grade_setting,
    a_table,
    an_exam,
    an_exception,
    some_exceptions,
)
from tests.support.policies import a_pin, an_index
from tests.support.week import SEVEN, a_school, with_classes
from tests.support.week import an_exam as set_exam
from tests.support.week import an_exception as set_exception

if TYPE_CHECKING:
    from pathlib import Path

LISTS = {
    "porn": ("porn", "domains", False, ["porn.example"]),
    "order:court": ("law-ordered", "domains", True, ["ordered.example"]),
    "copied": ("malware", "domains", False, ["ordered.example"]),
    "mistaken": ("malware", "domains", False, ["university.example"]),
    "own": ("malware", "domains", True, ["own.example"]),
    "games": ("games", "domains", False, ["game.test"]),
    "social": ("social-media", "domains", False, ["social.example", "chat.example"]),
}
GRADE_3 = {"audience": "grade", "whom": "3"}


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> SchoolState:
    folder: Path = tmp_path_factory.mktemp("school")
    policy = with_classes(a_school(kept_closed=frozenset({"games"})))
    return SchoolState(policy, Engine(policy, an_index(folder, LISTS)), Overrides(), SEVEN)


def _warnings(school: SchoolState, kind: str, payload: dict[str, Any]) -> list[str]:
    return [one["warning"] for one in check(parse(kind, payload), school)]


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        ("exception", an_exception(audience="network", whom="labb"), "did you mean 'lab'"),
        ("exception", an_exception(target_kind="service", target="chatt"), "mean 'chat'"),
        ("exception", an_exception(target_kind="category", target="game"), "mean 'games'"),
        ("exception", an_exception(target="ordered.example"), "closed by a legal order"),
        ("exception", an_exception(target_kind="category", target="law-ordered"), "legal order"),
        ("exception", an_exception(target_kind="entry", target="ordered.example"), "legal order"),
        ("exception", an_exception(target_kind="entry", target="own.example"), "is not an entry"),
        ("exception", an_exception(target_kind="entry", target="a.example"), "is not an entry"),
        ("exception", an_exception(target_kind="entry", target="www.porn.example"), "not an entry"),
        ("exception", an_exception(target="porn.example"), "locked for everybody .*entry:NAME"),
        ("exceptions", some_exceptions(("service", "chat"), ("name", "porn.example")), "locked"),
        ("exception", an_exception(target="www.porn.example"), "is locked for everybody"),
        ("exception", an_exception(target_kind="category", target="porn"), "entry:NAME"),
        ("exception", an_exception(target_kind="service", target="bad"), "is locked"),
        ("exception", an_exception(target_kind="category", target="games"), "`keep_closed`"),
        ("exception", an_exception(target_kind="service", target="play"), "kept closed"),
        ("exception", an_exception(target="game.test", **GRADE_3), "kept closed by the school"),
        ("exception", an_exception(target="game.test"), "kept closed by the school"),
        ("report-mistake", {"name": "own.example"}, "is not an entry of a third-party list"),
        ("room", {"room": "hall", "grade": "8"}, "'hall' is not a room"),
        ("room", {"room": "lab", "grade": "6Z"}, "'6Z' is not a class of this school .*9B"),
        ("exception", an_exception(audience="class", whom="6Z"), "'6Z' is not a class of"),
        ("class-lend", {"class_id": "6Z", "to": "minh", "ends_at": SEVEN + 60}, "'6Z' is not a"),
        ("log-level", {"level": "names"}, "is above the level .*--for 3d"),
        ("log-level", {"level": "blocked", "tier": "staff"}, "has for staff"),
        ("room-devices", {"room": "hall", "macs": []}, "'hall' is not a room"),
        ("device-table", {"rooms": a_table(lab=[], hall=[])}, "'hall' is not a room"),
        ("exam", an_exam(room="hall"), "'hall' is not a room"),
        ("exam", an_exam(room="lab", services=["azota"]), "'azota' is not a service"),
        ("grade", a_grade_setting(target="social"), "did you mean 'social-media'"),
        ("grade", a_grade_setting(target="porn"), "porn is locked for everybody"),
        ("grade", a_grade_setting(target="law-ordered"), "closed by a legal order"),
        ("grade", a_grade_setting(target="games"), "kept closed by the school"),
        ("grade", a_grade_setting(target_kind="service", target="bad"), "is locked"),
        ("grade", a_grade_setting(target_kind="service", target="play"), "kept closed"),
        ("grade", a_grade_setting(target_kind="service", target="none"), "is not a service"),
    ],
)
def test_what_cannot_be_is_refused(
    school: SchoolState, kind: str, payload: dict[str, Any], words: str
) -> None:
    with pytest.raises(ChangeError, match=words):
        check(parse(kind, payload), school)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("log-level", {"level": "names", "ends_at": SEVEN + 60}),
        ("log-level", {"level": "counts", "tier": "primary"}),
        ("log-level", {"level": "off"}),
        ("exception", an_exception(target="social.example")),
        ("exception", an_exception(target="social.example", audience="tier", whom="primary")),
        ("exception", an_exception(starts_at=SEVEN + 60)),
        ("exception", an_exception(allow=False)),
        ("exception", an_exception(target="ordered.example", allow=False, audience="everybody")),
        ("exception", an_exception(target_kind="entry", target="porn.example")),
        ("exception", an_exception(target_kind="service", target="chat")),
        ("report-mistake", {"name": "university.example"}),
        ("room", {"room": "lab", "grade": "8"}),
        ("exam", an_exam(room="lab", services=["chat"])),
        ("grade", a_grade_setting(target="social-media")),
        ("grade", a_grade_setting(target="porn", opens=False)),
        ("undo", {"number": 4}),
    ],
)
def test_what_fits_passes(school: SchoolState, kind: str, payload: dict[str, Any]) -> None:
    assert set(_warnings(school, kind, payload)) == set()


def test_what_changes_nothing_as_things_are_is_warned_of(school: SchoolState) -> None:
    policy = a_school(pins=[a_pin("pinned.example")])
    pinned = school._replace(policy=policy, engine=Engine(policy, school.engine.index))
    payload = an_exception(target="pinned.example", allow=False)
    (warning,) = check(parse("exception", payload), pinned)
    assert (warning["warning"], warning["target"], warning["why"]) == (
        "idle",
        "pinned.example",
        "pinned",
    )


@pytest.mark.parametrize(
    "payload",
    [
        an_exception(),
        an_exception(target="social.example", audience="grade", whom="9"),
        an_exception(target_kind="service", target="chat", audience="grade", whom="9"),
        an_exception(target_kind="category", target="social-media", audience="grade", whom="9"),
    ],
)
def test_an_allow_of_what_nothing_blocks_is_warned_of(
    school: SchoolState, payload: dict[str, Any]
) -> None:
    (warning,) = check(parse("exception", payload), school)
    assert (warning["warning"], warning["why"]) == ("idle", "not-blocked")


def test_a_name_of_a_service_is_warned_of_with_the_service(school: SchoolState) -> None:
    (warning,) = check(parse("exception", an_exception(target="www.chat.example")), school)
    assert warning == {"warning": "service", "target": "www.chat.example", "service": "chat"}


@pytest.mark.parametrize("allow", [True, False])
def test_a_misspelt_name_is_warned_of_with_the_right_one(school: SchoolState, allow: bool) -> None:
    payload = an_exception(target="chta.example", allow=allow)
    warning = check(parse("exception", payload), school)[0]
    assert warning == {"warning": "misspelt", "target": "chta.example", "meant": "chat.example"}


@pytest.mark.parametrize("kind", ["category", "name"])
def test_what_is_locked_may_be_blocked_and_taken_back(school: SchoolState, kind: str) -> None:
    target = {"category": "porn", "name": "porn.example"}[kind]
    block = an_exception(target_kind=kind, target=target, allow=False)
    assert _warnings(school, "exception", block) == []
    assert _warnings(school, "revoke", {"id": 4}) == []


def test_a_locked_name_of_an_exam_is_warned_of(school: SchoolState) -> None:
    assert _warnings(school, "exam", an_exam(room="lab", names=["porn.example"])) == ["idle"]


def test_an_exception_that_contradicts_another_is_warned_of(school: SchoolState) -> None:
    before = set_exception("game.example", allow=False, id=7)
    school = school._replace(overrides=Overrides(exceptions=(before,)))
    (warning,) = check(parse("exception", an_exception()), school)
    assert warning == {"warning": "contradiction", "number": 7, "author": "lan"}
    assert not _warnings(school, "exception", an_exception(target="social.example"))


def test_an_exception_for_a_room_that_sits_an_exam_is_warned_of(school: SchoolState) -> None:
    exam = set_exam()
    school = school._replace(overrides=Overrides(exams=(exam,)))
    payload = an_exception(audience="network", whom="lab")
    (warning,) = check(parse("exception", payload), school)
    assert (warning["warning"], warning["room"]) == ("exam", "lab")
    at_the_office = an_exception(audience="network", whom="office")
    assert _warnings(school, "exception", at_the_office) == ["idle"]  # nothing else blocks it


def test_a_pause_wants_a_room_that_there_is_and_warns_of_its_exam(school: SchoolState) -> None:
    pause = {"audience": "network", "whom": "lab", "ends_at": SEVEN + 300}
    assert not _warnings(school, "pause", pause)
    during = school._replace(overrides=Overrides(exams=(set_exam(),)))
    assert _warnings(during, "pause", pause) == ["exam"]
    with pytest.raises(ChangeError, match="did you mean 'lab'"):
        check(parse("pause", pause | {"whom": "labb"}), school)


def test_an_exam_warns_of_what_overlaps_and_what_stays_blocked(school: SchoolState) -> None:
    before = replace(set_exception("game.example"), ends_at=None)
    school = school._replace(overrides=Overrides(exceptions=(before,)))
    exam = an_exam(room="lab", names=["a.example", "porn.example"], ends_at=SEVEN + 60)
    found = check(parse("exam", exam), school)
    assert [one["warning"] for one in found] == ["overlap", "idle"]
    assert [one["target"] for one in found] == ["game.example", "porn.example"]
    pause = replace(before, kind=TargetKind.PAUSE, target="", ends_at=SEVEN + 60)
    school = school._replace(overrides=Overrides(exceptions=(pause,)))
    assert check(parse("exam", exam), school)[0]["warning"] == "overlap-pause"


@pytest.mark.parametrize(
    ("target", "warning"),
    [
        ("other.example", False),
        ("exam.example", False),
        ("www.exam.example", True),
    ],
)
def test_a_block_is_reported_where_it_closes_a_part_of_an_exam(
    school: SchoolState, target: str, warning: bool
) -> None:
    exam = set_exam()
    during = school._replace(overrides=Overrides(exams=(exam,)))
    block = an_exception(target=target, allow=False)
    assert _warnings(during, "exception", block) == ["exam-block"] * warning
    before = replace(set_exception(target, allow=False), ends_at=None)
    blocked = school._replace(overrides=Overrides(exceptions=(before,)))
    wanted = an_exam(room="lab", names=["exam.example"], ends_at=SEVEN + 60)
    assert _warnings(blocked, "exam", wanted) == ["overlap-block"] * warning


def test_a_block_of_a_part_of_a_service_that_an_exam_needs_is_reported(school: SchoolState) -> None:
    exam = set_exam(names=(), services=("chat",))
    during = school._replace(overrides=Overrides(exams=(exam,)))
    assert _warnings(during, "exception", an_exception(target="a.chat.example", allow=False)) == [
        "exam-block"
    ]


def test_a_device_that_leaves_another_network_for_a_room_is_reported(school: SchoolState) -> None:
    mac = "02:00:5e:00:00:01"  # of the lab, by the site's files
    payload = {"room": "office", "macs": [mac, "02:00:5e:00:00:77"]}
    found = check(parse("room-devices", payload), school)
    assert found == ({"warning": "moved", "mac": mac, "network": "lab"},)
    assert not check(parse("room-devices", {**payload, "room": "lab"}), school)
    table = {"rooms": a_table(office=[mac], lab=["02:00:5e:00:00:77"])}
    assert check(parse("device-table", table), school) == found


def test_devices_can_leave_a_room_that_has_gone_from_the_files(school: SchoolState) -> None:
    mac = "02:00:5e:00:00:77"
    change = parse("device-table", {"rooms": a_table(lab=[mac], gone=[])})
    with pytest.raises(ChangeError, match="'gone' is not a room"):
        check(change, school)
    held = Overrides(devices=(RoomDevices("gone", (mac,)),))
    assert not check(change, school._replace(overrides=held))


def test_a_warning_of_an_exam_has_its_number_its_room_and_its_times(school: SchoolState) -> None:
    during = school._replace(overrides=Overrides(exams=(set_exam(), set_exam(id=8, room="office"))))
    allowed = an_exception(audience="network", whom="lab")
    assert check(parse("exception", allowed), during) == (
        {
            "warning": "exam",
            "exam": 9,
            "room": "lab",
            "from_at": SEVEN,
            "until_at": SEVEN + 3600,
        },
    )


def test_a_warning_of_what_overlaps_has_its_number_target_and_author(school: SchoolState) -> None:
    before = replace(set_exception("game.example"), ends_at=None)
    overlapping = school._replace(overrides=Overrides(exceptions=(before,)))
    exam = an_exam(room="lab", names=["a.example"], ends_at=SEVEN + 60)
    assert check(parse("exam", exam), overlapping) == (
        {"warning": "overlap", "number": 1, "target": "game.example", "author": "lan"},
    )


@pytest.mark.parametrize(
    ("starts_at", "warned"),
    [(SEVEN + 30, True), (SEVEN + 3600, False), (None, True)],
)
def test_an_exam_overlaps_with_what_holds_in_its_time(
    school: SchoolState, starts_at: float | None, warned: bool
) -> None:
    before = replace(set_exception("game.example"), ends_at=SEVEN + 60)
    overlapping = school._replace(overrides=Overrides(exceptions=(before,)))
    exam = an_exam(room="lab", names=["a.example"], ends_at=SEVEN + 7200)
    exam |= {} if starts_at is None else {"starts_at": starts_at}
    assert bool(check(parse("exam", exam), overlapping)) is warned


def test_what_is_pinned_needs_no_exam_to_open_it(school: SchoolState) -> None:
    policy = a_school(pins=[a_pin("pinned.example")])
    pinned = school._replace(policy=policy, engine=Engine(policy, school.engine.index))
    exam = an_exam(room="lab", names=["pinned.example"], ends_at=SEVEN + 60)
    assert check(parse("exam", exam), pinned) == ()


@pytest.mark.parametrize(("names", "warnings"), [(3, 3), (20, 20), (30, 20)])
def test_warnings_of_one_change_are_bounded(school: SchoolState, names: int, warnings: int) -> None:
    closed = [f"n{number:02}.porn.example" for number in range(names)]
    exam = an_exam(room="lab", names=closed, ends_at=SEVEN + 60)
    found = check(parse("exam", exam), school)
    assert [one["target"] for one in found] == closed[:warnings]
    open_ones = [("name", f"n{number}.new.example") for number in range(names)]
    several = check(parse("exceptions", some_exceptions(*open_ones)), school)
    assert len(several) == warnings


@pytest.mark.parametrize(
    ("how", "warned"),
    [
        ({}, True),
        ({"starts_at": SEVEN}, True),
        ({"starts_at": SEVEN - 60}, True),
        ({"starts_at": SEVEN + 1}, False),  # something may block it by then
        ({"allow": False}, False),
    ],
)
def test_only_an_allow_from_now_on_is_warned_of_as_of_no_use(
    school: SchoolState, how: dict[str, Any], warned: bool
) -> None:
    assert bool(_warnings(school, "exception", an_exception(**how))) is warned


@pytest.mark.parametrize(
    ("audience", "whom"),
    [("tier", "staff"), ("grade", "7"), ("class", "6B"), ("client", "192.0.2.7")],
)
def test_whoever_there_is_may_be_an_audience(school: SchoolState, audience: str, whom: str) -> None:
    payload = an_exception(audience=audience, whom=whom)
    assert set(_warnings(school, "exception", payload)) <= {"idle"}


def test_an_audience_that_the_site_has_no_grade_of_is_refused(school: SchoolState) -> None:
    grades = {key: grade for key, grade in school.policy.grades.items() if grade.tier != "staff"}
    networks = school.policy.networks[:1]
    policy = replace(school.policy, grades=grades, networks=networks)
    without = school._replace(policy=policy, engine=Engine(policy, school.engine.index))
    for audience in ("tier", "grade"):
        payload = an_exception(audience=audience, whom="staff")
        with pytest.raises(ChangeError, match=f"'staff' is not a {audience} of this school"):
            check(parse("exception", payload), without)


@pytest.mark.parametrize(
    ("payload", "above"),
    [
        ({"level": "names"}, "preschool, primary, lower-secondary"),
        ({"level": "names", "tier": "primary"}, "has for primary, so"),
        ({"level": "counts"}, ""),
        ({"level": "counts", "tier": "staff"}, ""),
    ],
)
def test_a_level_above_that_of_the_files_needs_an_end(
    school: SchoolState, payload: dict[str, Any], above: str
) -> None:
    if above:
        with pytest.raises(ChangeError, match=above):
            check(parse("log-level", payload), school)
        payload = payload | {"ends_at": SEVEN + 60}
    assert check(parse("log-level", payload), school) == ()


def test_where_nothing_is_known_of_a_kind_that_is_said(school: SchoolState) -> None:
    without = school._replace(policy=replace(school.policy, services={}))
    exam = an_exam(room="lab", services=["chat"])
    with pytest.raises(ChangeError, match=r"'chat' is not a service \(known: there is none\)"):
        check(parse("exam", exam), without)


@pytest.mark.parametrize(
    "idle", [Idle.ORDERED, Idle.LOCKED, Idle.KEPT_CLOSED, Idle.NOT_LISTED, Idle.NOT_FOR_ALL]
)
def test_what_never_has_an_effect_has_a_reason_and_a_remedy(idle: Idle) -> None:
    reason, hint = why_never("a.example", idle)
    assert str(reason).startswith("a.example ")
    assert hint
    with pytest.raises(KeyError):
        why_never("a.example", Idle.PINNED)


def test_a_contradiction_names_the_other_one_whichever_is_older(school: SchoolState) -> None:
    mine = parse("exception", an_exception(allow=False))
    for starts_at in (SEVEN - 60, SEVEN + 60):
        other = set_exception("game.example", id=7, author="minh", starts_at=starts_at)
        among = school._replace(overrides=Overrides(exceptions=(other,)))
        found = [one for one in check(mine, among) if one["warning"] == "contradiction"]
        assert found == [{"warning": "contradiction", "number": 7, "author": "minh"}]


def test_a_grade_that_the_school_does_not_have_is_refused(school: SchoolState) -> None:
    grades = {key: grade for key, grade in school.policy.grades.items() if key != "7"}
    without = school._replace(policy=replace(school.policy, grades=grades))
    with pytest.raises(ChangeError, match="'7' is not a grade of this school"):
        check(parse("grade", a_grade_setting()), without)


def test_a_category_is_not_called_a_service(school: SchoolState) -> None:
    with pytest.raises(ChangeError, match="'social' is not a category"):
        check(parse("grade", a_grade_setting(target="social")), school)


def test_why_a_target_of_a_grade_stays_closed_is_told(school: SchoolState) -> None:
    policy = school.policy
    ordered = {
        **policy.services,
        "state": replace(policy.services["bad"], id="state", group="law-ordered"),
        "odd": replace(policy.services["play"], id="odd"),
    }
    changed = school._replace(policy=replace(policy, services=ordered))
    for target, words in (("state", "legal order"), ("bad", "is locked"), ("odd", "kept closed")):
        payload = a_grade_setting(target_kind="service", target=target)
        with pytest.raises(ChangeError, match=words):
            check(parse("grade", payload), changed)


def test_warnings_of_devices_are_bounded(school: SchoolState) -> None:
    macs = [f"02:00:5e:00:01:{n:02x}" for n in range(30)]
    office = replace(school.policy.networks[1], macs=tuple(macs))
    policy = replace(school.policy, networks=(school.policy.networks[0], office))
    payload = {"room": "lab", "macs": macs}
    assert len(check(parse("room-devices", payload), school._replace(policy=policy))) == 20


def test_a_name_of_an_exam_that_stays_closed_is_warned_of_with_its_reason(
    school: SchoolState,
) -> None:
    exam = an_exam(room="lab", names=["porn.example"], ends_at=SEVEN + 60)
    assert check(parse("exam", exam), school) == (
        {"warning": "idle", "target": "porn.example", "why": "locked"},
    )


def test_warnings_of_what_overlaps_an_exam_are_bounded_too(school: SchoolState) -> None:
    many = tuple(replace(set_exception(f"n{n}.example", id=n), ends_at=None) for n in range(1, 31))
    busy = school._replace(overrides=Overrides(exceptions=many))
    exam = an_exam(room="lab", names=["porn.example"], ends_at=SEVEN + 60)
    found = check(parse("exam", exam), busy)
    assert [one["number"] for one in found] == [*range(1, 21)]


def test_a_block_of_a_name_that_an_exam_opens_is_no_reason_to_warn_of_the_name(
    school: SchoolState,
) -> None:
    exam = an_exam(room="lab", names=["a.example"], ends_at=SEVEN + 60)
    assert check(parse("exam", exam), school) == ()


def test_a_warning_of_an_exam_is_by_the_grade_that_the_room_has_then(school: SchoolState) -> None:
    """What is set for the room counts beside the exception that is asked for."""
    setting = RoomSetting(3, "lab", "9", "", "lan", SEVEN, SEVEN + 3600)
    during = school._replace(overrides=Overrides(exams=(set_exam(),), rooms=(setting,)))
    for whom, warnings in (("9", ["exam"]), ("7", [])):
        payload = an_exception(audience="grade", whom=whom, target="game.example")
        found = [
            warning for warning in _warnings(during, "exception", payload) if warning == "exam"
        ]
        assert found == warnings


def test_many_words_that_are_known_are_told(school: SchoolState) -> None:
    with pytest.raises(ChangeError) as refused:
        check(parse("room", {"room": "lab", "grade": "6Z"}), school)
    assert all(name in str(refused.value) for name in ("6A", "6B", "9B"))


def test_an_entry_that_was_reported_is_suspended_until_the_end_that_was_given(
    school: SchoolState,
) -> None:
    exam = set_exam(names=("university.example",), starts_at=SEVEN + 60, ends_at=SEVEN + 120)
    during = school._replace(overrides=Overrides(exams=(exam,)))
    before, after = (
        _warnings(during, "report-mistake", {"name": "university.example", "ends_at": ends_at})
        for ends_at in (SEVEN + 30, SEVEN + 90)
    )
    assert before == []
    assert set(after) <= {"exam"}


def test_a_level_is_of_a_tier_that_the_school_has(school: SchoolState) -> None:
    grades = {key: grade for key, grade in school.policy.grades.items() if grade.tier != "staff"}
    policy = replace(school.policy, grades=grades, networks=school.policy.networks[:1])
    with pytest.raises(ChangeError, match="'staff' is not a tier of this school"):
        check(parse("log-level", {"level": "off", "tier": "staff"}), school._replace(policy=policy))


def test_an_order_that_is_not_locked_stays_closed_all_the_same(school: SchoolState) -> None:
    category = replace(school.policy.categories["law-ordered"], locked=False)
    categories = {**school.policy.categories, "law-ordered": category}
    policy = replace(school.policy, categories=categories)
    with pytest.raises(ChangeError, match="closed by a legal order"):
        check(parse("grade", a_grade_setting(target="law-ordered")), school._replace(policy=policy))


def test_all_rooms_are_named_to_who_writes_none_of_them(school: SchoolState) -> None:
    office = school.policy.networks[1]
    rooms = tuple(replace(office, id=f"r{number:02}") for number in range(30))
    policy = replace(school.policy, networks=rooms)
    with pytest.raises(ChangeError) as refused:
        check(parse("room", {"room": "xyz", "grade": "8"}), school._replace(policy=policy))
    assert [f"r{number:02}" in str(refused.value) for number in range(30)] == [True] * 20 + [
        False
    ] * 10


def test_a_name_that_the_school_keeps_closed_is_warned_of_in_an_exam(school: SchoolState) -> None:
    exam = an_exam(room="lab", names=["game.test"], ends_at=SEVEN + 60)
    assert check(parse("exam", exam), school) == (
        {"warning": "idle", "target": "game.test", "why": "kept-closed"},
    )
