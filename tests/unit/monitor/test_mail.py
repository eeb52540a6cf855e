# SPDX-License-Identifier: Apache-2.0
"""Mail goes by TLS to the right server only, and no fault of it lasts long or has the password."""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.clock import SystemClock
from filterd.base.errors import DeliveryError
from filterd.http.http_download import DownloadLimits
from filterd.monitor import mail as module
from filterd.monitor.alert import Alert
from filterd.monitor.alert_message import AlertEvent, AlertMessage
from filterd.monitor.mail import Mail
from filterd.operations.alerts import AlertSeverity
from filterd.policy.reporting_settings import AlertSettings, MailSettings
from filterd.texts.i18n import say
from tests.support.mail_server import PASSWORD, USER, MailServer
from tests.support.tls_fixtures import authority

__all__ = ["authority"]

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.tls import Authority, Certificate

HOST = "127.0.0.1"
QUICK = DownloadLimits(total_s=0.5, window_s=10.0, silence_s=0.3)
ALERT = Alert("pause", AlertSeverity.NOTICE, say("the time is not known"), say("x"))
SETTINGS = AlertSettings("Trường Mẫu", "Asia/Ho_Chi_Minh", "vi")
RESOLVE = socket.getaddrinfo
MESSAGE = AlertMessage(SETTINGS, [AlertEvent(ALERT, 1.8e9)], 1.8e9)


@pytest.fixture
def certificate(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    return authority.issue(HOST)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "mail"
    secret.write_text(PASSWORD + "\n", encoding="utf-8")
    secret.chmod(0o600)
    return tmp_path


def _send(
    server: MailServer,
    /,
    config: Path,
    limits: DownloadLimits = module.LIMITS,
    **changes: Any,
) -> None:
    to = ("a@truong.example", "b@truong.example")
    settings = MailSettings(HOST, server.port, "filterd@truong.example", to, USER, "mail")
    Mail(replace(settings, **changes), config, SystemClock(), limits).send(MESSAGE)


@pytest.mark.parametrize("is_tls", [False, True])
def test_a_message_comes_by_tls_with_vietnamese_text(
    certificate: Certificate, config: Path, monkeypatch: pytest.MonkeyPatch, *, is_tls: bool
) -> None:
    with MailServer(certificate, is_tls=is_tls) as server:
        if is_tls:
            monkeypatch.setattr(module, "TLS_PORT", server.port)
        _send(server, config)
    (taken,) = server.taken
    message = email.message_from_string(taken, policy=email.policy.default)
    assert message["Subject"] == "filterd, Trường Mẫu: chưa biết giờ đúng"
    assert message["To"] == "a@truong.example, b@truong.example"
    assert "chưa biết giờ đúng" in message.get_content()
    assert server.logins == [(USER, PASSWORD)]
    assert server.commands[-1] == "QUIT"


@pytest.mark.parametrize(
    ("replies", "why"),
    [
        ({"": b"554 no\r\n"}, "code 554"),
        ({"EHLO": b"250 mail.example\r\n"}, "it offers no STARTTLS"),
        ({"STARTTLS": b"454 not now\r\n"}, "code 454"),
        ({"AUTH": b"535 wrong: %b\r\n" % PASSWORD.encode()}, "it refuses user and password"),
        ({"MAIL": b"550 no\r\n"}, "code 550"),
        ({"RCPT": b"550 no\r\n"}, "it refuses every address"),
        ({"DATA": b"550 no\r\n"}, "code 550"),
        ({"EHLO": b"250-x\r\n" * 10_000}, "replies are too long"),
        ({"EHLO": b"x" * 9000}, "code 500"),
    ],
)
def test_what_a_server_refuses_is_an_error_without_the_password(
    certificate: Certificate, config: Path, replies: dict[str, bytes], why: str
) -> None:
    with MailServer(certificate, replies=replies) as server, pytest.raises(DeliveryError) as caught:
        _send(server, config)
    assert why in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert server.taken == []
    if "STARTTLS" in why:
        assert server.logins == []
        assert "MAIL" not in server.commands


def _leading_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Have every name lead to these addresses."""

    def resolve(host: str, port: int, *more: Any, **kinds: Any) -> list[Any]:
        if host in addresses:
            return RESOLVE(host, port, *more, **kinds)
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr("socket.getaddrinfo", resolve)


@pytest.mark.parametrize("private", [HOST, "10.0.0.5", "192.168.1.2", "169.254.169.254", "::1"])
def test_a_name_that_leads_to_a_private_address_is_not_asked(
    certificate: Certificate, config: Path, monkeypatch: pytest.MonkeyPatch, private: str
) -> None:
    with MailServer(certificate) as server:
        _leading_to(monkeypatch, "1.1.1.1", private)
        with pytest.raises(DeliveryError, match="not a public address"):
            _send(server, config, server="mail.example")
    assert (server.logins, server.commands) == ([], [])


def test_a_public_name_is_resolved_once_and_its_certificate_has_the_name(
    authority: Authority, certificate: Certificate, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert certificate
    with MailServer(authority.issue("mail.example")) as server:
        monkeypatch.setattr("filterd.http.http_download.is_public", lambda _: True)
        _leading_to(monkeypatch, HOST)
        _send(server, config, server="mail.example")
    assert server.logins == [(USER, PASSWORD)]


def test_control_without_the_check_a_private_server_gets_the_password(
    authority: Authority, certificate: Certificate, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert certificate
    with MailServer(authority.issue("mail.example")) as server:
        monkeypatch.setattr(module, "public_addresses", lambda *_: [HOST])
        _send(server, config, server="mail.example")
    assert server.logins == [(USER, PASSWORD)]


def test_a_line_break_in_an_alert_adds_no_field(certificate: Certificate, config: Path) -> None:
    alert = ALERT._replace(sentence=say("x\r\nBcc: all@example\x00\u2028y"))
    message = AlertMessage(SETTINGS, [AlertEvent(alert, 1.8e9)], 1.8e9)
    settings = MailSettings(HOST, 25, "f@truong.example", ("a@truong.example",))
    assert certificate
    written = Mail(settings, config, SystemClock())._written(message, ())
    found = email.message_from_bytes(written.as_bytes(), policy=email.policy.default)
    assert found["Bcc"] is None
    assert "x  Bcc: all@example" in found["Subject"]


def test_the_certificate_must_be_of_the_server_and_of_a_trusted_authority(
    authority: Authority, certificate: Certificate, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        MailServer(authority.issue("other.example")) as server,
        pytest.raises(DeliveryError, match="certificate is not trusted"),
    ):
        _send(server, config)
    monkeypatch.delenv("SSL_CERT_FILE")
    with (
        MailServer(certificate) as other,
        pytest.raises(DeliveryError, match="certificate is not trusted"),
    ):
        _send(other, config)
    assert server.logins == other.logins == []


def test_control_without_that_check_the_password_goes_to_another_server(
    authority: Authority, certificate: Certificate, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert certificate
    monkeypatch.setattr(ssl, "create_default_context", ssl._create_unverified_context)
    with MailServer(authority.issue("other.example")) as server:
        _send(server, config)
    assert server.logins == [(USER, PASSWORD)]


def _hang(opened: socket.socket) -> None:
    opened.recv(1)


def _drip(opened: socket.socket) -> None:
    """Send an octet of a greeting just before each silence would be too long."""
    while opened.send(b"2"):
        try:
            opened.settimeout(0.1)
            opened.recv(1)
        except TimeoutError:
            continue
        return


@pytest.mark.parametrize("serve_raw", [_hang, _drip])
def test_a_server_that_hangs_or_drips_is_given_up(config: Path, serve_raw: Any) -> None:
    clock = SystemClock()
    before = clock.monotonic()
    with (
        MailServer(None, serve_raw=serve_raw) as server,
        pytest.raises(DeliveryError, match=r"in time|not downloaded within|does not answer"),
    ):
        _send(server, config, QUICK)
    assert clock.monotonic() - before < 5


def test_where_no_server_is_and_where_the_name_is_unknown(config: Path) -> None:
    with MailServer(None) as server:
        pass
    with pytest.raises(DeliveryError, match="refused"):
        _send(server, config)


def test_without_a_user_nothing_logs_in_and_no_secret_is_read(
    certificate: Certificate, tmp_path: Path
) -> None:
    with MailServer(certificate) as server:
        _send(server, tmp_path / "nowhere", user="", password_file="")
    assert (len(server.taken), server.logins) == (1, [])
