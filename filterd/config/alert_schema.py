# SPDX-License-Identifier: Apache-2.0
"""The schema of ``alerts`` in ``site.yaml``: mail and webhook, without secrets."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from filterd.documents import DocumentModel, refusal
from filterd.errors import NameTextError
from filterd.i18n import say
from filterd.policy.alert_settings import TOKEN, AlertSettings, MailSettings, WebhookSettings
from filterd.public_address import is_address, is_public
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.config.site_schema import SiteFile

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9.-]{1,253})", re.ASCII)
_URL = re.compile(r"https?://[^\s/?#@\\{}]+(/[!-~]{0,1000})?", re.ASCII)


def _host(text: str) -> str:
    try:
        names.from_text(text)
    except NameTextError:
        if not is_address(text):
            raise refusal(say("'{text}' is no host", text=text[:80])) from None
    return text


def _mail_address(text: str) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise refusal(
            say("'{text}' is not a mail address", text=text[:80]), say("such as it@truong.edu.vn")
        )
    return text


def _webhook_address(text: str) -> str:
    """Return an https address; http only of an address literal that is not public."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", 0
    if not host or port == 0 or _URL.fullmatch(text) is None or parts.fragment:
        raise refusal(
            say("'{text}' is not an address of a webhook", text=text[:80]),
            say("write https://HOST/PATH, without a name or password"),
        )
    is_private = is_address(host) and not is_public(ip_address(host))
    if parts.scheme != "https" and not is_private:
        raise refusal(
            say("a webhook outside the school needs https"),
            say("http is for a private address only"),
        )
    return text


MailAddress = Annotated[str, AfterValidator(_mail_address)]
SecretFile = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


class MailEntry(DocumentModel):
    """A mail server that takes alerts, by TLS or STARTTLS only."""

    server: Annotated[str, AfterValidator(_host)] = Field(
        description="Its name or address, as in its certificate."
    )
    port: Annotated[int, Field(ge=1, le=65535)] = Field(
        587, description="Its port: 465 is TLS, any other one STARTTLS."
    )
    from_: MailAddress = Field(alias="from", description="The sender's address.")
    to: tuple[MailAddress, ...] = Field(
        min_length=1, max_length=10, description="The addresses that get the alerts."
    )
    user: str = Field("", max_length=254, description="The user of the server, if it wants one.")
    password_file: SecretFile | None = Field(
        None, description="The file in secrets/ beside site.yaml that has the password."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> MailEntry:
        if bool(self.user) is (self.password_file is None):
            raise refusal(say("user and password_file belong together"))
        return self


class WebhookEntry(DocumentModel):
    """An address that alerts are posted to, as JSON."""

    url: Annotated[str, AfterValidator(_webhook_address)] = Field(
        description="Its https address; {token} stands for the token."
    )
    token_file: SecretFile | None = Field(
        None, description="The file in secrets/ beside site.yaml that has the token."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> WebhookEntry:
        if TOKEN in self.url and self.token_file is None:
            raise refusal(say("the token has no file"), say("add token_file:"))
        return self


class AlertsEntry(DocumentModel):
    """Where alerts go, beside the journal and ``filterd status``."""

    mail: MailEntry | None = Field(None, description="Send them by mail.")
    webhook: WebhookEntry | None = Field(None, description="Post them to a web service.")
    language: Literal["vi", "en"] | None = Field(
        None, description="The language of alerts; that of the site if left out."
    )


def compile_alerts(site: SiteFile) -> AlertSettings | None:
    """Return where alerts go; None where the site names nothing."""
    entry = site.alerts
    if entry is None:
        return None
    return AlertSettings(
        school=site.school.name,
        time_zone=site.time_zone,
        language=entry.language or site.language,
        mail=None if entry.mail is None else _mail(entry.mail),
        webhook=None if entry.webhook is None else _webhook(entry.webhook),
    )


def _mail(entry: MailEntry) -> MailSettings:
    own = entry.user, entry.password_file or ""
    return MailSettings(entry.server, entry.port, entry.from_, entry.to, *own)


def _webhook(entry: WebhookEntry) -> WebhookSettings:
    return WebhookSettings(entry.url, entry.token_file or "")
