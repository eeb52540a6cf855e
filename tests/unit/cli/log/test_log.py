# SPDX-License-Identifier: Apache-2.0
"""``filterd log totals``, ``level`` and ``confirm``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.cli.log import log
from filterd.daemon import policy_reader
from filterd.operations.totals import ReadTotals
from filterd.resolve.query import PASS, Source
from filterd.texts import words
from filterd.texts.i18n import Texts
from tests.support.commands import call

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.fake_daemon import FakeDaemon


def _row(date: str, grade: str, category: str, action: str, n: int) -> dict[str, Any]:
    return {"date": date, "grade": grade, "category": category, "action": action, "n": n}


ROWS = [
    _row("2026-11-24", "6", "", "pass", 12_345),
    _row("2026-11-24", "6", "games", "blocked", 7),
    _row("2026-11-24", "10", "social-media", "blocked", 1_234),
    _row("2026-11-23", "staff", "", "blocked", 1),
    *(_row("2026-11-23", "staff", "", action, 2_000_000) for action in words.COUNTED),
]


OFF = {"tier": "staff", "level": "off"}


@pytest.fixture
def daemon(daemon: FakeDaemon, week: Path, quiet: StateFolder) -> FakeDaemon:
    """What answers, with the policy of the school."""
    daemon.policy = policy_reader.of_files(week, quiet)
    return daemon


def _answer(monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]]) -> list[Any]:
    asked = []

    def ask(path: Path, command: str, **arguments: Any) -> list[dict[str, Any]]:
        asked.append((path.name, command, arguments))
        return rows

    monkeypatch.setattr(control, "ask", ask)
    monkeypatch.setattr(log, "levels_now", lambda _: {"tiers": [OFF]})
    return asked


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_totals_are_reported_within_80_columns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lang: str
) -> None:
    _answer(monkeypatch, ROWS)
    done = call("log", "totals", "--lang", lang, "--state", tmp_path)
    lines = done.out.splitlines()
    assert done.code == 0
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)


def test_days_grades_and_blocked_categories_are_added_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answer(monkeypatch, ROWS[:4])
    out = call("log", "totals", "--lang", "en", "--state", tmp_path).out
    lines = [" ".join(line.split()) for line in out.replace("\u202f", "").splitlines()]
    for line in (
        "2026-11-24 12345 1241",
        "2026-11-23 0 1",
        "6 12345 7",
        "social-media 1234",
        "(other blocks) 1",
    ):
        assert line in lines
    grades = [line.split()[0] for line in lines if line.split()[:1] in (["6"], ["10"], ["staff"])]
    assert grades == ["6", "10", "staff"]


NAMES_OF = {"vi": "Tự làm hại bản thân", "en": "Self-harm"}
SOUGHT = {"category": "self-harm", "has_blocks": True, "names": NAMES_OF}


@pytest.mark.parametrize(("lang", "yes"), [("vi", "có"), ("en", "yes")])
def test_the_principal_reads_yes_or_no_beside_what_111_offers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lang: str, yes: str
) -> None:
    answer: Any = {"month": "2026-10", "least_devices": 100, "answers": [SOUGHT]}
    asked = _answer(monkeypatch, answer)
    done = call("log", "help", "--month", "2026-10", "--lang", lang, "--state", tmp_path)
    assert asked == [("control.sock", "log help", {"month": "2026-10"})]
    (line,) = (one for one in done.out.splitlines() if NAMES_OF[lang] in one)
    assert line.split()[-1] == yes
    assert "111" in done.out
    answer["answers"] = None
    small = call("log", "help", "--month", "2026-10", "--lang", lang, "--state", tmp_path).out
    assert "100" in small
    assert "111" in small


def test_the_daemon_is_asked_for_days_and_a_grade(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = _answer(monkeypatch, ROWS)
    done = call("log", "totals", "--json", "--days", "30", "--grade", "6", "--state", tmp_path)
    assert json.loads(done.out) == ROWS
    assert asked == [("control.sock", "log totals", {"days": 30, "grade": "6"})]


def test_the_daemon_is_asked_for_what_the_options_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = _answer(monkeypatch, [])
    options = "--tier", "primary", "--network", "lab", "--class", "5A", "--hours", "--networks"
    assert call("log", "totals", *options, "--state", tmp_path).code == 0
    ((_, _, lines),) = asked
    wanted = {"tier": "primary", "network": "lab", "class": "5A"}
    assert lines == {**wanted, "by_hour": True, "by_network": True}


@pytest.mark.parametrize(("options", "days"), [([], 7), (["--classes"], 1), (["--grade", "6"], 7)])
def test_totals_of_classes_are_of_today_if_not_said_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: list[str], days: int
) -> None:
    asked = _answer(monkeypatch, [])
    assert call("log", "totals", *options, "--state", tmp_path).code == 0
    assert ReadTotals.read_sent(asked[0][2]).days == days


def test_an_empty_log_is_reported_and_tiers_that_are_not_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answer(monkeypatch, [])
    done = call("log", "totals", "--lang", "en", "--state", tmp_path)
    off = "staff: nothing is recorded (level off)\n"
    assert done == (0, f"Nothing has been counted.\n{off}", "")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--days", "0"), "--days"),
        (("--grade", "13"), "'13' is not a grade"),
        (("--tier", "x"), "'x' is not a tier"),
    ],
)
def test_what_cannot_be_asked_is_reported(
    tmp_path: Path, options: tuple[str, ...], problem: str
) -> None:
    done = call("log", "totals", *options, "--lang", "en", "--state", tmp_path)
    assert done.code == 2
    assert problem in done.err


def test_all_that_can_be_counted_has_a_column_and_a_word() -> None:
    sources = {PASS, *(one.value for one in Source)} - {"cached", "stale", "forwarded"}
    assert set(words.COUNTED) == sources
    assert all(Texts("vi").word(words.COUNTED, action) != action for action in words.COUNTED)


FULL = ("log", "level", "full", "--tier", "primary", "--for", "3d", "--reason", "điều tra")


def test_without_a_level_those_of_all_tiers_are_shown(here: list[str], daemon: FakeDaemon) -> None:
    shown = call("log", "level", *here)
    assert (shown.code, daemon.commands()) == (0, ["log levels"])
    assert ["primary", "counts", "site.yaml"] in [line.split() for line in shown.out.splitlines()]


def test_a_level_is_set_for_a_time(here: list[str], daemon: FakeDaemon) -> None:
    words = ("--tier", "primary", "--until", "17:00", "--reason", "thử")
    done = call("log", "level", "names", *words, *here)
    assert "Change 1: log level names for primary until 17:00" in done.out
    assert call("undo", *here).code == 0
    done = call("log", "level", "off", "--reason", "hè", *here)
    assert "Change 3: log level off for all tiers" in done.out
    assert [setting.level for setting in daemon.store.current().log_settings] == ["off"]


def test_full_names_the_command_that_confirms_it_and_is_shown_with_both_people(
    here: list[str], daemon: FakeDaemon
) -> None:
    shown = " ".join(call(*FULL, *here).out.split())
    assert "waits for a second person to confirm it: filterd log confirm 1" in shown
    assert "Nothing changes until then" in shown
    assert "In force" not in shown
    waits = call("log", "level", *here)
    assert "filterd log confirm 1" in " ".join(waits.out.split())
    daemon.author = "minh"
    confirmed = call("log", "confirm", "1", *here)
    assert "Change 2: the level full is confirmed until 08:00 04/12/2025 (Thu)" in confirmed.out
    lines = json.loads(call("log", "level", "--json", *here).out)
    (row,) = (one for one in lines["tiers"] if one["tier"] == "primary")
    assert (row["level"], row["setting"]["author"]) == ("full", "lan")
    assert row["setting"]["confirmed_by"] == "minh"
    assert lines["waiting"] == []
    assert "confirmed by minh" in " ".join(call("history", "list", *here).out.split())


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_levels_fit_into_80_columns(here: list[str], daemon: FakeDaemon, lang: str) -> None:
    call(*FULL, *here)
    daemon.author = "minh"
    call("log", "confirm", "1", *here)
    lines = call("log", "level", *here, "--lang", lang).out.splitlines()
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--tier", "primary"), "the level is missing"),
        (("full", "--reason", "thử"), "lasts 7 days at most"),
        (("names", "--for", "3d", "--tier", "6A", "--reason", "thử"), "'6A' is not a tier"),
        (("off",), "a reason is missing"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    here: list[str], daemon: FakeDaemon, words: tuple[str, ...], problem: str
) -> None:
    done = call("log", "level", *words, *here)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert problem in done.err
    assert daemon.store.current().log_settings == ()
