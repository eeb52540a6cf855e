# SPDX-License-Identifier: Apache-2.0
"""``filterd status``, ``alerts``, ``reload``, ``site apply`` and ``clock accept``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.errors import ConfigError, ConfigErrors, to_plain
from filterd.base.state_folder import StateFolder
from filterd.config.site_proposal import PROPOSAL, SiteProposal, digest_of
from filterd.texts.i18n import say
from tests.support.commands import call
from tests.support.fake_daemon import STATUS
from tests.support.web import Page, Web, serving

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
    _answer(monkeypatch, {**RELOADED, "doubts": [DOUBT]})
    done = call("reload", "--lang", "en", "--state", tmp_path)
    assert (done.code, done.error_lines) == (0, ["warning: own.yaml:7: expected: it passes"])


def test_a_reload_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = _answer(monkeypatch, RELOADED)
    done = call("reload", "--lang", "en", "--state", tmp_path)
    assert asked == [(tmp_path / "control.sock", "reload")]
    assert done.out.replace("\n", " ") == (
        "Reloaded: policy 0123456789ab, 1\u202f000\u202f000 names on 25 lists. "
    )


def test_a_reload_names_what_needs_a_restart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answer(monkeypatch, {**RELOADED, "restart_for": ["listen"]})
    done = call("reload", "--lang", "en", "--state", tmp_path)
    assert done.out.endswith("Restart filterd to change: listen\n")
    printed = json.loads(call("reload", "--json", "--state", tmp_path).out)
    assert printed["restart_for"] == ["listen"]


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


DOWN = {"address": "192.0.2.1", "down": True, "down_since": 0.0}
SECRET = "khoa-bi-mat"


def _answers(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    monkeypatch.setattr(control, "ask", lambda *_, **__: answer)


def test_alerts_are_listed_with_severity_and_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answers(monkeypatch, STATUS | {"upstreams": [DOWN]})
    shown = call("alerts", "list", "--lang", "vi", "--state", tmp_path).out
    assert "NGUY CẤP" in shown
    assert "không máy chủ DNS cấp trên" in shown
    printed = json.loads(call("alerts", "list", "--json", "--state", tmp_path).out)
    assert [one["id"] for one in printed] == ["upstreams-down"]
    _answers(monkeypatch, STATUS | {"upstreams": []})
    done = call("alerts", "list", "--lang", "en", "--state", tmp_path)
    assert done.out == "No alert is active.\n"


ADDRESSES = (
    "mail: {server: 127.0.0.1, port: 9, from: a@b.vn, to: [c@d.vn], user: u, password_file: gone}"
)


def _site(folder: Path, more: str) -> Path:
    (folder / "secrets").mkdir(parents=True)
    (folder / "secrets" / "token").write_text(SECRET, encoding="utf-8")
    (folder / "secrets" / "token").chmod(0o600)
    (folder / "site.yaml").write_text(f"school: {{name: A}}\nlanguage: vi\n{more}")
    return folder


@pytest.mark.parametrize("columns", ["20", "80"])
def test_each_way_is_tried_and_what_fails_is_reported_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, columns: str
) -> None:
    monkeypatch.setattr(control, "ask", lambda *_, **__: pytest.fail("the daemon was asked"))
    with serving(Web()) as web:
        web.pages[f"/{SECRET}"] = Page(b"ok")
        hook = f"webhook: {{url: '{web.address}/{{token}}', token_file: token}}"
        config = _site(tmp_path / ("long" * 30), f"alerts:\n  {ADDRESSES}\n  {hook}\n")
        places = ("--lang", "en", "--state", tmp_path, "--config", config)
        done = call("alerts", "test", *places, COLUMNS=columns)
        printed = json.loads(call("alerts", "test", "--json", *places).out)
    assert done.code == 2
    mail, webhook = done.out.splitlines()
    assert mail.startswith(f"mail: {config}/secrets/gone: cannot be read: ")
    assert webhook == "webhook: sent"
    assert [(one["way"], one["ok"]) for one in printed] == [("mail", False), ("webhook", True)]
    assert json.loads(web.posted[0])["alerts"][0]["id"] == "test"
    assert SECRET not in done.out + done.err + str(printed)


def test_the_error_of_a_site_without_alerts_has_what_to_write(tmp_path: Path) -> None:
    config = _site(tmp_path / "site", "")
    done = call("alerts", "test", "--lang", "en", "--state", tmp_path, "--config", config)
    assert (done.code, "write mail or webhook under alerts" in done.err) == (2, True)


SITE = "school: {name: A}\nlanguage: en\nnetworks: {}\n"


def test_without_a_daemon_that_takes_it_the_file_stays(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "site.yaml").write_text(SITE)
    places = ("--config", tmp_path, "--state", tmp_path / "state")
    done = call("site", "apply", *places)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    proposal = SiteProposal(digest_of(SITE), SITE.replace("A", "B"), "web:lan")
    PROPOSAL.save(StateFolder(tmp_path / "state").site_proposal, proposal)
    done = call("site", "apply", *places)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert (tmp_path / "site.yaml").read_text() == SITE
