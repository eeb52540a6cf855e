# SPDX-License-Identifier: Apache-2.0
"""A category that was split: what a school had set by its id holds for its parts.

The school of before is written by the readers and writers that it had: ``site.yaml``, a policy
file and the plain form of what commands set. Its category ``vice`` (from 16) is split into itself,
``smoke`` (locked) and ``chatter`` (from 18); ``streaming`` (from 13) into itself and ``live``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.config.compile import warnings
from filterd.config.site_reader import load_site
from filterd.overrides.changes import effects
from filterd.policy import category_parts, effective_policy, policy_file
from filterd.policy.category_parts import LockedPart
from filterd.policy.grade_rows import CLOSED, LOCKED, OPEN, Difference, differences, state_of
from filterd.policy.guarded_categories import opened_by
from filterd.policy.model import GRADES, Audience, Category, Policy
from filterd.policy.temporary_rules import GradeSetting, LocalException, Overrides, TargetKind
from tests.support.policies import an_index
from tests.support.site import WITH_SERVICES, a_category, a_policy, a_service

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_788_224_400.0  # 2026-09-01 01:00 UTC, a Tuesday; 08:00 in Viet Nam
BEFORE = replace(
    WITH_SERVICES,
    categories=(*WITH_SERVICES.categories, a_category("vice", 16)),
    services=(*WITH_SERVICES.services, a_service("friend", "vice")),
)
SMOKE = replace(a_category("smoke", 18, locked=True), part_of="vice")
CHATTER = replace(a_category("chatter", 18), part_of="vice")
LIVE = replace(a_category("live", 13), part_of="streaming")
AFTER = replace(
    BEFORE,
    categories=(*BEFORE.categories, SMOKE, CHATTER, LIVE),
    services=tuple(
        a_service(service.id, "chatter") if service.id == "friend" else service
        for service in BEFORE.services
    ),
)

SITES = {
    "nothing": "",
    "a grade opens it": "grades: {'9': {categories: {allow: [vice]}}}\n",
    "the staff close it": "grades: {staff: {categories: {block: [vice]}}}\n",
    "a grade closes what opens by age": (
        "grades: {'12': {categories: {block: [vice, streaming]}}}\n"
    ),
    "it is kept closed": "keep_closed: {categories: [vice]}\n",
    "ages do not count": "grades: {'6': {by_age: false}}\n",
    "a lesson closes it": (
        "schedules: {gio: [{from: 07:00, to: 11:30}]}\n"
        "scheduled: [{schedule: gio, close: {category: streaming}},"
        " {schedule: gio, close: {category: vice}}]\n"
    ),
    "a lesson opens it": (
        "schedules: {gio: [{from: 07:00, to: 11:30}]}\n"
        "scheduled: [{schedule: gio, open: {category: vice}, for: {grade: 10}}]\n"
    ),
}


def a_setting(target: str, *, opens: bool, grade: str = "12", number: int = 1) -> GradeSetting:
    kind = TargetKind.CATEGORY
    return GradeSetting(number, grade, kind, target, opens, "họp", "admin", NOW - 60)


def an_exception(target: str, *, allow: bool, grade: str = "8", number: int = 2) -> LocalException:
    about = TargetKind.CATEGORY, target, allow, Audience.GRADE, grade
    kind, target, allow, audience, whom = about
    return LocalException(
        number, kind, target, allow, audience, whom, "bài học", "lan", NOW - 60, NOW + 3600
    )


COMMANDS = {
    "nothing": Overrides(),
    "set open": Overrides(grades=(a_setting("vice", opens=True, grade="7"),)),
    "set closed": Overrides(grades=(a_setting("vice", opens=False, grade="staff"),)),
    "opened for a lesson": Overrides(exceptions=(an_exception("vice", allow=True),)),
    "closed for a lesson": Overrides(exceptions=(an_exception("streaming", allow=False),)),
}


def of_before(folder: Path, site: str, overrides: Overrides) -> tuple[Policy, Overrides]:
    """Return policy and overrides as the files of a school of before have them."""
    policy_file.save(folder / "policy", a_policy(folder, site, BEFORE))
    policy = policy_file.load(folder / "policy")
    return policy, effects.from_plain(effects.to_plain(overrides))


def at(policy: Policy, overrides: Overrides) -> Policy:
    return effective_policy.at(policy, overrides, NOW).policy


@pytest.mark.parametrize("commands", COMMANDS)
@pytest.mark.parametrize("site", SITES)
def test_nothing_that_was_closed_opens_and_what_was_opened_stays_so(
    tmp_path: Path, site: str, commands: str
) -> None:
    policy, overrides = of_before(tmp_path, SITES[site], COMMANDS[commands])
    before, plain = at(policy, overrides), a_policy(tmp_path, "", BEFORE)
    after = at(a_policy(tmp_path, SITES[site], AFTER), overrides)
    for grade in GRADES:
        old, new = before.grades[grade], after.grades[grade]
        for whole, part in (("vice", "smoke"), ("vice", "chatter"), ("streaming", "live")):
            assert (whole in old.closed) is (whole in new.closed)
            if whole in old.closed:
                assert part in new.closed, f"{part} opens to {grade}"
            elif whole in plain.grades[grade].closed and part != "smoke":
                assert part not in new.closed, f"{part} closes to {grade}, which had it opened"
        if "vice" in old.closed:
            assert state_of(after, new, "chatter") != OPEN
        assert "smoke" in new.closed


@pytest.mark.control
def test_control_without_the_mark_a_split_opens_what_the_staff_had_closed(tmp_path: Path) -> None:
    parts = (replace(one, part_of="") for one in (SMOKE, CHATTER, LIVE))
    unmarked = replace(AFTER, categories=(*BEFORE.categories, *parts))
    policy = a_policy(tmp_path, SITES["the staff close it"], unmarked)
    assert "vice" in policy.grades["staff"].closed
    assert "chatter" not in policy.grades["staff"].closed


def test_a_setting_of_the_part_is_narrower_than_one_of_the_whole(tmp_path: Path) -> None:
    site = "grades: {'9': {categories: {allow: [vice], block: [chatter]}}}\n"
    closed = a_policy(tmp_path, site, AFTER).grades["9"].closed
    assert ("vice" in closed, "chatter" in closed) == (False, True)
    policy = a_policy(tmp_path, "", AFTER)
    older, newer = a_setting("chatter", opens=True), a_setting("vice", opens=False, number=2)
    closed = at(policy, Overrides(grades=(older, newer))).grades["12"].closed
    assert ("vice" in closed, "chatter" in closed) == (True, False)


def test_the_nearest_setting_counts_whatever_it_names(tmp_path: Path) -> None:
    tier = "tier: upper-secondary\ndescription: {vi: A, en: A}\ncategories: {allow: [chatter]}\n"
    site = "grades: {'12': {categories: {block: [vice]}}}\n"
    policy = a_policy(tmp_path, site, AFTER, **{"upper-secondary": tier})
    assert "chatter" not in policy.grades["11"].closed
    assert "chatter" in policy.grades["12"].closed


def test_a_service_of_a_part_goes_with_the_whole(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, "", AFTER)
    opened = at(policy, Overrides(grades=(a_setting("vice", opens=True),))).grades["12"]
    assert "service:friend" not in opened.closed
    closed = at(policy, Overrides(grades=(a_setting("vice", opens=False, grade="staff"),)))
    assert "service:friend" in closed.grades["staff"].closed


def test_a_part_of_what_is_guarded_is_opened_with_it_only_by_who_may(tmp_path: Path) -> None:
    marked = [
        replace(category, guarded=category.id in {"vice", "chatter"})
        for category in AFTER.categories
    ]
    policy = a_policy(tmp_path, "", replace(AFTER, categories=tuple(marked)))
    index = an_index(tmp_path, {})
    thing = an_exception("vice", allow=True)
    assert opened_by(thing, policy, index) == {"vice", "chatter"}


def test_a_locked_part_of_what_is_open_is_told(tmp_path: Path) -> None:
    site = (
        SITES["a grade opens it"]
        + "schedules: {gio: [{from: 07:00, to: 11:30}]}\n"
        + "scheduled: [{schedule: gio, open: {category: vice}, for: {grade: 10}}]\n"
    )
    policy = a_policy(tmp_path, site, AFTER)
    told = [
        str(warning)
        for warning in warnings(load_site(tmp_path), policy, NOW)
        if "locked" in str(warning)
    ]
    reason = "smoke, a part of vice, is locked: it stays closed (block it here, to say so)"
    assert told == [f"{tmp_path}/site.yaml:{place}: {reason}" for place in ("2:37", "4:36")]
    overrides = COMMANDS["set open"]
    assert list(category_parts.locked_parts(policy, overrides, NOW)) == [
        LockedPart("smoke", "vice", Audience.GRADE, "10", None),
        LockedPart("smoke", "vice", Audience.GRADE, "7", 1),
    ]
    assert not list(category_parts.locked_parts(policy, overrides, NOW - 3600))[1:]
    closing = Overrides(exceptions=(an_exception("vice", allow=False),))
    assert not list(category_parts.locked_parts(policy, closing, NOW))[1:]


def test_what_says_itself_that_the_part_stays_closed_is_no_doubt(tmp_path: Path) -> None:
    site = "grades: {'9': {categories: {allow: [vice], block: [smoke]}}}\n"
    policy = a_policy(tmp_path, site, AFTER)
    assert not [
        warning
        for warning in warnings(load_site(tmp_path), policy, NOW)
        if "locked" in str(warning)
    ]


def test_a_difference_shows_what_a_split_changes(tmp_path: Path) -> None:
    before, after = a_policy(tmp_path, "", BEFORE), a_policy(tmp_path, "", AFTER)
    pairs = {
        grade: list(differences(before, before.grades[grade], after, after.grades[grade]))
        for grade in ("6", "12", "staff")
    }
    assert pairs["12"] == [
        Difference("category", "smoke", OPEN, LOCKED),
        Difference("category", "chatter", OPEN, CLOSED),
    ]
    assert pairs["staff"] == [Difference("category", "smoke", OPEN, LOCKED)]
    assert pairs["6"] == [Difference("category", "smoke", CLOSED, LOCKED)]
    back = list(differences(after, after.grades["12"], before, before.grades["12"]))
    assert back[0] == Difference("category", "smoke", LOCKED, OPEN)


def test_an_id_stands_for_its_parts() -> None:
    known = {one: Category(one, one, one, part_of=of) for one, of in (("a", ""), ("b", "a"))}
    assert category_parts.with_parts(known, "a") == {"a", "b"}
    assert category_parts.with_parts(known, "b") == {"b"}
    assert category_parts.all_with_parts(known, ["a", "gone"]) == {"a", "b", "gone"}
    assert category_parts.settings_with_parts(known, {"b": False, "a": True}) == {
        "a": True,
        "b": False,
    }
    assert category_parts.locked_in(known, "gone") == []


def test_what_is_locked_of_it_does_not_open_with_the_whole(tmp_path: Path) -> None:
    categories = a_policy(tmp_path, "", AFTER).categories
    assert category_parts.opened_with(categories, "vice") == {"vice", "chatter"}
    assert category_parts.opened_with(categories, "streaming") == {"streaming", "live"}
