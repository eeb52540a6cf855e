# SPDX-License-Identifier: Apache-2.0
"""Active alerts are listed, and each way of alerts is tried."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from filterd import control
from filterd.policy.reporting_settings import AlertSettings, MailSettings, WebhookSettings
from filterd.state_file import to_plain
from tests.support.commands import call
from tests.support.fake_daemon import STATUS
from tests.support.web import Page, Web, serving

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

DOWN = {"address": "192.0.2.1", "down": True, "down_since": 0.0}
SECRET = "khoa-bi-mat"


def _answers(monkeypatch: pytest.MonkeyPatch, told: Any) -> None:
    monkeypatch.setattr(control, "ask", lambda *_, **__: told)


def test_alerts_are_listed_with_severity_and_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answers(monkeypatch, STATUS | {"upstreams": [DOWN]})
    shown = call("alerts", "list", "--lang", "vi", "--state", tmp_path).out
    assert "NGUY CẤP" in shown
    assert "không máy chủ DNS cấp trên" in shown
    told = json.loads(call("alerts", "list", "--json", "--state", tmp_path).out)
    assert [one["id"] for one in told] == ["upstreams-down"]
    _answers(monkeypatch, STATUS | {"upstreams": []})
    done = call("alerts", "list", "--lang", "en", "--state", tmp_path)
    assert done.out == "No alert is active.\n"


def test_each_way_is_tried_and_what_fails_is_told_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "token").write_text(SECRET, encoding="utf-8")
    (tmp_path / "secrets" / "token").chmod(0o600)
    places = ("--lang", "en", "--state", tmp_path, "--config", tmp_path)
    with serving(Web()) as web:
        web.pages[f"/{SECRET}"] = Page(b"ok")
        mail = MailSettings("127.0.0.1", 9, "a@b.vn", ("c@d.vn",), "u", "gone")
        hook = WebhookSettings(f"{web.address}/{{token}}", "token")
        settings = AlertSettings("Mẫu", "Asia/Ho_Chi_Minh", "vi", mail, hook)
        _answers(monkeypatch, to_plain(settings))
        done = call("alerts", "test", *places)
        told = json.loads(call("alerts", "test", "--json", *places).out)
    assert done.code == 2
    assert "secrets/gone: cannot be read" in " ".join(done.out.split())
    assert [(one["way"], one["ok"]) for one in told] == [("mail", False), ("webhook", True)]
    assert json.loads(web.posted[0])["alerts"][0]["id"] == "test"
    assert SECRET not in done.out + done.err + str(told)


def test_a_site_without_alerts_is_told_what_to_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answers(monkeypatch, None)
    done = call("alerts", "test", "--lang", "en", "--state", tmp_path)
    assert (done.code, "write mail or webhook under alerts" in done.err) == (2, True)
