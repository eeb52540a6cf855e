# SPDX-License-Identifier: Apache-2.0
"""Read the state of the school and of filterd, and test what is closed."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.accounts.grant import EVERY_SCOPE, TokenScope
from filterd.base.protection_line import LineState, ProtectionLevel, ProtectionSubject, RemedyAct
from filterd.base.value_class import frozen
from filterd.operations.alerts import ALERT
from filterd.operations.answers import (
    AT,
    FLAG,
    NUMBER,
    OBJECT,
    SENTENCE,
    TEXT,
    VERSION,
    WHOLE,
    each,
    maybe,
    record,
    rows,
    table,
)
from filterd.operations.clock import CLOCK_FACTS
from filterd.operations.operation import Operation
from filterd.operations.parameters.scalar import Whole
from filterd.operations.request import OperationRequest
from filterd.overrides.rights.read_access import READERS, View
from filterd.policy.model import DAY_S
from filterd.policy.temporary_rules import ClassLoan, Exam, LocalException

_OLDEST_TOTALS_S = 60


@frozen(kw_only=True)
class PresentStatus(
    OperationRequest[dict[str, Any]], command="status", scopes=(TokenScope.TOTALS,)
):
    """The state of the school, with fresh totals of today."""


@frozen(kw_only=True)
class ReadStatus(PresentStatus):
    """The same, with totals of at most this age in seconds."""

    totals_old_s: Annotated[int, Whole(0, _OLDEST_TOTALS_S)] = 0


OF_PAGES = ReadStatus(totals_old_s=_OLDEST_TOTALS_S)
"""What pages and programs ask: they do not make the manager write at each look."""


@frozen
class Ping(OperationRequest[str], command="ping", scopes=EVERY_SCOPE):
    """Whether the manager answers."""


@frozen(kw_only=True)
class RunSelfTest(
    OperationRequest[dict[str, Any]], command="self-test", scopes=(TokenScope.ALL_READ,)
):
    """Test what is closed now, unless a test of this age in seconds was clean."""

    old_s: Annotated[int, Whole(0, DAY_S)] = 0


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
LINE = record(
    {
        "subject": ProtectionSubject,
        "state": LineState,
        **each(TEXT, "text", "remedy", "alert"),
        "sentences": rows(SENTENCE),
        "act": RemedyAct,
        "items": rows(TEXT),
    }
)
"""How the protection stands in one subject; see ``protection_line.ProtectionLine``."""
_STATUS = {
    **each(TEXT, "version", "school", "policy"),
    **each(WHOLE, "up_s", "names", "lists", "workers"),
    "time_is_known": FLAG,
    "clock": CLOCK_FACTS,
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
            "exceptions": rows(LocalException),
            "loans": rows(ClassLoan),
            "exams": rows(Exam),
            "rooms": rows(OBJECT),
            "log_levels": rows(OBJECT),
            "log_waiting": rows(OBJECT),
            "locked_parts": rows(OBJECT),
        }
    ),
    "disputes": rows(rows(TEXT)),
    "pauses": rows(LocalException),
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
            "level": ProtectionLevel,
            "lines": rows(LINE),
            **each(rows(TEXT), "followed", "missing", "starter"),
            "never": FLAG,
            "links": table(TEXT),
        }
    ),
    "alerts": rows(ALERT),
}

STATUS = Operation(
    name="readStatus",
    method="GET",
    path="/status",
    about="The school at present: lists, upstreams, blocks today, rooms, exams, alerts.",
    request=PresentStatus,
    answer=record(_STATUS),
    commands=("status", "top", "feed status"),
)

SELF_TEST = Operation(
    name="runSelfTest",
    method="POST",
    path="/self-test",
    about="Test now, by real questions, that what is closed to each tier is blocked.",
    request=RunSelfTest,
    roles=READERS[View.DAY],
    answer=record(
        {
            "at": AT,
            **each(WHOLE, "passed", "failed", "unknown"),
            "open_to": rows(TEXT),
            "rows": rows(record(each(TEXT, "tier", "category", "outcome", "protocol"))),
        }
    ),
)
