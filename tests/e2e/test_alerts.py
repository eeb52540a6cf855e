# SPDX-License-Identifier: Apache-2.0
"""Alerts of a real daemon leave by a real monitor, and its secrets by nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from filterd.base.clock import SystemClock
from filterd.daemon.time import known_time
from filterd.daemon.time.known_time import KnownTime
from tests.support import waiting
from tests.support.commands import call, environment
from tests.support.daemon import copy_lists, free_port, serving, write_site
from tests.support.mail_server import PASSWORD, USER, MailServer
from tests.support.tls_fixtures import authority
from tests.support.web import Page, Web
from tests.support.web import serving as web_serving

__all__ = ["authority"]

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.tls import Authority

pytestmark = pytest.mark.usefixtures("warm_children")

TOKEN = "khoa-bi-mat"


def _site(folder: Path, mail: MailServer, web: Web) -> Path:
    ways = (
        "alerts:\n"
        f"  mail: {{server: 127.0.0.1, port: {mail.port}, from: a@b.vn, to: [c@d.vn],"
        f" user: {USER}, password_file: mail}}\n"
        f'  webhook: {{url: "{web.address}/{{token}}", token_file: token}}\n'
        "  language: vi\n"
    )
    config = write_site(folder, port=free_port(), more=ways)
    (config / "secrets").mkdir()
    for name, content in (("mail", PASSWORD), ("token", TOKEN)):
        (config / "secrets" / name).write_text(content, encoding="utf-8")
        (config / "secrets" / name).chmod(0o600)
    return config


def test_time_without_service_is_an_alert_of_the_next_start(
    tmp_path: Path, built: StateFolder
) -> None:
    config = write_site(tmp_path / "site", port=free_port())
    state = copy_lists(built, tmp_path / "state")
    ran_until = SystemClock().wall() - 7200
    known_time.FORMAT.save(state.clock, KnownTime(ran_until))
    with serving(config, state.folder) as daemon:
        status = json.loads(call("status", "--json", *daemon.options).out)
        assert ", for 2 hours" in call("status", *daemon.options).out
    assert 7190 < status["signals"]["gap_s"] < 7300
    (alert,) = (one for one in status["alerts"] if one["id"] == "service-gap")
    assert alert["text"] == "filterd did not run for 2 hours before this start"


@pytest.mark.long
def test_a_pause_and_a_dead_daemon_are_reported_by_mail_and_webhook(
    authority: Authority,
    tmp_path: Path,
    built: StateFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "WITHIN_S", 240.0)  # it gathers the alerts of a minute
    state = copy_lists(built, tmp_path / "state")
    trusting = {"SSL_CERT_FILE": str(authority.certificate)}
    own = {"STATE_DIRECTORY": str(tmp_path / "monitor")}
    with MailServer(authority.issue("127.0.0.1")) as mail, web_serving(Web()) as web:
        web.pages[f"/{TOKEN}"] = Page(b"ok")
        config = _site(tmp_path / "site", mail, web)
        with serving(config, state.folder) as daemon:
            call("pause", "--grade", "6", "--for", "5m", "--reason", "vì thế", *daemon.options)
            words = ["monitor", "--listen", f"127.0.0.1:{free_port()}", *daemon.options]
            log = (tmp_path / "journal").open("wb")
            monitor = subprocess.Popen(
                [sys.executable, "-m", "filterd", *words],
                env=environment(**trusting, **own),
                stderr=log,
            )
            try:
                waiting.until(lambda: bool(mail.taken and web.posted), "the pause")
                tested = call("alerts", "test", *daemon.options, **trusting)
                assert tested.code == 0, tested.out + tested.err
                shown = [
                    call(*command, *daemon.options).out
                    for command in (
                        ("status", "--json"),
                        ("alerts", "list", "--json"),
                        ("history", "list", "--json"),
                        ("policy", "history", "--json"),
                        ("alerts", "test", "--json"),
                    )
                ]
                daemon.end()
                waiting.until(lambda: "daemon-silent" in str(web.posted), "the end of the daemon")
            finally:
                monitor.terminate()
                assert monitor.wait(30) == 0
                log.close()
    assert {"pause", "upstreams-down"} >= {one["id"] for one in json.loads(web.posted[0])["alerts"]}
    assert "tạm dừng lọc" in json.loads(web.posted[0])["text"]
    texts = [*shown, (tmp_path / "journal").read_text(encoding="utf-8"), *daemon.log]
    assert "alert: 1 pause is in force" in texts[-1 - len(daemon.log)]
    for folder in (tmp_path / "state", tmp_path / "monitor"):
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert files
        texts += [path.read_bytes().decode("latin-1") for path in files]
    for secret in (PASSWORD, TOKEN):
        assert [text[:80] for text in texts if secret in text] == []
    assert (tmp_path / "monitor" / "monitor.filterd").stat().st_mode & 0o007 == 0
