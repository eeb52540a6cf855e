# SPDX-License-Identifier: Apache-2.0
"""A webhook gets one POST at the address of the site; no fault of it shows the token."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from filterd.base.clock import SystemClock
from filterd.base.errors import DeliveryError
from filterd.http.http_download import DownloadLimits
from filterd.monitor import webhook as module
from filterd.monitor.alert import Alert
from filterd.monitor.alert_message import AlertEvent, AlertMessage
from filterd.monitor.webhook import Webhook
from filterd.operations.alerts import AlertSeverity
from filterd.policy.reporting_settings import AlertSettings, WebhookSettings
from filterd.texts.i18n import say
from tests.support.tls_fixtures import authority
from tests.support.web import Page, Web, raw_server, serving

__all__ = ["authority"]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.tls import Authority, Certificate

TOKEN = "khoa-bi-mat"
QUICK = DownloadLimits(total_s=0.5, window_s=10.0, silence_s=0.3)
ALERT = Alert("clock", AlertSeverity.WARNING, say("the time is not known"), say("x"))
SETTINGS = AlertSettings("Trường Mẫu", "Asia/Ho_Chi_Minh", "vi")
MESSAGE = AlertMessage(SETTINGS, [AlertEvent(ALERT, 1.8e9)], 1.8e9)


@pytest.fixture
def certificate(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    return authority.issue("127.0.0.1")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "token"
    secret.write_text(TOKEN, encoding="utf-8")
    secret.chmod(0o600)
    return tmp_path


@contextmanager
def _served(certificate: Certificate | None, page: Page | None = None) -> Iterator[Web]:
    """Serve a hook by its loopback address."""
    with serving(Web(), certificate) as web:
        web.address = web.address.replace("lists.example", "127.0.0.1")
        web.pages["/hook"] = web.pages[f"/{TOKEN}/hook"] = page or Page(b"ok")
        yield web


def _send(
    address: str, config: Path, token: str = "token", limits: DownloadLimits = module.LIMITS
) -> None:
    Webhook(WebhookSettings(address, token), config, SystemClock(), limits).send(MESSAGE)


def test_the_message_is_posted_as_json_with_the_token(
    certificate: Certificate, config: Path
) -> None:
    with _served(certificate) as web:
        _send(f"{web.address}/hook", config)
        _send(f"{web.address}/{{token}}/hook", config)
    (first, second) = web.asked
    assert first[1]["Authorization"] == f"Bearer {TOKEN}"
    assert (second[0], "Authorization" in second[1]) == (f"/{TOKEN}/hook", False)
    plain = json.loads(web.posted[0])
    assert plain["school"] == "Trường Mẫu"
    assert plain["text"].startswith("filterd, Trường Mẫu: chưa biết giờ đúng")
    assert [(one["id"], one["severity"], one["state"]) for one in plain["alerts"]] == [
        ("clock", "warning", "begins")
    ]


def test_a_redirect_is_not_followed_and_a_refusal_is_an_error(
    certificate: Certificate, config: Path
) -> None:
    for page, code in (
        (Page(status=302, headers={"Location": "/other"}), 302),
        (Page(status=500), 500),
    ):
        with (
            _served(certificate, page) as web,
            pytest.raises(DeliveryError, match=f"webhook: .* status {code}") as caught,
        ):
            _send(f"{web.address}/{{token}}/hook", config)
        assert TOKEN not in str(caught.value)
        assert len(web.asked) == 1


@pytest.mark.usefixtures("certificate")
def test_the_certificate_must_be_of_the_server(authority: Authority, config: Path) -> None:
    with (
        _served(authority.issue("other.example")) as web,
        pytest.raises(DeliveryError, match="no secure connection") as caught,
    ):
        _send(f"{web.address}/{{token}}/hook", config)
    assert TOKEN not in str(caught.value)
    assert web.asked == []


def test_a_name_that_leads_to_a_private_address_is_not_asked(config: Path) -> None:
    with (
        _served(None) as web,
        pytest.raises(DeliveryError, match="not a public address"),
    ):
        _send(web.address.replace("127.0.0.1", "localhost") + "/hook", config)
    assert web.asked == []


def test_control_without_that_check_it_would_be(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_is_private", lambda _: True)
    with _served(None) as web:
        _send(web.address.replace("127.0.0.1", "localhost") + "/hook", config)
    assert len(web.asked) == 1


def test_a_server_that_never_answers_or_never_ends_is_given_up(config: Path) -> None:
    clock = SystemClock()
    before = clock.monotonic()
    flood = raw_server(b"HTTP/1.1 200 OK\r\nX: ", endless=True)
    with socket.create_server(("127.0.0.1", 0)) as mute, flood as address:
        for server in (f"http://127.0.0.1:{mute.getsockname()[1]}", address):
            with pytest.raises(DeliveryError):
                _send(f"{server}/hook", config, limits=QUICK)
    assert clock.monotonic() - before < 5


def test_where_no_server_is(config: Path) -> None:
    with _served(None) as web:
        pass
    with pytest.raises(DeliveryError, match="webhook: the server cannot be reached") as caught:
        _send(f"{web.address}/{{token}}/hook", config)
    assert TOKEN not in str(caught.value)
