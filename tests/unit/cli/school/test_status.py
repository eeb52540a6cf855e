# SPDX-License-Identifier: Apache-2.0
"""``filterd status``, ``alerts``, ``reload``, ``site apply`` and ``clock accept``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.errors import ConfigError, to_plain
from filterd.texts.i18n import say
from tests.support.commands import call
from tests.support.fake_daemon import STATUS

if TYPE_CHECKING:
    from pathlib import Path


PAUSE: dict[str, Any] = {"kind": "pause", "target": "", "allow": True, "audience": "everybody"}
PAUSE |= {"whom": "", "starts_at": 1.8e9, "ends_at": 1.8e9 + 240}
DOUBT = to_plain(ConfigError(say("expected: it passes"), path="own.yaml", line=7))


def _answer(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[tuple[Path, str]]:
    asked = []

    def ask(path: Path, command: str) -> Any:
        asked.append((path, command))
        if isinstance(answer, Exception):
            raise answer
        return answer

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
def test_status_is_reported_within_80_columns(
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


def test_status_in_json_is_the_answer_of_the_daemon(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    status = STATUS | {"upstreams": STATUS["upstreams"][:1]}
    _answer(monkeypatch, status)
    printed = json.loads(call("status", "--json", "--state", tmp_path).out)
    assert printed == status | {"alerts": []}


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
    printed = json.loads(call("status", "--json", "--state", tmp_path).out)["alerts"]
    assert [(one["id"], one["severity"]) for one in printed] == [
        ("log-not-written", "warning"),
        ("pause", "notice"),
    ]


def test_unmet_expectations_are_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _answer(monkeypatch, {**STATUS, "doubts": [DOUBT]})
    assert "own.yaml:7: expected: it passes" in call("status", "--state", tmp_path).out
