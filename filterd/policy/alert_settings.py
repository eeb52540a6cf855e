# SPDX-License-Identifier: Apache-2.0
"""Where alerts go, as compiled from a site's files. Pure; it has no secret.

A secret is a file of ``secrets/`` beside ``site.yaml``, which only the monitor reads; here is
its name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailSettings:
    """A mail server and the addresses of alerts.

    Port ``TLS_PORT`` is TLS from the first octet (RFC 8314), any other one STARTTLS.
    ``user`` and ``password_file`` are empty for a server that wants none.
    """

    server: str
    port: int
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password_file: str = ""


TLS_PORT = 465


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """An address that alerts are posted to.

    The token stands in the place of ``TOKEN`` in the address, else in the field Authorization.
    """

    url: str
    token_file: str = ""


TOKEN = "{token}"  # noqa: S105 -- its place, not the token


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """The ways of alerts, None for those not wanted, and how a message is written."""

    school: str
    time_zone: str
    language: str
    mail: MailSettings | None = None
    webhook: WebhookSettings | None = None
