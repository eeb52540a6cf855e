# SPDX-License-Identifier: Apache-2.0
"""Operations on the daemon as a whole: its status, alerts, clock, reload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.protection_level import ProtectionLevel
from filterd.monitor.alert import AlertSeverity
from filterd.monitor.alert_rules import active
from filterd.operations.answers import (
    AT,
    FLAG,
    NUMBER,
    OBJECT,
    SENTENCE,
    TEXT,
    TEXTS,
    VERSION,
    WHOLE,
    each,
    maybe,
    of,
    record,
    rows,
    table,
)
from filterd.operations.changes import CHANGE
from filterd.operations.operation import ADMINS
from filterd.operations.parameters.scalar import Fields
from filterd.operations.request import REASON
from filterd.policy.temporary_rules import ClassLoan, Exam, LocalException
from filterd.texts.i18n import say
from filterd.web.endpoint import WebOperation, asks
from filterd.web.wanted_change import changes, done

if TYPE_CHECKING:
    from filterd.web.visitor import Visitor

TOTALS_OLD_S = 60
"""How old totals of today may be: fresh ones are written to the disk first."""

_ALERT = record(
    {
        **each(TEXT, "id", "text", "remedy"),
        "severity": of(AlertSeverity),
        "sentences": rows(SENTENCE),
    }
)
FEED = record(
    {
        **each(TEXT, "address", "freshness", "problem"),
        "sources": WHOLE,
        **each(rows(TEXT), "followed", "missing"),
        "trusted": FLAG,
        "served": VERSION,
        "in_force": maybe(VERSION),
        "previous": rows(VERSION),
        "refused": rows(VERSION),
        "held": maybe(TEXT),
        "published": VERSION,
        "tried_at": maybe(AT),
        "verified_at": maybe(AT),
        "expires_at": maybe(AT),
        "takes_at": maybe(AT),
        "sentence": SENTENCE,
        "judgement": maybe(OBJECT),
        "watched_until": maybe(AT),
        "beside": maybe(OBJECT),
    }
)
COVERED = record(
    {
        **each(TEXT, "category", "oldest", "newest"),
        "names": WHOLE,
        "sources": rows(TEXT),
        "starter_only": FLAG,
    }
)
"""How one category is covered; see ``lists.category_coverage``."""
_CLOCK = record(
    {
        "standing": TEXT,
        "shows": AT,
        "policy_time": maybe(AT),
        "floor": AT,
        "not_before": AT,
        "since": WHOLE,
    }
)
_STATUS = {
    **each(TEXT, "version", "school", "policy"),
    **each(WHOLE, "up_s", "names", "lists", "workers"),
    "time_is_known": FLAG,
    "clock": _CLOCK,
    "lists_built_at": maybe(AT),
    "upstreams": rows(
        record(
            {
                **each(TEXT, "address", "tls", "problem"),
                "port": WHOLE,
                "rtt_ms": maybe(NUMBER),
                "down": FLAG,
                "down_since": maybe(AT),
            },
            ("down_since",),
        )
    ),
    "tunnels": record({"at": maybe(AT), "names": WHOLE}),
    "log": record({"today": table(WHOLE), "levels": table(TEXT), "level": TEXT, "problem": TEXT}),
    "day": record(
        {
            "blocked_today": table(WHOLE),
            "blocked_categories": table(WHOLE),
            "exceptions": rows(of(LocalException)),
            "loans": rows(of(ClassLoan)),
            "exams": rows(of(Exam)),
            "rooms": rows(OBJECT),
            "log_levels": rows(OBJECT),
            "log_waiting": rows(OBJECT),
            "locked_parts": rows(OBJECT),
        }
    ),
    "disputes": rows(rows(TEXT)),
    "pauses": rows(of(LocalException)),
    "guarded": rows(
        record(
            {
                **each(TEXT, "category", "audience", "whom"),
                "number": maybe(WHOLE),
                **each(maybe(AT), "starts_at", "ends_at"),
            }
        )
    ),
    "safe_search": maybe(OBJECT),
    "changes": OBJECT,
    "signals": OBJECT,
    "doubts": rows(OBJECT),
    "feed": FEED,
    "coverage": rows(COVERED),
    "protection": record(
        {
            "level": of(ProtectionLevel),
            **each(rows(TEXT), "followed", "missing", "starter"),
            "never": FLAG,
            "links": table(TEXT),
        }
    ),
    "alerts": rows(_ALERT),
}


async def _status(visitor: Visitor, _: dict[str, Any]) -> Any:
    status = await visitor.ask("status", totals_old_s=TOTALS_OLD_S)
    alerts = [one.to_plain() for one in active(status, status["clock"]["shows"])]
    return {**status, "alerts": alerts}


async def _alerts(visitor: Visitor, given: dict[str, Any]) -> Any:
    return (await _status(visitor, given))["alerts"]


STATUS = WebOperation(
    name="readStatus",
    method="GET",
    path="/status",
    about="The school at present: lists, upstreams, blocks today, rooms, exams, alerts.",
    run=_status,
    answer=record(_STATUS),
    commands=("status", "top", "feed status"),
)
ALERTS = WebOperation(
    name="readAlerts",
    method="GET",
    path="/alerts",
    about="The active alerts, each with its remedy.",
    run=_alerts,
    answer=rows(_ALERT),
    commands=("alerts list",),
)
CLOCK = WebOperation(
    name="readClock",
    method="GET",
    path="/clock",
    about="Whether the machine's clock is believed, and the time that policy goes by.",
    run=asks("clock"),
    answer=_CLOCK,
    commands=("status",),
)
ACCEPT_CLOCK = WebOperation(
    name="acceptClock",
    method="POST",
    path="/clock/accept",
    about="Believe the clock of the machine from now on.",
    run=changes("clock-accept"),
    fields=Fields({"reason": REASON}, ("reason",)),
    roles=ADMINS,
    answer=CHANGE,
    commands=("clock accept",),
    done=done,
)
RELOAD = WebOperation(
    name="reload",
    method="POST",
    path="/reload",
    about="Put the site's files and the lists on the disk in force.",
    run=asks("reload"),
    roles=ADMINS,
    answer=record(
        {
            "policy": TEXT,
            "names": WHOLE,
            "lists": WHOLE,
            "restart_for": TEXTS,
            "doubts": rows(OBJECT),
        }
    ),
    commands=("reload",),
    done=lambda *_: say("The files and the lists are in force."),
)
