# SPDX-License-Identifier: Apache-2.0
"""Edit the query log and the alerts of the site. Pure."""

from __future__ import annotations

from filterd.i18n import Sentence, say
from filterd.policy.log_levels import LogLevel
from filterd.web.parameters import Parameter, Text, Whole
from filterd.web.sections.site_section import (
    Edits,
    Lines,
    Plain,
    SiteField,
    SiteSection,
    Values,
    edit,
    mapping,
    pairs,
    texts_of,
)


def _log(data: Plain, _: str) -> Values:
    held = mapping(data, "log")
    return {
        "level": str(held.get("level", LogLevel.COUNTS.value)),
        "tiers": [f"{tier} {level}" for tier, level in mapping(held, "tiers").items()],
        "keep_days": held.get("keep_days", ""),
        "keep_totals_days": held.get("keep_totals_days", ""),
    }


LOG = SiteSection(
    id="log",
    operation="editLog",
    title=say("Query log"),
    about=say("How much is kept of lookups, and for how long. The level full is set by command."),
    values=_log,
    edits=lambda _, given: [
        edit(given.get("level"), "log", "level"),
        edit(pairs(given.get("tiers", [])) or None, "log", "tiers"),
        edit(given.get("keep_days"), "log", "keep_days"),
        edit(given.get("keep_totals_days"), "log", "keep_totals_days"),
    ],
    fields=(
        SiteField(
            name="level",
            label=say("Level"),
            reads=Text(16),
            choices=lambda _: [(one.value, one.value) for one in LogLevel if one != LogLevel.FULL],
        ),
        SiteField(
            name="tiers",
            label=say("Tiers with another level, one a line"),
            reads=Lines(7, 40),
            help=say("Such as: primary off"),
        ),
        SiteField(
            name="keep_days",
            label=say("Days for which names and lookups are kept (30)"),
            reads=Whole(1, 90),
        ),
        SiteField(
            name="keep_totals_days",
            label=say("Days for which totals are kept (400)"),
            reads=Whole(31, 800),
        ),
    ),
)

_MAIL = ("server", "port", "from", "user", "password_file")


def _alerts(data: Plain, _: str) -> Values:
    mail, webhook = mapping(data, "alerts", "mail"), mapping(data, "alerts", "webhook")
    return {
        **{key: str(mail.get(key, "")) for key in _MAIL},
        "to": texts_of(mail.get("to")),
        "webhook": str(webhook.get("url", "")),
    }


def _alert_edits(data: Plain, given: Values) -> Edits:
    mail = {key: given[key] for key in _MAIL if given.get(key)}
    mail |= {"to": given["to"]} if given.get("to") else {}
    webhook = mapping(data, "alerts", "webhook") | {"url": given.get("webhook")}
    if not mail and not given.get("webhook"):
        return [edit(None, "alerts")]
    return [
        edit(mail or None, "alerts", "mail"),
        edit(webhook if given.get("webhook") else None, "alerts", "webhook"),
    ]


def _mail_field(name: str, label: Sentence, reads: Parameter | None = None) -> SiteField:
    return SiteField(name=name, label=label, reads=reads or Text(254))


ALERTS = SiteSection(
    id="alerts",
    operation="editAlerts",
    title=say("Alerts"),
    about=say("Where alerts go. Passwords are files in secrets/ on the gateway, never here."),
    values=_alerts,
    edits=_alert_edits,
    fields=(
        _mail_field("server", say("Mail server")),
        SiteField(name="port", label=say("Its port (587)"), reads=Whole(1, 65535)),
        _mail_field("from", say("Sender")),
        SiteField(name="to", label=say("Recipients, one a line"), reads=Lines(10, 320)),
        _mail_field("user", say("User of the mail server")),
        _mail_field("password_file", say("Name of the file with the password")),
        _mail_field("webhook", say("Address of a webhook"), Text(1000)),
    ),
)
