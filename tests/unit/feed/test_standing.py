# SPDX-License-Identifier: Apache-2.0
"""History and standing; the longer nothing came, the louder the warning, by a right clock."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import FetchError
from filterd.feed.appliance_files import FollowFile, FollowState, Wanted
from filterd.feed.guard.judgement import Judgement, Severity, found
from filterd.feed.signed.arrival import TufArrival
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.standing import (
    MOST_EVENTS,
    Event,
    FeedStanding,
    Freshness,
    History,
    Line,
    StandingFile,
    freshness,
    overview,
    program_version,
)
from filterd.feed.version_watch import AnswerCounts, Watch
from filterd.texts.i18n import say
from tests.support.feed_site import FIRST, SECOND, Follower

if TYPE_CHECKING:
    from pathlib import Path


def test_events_are_reported_in_their_order_with_their_reasons(tmp_path: Path) -> None:
    lines = [
        Line(1.0, Event.ACTIVATED, "12"),
        Line(2.0, Event.ROLLED_BACK, "13", say("{name} is not blocked", name="a.example")),
    ]
    for line in lines:
        History(tmp_path).add(line)
    assert History(tmp_path).lines() == lines
    assert History(tmp_path).lines()[1].why.template == "{name} is not blocked"


def test_nights_that_fail_alike_are_one_line_with_the_last_time(tmp_path: Path) -> None:
    history = History(tmp_path)
    for at in (1.0, 2.0, 3.0):
        history.add(Line(at, Event.FAILED, "12", say("nothing came")))
    assert history.lines() == [Line(3.0, Event.FAILED, "12", say("nothing came"))]


def test_the_last_few_hundred_are_kept(tmp_path: Path) -> None:
    history = History(tmp_path)
    for number in range(MOST_EVENTS + 5):
        history.add(Line(float(number), Event.ACTIVATED, str(number)))
    kept = history.lines()
    assert (len(kept), kept[-1].version) == (MOST_EVENTS, str(MOST_EVENTS + 4))


def test_a_damaged_line_is_left_out(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.add(Line(1.0, Event.ACTIVATED, "12"))
    with (tmp_path / "history.jsonl").open("ab") as file:
        file.write(b'{"at": 2\n\xff\n')
    history.add(Line(3.0, Event.HELD, "13"))
    assert [line.version for line in history.lines()] == ["12", "13"]


def test_a_history_that_cannot_be_written_stops_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    history = History(tmp_path / "file")
    history.add(Line(1.0, Event.ACTIVATED, "12"))
    assert history.lines() == []


DAY_S = 86_400.0
NOW = 1_800_000_000.0
FLOOR = NOW - DAY_S
KNOWN = FeedStanding(
    tried_at=NOW,
    verified_at=NOW,
    version="12",
    expires_at=NOW + 90 * DAY_S,
    problem=say("{url}: the server cannot be reached", url="https://a.example"),
    judgement=Judgement(
        "13",
        (
            found(
                "growth",
                Severity.HELD,
                say("it took more than {limit_s} s", limit_s=1),
                ["a.example"],
                ["+a"],
                count=3,
            ),
        ),
        checks=("files",),
        seconds=1.5,
        peak_octets=2048,
    ),
)
OLD = (
    b'{"tried_at": 1800000000.0, "verified_at": 1800000000.0, "version": 12, "expires_at": '
    b'1807776000.0, "waiting_since": null, "takes_at": null, "problem": ["{url}: the server '
    b'cannot be reached", {"url": "https://a.example"}], "judgement": {"version": 13, "index": "",'
    b' "checks": ["files"], "seconds": 1.5, "peak_octets": 2048, "findings": [{"kind": "growth", '
    b'"severity": "held", "sentence": ["it took more than {limit_s} s", {"limit_s": 1}], '
    b'"numbers": {"count": 3}, "names": ["a.example"], "subjects": ["+a"]}]}}'
)
"""As releases up to 0.1 wrote the file."""


def test_what_is_written_is_read(tmp_path: Path) -> None:
    StandingFile(tmp_path).write(KNOWN)
    assert StandingFile(tmp_path).read() == KNOWN
    assert StandingFile(tmp_path).read().problem.values == {"url": "https://a.example"}


def test_a_file_of_an_earlier_release_is_read_and_written_in_the_new_form(tmp_path: Path) -> None:
    file, path = StandingFile(tmp_path), tmp_path / "standing.json"
    path.write_bytes(OLD)
    assert file.read() == KNOWN
    file.note_verified("13", None, NOW)
    assert path.read_bytes().startswith(b"filterd feed-standing 1\n")
    assert file.read().judgement == KNOWN.judgement


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"problem": ""}', b'{"problem": "", "tried_at": "x"}']
)
def test_what_is_damaged_is_as_at_the_beginning(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "standing.json").write_bytes(damage)
    assert StandingFile(tmp_path).read() == FeedStanding()


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, Freshness.FRESH),
        (6.99, Freshness.FRESH),
        (7, Freshness.OLD),
        (29.99, Freshness.OLD),
        (30, Freshness.VERY_OLD),
        (7_000, Freshness.VERY_OLD),
    ],
)
def test_it_gets_louder_with_the_days(days: float, expected: Freshness) -> None:
    assert freshness(KNOWN, NOW + days * DAY_S, FLOOR) is expected


def test_what_has_expired_is_old_at_once() -> None:
    assert freshness(replace(KNOWN, expires_at=NOW), NOW, FLOOR) is Freshness.OLD


def test_a_clock_before_the_known_time_has_no_effect() -> None:
    assert freshness(KNOWN, 0.0, FLOOR) is Freshness.UNKNOWN
    assert freshness(KNOWN, FLOOR - 1, FLOOR) is Freshness.UNKNOWN


def test_before_the_first_answer_there_is_nothing_to_be_old() -> None:
    assert freshness(FeedStanding(), NOW, FLOOR) is Freshness.NEVER


ADDRESS = "https://feed.example/"


def _overview(school: Follower) -> dict[str, Any]:
    return overview(ADDRESS, school.state, school.clock)


def test_before_the_first_run_the_lists_that_ship_are_served(school: Follower) -> None:
    rows = _overview(school)
    assert (rows["served"], rows["in_force"], rows["freshness"]) == (0, None, "never")
    assert rows["trusted"]


def test_after_a_run_its_version_is_served_and_fresh(school: Follower) -> None:
    school.run(FIRST)
    school.run(SECOND)
    rows = _overview(school)
    assert (rows["served"], rows["in_force"], rows["previous"]) == (
        int(SECOND),
        int(SECOND),
        [int(FIRST)],
    )
    assert (rows["published"], rows["freshness"], rows["problem"]) == (int(SECOND), "fresh", "")


@pytest.mark.parametrize(("days", "freshness"), [(6, "fresh"), (8, "old"), (31, "very-old")])
def test_what_does_not_come_any_more_gets_old(
    school: Follower, days: int, freshness: str, tmp_path: Path
) -> None:
    school.run(FIRST)
    school.clock.advance(days * DAY_S)
    site = school.site
    with site.holding(), pytest.raises(FetchError):
        site.sync(TufArrival(site.trust, FolderFetcher(tmp_path, school.clock)))
    rows = _overview(school)
    assert rows["freshness"] == freshness
    assert "not found" in rows["problem"]
    assert rows["sentence"][0] == "not found: {what}"


def test_a_feed_that_offers_the_program_is_known(school: Follower, tmp_path: Path) -> None:
    assert program_version(tmp_path) == 0
    school.run(FIRST)
    assert program_version(school.state.feed) == 1
    (school.state.feed / "metadata/snapshot.json").write_text("[]")
    assert program_version(school.state.feed) == 0


def test_what_is_watched_is_shown_by_the_clock(school: Follower) -> None:
    school.run(FIRST)
    assert _overview(school)["watched_until"] is None
    school.site.watches.begin(Watch(FIRST, school.clock.monotonic(), AnswerCounts(), 0.0))
    school.clock.advance(200)
    assert _overview(school)["watched_until"] == school.clock.wall() + 400


def test_nothing_that_fetches_or_verifies_is_loaded_for_it() -> None:
    heavy = "{'tuf', 'requests', 'securesystemslib', 'pydantic', 'typer', 'yaml'}"
    code = f"import sys, filterd.feed.standing; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_public_lists_beside_a_feed_stand_by_themselves(school: Follower) -> None:
    school.run(FIRST)
    assert _overview(school)["beside"] is None
    FollowFile(school.state.feed).write(FollowState(last=(Wanted("urlhaus"),)))
    rows = _overview(school)
    assert (rows["sources"], rows["served"]) == (0, int(FIRST))
    beside = rows["beside"]
    assert (beside["sources"], beside["served"], beside["freshness"]) == (1, 0, "never")
