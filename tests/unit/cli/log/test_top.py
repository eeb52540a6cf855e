# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from filterd import control
from filterd.cli.console import VisibleConsole
from filterd.cli.log import top as module
from filterd.cli.log.top import page
from filterd.control import UnansweredError
from filterd.daemon.worker_sums import rates
from filterd.texts.i18n import Texts, say
from filterd.texts.rows import SchoolClock, Wording
from tests.support.commands import call
from tests.support.fake_daemon import MONDAY_AT_8, STATUS

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.texts.i18n import Language

TIMES = {"fast": {"buckets": {"0.1": 90, "0.5": 10, "inf": 0}}}
TIMES |= {"chain": {"buckets": {"0.1": 0, "25": 9, "inf": 1}}}
DAY = {
    "blocked_today": {f"6A{n}": 900 - n for n in range(40)} | {"": 3},
    "blocked_categories": {"social-media": 1_800, "": 80, "self-harm": 3},
    "log_levels": [{"tier": "primary", "level": "full", "files": "counts", "setting": None}] * 9,
}
BEFORE: dict[str, Any] = {**STATUS, "alerts": []}
FULL: dict[str, Any] = {**BEFORE, "day": DAY, "traffic": {"latency": TIMES}}
CALM: dict[str, Any] = {**BEFORE, "upstreams": STATUS["upstreams"][:1]}


def _page(status: dict[str, Any], lang: Language, width: int, height: int) -> list[str]:
    by = Wording(Texts(lang), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), MONDAY_AT_8))
    return [line.plain for line in page(by, status, rates(None, status, 0), width, height)]


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize(("width", "height"), [(80, 23), (60, 19), (200, 60), (40, 12), (20, 5)])
@pytest.mark.parametrize("status", [FULL, CALM, BEFORE], ids=["full", "calm", "before"])
def test_the_page_fits_the_terminal(
    lang: Language, width: int, height: int, status: dict[str, Any]
) -> None:
    lines = _page(status, lang, width, height)
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_its_numbers_are_those_of_the_status(lang: Language) -> None:
    text = "\n".join(_page(FULL, lang, 80, 23)).replace("\u202f", "")
    numbers = {12_345, 678_901, 12_345 + 678_901, 900, 899, 1_800, 80}
    assert [n for n in numbers if f" {n} " not in f"{text} ".replace("\n", " ")] == []
    for part in ("192.0.2.53", "12.5 ms", "250 kB", "0.1 ms", "0.5 ms", "25 ms", "> 2.5 s"):
        assert part in text


def test_what_has_no_room_is_counted() -> None:
    lines = _page(FULL, "en", 80, 23)
    shown = sum("class 6A" in line for line in lines)
    assert any(line.startswith(f"{41 - shown} more") for line in lines)


class _Daemon:
    """Answers ``status`` with what a test gives, in turn; at the end Ctrl-C."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Any) -> None:
        self._answers, self.asked = list(answers), list[dict[str, Any]]()
        monkeypatch.setattr(control, "ask", self._ask)
        monkeypatch.setattr(module, "pause", lambda *_, **__: not self._answers)

    def _ask(self, _path: Path, command: str, **asked: Any) -> Any:
        assert command == "status"
        self.asked.append(asked)
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def _later(n: int) -> dict[str, Any]:
    return {**STATUS, "answers": {**STATUS["answers"], "blocked": 12_345 + n}}


@pytest.mark.parametrize("options", [["--once"], []], ids=["once", "without-a-terminal"])
def test_without_a_terminal_the_page_is_shown_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: list[str]
) -> None:
    _Daemon(monkeypatch, STATUS, _later(5), _later(9))
    done = call("top", *options, "--lang", "en", "--state", tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.count("filterd 0.1.0, for 24 hours") == 1
    assert "12\u202f350" in done.out
    assert "\x1b" not in done.out


def test_as_json_each_look_is_a_line_with_the_status_as_it_came(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    daemon = _Daemon(monkeypatch, STATUS, _later(5), KeyboardInterrupt())
    done = call("top", "--json", "--state", tmp_path)
    numbers = [*map(json.loads, done.out.splitlines())]
    assert [{**number["status"], "alerts": 0} for number in numbers] == [
        {**one, "alerts": 0} for one in (STATUS, _later(5))
    ]
    assert daemon.asked == [{}, *[{"totals_old_s": 30}] * 2]
    assert numbers[1]["rates"]["answers"]["blocked"] > 0
    _Daemon(monkeypatch, STATUS, _later(5), _later(6))
    assert len(call("top", "--json", "--once", "--state", tmp_path).out.splitlines()) == 1


def test_where_no_daemon_answers_it_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _Daemon(monkeypatch, UnansweredError(say("no daemon here")))
    done = call("top", "--once", "--state", tmp_path)
    assert (done.code, done.err) == (2, "filterd: no daemon here\n")


def test_on_a_terminal_it_goes_on_over_a_restart_and_leaves_the_screen_as_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    screen = io.StringIO()
    console = VisibleConsole(file=screen, force_terminal=True, width=80, height=24)
    monkeypatch.setattr("filterd.cli.context.VisibleConsole", lambda **_: console)
    _Daemon(monkeypatch, STATUS, UnansweredError(say("gone")), _later(7), KeyboardInterrupt())
    assert call("top", "--lang", "en", "--state", tmp_path, TERM="xterm").code == 0
    text = screen.getvalue()
    assert "filterd does not answer since" in text
    assert "12\u202f352" in text
    assert text.count("\x1b[?1049h") == text.count("\x1b[?1049l") == 1
