# SPDX-License-Identifier: Apache-2.0
"""What schools report is taken in, whatever is among it, and decided.

The whole way is in ``tests/e2e/test_mistakes_to_centre.py``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.appliance.mistake_envelope import sealed_reports
from filterd.overrides.mistake_reports import Report, to_plain
from filterd.publish.mistake_inbox import INBOX, MOST_OCTETS
from filterd.publish.review import MISTAKE_DECISIONS, MISTAKE_QUEUE
from tests.support.feed_desk import SCAM, names_of, set_up, widest
from tests.support.inspected import NOW, SCHOOL, enrolled
from tests.support.made_once import MadeOnce

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clock import FakeClock
    from tests.support.commands import Outcome
    from tests.support.feed_desk import Desk

REPORT = Report("THCS", 1, NOW, "uni.example", "trường đại học")
REASON = ("--reason", "đã xem", "--who", "Lan")


def _desk(folder: Path) -> Desk:
    desk = set_up(folder / "desk")
    desk.give(SCAM, *names_of("scam"), "uni.example")
    (folder / "post").mkdir()
    return desk


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce[Desk]:
    return MadeOnce(tmp_path_factory.mktemp("mistakes"), _desk)


@pytest.fixture
def desk(made: MadeOnce[Desk], evening: FakeClock) -> Desk:  # noqa: ARG001
    """A centre, whose post is in ``post`` beside it."""
    return made.anew()


def post(desk: Desk, name: str, octets: bytes) -> Path:
    """Have a file come by post."""
    path = desk.folder.parent / "post" / name
    path.write_bytes(octets)
    return path


def lines(*reports: Report) -> bytes:
    return "".join(f"{json.dumps(to_plain(report))}\n" for report in reports).encode()


def take(desk: Desk, *words: str | Path, lang: str = "en") -> Outcome:
    where = words or (desk.folder.parent / "post",)
    return desk.call("mistakes", *where, "--catalog", desk.catalog, lang=lang)


def test_what_is_taken_waits_for_a_decision_and_is_shown(desk: Desk) -> None:
    post(desk, "a.jsonl", lines(REPORT))
    for lang, words in (("en", "a.jsonl: THCS (-), not signed; reports: 1"), ("vi", "không được")):
        done = take(desk, lang=lang)
        assert (done.code, done.err) == (0, "")
        assert words in done.out
        assert widest(done) <= 80
    printed = json.loads(take(desk, "--json").out)
    assert [(one["name"], one["votes"], one["enrolled"]) for one in printed["waiting"]] == [
        ("uni.example", 1, 0)
    ]
    assert (desk.review().code, "uni.example" in desk.review().out) == (1, True)


def test_an_enrolled_school_and_its_older_file(desk: Desk, tmp_path: Path) -> None:
    school = enrolled(tmp_path)
    root = post(desk, "root", school.province.root)
    of = SCHOOL["code"], SCHOOL["name"], school.state
    new = post(desk, "new", sealed_reports([REPORT], *of, NOW))
    old = post(desk, "old", sealed_reports([], *of, NOW - 60))
    printed = json.loads(take(desk, new, old, "--root", root, "--json").out)
    assert [(one["standing"], one["is_newer"]) for one in printed["files"]] == [
        ("enrolled", True),
        ("enrolled", False),
    ]
    assert printed["waiting"][0]["enrolled"] == 1
    empty = post(desk, "newest", sealed_reports([], *of, NOW + 60))
    assert json.loads(take(desk, empty, "--root", root, "--json").out)["waiting"] == []


@pytest.mark.parametrize(
    "octets",
    [b"", b"\0" * 99, b'{"payload":' + b"[" * 9_999, b"x" * (MOST_OCTETS + 9), lines() + b"{}"],
)
def test_a_hostile_file_is_named_and_stops_no_other(desk: Desk, octets: bytes) -> None:
    post(desk, "a.json", octets)
    post(desk, "b.jsonl", lines(REPORT))
    done = take(desk)
    assert (done.code, len(done.error_lines)) == (1, 1)
    assert "a.json is not taken: " in done.err
    assert len(list((desk.catalog / INBOX).iterdir())) == 1
    assert "uni.example" in (desk.catalog / MISTAKE_QUEUE).read_text()


def test_an_accepted_name_is_out_of_the_next_build_and_a_refused_one_is_not(desk: Desk) -> None:
    post(desk, "a.jsonl", lines(REPORT))
    take(desk)
    assert json.loads(desk.build("--accept", "--json").out)["mistakes"]["waiting"] == 1
    assert f"In the last build  {SCAM}:41" in desk.review().out
    done = desk.review("--accept-mistake", "UNI.example", *REASON)
    assert (done.code, "uni.example: accepted" in done.out) == (0, True)
    built = desk.build("--accept")
    assert "Reported mistakes: 1 left out, 0 wait" in built.out
    assert b"uni.example" not in (desk.version / "lists" / "feed-scam.txt").read_bytes()
    assert "Lan, 2027-01-15" in desk.review("--decided").out
    desk.review("--refuse-mistake", "uni.example", *REASON)
    desk.build("--accept")
    assert b"uni.example" in (desk.version / "lists" / "feed-scam.txt").read_bytes()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--accept-mistake", "uni.example"), "a decision needs a reason"),
        (("--accept-mistake", "other.example", *REASON), "no school reports other.example"),
        (("--accept-mistake", "un\x1bi", *REASON), "un"),
        (
            ("--accept-mistake", "uni.example", "--refuse-mistake", "uni.example", *REASON),
            "is given twice",
        ),
        (("--accept-mistake", "uni.example", "--accept", "a#", *REASON), "reasons of their own"),
    ],
)
def test_a_decision_that_is_none_is_refused(desk: Desk, words: tuple[str, ...], why: str) -> None:
    post(desk, "a.jsonl", lines(REPORT))
    take(desk)
    done = desk.review(*words)
    assert (done.code, len(done.error_lines), why in done.err) == (2, 1, True)
    assert not (desk.catalog / MISTAKE_DECISIONS).exists()
