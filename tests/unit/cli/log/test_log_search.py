# SPDX-License-Identifier: Apache-2.0
"""Names and rows of the query log are found, and removed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from filterd import control
from filterd.base.errors import ControlError
from filterd.cli.log.log_search import day_asked
from filterd.policy.log_levels import LogLevel
from filterd.texts.i18n import say
from filterd.texts.rows import SchoolClock
from filterd.wire import name as names
from tests.support.commands import Outcome, call
from tests.support.looked_log import (
    BEFORE,
    BLOCKED_6A,
    DAY,
    PASSED_6A,
    TODAY,
    LookedLog,
    lookups,
    run,
)
from tests.support.policies import NOW, wire

if TYPE_CHECKING:
    from pathlib import Path


LONG = ".".join(["a-label-of-few-letters"] * 5) + ".example"


class Desk:
    """A command line whose daemon is a log of a test; ``asked`` has the last request."""

    def __init__(self, log: LookedLog, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log, self._state = log, state
        self.asked: dict[str, Any] = {}
        monkeypatch.setattr(control, "ask", self._ask)

    def _ask(self, _: Path, command: str, **request: Any) -> Any:
        self.asked = request
        (lines,) = run(self.log, lambda: self.log.ask(command, **request))
        return json.loads(json.dumps(lines))

    def call(self, *words: str, lang: str = "en") -> Outcome:
        return call("log", *words, "--lang", lang, "--state", self._state)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    log = LookedLog(tmp_path)
    rows = [
        *lookups("www.games.example", devices=[1, 2]),
        *lookups("wiki.example", PASSED_6A, range(1, 10)),
        *lookups(LONG, BLOCKED_6A),
        *lookups("wiki.example", PASSED_6A, at=NOW - DAY),
    ]

    async def fill() -> None:
        await log.add(*rows)
        seen = [
            log.seen.add(TODAY, lookup) for lookup in lookups("new.example", PASSED_6A, range(5))
        ]
        await log.files.add_seen(TODAY, [one for one in seen if one])

    run(log, fill)
    return Desk(log, tmp_path, monkeypatch)


def test_a_search_shows_time_name_class_result_and_category(desk: Desk) -> None:
    done = desk.call("search", "www.games.example", "--limit", "1")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert done.code == 0
    assert "2025-12-01T13:30:00.1 www.games.example 6A blocked games" in lines
    assert "Go on with --after 2025-12-01T13:30:00.1" in lines
    assert "all tiers: a row for each lookup (level full)" in lines


def test_what_the_operator_writes_is_asked_for(desk: Desk) -> None:
    desk.call("search", "*.Games.example", "--class", "6A", "--action", "blocked", "--day", BEFORE)
    assert desk.asked == {
        "name": wire("games.example").hex(),
        "match": "subtree",
        "class": "6A",
        "action": "blocked",
        "day": BEFORE,
    }
    desk.call("search", "--contains", "wik", "--grade", "6", "--days", "3", "--category", "games")
    assert desk.asked == {"part": "wik", "grade": "6", "days": 3, "category": "games"}


@pytest.mark.parametrize("text", ["yesterday", "hôm qua", "30/11"])
def test_a_day_that_is_past_is_written_as_people_do(text: str) -> None:
    monday = datetime(2025, 12, 1, 12, tzinfo=UTC).timestamp()
    assert day_asked(SchoolClock(ZoneInfo("UTC"), monday), text) == "2025-11-30"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--contains", "café"], "a part of a name has letters a to z only"),
        (["a.example", "--contains", "--subtree"], "exclude each other"),
        (["http://a.example/"], "is a URL"),
        (["--limit", "501"], "--limit"),
        (["--day", "someday"], "'someday' is not a time"),
        (["--day", "tomorrow"], "is still to come"),
        (["--after", "7"], "'7' is not the ID of a row"),
    ],
)
def test_what_cannot_be_asked_is_reported(desk: Desk, words: list[str], problem: str) -> None:
    done = desk.call("search", *words)
    assert done.code == 2
    assert problem in done.err


def test_an_empty_answer_has_its_days_and_the_levels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(LookedLog(tmp_path, LogLevel.COUNTS), tmp_path, monkeypatch)
    for words in (["search", "a.example"], ["top"], ["new"]):
        done = desk.call(*words)
        assert done.code == 1
        assert "numbers only, no names (level counts)" in " ".join(done.out.split())
    out = " ".join(desk.call("search", "a.example").out.split())
    assert "no names or rows of these days; they are kept for 30 days." in out
    assert "no day before to compare" in " ".join(desk.call("new").out.split())


def test_the_level_names_does_not_know_how_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(LookedLog(tmp_path, LogLevel.NAMES), tmp_path, monkeypatch)
    assert "it is not known how often" in desk.call("top").out


def test_names_with_the_most_lookups_are_listed_first(desk: Desk) -> None:
    out = desk.call("top").out
    assert out.index("wiki.example") < out.index("www.games.example")
    assert " 10 " in out


def test_new_names_are_summed_up(desk: Desk) -> None:
    done = desk.call("new", "--days", "7")
    assert "new.example" in done.out
    assert "1 name new, compared with 1 day" in done.out
    assert "5+" in done.out


def _first(desk: Desk, *words: str) -> str:
    row: str = json.loads(desk.call("search", *words, "--json").out)["rows"][0]["id"]
    return row


def test_a_row_is_shown_with_its_reason_of_then(desk: Desk) -> None:
    out = desk.call("why", _first(desk, "www.games.example")).out
    row, then = out.split("By what was in force then, with the lists of today:")
    assert "Blocked by       of-games" in row
    assert "Device that day  00000002" in row
    assert "of-games, line 1" in then
    assert "That differs" not in then


def test_a_row_that_is_judged_otherwise_now_is_marked(desk: Desk) -> None:
    game = lookups("other.games.example", PASSED_6A)
    run(desk.log, lambda: desk.log.add(*game))
    out = desk.call("why", _first(desk, "other.games.example")).out
    assert "That differs: the lists, or the room's settings, have changed." in out


def test_a_row_of_a_time_that_is_not_known_is_shown_alone(desk: Desk) -> None:
    out = desk.call("why", _first(desk, "wiki.example", "--day", BEFORE)).out
    assert "passed" in out
    assert "the policy of 2025-11-30T13:30:00.0 is not known" in out


def test_a_class_sees_its_names(desk: Desk) -> None:
    done = desk.call("names", "6A")
    assert "Names of class 6A today" in done.out
    assert "wiki.example" in done.out
    assert "games" not in done.out


@pytest.mark.parametrize("lang", ["en", "vi"])
@pytest.mark.parametrize(
    "words", [["search"], ["search", "--days", "1"], ["top"], ["new"], ["names", "6A"]]
)
def test_answers_fit_80_columns_and_no_name_is_cut(desk: Desk, words: list[str], lang: str) -> None:
    out = desk.call(*words, lang=lang).out
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out
    if words[0] in ("search", "top"):
        assert "".join(out.split()).count("a-label-of-few-letters.") == 5


def test_hostile_names_stay_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = LookedLog(tmp_path)
    labels = (b"\x1b[2J", b"a\nb", b"<b>", b"=1+1", "\u202e".encode(), b"\xff\0", b"[red]", b"a.b")
    hostile = [names.from_labels((label, b"example")) for label in labels]
    rows = [one._replace(name=name) for name in hostile for one in lookups("x", PASSED_6A)]
    run(log, lambda: log.add(*rows))
    out = Desk(log, tmp_path, monkeypatch).call("search").out
    assert all(line.isprintable() for line in out.splitlines())
    for name in hostile:
        assert names.to_text(name) in "".join(out.split())


def test_a_refusal_is_one_line(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ControlError(say("an may not look"))

    monkeypatch.setattr(control, "ask", refuse)
    for words in (["search"], ["top"], ["new"], ["why", "x"], ["names", "6A"]):
        assert desk.call(*words) == (2, "", "filterd: an may not look\n")


WHY = ["--reason", "asked", "--lang", "en"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    requests: list[Any] = []

    def ask(_: Path, command: str, **request: Any) -> dict[str, Any]:
        requests.append((command, request))
        return {"removed": "name", "rows": 3, "unreadable": ["2025-11-30"]}

    monkeypatch.setattr(control, "ask", ask)
    return requests


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        (["--name", "a.example"], {"name": wire("a.example").hex(), "match": "exact"}),
        (["--name", "*.a.example"], {"name": wire("a.example").hex(), "match": "subtree"}),
        (["--device", "02:00:5e:10:00:01"], {"device": "02:00:5e:10:00:01"}),
        (["--day", "2025-11-30"], {"day": "2025-11-30"}),
    ],
)
def test_one_thing_is_removed(
    tmp_path: Path, asked: list[Any], words: list[str], request_: dict[str, str]
) -> None:
    done = call("log", "forget", *words, *WHY, "--state", tmp_path)
    assert asked == [("log forget", {**request_, "reason": "asked"})]
    assert done.code == 0
    assert "It is not in the log any more; 3 rows were removed." in done.out
    assert "removed whole: 2025-11-30" in done.out


def test_all_is_removed(tmp_path: Path, asked: list[Any]) -> None:
    call("log", "purge", *WHY, "--state", tmp_path)
    assert asked == [("log purge", {"reason": "asked"})]


@pytest.mark.parametrize("words", [[], ["--name", "a.example", "--day", "today"]])
def test_nothing_or_two_things_are_refused(
    tmp_path: Path, asked: list[Any], words: list[str]
) -> None:
    done = call("log", "forget", *words, *WHY, "--state", tmp_path)
    assert (done.code, asked) == (2, [])
    assert "name one thing" in done.err


def test_a_reason_is_needed(tmp_path: Path, asked: list[Any]) -> None:
    assert call("log", "purge", "--state", tmp_path).code == 2
    assert asked == []
