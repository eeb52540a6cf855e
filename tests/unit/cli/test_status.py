# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from filterd import control
from filterd.errors import ConfigError, ConfigErrors, to_plain
from filterd.i18n import say
from tests.support.commands import ROOT, call
from tests.support.fake_daemon import STATUS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fake_daemon import FakeDaemon

RELOADED: dict[str, Any] = {
    "policy": "0123456789ab",
    "names": 1_000_000,
    "lists": 25,
    "restart_for": [],
    "doubts": [],
}
PAUSE: dict[str, Any] = {"kind": "pause", "target": "", "allow": True, "audience": "everybody"}
PAUSE |= {"whom": "", "starts_at": 1.8e9, "ends_at": 1.8e9 + 240}
DOUBT = to_plain(ConfigError(say("expected: it passes"), path="own.yaml", line=7))


def _answer(monkeypatch: pytest.MonkeyPatch, told: Any) -> list[tuple[Path, str]]:
    asked = []

    def ask(path: Path, command: str) -> Any:
        asked.append((path, command))
        if isinstance(told, Exception):
            raise told
        return told

    monkeypatch.setattr(control, "ask", ask)
    return asked


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            [
                "filterd 0.1.0 is running, for 24 hours",
                "0.0.0.0 port 53, :: port 53",
                "192.0.2.53 port 53 12.5 ms",
                "port 853 TLS (down) (why)",
                "forwarded 678\u202f901, blocked 12\u202f345",
                "2 stale",
                "34 sent to TCP, 56 dropped",
                "passed 56\u202f789, blocked 1\u202f234, failed 3",
            ],
        ),
        (
            "vi",
            [
                "filterd 0.1.0 đang chạy",
                "Trường [mẫu]",
                "0.0.0.0 cổng 53, :: cổng 53",
                "192.0.2.53 cổng 53 12.5 ms",
                "(mất kết nối)",
                "chặn 12\u202f345",
                "biên dịch (nhanh)",
            ],
        ),
    ],
)
def test_status_is_told_within_80_columns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lang: str, words: list[str]
) -> None:
    asked = _answer(monkeypatch, STATUS)
    done = call("status", "--verbose", "--lang", lang, "--state", tmp_path)
    assert asked == [(tmp_path / "control.sock", "status")]
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80
    for word in words:
        assert word in done.out


def test_counters_of_the_network_are_for_those_that_ask(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answer(monkeypatch, STATUS)
    shown = call("status", "--lang", "en", "--state", tmp_path).out
    assert "blocked 1\u202f234" in shown
    assert "Datagrams" not in shown
    assert "Cache" not in shown


def test_lists_were_compiled_by_the_clock_on_the_schools_wall(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answer(monkeypatch, STATUS)
    places = ("--lang", "en", "--state", tmp_path, "--config", tmp_path)
    for zone, shown in (("Asia/Ho_Chi_Minh", "21:13:20"), ("Pacific/Auckland", "02:13:20")):
        (tmp_path / "site.yaml").write_text(f"time_zone: {zone}\n", encoding="utf-8")
        assert shown in call("status", *places).out


def test_status_in_json_is_what_the_daemon_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    status = STATUS | {"upstreams": STATUS["upstreams"][:1]}
    _answer(monkeypatch, status)
    told = json.loads(call("status", "--json", "--state", tmp_path).out)
    assert told == status | {"alerts": []}


def test_alerts_stand_on_top_each_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = STATUS["log"] | {"problem": "full"}
    well = STATUS["upstreams"][:1]
    _answer(monkeypatch, STATUS | {"pauses": [PAUSE], "log": log, "upstreams": well})
    lines = call("status", "--lang", "en", "--state", tmp_path).out.splitlines()
    shown = " ".join(lines[1].split())
    assert shown == "Alerts the log cannot be written: details: filterd status"
    assert "1 pause is in force: it ends by itself" in lines[2]
    told = json.loads(call("status", "--json", "--state", tmp_path).out)["alerts"]
    assert [(one["id"], one["severity"]) for one in told] == [
        ("log-not-written", "warning"),
        ("pause", "notice"),
    ]


def test_what_is_expected_and_not_so_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answer(monkeypatch, {**STATUS, "doubts": [DOUBT]})
    assert "own.yaml:7: expected: it passes" in call("status", "--state", tmp_path).out
    _answer(monkeypatch, {**RELOADED, "doubts": [DOUBT]})
    done = call("reload", "--lang", "en", "--state", tmp_path)
    assert (done.code, done.error_lines) == (0, ["warning: own.yaml:7: expected: it passes"])


def test_a_reload_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = _answer(monkeypatch, RELOADED)
    done = call("reload", "--lang", "en", "--state", tmp_path)
    assert asked == [(tmp_path / "control.sock", "reload")]
    assert done.out.replace("\n", " ") == (
        "Reloaded: policy 0123456789ab, 1\u202f000\u202f000 names on 25 lists. "
    )


def test_a_reload_says_what_needs_a_restart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answer(monkeypatch, {**RELOADED, "restart_for": ["listen"]})
    done = call("reload", "--lang", "en", "--state", tmp_path)
    assert done.out.endswith("Restart filterd to change: listen\n")
    told = json.loads(call("reload", "--json", "--state", tmp_path).out)
    assert told["restart_for"] == ["listen"]


def test_a_refused_reload_prints_each_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    errors = [ConfigError(say("bad"), path="site.yaml", line=line, column=1) for line in (2, 5)]
    _answer(monkeypatch, ConfigErrors(errors))
    done = call("reload", "--state", tmp_path)
    assert done == (2, "", "filterd: site.yaml:2:1: bad\nfilterd: site.yaml:5:1: bad\n")


def test_believing_the_clock_wants_a_reason(here: list[str], daemon: FakeDaemon) -> None:
    assert call("clock", "accept", *here).code == 2
    assert "change" not in daemon.commands()


def test_believing_the_clock_is_recorded_with_its_reason(
    here: list[str], daemon: FakeDaemon
) -> None:
    done = call("clock", "accept", "--reason", "pin mới", *here)
    assert done.code == 0, done.err
    assert daemon.store.rows()[0].kind == "clock-accept"
    assert daemon.store.rows()[0].reason == "pin mới"


@pytest.mark.parametrize(("option", "try_it"), [((), "no"), (("--try",), "yes")])
def test_it_becomes_the_process_that_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...], try_it: str
) -> None:
    became: list[tuple[str, list[str], dict[str, str]]] = []
    masks: list[set[signal.Signals]] = []
    monkeypatch.setattr(os, "execv", lambda *call: became.append((*call, dict(os.environ))))
    monkeypatch.setattr(signal, "pthread_sigmask", lambda _, mask: masks.append(mask))
    with mock.patch.dict(os.environ), mock.patch.object(sys, "path", [*sys.path]):
        call("serve", *option, "--lang", "vi", "--config", tmp_path, "--state", tmp_path / "state")
    ((program, words, environment),) = became
    assert program == sys.executable
    assert words[1:3] == ["-m", "filterd.daemon.main"]
    assert words[3:] == [str(tmp_path), str(tmp_path / "state"), "vi", try_it]
    assert (environment["PYTHONPATH"], environment["PYTHONSAFEPATH"]) == (str(ROOT), "1")
    assert masks == [{signal.SIGTERM, signal.SIGINT, signal.SIGHUP}]
