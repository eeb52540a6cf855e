# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

from filterd import control
from filterd.base.errors import ControlError
from filterd.cli.log import log_tail as module
from filterd.control import NotLetInError, UnansweredError
from filterd.texts import words
from filterd.texts.i18n import say
from filterd.wire import name as names
from tests.support.commands import call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT = 1_764_550_803
LEVELS = {"levels": {"primary": "counts", "lower-secondary": "full"}, "shows_rows": True}
COUNTED = {"id": 7, "at": AT, "class": "3A", "action": "blocked", "n": 1200}
ROW = {"id": 8, "at": AT, "grade": "6", "category": "", "action": "pass", "n": 1}
ROW |= {"name": "www.example.com", "class": "6A", "device": 5}


class _Daemon:
    """Streams what a test gives: lists of events, and errors; at the end Ctrl-C."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *streams: list[Any]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._streams = list(streams)
        monkeypatch.setattr(control, "stream", self._stream)
        monkeypatch.setattr(module, "AGAIN_AFTER_S", 0.0)

    def _stream(self, _path: Path, command: str, **arguments: Any) -> Iterator[Any]:
        assert command == "log-follow"
        self.asked.append(arguments)
        for one in self._streams.pop(0):
            if isinstance(one, BaseException):
                raise one
            yield one


def _tail(tmp_path: Path, *options: str, lang: str = "en") -> Any:
    return call("log", "tail", *options, "--lang", lang, "--state", tmp_path)


def test_lookups_and_numbers_are_a_line_each_and_ctrl_c_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _Daemon(monkeypatch, [[LEVELS], [COUNTED, ROW], KeyboardInterrupt()])
    done = _tail(tmp_path)
    assert done.code == 0
    assert done.out.splitlines() == [
        "08:00:03 3A           blocked   1\u202f200",
        "08:00:03 6A           passed    www.example.com",
    ]
    assert done.err.splitlines() == [
        "log level counts: numbers by hour; names are not kept at this level (primary)",
        "log level full: all lookups (lower secondary)",
    ]


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("level", ["off", "counts", "names", "blocked", "full"])
@pytest.mark.parametrize("shows_rows", [True, False])
def test_each_level_explains_what_it_shows_within_80_columns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lang: str, level: str, shows_rows: bool
) -> None:
    levels = {"levels": dict.fromkeys(words.TIER, level), "shows_rows": shows_rows}
    rows = [
        {**COUNTED, "grade": grade, "action": action, "category": "social-media", "n": 10**9}
        for grade in ("6", *words.TIER)[:9]
        for action in words.COUNTED
        if grade not in ("primary", "lower-secondary", "upper-secondary")
    ]
    rows += [{**row, "name": "x" * 200, "class": "12A10"} for row in rows]
    _Daemon(monkeypatch, [[levels], rows, KeyboardInterrupt()])
    done = _tail(tmp_path, lang=lang)
    lines = (done.out + done.err).splitlines()
    assert len(lines) == 1 + len(rows)
    assert max(map(cell_len, lines)) <= 80
    assert ("administrators" in done.err) == (
        lang == "en" and not shows_rows and level in ("blocked", "full")
    )


def test_a_stream_that_breaks_off_goes_on_behind_its_last_event(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = UnansweredError(say("gone"))
    streams: list[list[Any]] = [
        [[LEVELS], [COUNTED]],
        [gone],
        [gone],
        [[LEVELS], [ROW], KeyboardInterrupt()],
    ]
    daemon = _Daemon(monkeypatch, *streams)
    done = _tail(tmp_path, "--action", "blocked", "--category", "games", "--grade", "6")
    chosen = {"action": "blocked", "category": "games", "grade": "6"}
    assert daemon.asked == [chosen, *[{**chosen, "since": 7}] * 3]
    assert len(done.out.splitlines()) == 2
    assert done.err.count("filterd does not answer; waiting") == 1
    assert done.err.count("filterd answers again") == 1


def test_what_was_too_much_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _Daemon(monkeypatch, [[{"skipped": 1500}], KeyboardInterrupt()])
    assert "1\u202f500 events were too many" in _tail(tmp_path).err


@pytest.mark.parametrize(
    "error",
    [UnansweredError(say("none")), NotLetInError(say("none")), ControlError(say("none"))],
    ids=lambda one: type(one).__name__,
)
def test_where_no_daemon_answers_or_it_refuses_the_command_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: ControlError
) -> None:
    _Daemon(monkeypatch, [error])
    done = _tail(tmp_path)
    assert (done.code, done.err) == (2, "filterd: none\n")


def test_a_refusal_after_a_break_ends_it_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _Daemon(monkeypatch, [[LEVELS], UnansweredError(say("gone"))], [ControlError(say("not you"))])
    assert _tail(tmp_path).code == 2


def test_as_json_each_event_is_a_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    events = [LEVELS, COUNTED, {**ROW, "class": "lớp [6]"}]
    daemon = _Daemon(monkeypatch, [events, KeyboardInterrupt()])
    done = _tail(tmp_path, "--json", "--since", "6")
    assert [*map(json.loads, done.out.splitlines())] == events
    assert "lớp [6]" in done.out
    assert daemon.asked == [{"since": 6}]


SEEDS = [b"\n", b"\x1b[2J\x1b]0;x\x07", b"[bold]", b"=cmd|' /C'!A1", "\u202e".encode()]
SEEDS += (b"\0", b"\xff\xfe", b"%s{}", b"\x9b31m", b"\r", b'"<script>', b".", b"\\", b" ")


@pytest.mark.parametrize("as_json", [False, pytest.param(True, marks=pytest.mark.long)])
def test_5000_hostile_names_are_harmless_and_each_is_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, as_json: bool
) -> None:
    source, rows = random.Random(20), []
    for number in range(5_000):
        label = number.to_bytes(2, "big") + b"".join(source.choices(SEEDS, k=3))[:61]
        name = names.from_labels((label, *[b"x" * 60] * source.randrange(3), b"example"))
        rows.append({**ROW, "id": number, "name": names.to_text(name)})
    _Daemon(monkeypatch, [[LEVELS], rows, KeyboardInterrupt()])
    done = _tail(tmp_path, *(["--json"] if as_json else []))
    lines = done.out.splitlines()[1 if as_json else 0 :]
    assert len(lines) == 5_000
    assert all(line.isascii() and line.isprintable() for line in lines if "…" not in line)
    assert all(line.replace("…", "").isascii() and line.isprintable() for line in lines)
    if as_json:
        assert [json.loads(line)["name"] for line in lines] == [row["name"] for row in rows]
        assert len(set(lines)) == 5_000
