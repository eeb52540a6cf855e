# SPDX-License-Identifier: Apache-2.0
"""Closed categories: locked, then the grade's, then its tier's, then age."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.config.compile import warnings
from filterd.config.grades import strictest
from filterd.config.site_reader import load_site
from filterd.policy.model import (
    GRADES,
    Audience,
    BlockResponse,
    Client,
    Holiday,
    Lesson,
    Network,
    Period,
    SchoolClass,
)
from tests.support.policies import NOW
from tests.support.site import CATALOG, WITH_SERVICES, a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path


ALWAYS_CLOSED = {"law-ordered", "porn"}


def _tier(tier: str, more: str = "") -> str:
    return f"tier: {tier}\ndescription: {{vi: A, en: A}}\n{more}"


def _closed(folder: Path, grade: str, site: str = "", **tiers: str) -> frozenset[str]:
    return a_policy(folder, site, **tiers).grades[grade].closed


@pytest.mark.parametrize("grade", GRADES)
def test_locked_categories_are_closed_to_everybody(tmp_path: Path, grade: str) -> None:
    bare = _tier("staff", "by_age: false\n")
    assert _closed(tmp_path, grade, staff=bare) >= ALWAYS_CLOSED


@pytest.mark.parametrize(
    ("grade", "is_closed"), [("6", True), ("7", True), ("8", False), ("9", False)]
)
def test_age_13_opens_at_grade_8(tmp_path: Path, grade: str, is_closed: bool) -> None:
    plain = {"lower-secondary": _tier("lower-secondary")}
    assert ("streaming" in _closed(tmp_path, grade, **plain)) is is_closed


def test_without_by_age_only_what_is_named_is_closed(tmp_path: Path) -> None:
    tier = _tier("primary", "by_age: false\ncategories: {block: [games]}\n")
    assert _closed(tmp_path, "1", primary=tier) == ALWAYS_CLOSED | {"games"}


def test_a_tier_may_open_what_age_would_close(tmp_path: Path) -> None:
    tier = _tier("primary", "categories: {allow: [streaming]}\n")
    assert "streaming" not in _closed(tmp_path, "1", primary=tier)


def test_a_grade_outranks_its_tier(tmp_path: Path) -> None:
    site = "grades:\n  5: {categories: {allow: [games], block: [ads-trackers]}}\n"
    tier = _tier("primary", "categories: {block: [games], allow: [ads-trackers]}\n")
    policy = a_policy(tmp_path, site, primary=tier)
    assert {"games", "ads-trackers"} & policy.grades["5"].closed == {"ads-trackers"}
    assert {"games", "ads-trackers"} & policy.grades["4"].closed == {"games"}


def test_a_tier_outranks_the_one_that_it_inherits(tmp_path: Path) -> None:
    tiers = {
        "primary": _tier("primary", "categories: {block: [ads-trackers]}\nyoutube: strict\n"),
        "staff": _tier("staff", "inherits: primary\ncategories: {allow: [ads-trackers]}\n"),
    }
    staff = a_policy(tmp_path, **tiers).grades["staff"]
    assert staff.closed == ALWAYS_CLOSED
    assert staff.youtube == "strict"


def test_settings_come_from_the_nearest_that_sets_them(tmp_path: Path) -> None:
    site = "grades:\n  9: {block_response: sinkhole, sinkhole: {ipv4: 192.0.2.1}}\n"
    tier = _tier("lower-secondary", "block_response: nodata\nsafe_search: on\n")
    policy = a_policy(tmp_path, site, **{"lower-secondary": tier})
    assert policy.grades["8"].response is BlockResponse.NODATA
    ninth = policy.grades["9"]
    assert (ninth.response, ninth.sinkhole_ipv4) == (BlockResponse.SINKHOLE, "192.0.2.1")
    assert (ninth.safe_search, ninth.youtube, ninth.client_ttl_max_s) == ("on", "off", 600)


def test_every_grade_is_compiled_whether_or_not_the_site_has_it(tmp_path: Path) -> None:
    assert tuple(a_policy(tmp_path).grades) == GRADES


@pytest.mark.parametrize(
    ("categories", "problem"),
    [
        ("{block: [game]}", "4:26: 'game' is not a category (did you mean 'games'?)"),
        ("{allow: [porn]}", "4:26: 'porn' is locked: it is closed to everybody (remove it)"),
        ("{allow: [law-ordered]}", "4:26: 'law-ordered' is locked: it is closed to everybody"),
        ("{block: [games], allow: [games]}", "4:42: 'games' is both blocked and allowed"),
    ],
)
def test_categories_of_a_grade_are_checked(tmp_path: Path, categories: str, problem: str) -> None:
    (found,) = problems(tmp_path, f"grades:\n  6:\n    categories: {categories}\n")
    assert found.startswith(f"site.yaml:{problem}")


def test_categories_of_a_tier_are_checked_in_its_file(tmp_path: Path) -> None:
    tier = _tier("staff", "categories:\n  allow:\n    - porn\n")
    assert problems(tmp_path, staff=tier) == [
        "staff.yaml:5:7: 'porn' is locked: it is closed to everybody (remove it)"
    ]


def test_the_strictest_grade_has_the_most_closed(tmp_path: Path) -> None:
    grades = a_policy(tmp_path).grades
    assert strictest(grades, ["staff", "12", "9"]) == "9"
    assert strictest(grades, ["staff"]) == "staff"


def test_of_equally_strict_grades_the_youngest_stands_for_all(tmp_path: Path) -> None:
    grades = a_policy(tmp_path).grades
    assert grades["1"].closed == grades["5"].closed
    assert strictest(grades, ["5", "1", "3"]) == "1"
    assert strictest(grades, []) == "preschool"


def test_the_strictest_of_all_closes_whatever_any_closes(tmp_path: Path) -> None:
    grades = a_policy(tmp_path).grades
    union = frozenset().union(*(policy.closed for policy in grades.values()))
    assert grades[strictest(grades, [])].closed == union
    assert union == {category.id for category in CATALOG.categories}


def _services(folder: Path, grade: str, site: str = "", **tiers: str) -> tuple[set[str], set[str]]:
    """Return which services are closed, and opened, beside what their categories are."""
    found = a_policy(folder, site, WITH_SERVICES, **tiers).grades[grade]
    return {one for one in found.closed if ":" in one}, set(found.opened)


PLAIN = {
    "lower-secondary": _tier("lower-secondary"),
    "upper-secondary": _tier("upper-secondary"),
}


@pytest.mark.parametrize("grade", ["1", "7", "8", "12"])
def test_a_service_for_older_ones_than_its_category_is_closed_by_age(
    tmp_path: Path, grade: str
) -> None:
    assert _services(tmp_path, grade, **PLAIN) == ({"service:bigo"}, set())


def test_nothing_is_closed_by_age_to_the_old_or_where_age_does_not_count(tmp_path: Path) -> None:
    assert _services(tmp_path, "staff") == (set(), set())
    young = _tier("primary", "by_age: false\n")
    assert _services(tmp_path, "1", primary=young) == (set(), set())


def test_a_service_that_is_named_goes_neither_by_age_nor_by_category(tmp_path: Path) -> None:
    site = "grades:\n  7: {services: {allow: [bigo, youtube], block: [azota]}}\n"
    closed, opened = _services(tmp_path, "7", site, **PLAIN)
    assert closed == {"service:azota"}
    assert opened == {"service:bigo", "service:youtube"}


def test_of_services_the_nearest_word_counts(tmp_path: Path) -> None:
    tier = _tier("lower-secondary", "services: {allow: [bigo], block: [azota]}\n")
    site = "grades:\n  7: {services: {allow: [azota], block: [bigo]}}\n"
    closed, opened = _services(tmp_path, "7", site, **{"lower-secondary": tier})
    assert (closed, opened) == ({"service:bigo"}, {"service:azota"})


def test_to_block_a_category_closes_a_service_that_was_open_further_off(tmp_path: Path) -> None:
    tier = _tier("lower-secondary", "services: {allow: [youtube, roblox]}\n")
    site = "grades:\n  7: {categories: {block: [streaming]}}\n"
    _, opened = _services(tmp_path, "7", site, **{"lower-secondary": tier})
    assert opened == {"service:roblox"}


def test_to_allow_a_category_leaves_a_service_closed_that_is_for_older_ones(
    tmp_path: Path,
) -> None:
    site = "grades:\n  7: {categories: {allow: [streaming]}}\n"
    closed, _ = _services(tmp_path, "7", site, **PLAIN)
    assert closed == {"service:bigo"}  # and not youtube, which is for no older ones


KEPT = "keep_closed: {categories: [social-media], services: [bigo]}\n"


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ("categories: {allow: [social-media]}", "'social-media' is kept closed by the school"),
        ("services: {allow: [tiktok]}", "'tiktok' is kept closed by the school"),
        ("services: {allow: [bigo]}", "'bigo' is kept closed by the school"),
        ("services: {allow: [bet]}", "'bet' is locked: it is closed to everybody"),
        ("services: {allow: [youtub]}", "'youtub' is not a service (did you mean 'youtube'?)"),
        ("services: {block: [x], allow: [x]}", "'x' is not a service"),
        ("services: {block: [roblox], allow: [roblox]}", "'roblox' is both blocked and allowed"),
    ],
)
def test_a_grade_opens_nothing_that_must_stay_closed(
    tmp_path: Path, named: str, problem: str
) -> None:
    found = problems(tmp_path, f"{KEPT}grades:\n  7: {{{named}}}\n", WITH_SERVICES)
    assert found[0].startswith("site.yaml:4:")
    assert problem in found[0]


def test_what_the_school_keeps_closed_stays_so_where_a_grade_forgets_ages(tmp_path: Path) -> None:
    site = "grades:\n  7: {by_age: false}\n"
    assert "social-media" not in a_policy(tmp_path, site, WITH_SERVICES, **PLAIN).grades["7"].closed
    kept = a_policy(tmp_path, KEPT + site, WITH_SERVICES, **PLAIN)
    assert kept.grades["7"].closed >= {"social-media", "service:bigo"}
    assert kept.kept_closed == {"social-media", "service:bigo"}
    assert "social-media" not in kept.grades["11"].closed  # whose tier has it open


LESSONS = "lessons: {b: 08:00-08:45, a: 07:00-07:45, c: 09:00-09:45, break: 08:45-09:00}\n"


def _lab(timetable: str, more: str = "") -> str:
    return (
        f"{LESSONS}networks:\n  lab: {{{more}cidrs: [10.1.0.0/24], timetable: {{{timetable}}}}}\n"
    )


def _warnings(folder: Path, site: str) -> list[str]:
    policy = a_policy(folder, site)
    found = warnings(load_site(folder), policy, NOW)
    return [str(one).removeprefix(f"{folder}/") for one in found]


def test_lessons_are_in_the_order_of_the_day(tmp_path: Path) -> None:
    lessons = a_policy(tmp_path, LESSONS).lessons
    assert [lesson.id for lesson in lessons] == ["a", "b", "break", "c"]
    assert lessons[0] == Lesson("a", 7 * 3600, 7 * 3600 + 45 * 60)


@pytest.mark.parametrize(
    ("lessons", "problem"),
    [
        (
            "{a: 07:00-07:45, b: 07:44-08:30}",
            "2:27: 'b' begins before 'a' ends ('a' ends at 07:45)",
        ),
        ("{a: 07:00-09:00, b: 07:10-07:20, c: 08:00-08:30}", "2:27: 'b' begins before 'a' ends"),
        ("{a: 07:45-07:00}", "2:11: a: it ends before it begins"),
        ("{a: 07:00}", "2:11: a: '07:00' is not a part of a day (such as 07:00-07:45)"),
        ("{a: 07:00-25:00}", "2:11: a: '25:00' is not a time of day"),
        ("{a: 24:00-24:01}", "2:11: a: '24:01' is not a time of day"),
        ("{A: 07:00-08:00}", "2:11: A: 'A' does not have the right form"),
    ],
)
def test_lessons_that_cannot_be_are_reported(tmp_path: Path, lessons: str, problem: str) -> None:
    found = problems(tmp_path, f"lessons: {lessons}\n")
    assert found[0].startswith(f"site.yaml:{problem}")


def test_lessons_may_follow_each_other_at_once(tmp_path: Path) -> None:
    assert len(a_policy(tmp_path, "lessons: {a: 07:00-07:45, b: 07:45-08:30}\n").lessons) == 2


def test_a_timetable_makes_a_room(tmp_path: Path) -> None:
    (lab,) = a_policy(tmp_path, _lab("t2: {a: 6, b: 9}, sun: {c: 12}")).networks
    periods = (Period(0, "a", "6"), Period(0, "b", "9"), Period(6, "c", "12"))
    assert lab == Network("lab", "6", ("10.1.0.0/24",), timetable=periods, room=True)


def test_a_room_may_have_a_grade_of_its_own_too(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, _lab("t2: {a: 11}", "grade: 2, "))
    assert policy.networks[0].grade == "2"


def test_an_unknown_client_is_filtered_as_strictly_as_any_timetable(tmp_path: Path) -> None:
    assert a_policy(tmp_path, _lab("t2: {a: 9, b: 3}")).unknown_grade == "3"


def test_a_room_needs_no_devices_and_no_timetable(tmp_path: Path) -> None:
    (lab,) = a_policy(tmp_path, "networks:\n  lab: {room: true, grade: 6}\n").networks
    assert lab == Network("lab", "6", room=True)


@pytest.mark.parametrize(
    ("site", "problem"),
    [
        (_lab("t2: {d: 6}"), "4:48: 'd' is not a lesson of this site (known: b, a, c, break)"),
        (_lab("t9: {a: 6}"), "t9: 't9' is not a day of the week (known: t2, t3"),
        (_lab("t2: {a: 13}"), "4:48: grade: '13' is not a grade"),
        (_lab("t2: {a: 6}, mon: {b: 6}"), "'mon' and 't2' are the same day"),
        ("networks:\n  lab: {timetable: {}, cidrs: [10.0.0.0/8]}\n", "the key 'grade' is missing"),
        (
            "networks:\n  lab: {timetable: {t2: {a: 6}}}\n",
            "'a' is not a lesson of this site (name it",
        ),
        (
            "networks:\n  lab: {room: false, grade: 6}\n",
            "no client can be recognised as of this network",
        ),
        ("networks:\n  lab: {room: true, grade: 6, on_holidays: true}\n", "without a timetable"),
    ],
)
def test_timetables_that_cannot_be_are_reported(tmp_path: Path, site: str, problem: str) -> None:
    (found,) = problems(tmp_path, site)
    assert problem in found


@pytest.mark.parametrize(
    ("timetable", "warned"),
    [
        ("t2: {a: 6, b: 6, c: 6}", []),
        ("t2: {a: 6, b: 6}, t3: {b: 6, c: 6}", []),  # ends earlier, begins later
        ("t2: {a: 6, c: 6}, t3: {b: 6}", ["t2"]),
        ("t2: {a: 6, c: 6}", []),  # no day has b: it is a break
        ("t2: {a: 6, c: 6}, t3: {b: 6}, t4: {}, t5: {a: 7, c: 7}", ["t2", "t5"]),
    ],
)
def test_a_hole_is_warned_of_where_it_is(tmp_path: Path, timetable: str, warned: list[str]) -> None:
    found = _warnings(tmp_path, _lab(timetable))
    assert [one.split(" (")[0].rpartition(" ")[2] for one in found] == warned
    assert all(one.startswith("site.yaml:4:") and "has no grade in b of" in one for one in found)


def test_days_off_are_public_ones_and_the_schools_in_order(tmp_path: Path) -> None:
    site = "holidays:\n  - 2026-11-20\n  - {first: 2026-06-01, last: 2026-08-31, name: Nghỉ hè}\n"
    assert a_policy(tmp_path, site, WITH_SERVICES).holidays == (
        Holiday("2026-06-01", "2026-08-31", "Nghỉ hè", "Nghỉ hè"),
        Holiday("2026-09-02", "2026-09-02", "Quốc khánh", "National Day"),
        Holiday("2026-11-20", "2026-11-20", "", ""),
    )


@pytest.mark.parametrize(
    ("day", "problem"),
    [
        ("2026-13-01", "'2026-13-01' is not a date (such as 2026-09-02)"),
        ("'20261120'", "'20261120' is not a date"),
        ("0001-01-01", "'0001-01-01' is not a date"),
        ("{first: 2026-09-02, last: 2026-09-01}", "the holiday ends before it begins"),
    ],
)
def test_days_that_cannot_be_are_reported(tmp_path: Path, day: str, problem: str) -> None:
    (found,) = problems(tmp_path, f"holidays: [2026-01-02, {day}]\n")
    assert problem in found


CLASSES = "classes:\n  6A: {grade: 6, teachers: [lan]}\n  9/3: {grade: 9}\n"
TWO_LESSONS = "lessons: {a: 07:00-07:45, b: 08:00-08:45}\n"


def test_a_class_has_the_policy_of_its_grade_under_a_key_of_its_own(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, CLASSES)
    assert policy.classes == (SchoolClass("6A", "6", ("lan",)), SchoolClass("9/3", "9"))
    of_class, of_grade = policy.grades["6A"], policy.grades["6"]
    assert (of_class.key, of_class.class_id, of_class.grade) == ("6A", "6A", "6")
    assert of_class.closed == of_grade.closed
    client = Client(of_class)
    for audience, whom in ((Audience.GRADE, "6"), (Audience.CLASS, "6A")):
        assert client.is_of(audience, whom)
    assert not client.is_of(Audience.CLASS, "6B")
    assert not Client(of_grade).is_of(Audience.CLASS, "6A")


def test_a_network_is_a_home_room_and_a_lesson_is_booked_to_a_class(tmp_path: Path) -> None:
    site = (
        f"{CLASSES}{TWO_LESSONS}networks:\n"
        "  p-101: {class: 6A, cidrs: [10.0.1.0/24]}\n"
        "  lab:\n    timetable:\n"
        "      t2: {a: 6A, b: {class: 9/3, teacher: hoa}}\n      t3: {a: 7}\n"
    )
    home, lab = a_policy(tmp_path, site).networks
    assert home.grade == "6A"
    assert lab.grade == "6"  # the strictest that may sit there, of no class
    assert lab.timetable == (
        Period(0, "a", "6A"),
        Period(0, "b", "9/3", "hoa"),
        Period(1, "a", "7"),
    )


def test_a_site_without_classes_has_none(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, "")
    assert policy.classes == ()
    assert not any(grade.class_id for grade in policy.grades.values())


@pytest.mark.parametrize(
    ("site", "problem"),
    [
        ("classes: {6a: {grade: 6}, 6A: {grade: 6}}\n", "'6A' and '6a' are the same class"),
        ("classes: {staff: {grade: 6}}\n", "'staff' is not a class"),
        ("classes: {13: {grade: 6}}\n", "'13' is not a class"),
        ('classes: {"6@A": {grade: 6}}\n', "'6@A' is not a class"),
        ("classes: {6A: {}}\n", "the key 'grade' is missing"),
        ("classes: {6A: {grade: 6B}}\n", "'6B' is not a grade"),
        ("classes: {6A: {grade: 6, teachers: [cô lan]}}\n", "'cô lan' is not a user name"),
        (
            f"{CLASSES}networks: {{a: {{class: 6B, cidrs: [10.0.0.0/8]}}}}\n",
            "'6B' is not a class of this site (known: 6A, 9/3)",
        ),
        (
            f"{CLASSES}networks: {{a: {{class: 6A, grade: 6, cidrs: [10.0.0.0/8]}}}}\n",
            "a class has its own grade (remove grade:)",
        ),
        (
            f"{CLASSES}{TWO_LESSONS}networks: {{a: {{timetable: {{t2: {{a: 6B}}}}}}}}\n",
            "'6B' is not a class of this site (known: 6A, 9/3)",
        ),
        (
            f"{CLASSES}{TWO_LESSONS}networks:"
            " {a: {timetable: {t2: {a: {teacher: lan}}}}}\n",
            "a lesson has either a class or a grade",
        ),
        (
            f"{CLASSES}exceptions: [{{allow: a.vn, reason: why, for: {{class: 6B}}}}]\n",
            "'6B' is not a class of this site",
        ),
    ],
)
def test_classes_that_cannot_be_are_reported(tmp_path: Path, site: str, problem: str) -> None:
    assert any(problem in one for one in problems(tmp_path, site)), problems(tmp_path, site)


GUARDED = replace(
    CATALOG,
    categories=(
        *(replace(one, guarded=one.id == "encrypted-dns") for one in CATALOG.categories),
        replace(CATALOG.categories[4], id="violence", min_age=18, guarded=True),
    ),
    services=(replace(WITH_SERVICES.services[0], id="duels", group="violence", min_age=None),),
)


def test_what_the_shipped_tier_closes_of_what_is_guarded_only_an_administrator_opens(
    tmp_path: Path,
) -> None:
    grades = a_policy(tmp_path, "", GUARDED).grades
    assert grades["6"].guarded == grades["guest"].guarded == {"encrypted-dns", "violence"}
    assert grades["staff"].guarded == {"encrypted-dns"}  # named in the tier that ships


def test_a_tier_of_the_school_changes_nothing_of_that(tmp_path: Path) -> None:
    opened = _tier("lower-secondary", "categories: {allow: [violence]}\n")
    grade = a_policy(tmp_path, "", GUARDED, **{"lower-secondary": opened}).grades["6"]
    assert "violence" not in grade.closed
    assert grade.guarded == {"encrypted-dns", "violence"}


@pytest.mark.parametrize(
    ("site", "words"),
    [
        (
            "grades: {6: {categories: {allow: [violence]}}}\n",
            "violence is guarded, and open to 6",
        ),
        ("grades: {6: {services: {allow: [duels]}}}\n", "violence is guarded, and open to 6"),
        (
            "grades: {6: {by_age: false}}\n",
            "without by_age encrypted-dns, violence is open to 6",
        ),
        (
            "schedules: {all-day: [{from: '00:00', to: '24:00'}]}\n"
            "scheduled: [{schedule: all-day, open: {category: violence}, for: {grade: 6}}]\n",
            "violence is guarded, and open to 6",
        ),
        ("grades: {staff: {categories: {allow: [violence]}}}\n", ""),
        ("grades: {6: {categories: {allow: [games]}}}\n", ""),
    ],
)
def test_what_the_site_opens_of_what_is_guarded_is_warned_of(
    tmp_path: Path, site: str, words: str
) -> None:
    policy = a_policy(tmp_path, site, GUARDED)
    found = [str(warning) for warning in warnings(load_site(tmp_path), policy, NOW)]
    assert len(found) == bool(words)
    assert all(words in one and "site.yaml:" in one for one in found)
