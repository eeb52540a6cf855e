# SPDX-License-Identifier: Apache-2.0
"""Send a message by mail, with files or without: SMTP with TLS, bounded.

SMTP is RFC 5321. Port 465 is TLS from the start (RFC 8314); on any other port STARTTLS must succeed
(RFC 3207), or nothing is sent. The certificate must be of the server. A name must lead to public
addresses: who answers for it must not make this machine talk to the networks behind it; a server
inside the school is written by its address. Errors have codes and
reasons of our own: what a server answers may repeat a password.
"""

from __future__ import annotations

import io
import smtplib
import ssl
from contextlib import suppress
from email.charset import QP, Charset
from email.encoders import encode_base64
from email.header import Header
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from filterd.base.addresses import is_address
from filterd.base.errors import DeliveryError, FetchError, TooLargeError
from filterd.base.value_class import frozen
from filterd.http.http_download import DownloadLimits, Pace, PacedReader, public_addresses
from filterd.monitor.secret_file import read_secret
from filterd.policy.reporting_settings import TLS_PORT
from filterd.texts.i18n import quoted, refused, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import Message
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.policy.reporting_settings import MailSettings
    from filterd.texts.i18n import Sentence

LIMITS = DownloadLimits(total_s=60.0, window_s=120.0, silence_s=20.0)
_MOST_OCTETS = 64 * 1024
_READY = 220
_HELLO = "[127.0.0.1]"
"""The name of the gateway is none of the server's business; RFC 5321 (4.1.3) allows this."""


class MailText(Protocol):
    """The content of a message: its subject, one line, and its text."""

    @property
    def subject(self) -> str:
        """One line."""

    @property
    def text(self) -> str:
        """The lines."""


class Attachment(NamedTuple):
    """A file of a message; its ``name`` is ASCII."""

    name: str
    media_type: str
    octets: bytes


@frozen
class Mail:
    """Sends messages as ``settings`` of a site want it.

    Attributes:
        settings: the server and the addresses.
        config: the folder of ``site.yaml``, for the password.
        clock: for the limits, and the date of messages.
        limits: of time.
    """

    settings: MailSettings
    config: Path
    clock: Clock
    limits: DownloadLimits = LIMITS

    def send(self, message: MailText, attachments: Sequence[Attachment] = ()) -> None:
        """Send a message to all addresses.

        Raises:
            DeliveryError: the server or the secret file refuses.
        """
        settings = self.settings
        password = read_secret(self.config, settings.password_file) if settings.user else ""
        try:
            self._send(self._written(message, attachments), password)
        except (smtplib.SMTPException, FetchError, OSError, ValueError) as error:
            raise DeliveryError(
                say(
                    "mail to {server} port {port}: {why}",
                    server=settings.server,
                    port=settings.port,
                    why=_reason(error),
                )
            ) from None  # its text may have what the server repeats

    def _written(self, message: MailText, attachments: Sequence[Attachment]) -> Message:
        """Return the message in ASCII: no server need take more (RFC 6152)."""
        settings, charset = self.settings, Charset("utf-8")
        charset.body_encoding = QP
        written: Message = MIMEText(message.text, "plain", charset)  # type: ignore[arg-type]
        if attachments:
            written = MIMEMultipart("mixed", None, [written, *map(_part, attachments)])
        written["From"], written["To"] = settings.sender, ", ".join(settings.to)
        # A line break in what the daemon says would begin another field.
        subject = "".join(one if one.isprintable() else " " for one in message.subject)
        written["Subject"] = Header(subject, "utf-8", header_name="Subject").encode()
        written["Date"] = formatdate(self.clock.wall())
        written["Message-ID"] = make_msgid("filterd", settings.sender.rpartition("@")[2])
        written["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic reply
        return written

    def _send(self, written: Message, password: str) -> None:
        settings, trust = self.settings, ssl.create_default_context()
        pace = _SmtpPace(self.clock, self.limits)
        own = settings.server, _HELLO, self.limits.silence_s
        is_tls = settings.port == TLS_PORT
        client = _SmtpTlsClient(pace, *own, context=trust) if is_tls else _SmtpClient(pace, *own)
        try:
            code = _connect(client, settings)
            if code != _READY:
                raise smtplib.SMTPConnectError(code, "")
            if not is_tls:
                client.starttls(context=trust)
            if settings.user:
                client.login(settings.user, password)
            client.send_message(written)
            client.quit()
        finally:
            client.close()


def _connect(client: smtplib.SMTP, settings: MailSettings) -> int:
    """Connect to the server of the settings; return the code of its greeting.

    The certificate is compared with the name: by it the client would resolve once more.

    Raises:
        FetchError: the name leads to an address that is not public.
        OSError: none of the addresses answers.
    """
    if is_address(settings.server):
        return client.connect(settings.server, settings.port)[0]
    *others, last = public_addresses(settings.server, settings.port)
    for address in others:
        with suppress(OSError):
            return client.connect(address, settings.port)[0]
    return client.connect(last, settings.port)[0]


def _part(file: Attachment) -> MIMEBase:
    """Return a file as a part of a message (RFC 2045, RFC 2183)."""
    main, _, sub = file.media_type.partition(";")[0].partition("/")
    part = MIMEBase(main, sub)
    part.set_payload(file.octets)
    encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=file.name)
    return part


class _SmtpPace(Pace):
    """Counts the octets of a server's replies, too."""

    _octets_in = 0

    def count(self, octets: int) -> None:
        super().count(octets)
        self._octets_in += octets
        if self._octets_in > _MOST_OCTETS:
            raise TooLargeError(say("the server's replies are too long"))


class _SmtpClient(smtplib.SMTP):
    """A client whose replies are paced; ``host`` is what its certificate must name."""

    def __init__(
        self, pace: Pace, host: str, own_name: str, timeout: float, **context: Any
    ) -> None:
        self._pace = pace
        super().__init__(local_hostname=own_name, timeout=timeout, **context)
        self._host = host

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            assert self.sock is not None
            raw = PacedReader(self.sock.makefile("rb", buffering=0), self._pace)
            self.file = io.BufferedReader(raw)
        return super().getreply()


class _SmtpTlsClient(_SmtpClient, smtplib.SMTP_SSL):
    """The same by TLS from the first octet."""


_REASONS = (
    (smtplib.SMTPNotSupportedError, say("it offers no STARTTLS, or no way to log in")),
    (smtplib.SMTPAuthenticationError, say("it refuses user and password")),
    (smtplib.SMTPRecipientsRefused, say("it refuses every address in `to`")),
    (smtplib.SMTPServerDisconnected, say("it ends the connection, or does not answer in time")),
    (TimeoutError, say("it does not answer in time")),
)


def _reason(error: Exception) -> Sentence:
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    match error:
        case FetchError():
            return error.sentence
        case ssl.SSLCertVerificationError():
            return say("its certificate is not trusted: {why}", why=quoted(error.verify_message))
        case smtplib.SMTPResponseException():
            return say("it refuses the message (code {code})", code=error.smtp_code)
        case OSError():
            return refused(error)
    return say("the message cannot be sent as it is")
