# SPDX-License-Identifier: Apache-2.0
"""What waits for a decision of the publisher: families of look-alikes, reported mistakes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigErrors
from filterd.feed.families.lookalike_errors import KindErrors, RuleKind
from filterd.feed.families.lookalike_families import ACCEPTED, Decision, Waiting
from filterd.lists.hostname import key_from_text
from filterd.lists.list_merge import NamedBy
from filterd.lists.rules import NamingEntry
from filterd.overrides.mistake_answers import MistakeOutcome
from filterd.overrides.mistake_reports import Report
from filterd.publish import review
from filterd.publish.mistake_inbox import SchoolReports, SenderStanding
from filterd.publish.review import (
    DECISIONS,
    MISTAKE_DECISIONS,
    MOST_OF_OTHERS,
    MOST_OF_SCHOOL,
    MOST_WAITING,
    QUEUE,
    REFUSED,
    DecidedMistake,
    MistakeDecision,
    answers,
    built,
    decide,
    decide_mistakes,
    grouped,
    of_first_names,
    read_decided,
    read_decisions,
    read_errors,
    read_mistakes,
    read_queue,
    reported_keys,
    write_mistakes,
    write_queue,
)

if TYPE_CHECKING:
    from pathlib import Path


WAITING = Waiting(b"sv#", "gambling", 3, 6, ("sv1.com", "sv22.com"), ("sv7.com",))
FIRST = Decision(b"sv#", "gambling", 3, ACCEPTED, "Lan", "trang cá cược", "2026-09-02")


def test_decisions_are_kept_with_author_and_reason_and_the_last_one_counts(tmp_path: Path) -> None:
    other = FIRST._replace(shape=b"ku#")
    for one in (FIRST, other, FIRST._replace(decision=REFUSED, who="Minh")):
        decide(tmp_path, one)
    assert read_decisions(tmp_path) == (other, FIRST._replace(decision=REFUSED, who="Minh"))


def test_without_a_file_there_are_no_decisions(tmp_path: Path) -> None:
    assert read_decisions(tmp_path) == ()


def test_a_decision_without_a_reason_is_refused_and_stays_as_it_was(tmp_path: Path) -> None:
    decide(tmp_path, FIRST)
    broken = (tmp_path / DECISIONS).read_text().replace("trang cá cược", "''")
    (tmp_path / DECISIONS).write_text(broken)
    with pytest.raises(ConfigErrors, match="why"):
        decide(tmp_path, FIRST._replace(shape=b"ku#"))
    assert (tmp_path / DECISIONS).read_text() == broken


def test_several_decisions_are_written_at_once(tmp_path: Path) -> None:
    decide(tmp_path, FIRST, FIRST._replace(shape=b"ku#"))
    assert [decision.shape for decision in read_decisions(tmp_path)] == [b"sv#", b"ku#"]


def test_what_waits_is_kept_until_it_is_decided(tmp_path: Path) -> None:
    other = WAITING._replace(category="porn", examples=(), closes=())
    write_queue(tmp_path, [WAITING, other])
    assert read_queue(tmp_path) == (WAITING, other)
    decide(tmp_path, FIRST)
    assert read_queue(tmp_path) == (other,)


def test_a_queue_is_written_only_where_something_waits_or_did(tmp_path: Path) -> None:
    assert read_queue(tmp_path) == ()
    write_queue(tmp_path, [])
    assert not (tmp_path / QUEUE).exists()
    write_queue(tmp_path, [WAITING])
    write_queue(tmp_path, [])
    assert read_queue(tmp_path) == ()


ERRORS = KindErrors(
    "gambling", RuleKind.NEAR_LABEL, 1_900, 3, 0, 14_000, 1, 9_800, ("moyu88.example",)
)


def test_the_errors_of_rules_stand_beside_what_waits(tmp_path: Path) -> None:
    assert read_errors(tmp_path) == ()
    write_queue(tmp_path, [], [ERRORS])
    assert read_errors(tmp_path) == (ERRORS,)
    assert read_queue(tmp_path) == ()
    write_queue(tmp_path, [WAITING])
    assert read_errors(tmp_path) == ()


def test_a_queue_has_no_more_than_a_person_looks_through(tmp_path: Path) -> None:
    many = [WAITING._replace(shape=b"sv%d#" % number) for number in range(MOST_WAITING + 1)]
    write_queue(tmp_path, many)
    assert read_queue(tmp_path) == tuple(many[:MOST_WAITING])


NOW, DAY_S = 1_800_000_000.0, 86_400.0
TODAY, LATER, MUCH_LATER = "2027-01-15", "2027-05-01", "2027-08-01"
ENTRY = NamingEntry("feed-malware", "malware", "*.uni.example", 4, "0123456789ab")
UNI = DecidedMistake(
    name="uni.example",
    decision=MistakeDecision.ACCEPT,
    who="Lan",
    why="trường đại học",
    on=TODAY,
)


def a_file(
    sender: str, *names: str, enrolled: bool = True, code: str = "", at: float = NOW
) -> SchoolReports:
    reports = tuple(
        Report("THCS", n, at + n, name, f"lý do {sender}", entries=(ENTRY,))
        for n, name in enumerate(names, 1)
    )
    standing = SenderStanding.ENROLLED if enrolled else SenderStanding.UNSIGNED
    return SchoolReports(standing, code or sender, "THCS", sender, int(at), reports)


def votes(*files: SchoolReports) -> dict[str, int]:
    return {one.name: one.votes for one in grouped(files, NOW)}


def test_the_name_that_most_schools_report_comes_first_with_what_they_have_seen() -> None:
    first, second = grouped(
        [
            a_file("a", "b.example", "www.uni.edu.vn"),
            a_file("b", "www.uni.edu.vn", at=NOW - 2 * DAY_S),
        ],
        NOW,
    )
    assert (first.name, first.domain, first.votes) == ("www.uni.edu.vn", "uni.edu.vn", 2)
    assert (first.since, first.entries) == ("2027-01-13", ("feed-malware *.uni.example",))
    assert (first.categories, first.reasons) == (("malware",), ("lý do b", "lý do a"))
    assert (second.name, second.votes, second.listed) == ("b.example", 1, None)


def test_two_gateways_of_a_school_are_one_vote_and_so_are_all_unknown_senders() -> None:
    school = [a_file("a", "x.example", code="79"), a_file("b", "x.example", code="79")]
    others = [a_file(str(n), "x.example", enrolled=False) for n in range(50)]
    assert votes(*school) == {"x.example": 1}
    assert votes(*others) == {"x.example": 1}
    assert votes(*school, *others) == {"x.example": 2}


def test_control_without_standing_fifty_forged_files_would_be_fifty_votes() -> None:
    assert votes(*(a_file(str(n), "x.example") for n in range(50))) == {"x.example": 50}


def test_one_school_cannot_flood_the_queue() -> None:
    flood = [f"n{n}.example" for n in range(400)]
    found = votes(a_file("a", *flood), a_file("b", "uni.example"))
    assert len(found) == MOST_OF_SCHOOL + 1
    others = [
        a_file(f"{n}", *(f"o{n}-{m}.example" for m in range(40)), enrolled=False) for n in range(40)
    ]
    found = votes(*others, a_file("b", "uni.example"))
    assert len(found) == MOST_OF_OTHERS + 1
    assert next(iter(found)) == "uni.example"


def test_control_without_the_bound_the_flood_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "MOST_OF_SCHOOL", 1_000)
    assert len(votes(a_file("a", *(f"n{n}.example" for n in range(400))))) == 400


def test_of_a_large_file_the_first_names_are_kept() -> None:
    large = a_file("a", *(f"n{n}.example" for n in range(400)), "n0.example")
    kept = of_first_names(large)
    assert len(kept.reports) == MOST_OF_SCHOOL + 1
    assert grouped([kept], NOW) == grouped([large], NOW)


def test_reports_as_long_as_they_may_be_leave_a_queue_that_can_be_read(tmp_path: Path) -> None:
    name = ".".join(["n" * 60] * 3)
    entries = tuple(ENTRY._replace(list="l" * 100, entry=f"{n}.{name}") for n in range(16))
    files = []
    for n in range(review.MOST_NAMES):
        reports = (
            Report("s", 1, NOW, f"n{n}.{name}", f"{m}{'ế' * 390}", entries=entries)
            for m in range(5)
        )
        files.append(replace(a_file(str(n)), reports=tuple(reports)))
    write_mistakes(tmp_path, grouped(files, NOW))
    assert len(read_mistakes(tmp_path, TODAY)) > 50


def test_the_newest_file_of_a_gateway_counts() -> None:
    assert votes(a_file("a", "old.example"), a_file("a", "new.example", at=NOW + 9)) == {
        "new.example": 1
    }


def test_what_is_decided_waits_no_more_until_an_exclusion_ends(tmp_path: Path) -> None:
    write_mistakes(tmp_path, grouped([a_file("a", "uni.example", "b.example")], NOW))
    refused = UNI.model_copy(update={"name": "b.example", "decision": MistakeDecision.REFUSE})
    decide_mistakes(tmp_path, UNI, refused)
    assert read_mistakes(tmp_path, TODAY) == ()
    assert [mistake.name for mistake in read_mistakes(tmp_path, MUCH_LATER)] == ["uni.example"]
    assert reported_keys(tmp_path, TODAY).left_out == {key_from_text("uni.example")}
    assert reported_keys(tmp_path, MUCH_LATER).left_out == frozenset()
    assert len(reported_keys(tmp_path, MUCH_LATER).sought) == 2


def test_a_later_decision_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    refused = UNI.model_copy(update={"decision": MistakeDecision.REFUSE})
    decide_mistakes(tmp_path, UNI)
    decide_mistakes(tmp_path, refused)
    assert read_decided(tmp_path) == (refused,)


def test_a_name_counts_as_mended_only_where_no_list_is_left_that_closes_it(tmp_path: Path) -> None:
    write_mistakes(tmp_path, grouped([a_file("a", "uni.example", "b.example")], NOW))
    decide_mistakes(tmp_path, UNI)
    done = built(tmp_path, {"b.example": [NamedBy("scam-list", 7)]}, TODAY)
    assert (done.left_out, done.listed, done.waiting) == (("uni.example",), (), 1)
    (waiting,) = read_mistakes(tmp_path, TODAY)
    assert waiting.listed == ("scam-list:7",)
    (answer,) = answers(tmp_path, {}, TODAY)
    assert (answer.outcome, answer.reason) == (MistakeOutcome.MENDED, "trường đại học")
    still = {"uni.example": [NamedBy("whole-list", 3)]}
    assert built(tmp_path, still, TODAY).listed == (("uni.example", "whole-list"),)
    assert answers(tmp_path, still, TODAY) == ()


def test_an_answer_is_in_the_versions_of_ninety_days(tmp_path: Path) -> None:
    decide_mistakes(tmp_path, UNI.model_copy(update={"decision": MistakeDecision.REFUSE}))
    assert [answer.outcome for answer in answers(tmp_path, {}, TODAY)] == [MistakeOutcome.REFUSED]
    assert answers(tmp_path, {}, LATER) == ()


def test_a_decision_on_a_mistake_without_a_reason_is_refused_and_stays_as_it_was(
    tmp_path: Path,
) -> None:
    decide_mistakes(tmp_path, UNI)
    broken = (tmp_path / MISTAKE_DECISIONS).read_text().replace("trường đại học", "''")
    (tmp_path / MISTAKE_DECISIONS).write_text(broken)
    with pytest.raises(ConfigErrors, match="why"):
        decide_mistakes(tmp_path, UNI)
    assert (tmp_path / MISTAKE_DECISIONS).read_text() == broken


def test_what_builds_have_found_stays_when_more_files_come(tmp_path: Path) -> None:
    write_mistakes(tmp_path, grouped([a_file("a", "b.example")], NOW))
    built(tmp_path, {}, TODAY)
    write_mistakes(tmp_path, grouped([a_file("a", "b.example", "c.example")], NOW))
    assert [mistake.listed for mistake in read_mistakes(tmp_path, TODAY)] == [(), None]
