# SPDX-License-Identifier: Apache-2.0
"""Versions that are authentic and broken: none comes in force."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from filterd.feed.guard import candidate, checks
from filterd.feed.guard.judgement import ASKED, ASKED_LITTLE, CHECKS, Severity, request_of
from filterd.feed.versions import Candidate
from filterd.lists.index_files import Blocklists
from filterd.querylog.lookups import LookupContext
from tests.support.broken_versions import BROKEN, HARMFUL, OWN, POPULAR, add, an_order, data_of
from tests.support.day_lookups import Looked, write_day
from tests.support.feed_candidates import (
    GAMBLING,
    PORN,
    Following,
    names_of,
    write_names,
)
from tests.support.made_once import MadeOnce
from tests.support.policies import NOW
from tests.support.yaml_files import change_yaml, write_yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce[Following]:
    return MadeOnce(tmp_path_factory.mktemp("school"), lambda folder: Following(folder, POPULAR))


@pytest.fixture
def school(made: MadeOnce[Following]) -> Following:
    return made.anew()


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Following:
    """A school whose version in force stays."""
    return Following(tmp_path_factory.mktemp("school"), POPULAR)


@pytest.mark.long
@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_broken_never_comes_in_force_by_itself(steady: Following, broken: str) -> None:
    judgement = steady.judge(BROKEN[broken])
    assert not judgement.may_come_in_force(), broken
    assert len(str(judgement.error()).splitlines()) == 1


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Following:
    """A school that has compiled nothing yet."""
    school = Following(tmp_path_factory.mktemp("new"), POPULAR)
    school.in_force = None
    return school


@pytest.fixture(scope="module")
def following_what_ships(tmp_path_factory: pytest.TempPathFactory) -> Following:
    """A school that has no version of a feed yet."""
    school = Following(tmp_path_factory.mktemp("ships"), POPULAR)
    school.put_shipped_in_force()
    return school


@pytest.mark.long
@pytest.mark.parametrize("harmful", HARMFUL)
def test_no_first_version_does_harm_either(following_what_ships: Following, harmful: str) -> None:
    assert not following_what_ships.judge(HARMFUL[harmful]).may_come_in_force(), harmful


@pytest.mark.parametrize(
    "harmful",
    [
        "no pins",
        pytest.param("the twin of Ecosia", marks=pytest.mark.long),
        pytest.param("self-harm as education", marks=pytest.mark.long),
    ],
)
def test_nor_where_nothing_is_in_force_at_all(new: Following, harmful: str) -> None:
    assert not new.judge(HARMFUL[harmful]).may_come_in_force(), harmful


def test_a_first_version_that_does_none_is_accepted(following_what_ships: Following) -> None:
    judgement = following_what_ships.judge()
    assert judgement.may_come_in_force()
    assert {finding.kind for finding in judgement.findings} <= {"growth"}


def test_an_honest_version_is_accepted_and_all_was_checked(school: Following) -> None:
    judgement = school.judge()
    assert judgement.findings == ()
    assert judgement.may_come_in_force()
    assert judgement.checks == CHECKS


def test_a_key_of_a_later_program_is_left_aside_and_noted(school: Following) -> None:
    """In its table this program would refuse it ("one field too many in a category")."""
    later = {"categories": {"games": {"weight": 1}}, "moods": {"calm": {"colour": "blue"}}}
    judgement = school.judge(lambda folder: write_yaml(folder / "additions.yaml", later))
    assert judgement.may_come_in_force()
    [note] = judgement.findings
    assert (note.severity, note.names) == (Severity.NOTE, ("categories: weight", "moods: colour"))


def test_what_a_known_key_says_there_is_compared(school: Following) -> None:
    later = {"categories": {"games": {"guarded": True}}}
    judgement = school.judge(lambda folder: write_yaml(folder / "additions.yaml", later))
    [held] = judgement.findings
    assert held.subjects == ("-categories games 12 False False False True guarded=True",)


def asked_before(school: Following, name: str, others: int) -> None:
    """Write a log in which a name was asked for beside others, by grade 6."""
    of = LookupContext("6", "", "", "", "pass")
    rows = [Looked(60, name, of, 10), Looked(61, "kept.example", of, others)]
    write_day(school.log, "2025-11-30", rows)


def test_a_version_that_closes_what_the_school_asks_for_is_held(school: Following) -> None:
    asked_before(school, "visited.example", 1_500)
    judgement = school.judge(add(GAMBLING, "visited.example"))
    [held] = [finding for finding in judgement.findings if finding.kind == ASKED]
    assert (held.severity, held.numbers) == (Severity.HELD, {"lost": 10, "total": 1_510})
    assert "visited" not in str(judgement.findings), "names of the log stay there"


def test_control_without_a_log_the_same_version_is_accepted(school: Following) -> None:
    assert school.judge(add(GAMBLING, "visited.example")).may_come_in_force()


def test_a_version_that_closes_little_of_it_is_accepted(school: Following) -> None:
    asked_before(school, "visited.example", 5_000)
    school.passed["2025-11-30"] = 5_010
    judgement = school.judge(add(GAMBLING, "visited.example"))
    assert judgement.may_come_in_force()
    assert [finding.kind for finding in judgement.findings] == [ASKED_LITTLE], (
        "so that the watch knows"
    )


@pytest.mark.long
def test_a_partial_or_damaged_log_gives_no_finding(school: Following) -> None:
    asked_before(school, "visited.example", 5_000)
    school.passed["2025-11-30"] = 50_000
    assert school.judge(add(GAMBLING, "visited.example")).findings == ()
    with closing(sqlite3.connect(school.log / "2025-11-30.sqlite3")) as file:
        file.execute("DELETE FROM names")
        file.commit()
    judgement = school.judge_again(add(GAMBLING, "visited.example"))
    assert judgement.findings == (), "a log never makes the feed unfit"


def _forget_canaries(folder: Path) -> None:
    """Leave out those of pornography, which is closed to everybody."""

    def forget(data: Any) -> None:
        data["canaries"] = [one for one in data["canaries"] if one["category"] != "porn"]

    change_yaml(folder / "canaries.yaml", forget)


def test_a_version_has_names_to_ask_for_of_what_is_closed_to_all(new: Following) -> None:
    findings = new.judge(_forget_canaries).findings
    refused = [
        str(finding.sentence) for finding in findings if finding.severity is Severity.REFUSED
    ]
    assert [one for one in refused if "porn" in one and "has no name to ask for" in one]


def _half_of_the_games(folder: Path) -> None:
    names = (folder / OWN).read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / OWN).write_text("".join(names[: len(names) // 2]), encoding="utf-8")


def test_a_version_is_compared_with_what_ships_too(school: Following) -> None:
    school.prepare(_half_of_the_games)
    school.come_in_force(2)
    found = school.judge_again(_half_of_the_games).findings
    [held] = [str(one.sentence) for one in found if one.kind == "canaries"]
    assert "category games" in held
    assert "names that what ships closes would be open" in held


def test_public_lists_beside_a_feed_are_not_asked_for_what_is_the_feed_s_affair(
    school: Following,
) -> None:
    """They need no canaries, and not all that ships."""
    feed_of_less = school.prepare(_forget_canaries).folder
    _half_of_the_games(feed_of_less)
    school.come_in_force(2)
    folder = feed_of_less.with_name("web-1")
    shutil.copytree(feed_of_less, folder)
    feed = Blocklists(feed_of_less, "2", Blocklists(folder, "web-1"))
    judging = replace(school.school, blocklists=feed)
    asked = request_of(Candidate("web-1", folder), school.in_force, judging, NOW)
    judgement = checks.judged(asked, cpu_s=lambda: 0.0, peak_octets=lambda: 0)
    assert judgement.may_come_in_force()
    assert judgement.checks == CHECKS


def test_an_honest_night_is_accepted(school: Following) -> None:
    """A hundredth of the names goes and as many come, of which one is visited by many."""

    def churn(folder: Path) -> None:
        for path, stem in ((GAMBLING, "gambling"), (PORN, "porn")):
            new = [f"new{number}.{stem}.example" for number in range(10)]
            write_names(folder / path, [*names_of(stem, 1_000)[10:], *new])
        add(GAMBLING, POPULAR[150])(folder)
        for pin in ("thi.example", "tuyensinh.example"):
            _more("pins.yaml", "pins", name=pin, subtree=True, reason="exams")(folder)
        _more("protect.yaml", "protections", name="hoc.example", reason="learning")(folder)
        called = {"vi": "Mới", "en": "New"}
        _more("holidays.yaml", "holidays", first="2026-09-03", name=called)(folder)
        names = ["new-game.example"]
        _more("services.yaml", "services", id="new", group="games", name=called, names=names)(
            folder
        )

    assert school.judge(churn).findings == ()


def _more(path: str, table: str, **entry: object) -> Callable[[Path], None]:
    return data_of(path, lambda data: data[table].append(entry))


ONLY_BY = {
    "malformed": "lines of Windows",
    "unusable_lines": "one column too many in a list",
    "wrong_answers": "exceptions from everything",
    "blocked_essentials": "google.com, as the publisher's own",
    "refused_entries": "com as a rule",
    "listed_suffixes": "health.vn, open for good",
    "closed_popular": "popular names",
    "grown": "a list of ten times as many names",
    "open_canaries": "a canary that is on no list",
    "closed_beneath": "what nobody knows beneath a protected name",
    "wrong_rewrites": "a bank that another answers for",
    "changed_tables": "no pins",
    "wrong_holidays": "every day a holiday",
    "closed_frozen": "a popular name that ships as one",
    "opened_canaries": "a canary of what ships, gone from its list and from the canaries",
    "forgotten_canaries": "a canary that is asked for no more",
    "opened_by_pins": "two names of porn, off the list and pinned",
    "unsigned_orders": "an unknown name as child abuse",
    "changed_contacts": "another telephone of the centre",
    "opened": "a list that means its names alone",
}
"""What each check is there for: nothing but it finds this. ``None`` of the others would."""

ALSO = {
    "wrong_answers": ("grown", "opened", "opened_canaries"),
    "blocked_essentials": ("closed_frozen", "closed_beneath"),
    "opened_canaries": ("forgotten_canaries",),
}
"""Checks that find the same by other means."""


@pytest.mark.parametrize("check", ONLY_BY)
def test_control_without_its_check_a_broken_version_would_come(
    check: str, steady: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (check, *ALSO.get(check, ())):
        where = candidate if one == "unusable_lines" else checks
        monkeypatch.setattr(where, one, lambda *_, **__: ())
    assert steady.judge(BROKEN[ONLY_BY[check]]).may_come_in_force()


def test_all_reasons_are_reported_at_once(school: Following) -> None:
    def change(folder: Path) -> None:
        BROKEN["google.com"](folder)
        BROKEN["popular names"](folder)
        BROKEN["a category that nothing is left of"](folder)

    kinds = {finding.kind for finding in school.judge(change).findings}
    assert kinds >= {"essentials", "popular", "growth"}


def test_a_feed_in_the_place_of_public_lists_is_a_first_one_but_opens_nothing(
    school: Following,
) -> None:
    tenfold = BROKEN["a list of ten times as many names"]
    school.put_public_lists_in_force()
    assert school.judge(tenfold).may_come_in_force()
    gone = school.judge(lambda folder: write_names(folder / PORN, names_of("porn", 100)))
    assert not gone.may_come_in_force()


@pytest.mark.long
def test_before_the_first_version_growth_is_reported_and_no_reason_to_wait(
    school: Following,
) -> None:
    school.put_shipped_in_force()
    judgement = school.judge(BROKEN["a list of ten times as many names"])
    assert judgement.may_come_in_force()
    assert {finding.severity for finding in judgement.findings} == {Severity.NOTE}
    assert "growth" in {finding.kind for finding in judgement.findings}


@pytest.mark.long
def test_a_publisher_need_not_have_all_that_a_newer_filterd_ships(
    following_what_ships: Following,
) -> None:
    def without_a_twentieth(table: str, data: Any) -> None:
        del data[table][-(len(data[table]) // 20) :]

    def older(folder: Path) -> None:
        for path, table in (
            ("pins.yaml", "pins"),
            ("protect.yaml", "protections"),
            ("services.yaml", "services"),
        ):
            change_yaml(folder / path, partial(without_a_twentieth, table))

    assert following_what_ships.judge(older).may_come_in_force()


@pytest.mark.long
def test_the_first_version_may_not_close_what_ships_as_essential(school: Following) -> None:
    school.put_shipped_in_force()
    forgotten = BROKEN["google.com, of which nobody says any more that it is protected"]
    assert not school.judge(forgotten).may_come_in_force()


def test_before_the_first_lists_there_is_nothing_to_compare_with(school: Following) -> None:
    school.in_force = None
    judgement = school.judge()
    assert judgement.may_come_in_force()
    assert judgement.checks == CHECKS


def test_a_damaged_index_in_force_is_no_reason_to_stay_on_it(school: Following) -> None:
    assert school.in_force is not None
    school.in_force.index.write_bytes(b"damaged")
    note, *growth = school.judge().findings
    assert {one.kind for one in growth} <= {"growth"}  # against what ships, as a first version
    assert {one.severity for one in (note, *growth)} == {Severity.NOTE}
    assert "cannot be compared" in note.sentence


def test_faulty_files_of_a_school_give_no_final_judgement_of_a_version(
    school: Following,
) -> None:
    (school.config / "site.yaml").write_text("school: {name: 5}\n")
    assert school.judge().may_come_in_force()  # the school is what it last was
    assert school.in_force is not None
    school.in_force.policy.with_name("policy.origin").unlink()  # and now nobody knows what
    judgement = school.judge()
    assert not judgement.may_come_in_force(approved=True)
    assert not judgement.is_final
    assert [finding.kind for finding in judgement.findings] == ["school"]


def test_what_needs_too_much_memory_is_refused(
    school: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhaust(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(candidate, "compile_candidate", exhaust)
    judgement = school.judge()
    assert judgement.is_final
    assert "memory" in judgement.findings[0].sentence


def test_an_order_closes_a_protected_name_and_comes_and_goes_at_once(school: Following) -> None:
    """What the law orders is neither growth nor, once withdrawn, a category that vanished."""
    ordered = "".join(f"{name}\n" for name in ["vnedu.vn", *names_of("ordered", 500)])
    assert school.judge(an_order(ordered.encode())).may_come_in_force()
    school.come_in_force(2)
    assert school.judge_again(lambda _: None).may_come_in_force()


def test_an_order_may_be_written_on_any_machine(steady: Following) -> None:
    """The names are typed by hand; the program that signs them leaves the file as it is."""
    judgement = steady.judge(an_order(b"\xef\xbb\xbfone.example\r\ntwo.example"))
    assert judgement.findings == ()


@pytest.mark.parametrize("before", ["an old one", pytest.param("none", marks=pytest.mark.long)])
def test_a_school_may_close_a_service_that_is_essential(tmp_path: Path, before: str) -> None:
    school = Following(tmp_path, site="grades: {3: {services: {block: [azota, quizizz]}}}\n")
    if before == "none":
        school.in_force = None
    assert {finding.severity for finding in school.judge().findings} <= {Severity.NOTE}


@pytest.mark.long
def test_a_version_may_not_close_an_essential_service(steady: Following) -> None:
    judgement = steady.judge(BROKEN["an essential service for adults only"])
    assert judgement.severity is Severity.REFUSED
    assert {finding.kind for finding in judgement.findings} == {"essentials", "popular", "tables"}


@pytest.mark.long
def test_a_suffix_that_the_publishers_machine_did_not_know_is_reported_only(
    steady: Following,
) -> None:
    """The Public Suffix List grows every week, by suffixes that companies let strangers use."""
    judgement = steady.judge(add(GAMBLING, "github.io"))
    assert judgement.may_come_in_force()
    assert [finding.names for finding in judgement.findings] == [("github.io",)]


def test_a_school_that_has_removed_its_own_list_is_no_reason_to_wait(school: Following) -> None:
    """Its names are in the index in force until the next build, and in no version of the feed."""
    site = school.config / "site.yaml"
    without = site.read_text(encoding="utf-8")
    write_names(school.config / "mine.txt", names_of("mine", 3_000))
    own = "lists: [{id: mine, file: mine.txt, category: games}]\n"
    site.write_text(without + own, encoding="utf-8")
    school.come_in_force(1)
    site.write_text(without, encoding="utf-8")
    assert school.judge().findings == ()
