# SPDX-License-Identifier: Apache-2.0
"""Edit the query log, alerts, and what reports have. Pure."""

from __future__ import annotations

import shlex

from filterd.operations.parameters.scalar import Text, Whole
from filterd.policy.log_levels import LogLevel
from filterd.policy.reporting_settings import PeriodKind
from filterd.texts.i18n import say
from filterd.web.sections.site_section import (
    ITEM,
    REMOVE,
    Edits,
    Lines,
    Plain,
    SiteField,
    SiteSection,
    Values,
    edit,
    items_of,
    mapping,
    no_such_line,
    pairs,
    texts_of,
)

_TEXTS = ("superior", "place", "symbol", "year_begins", "template")
_OF_SIGNER = {"post": "post", "signer": "name", "capacity": "capacity"}


def _schedule_line(entry: Plain) -> str:
    folder = f"to={entry['folder']}" if entry.get("folder") else ""
    mail = "mail" if entry.get("mail") is True else ""
    words = str(entry.get("every")), *(texts_of(entry.get("formats")) or ["docx"]), folder, mail
    return shlex.join(filter(None, words))


def _schedule(line: str) -> Plain:
    """Return the schedule of a line such as ``month docx xlsx to=/media/usb mail``.

    Raises:
        ConfigError: it is none.
    """
    try:
        every, *words = shlex.split(line)
    except ValueError:
        raise no_such_line(line) from None
    found: Plain = {"every": every}
    for word in words:
        if word == "mail":
            found["mail"] = True
        elif word.startswith("to="):
            found["folder"] = word.removeprefix("to=")
        else:
            found.setdefault("formats", []).append(word)
    return found


def _report(data: Plain, _: str) -> Values:
    held, signer = mapping(data, "report"), mapping(data, "report", "signer")
    return {
        **{key: str(held.get(key, "")) for key in _TEXTS},
        **{field: str(signer.get(key, "")) for field, key in _OF_SIGNER.items()},
        "recipients": texts_of(held.get("recipients")),
        "terms": [f"{id_} {days}" for id_, days in mapping(held, "terms").items()],
        "schedule": [
            _schedule_line(one) for one in items_of(held, "schedule") if isinstance(one, dict)
        ],
    }


def _report_edits(data: Plain, given: Values) -> Edits:
    held = mapping(data, "report")
    signer = {key: given[field] for field, key in _OF_SIGNER.items() if given.get(field)}
    old = {_schedule_line(one): one for one in items_of(held, "schedule") if isinstance(one, dict)}
    schedule = [old[line] if line in old else _schedule(line) for line in given.get("schedule", [])]
    return [
        *(edit(given.get(key) or None, "report", key) for key in _TEXTS),
        edit(given.get("recipients") or None, "report", "recipients"),
        edit(signer or None, "report", "signer"),
        edit(pairs(given.get("terms", [])) or None, "report", "terms"),
        edit(schedule or None, "report", "schedule"),
    ]


REPORT = SiteSection(
    id="report",
    operation="editReport",
    title=say("Reports"),
    about=say("The letterhead and signature of reports, the terms, and the scheduled reports."),
    values=_report,
    edits=_report_edits,
    fields=(
        SiteField("superior", say("Body above the school, as in the letterhead"), Text(200)),
        SiteField("place", say("Place, before the date"), Text(100)),
        SiteField("symbol", say("Symbol behind the number, such as BC-THCS"), Text(40)),
        SiteField(
            "recipients", say("Recipients at the foot of the report, one a line"), Lines(20, 300)
        ),
        SiteField("capacity", say("Capacity of the signer, usually empty"), Text(100)),
        SiteField("post", say("Post of the signer"), Text(100)),
        SiteField("signer", say("Name of the signer"), Text(100)),
        SiteField(
            "terms",
            say("Terms, one a line"),
            Lines(6, 60),
            help=say("An ID, and month-day..month-day, such as: hoc-ky-1 09-05..01-15"),
        ),
        SiteField("year_begins", say("First day of a year of reports (01-01)"), Text(5)),
        SiteField(
            "template",
            say("Word template of your own"),
            Text(200),
            help=say("A file beside site.yaml on the gateway, such as mau.docx"),
        ),
        SiteField(
            "schedule",
            say("Scheduled reports, one a line"),
            Lines(10, 300),
            help=say(
                "{kinds}; such as: month docx xlsx to=/media/usb mail",
                kinds=", ".join(one for one in PeriodKind if one != PeriodKind.SPAN),
            ),
        ),
    ),
)


def _programmes(data: Plain) -> list[Plain]:
    held = items_of(mapping(data, "report"), "programmes")
    return [one for one in held if isinstance(one, dict)]


def _programme(data: Plain, item: str) -> Plain:
    return next(
        (programme for programme in _programmes(data) if str(programme.get("name")) == item), {}
    )


def _programme_values(data: Plain, item: str) -> Values:
    held = _programme(data, item)
    return {
        "from": str(held.get("from", "")),
        "receiver": str(held.get("receiver", "")),
        "legal_bases": texts_of(held.get("legal_bases")),
    }


def _programme_edits(data: Plain, given: Values) -> Edits:
    old, programmes = _programme(data, given[ITEM]), _programmes(data)
    new: Plain = {"name": old.get("name", given[ITEM])}
    new |= {key: given[key] for key in ("from", "receiver", "legal_bases") if given.get(key)}
    made = (
        [new if programme is old else programme for programme in programmes]
        if old
        else [*programmes, new]
    )
    if given.get(REMOVE):
        made = [programme for programme in programmes if programme is not old]
    return [edit(made or None, "report", "programmes")]


PROGRAMMES = SiteSection(
    id="programmes",
    operation="editProgramme",
    title=say("Programmes of reports"),
    about=say("The programme under which the school reports, from a day on, and its receiver."),
    items=lambda data: [str(programme.get("name")) for programme in _programmes(data)],
    item=(say("Name of the programme, as reports print it"), r"[^\s].{0,299}"),
    values=_programme_values,
    edits=_programme_edits,
    fields=(
        SiteField(
            "from",
            say("First day on which it holds"),
            Text(10),
            help=say("Such as 2026-01-01; empty: always"),
        ),
        SiteField("receiver", say("Receiver of the report"), Text(300)),
        SiteField("legal_bases", say("Legal bases, one a line"), Lines(20, 300)),
    ),
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
            "level",
            say("Level"),
            Text(16),
            choices=lambda _: [(one.value, one.value) for one in LogLevel if one != LogLevel.FULL],
        ),
        SiteField(
            "tiers",
            say("Tiers with another level, one a line"),
            Lines(7, 40),
            help=say("Such as: primary off"),
        ),
        SiteField("keep_days", say("Days for which names and lookups are kept (30)"), Whole(1, 90)),
        SiteField("keep_totals_days", say("Days for which totals are kept (400)"), Whole(31, 800)),
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


ALERTS = SiteSection(
    id="alerts",
    operation="editAlerts",
    title=say("Alerts"),
    about=say("Where alerts go. Passwords are files in secrets/ on the gateway, never here."),
    values=_alerts,
    edits=_alert_edits,
    fields=(
        SiteField("server", say("Mail server"), Text(254)),
        SiteField("port", say("Its port (587)"), Whole(1, 65535)),
        SiteField("from", say("Sender"), Text(254)),
        SiteField("to", say("Recipients, one a line"), Lines(10, 320)),
        SiteField("user", say("User of the mail server"), Text(254)),
        SiteField("password_file", say("Name of the file with the password"), Text(254)),
        SiteField("webhook", say("Address of a webhook"), Text(1000)),
    ),
)
