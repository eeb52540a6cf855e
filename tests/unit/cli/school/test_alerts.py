# SPDX-License-Identifier: Apache-2.0
"""Alerts are listed, and each way that they take is tried."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from tests.support.commands import call
from tests.support.fake_daemon import STATUS
from tests.support.web import Page, Web, serving

if TYPE_CHECKING:
    from pathlib import Path

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
