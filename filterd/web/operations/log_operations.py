# SPDX-License-Identifier: Apache-2.0
"""Operations that read the query log: rows, names, totals, lookups as they happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.operations.answers import (
    AT,
    FLAG,
    SENTENCE,
    TEXT,
    TEXTS,
    WHOLE,
    each,
    maybe,
    of,
    record,
    rows,
    table,
)
from filterd.operations.changes import CHANGE, NUMBER_OF_CHANGE
from filterd.operations.operation import ADMINS
from filterd.operations.parameters.scalar import Choice, Fields, Flag, Text, Whole
from filterd.operations.parameters.time import Time
from filterd.operations.request import REASON
from filterd.overrides.changes.log_changes import CONFIRM, LEVEL
from filterd.overrides.current_rows import level_rows, waiting_rows
from filterd.overrides.rights.read_access import READERS, View
from filterd.overrides.rights.roles import Role
from filterd.overrides.target_text import name_asked
from filterd.policy.log_levels import LogLevel
from filterd.policy.model import GRADES, TIERS
from filterd.policy.temporary_rules import LogSetting
from filterd.resolve.explanation import Explanation
from filterd.texts import words
from filterd.texts.counted import number
from filterd.texts.i18n import say, say_n
from filterd.web.endpoint import WebOperation, asks
from filterd.web.school_state import in_force
from filterd.web.wanted_change import changes, done

if TYPE_CHECKING:
    from filterd.operations.parameters.scalar import Parameter
    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor

MOST_ROWS, MOST_DAYS, MOST_TOTALS_DAYS = 500, 90, 400

MONTH = Text(7, r"20[0-9]{2}-(0[1-9]|1[0-2])", about="Such as 2026-10")
_DAY = Text(10, r"[0-9]{4}-[0-9]{2}-[0-9]{2}", about="One day, ISO 8601")
_DAYS = Whole(1, MOST_DAYS, "The number of days, with today")
_LIMIT = Whole(1, MOST_ROWS, "The most rows of an answer")
CURSOR = Text(64, r"[0-9A-Za-z:.T-]*", about="What `next` of the answer before had")
CLASS, GRADE, TIER = Text(32), Choice(GRADES), Choice(TIERS)
ACTION, CATEGORY = Choice(tuple(words.COUNTED)), Text(64)
_CONTEXT: dict[str, Parameter] = {
    "grade": GRADE,
    "class": CLASS,
    "tier": TIER,
    "action": ACTION,
    "category": CATEGORY,
    "day": _DAY,
    "days": _DAYS,
}

_SCOPE = {
    "days": TEXTS,
    "skipped": rows(record({"day": TEXT, "problem": TEXT, "sentence": SENTENCE})),
    "levels": table(of(LogLevel)),
    "least_devices": WHOLE,
    "keep_days": WHOLE,
}
_ROW = record(
    {
        **each(TEXT, "id", "name", "grade", "class", "network", "category", "action", "blocker"),
        "at": AT,
        "device": maybe(WHOLE),
        "n": WHOLE,
    }
)
_OF_NAME = {"name": TEXT, "category": TEXT}
_SEEN = record({"day": TEXT, **_OF_NAME, "tier": TEXT, "action": TEXT, "devices": WHOLE})
_NEXT = {"next": maybe({**TEXT, "description": "The cursor of what follows; null at the end"})}
EXPLANATION = {**of(Explanation)}
EXPLANATION["properties"] = {**EXPLANATION["properties"], "class": maybe(TEXT)}
del EXPLANATION["properties"]["class_id"]
EXPLANATION["required"] = [one for one in EXPLANATION["required"] if one != "class_id"]

_EVENT = {
    **each(WHOLE, "id", "n", "skipped"),
    "at": AT,
    **each(TEXT, "grade", "category", "action", "name", "class"),
    "device": maybe(WHOLE),
    "levels": table(of(LogLevel)),
    "shows_rows": FLAG,
}
"""See ``daemon.live_lookups``."""


async def _search(visitor: Visitor, given: dict[str, Any]) -> Any:
    name, contains = given.pop("name", ""), given.pop("contains", False)
    subtree, cursor = given.pop("subtree", False), given.pop("cursor", "")
    if name and contains:
        if subtree:
            raise ConfigError(
                say("{first} and {second} exclude each other", first="subtree", second="contains")
            )
        given["part"] = name
    elif name:
        given |= name_asked(name, subtree=subtree)
    answer = await visitor.ask("log search", **given, **({"after": cursor} if cursor else {}))
    return {**answer, "next": answer.pop("cursor") or None}


async def _day_names(visitor: Visitor, given: dict[str, Any]) -> Any:
    page = int(given.pop("cursor", 1))
    answer = await visitor.ask("log names", **given, page=page)
    return {**answer, "next": str(page + 1) if answer.pop("more") else None}


async def _levels(visitor: Visitor, _: dict[str, Any]) -> Any:
    now = await in_force(visitor)
    return {"tiers": level_rows(now), "waiting": waiting_rows(now)}


async def _live(visitor: Visitor, given: dict[str, Any]) -> Any:
    return visitor.follow("log-follow", **given)


async def _forget(visitor: Visitor, given: dict[str, Any]) -> Any:
    name = name_asked(given.pop("name")) if "name" in given else {}
    return await visitor.ask("log forget", **given, **name)


def _removed(answer: Any, _: Visitor) -> Sentence:
    if answer["rows"] is None:
        return say("Removed. Totals stay: they have no names.")
    n = answer["rows"]
    return say_n("{n} row is removed.", "{n} rows are removed.", n, n=number(n))


SEARCH = WebOperation(
    name="searchLog",
    method="GET",
    path="/log/rows",
    about="Find lookups and names in the log, the latest first. The history records the look.",
    run=_search,
    fields=Fields(
        {
            "name": Text(253, about="A name, or *.NAME for all beneath it too"),
            "subtree": Flag("Include all names beneath it"),
            "contains": Flag("`name` is a part of the names that are meant"),
            **_CONTEXT,
            "limit": _LIMIT,
            "cursor": CURSOR,
        }
    ),
    roles=READERS[View.ROWS],
    answer=record(
        {
            "rows": rows(_ROW),
            "seen": rows(_SEEN),
            "seen_more": FLAG,
            "late": FLAG,
            **_NEXT,
            **_SCOPE,
        }
    ),
    commands=("log search", "log export"),
    tag="log",
)
TOP = WebOperation(
    name="readTopNames",
    method="GET",
    path="/log/top",
    about="The names with the most lookups, and how many of these were blocked.",
    run=asks("log top"),
    fields=Fields({**_CONTEXT, "limit": _LIMIT}),
    roles=READERS[View.ROWS],
    answer=record({"rows": rows(record({**_OF_NAME, "n": WHOLE, "blocked": WHOLE})), **_SCOPE}),
    commands=("log top",),
    tag="log",
)
NEW = WebOperation(
    name="readNewNames",
    method="GET",
    path="/log/new",
    about="Names that pass today and that the tier did not have on the days before.",
    run=asks("log new"),
    fields=Fields(
        {
            "days": Whole(1, MOST_DAYS - 1, "Days before today"),
            "domains": Flag("Registered domains that the school did not have before"),
            "limit": _LIMIT,
        }
    ),
    roles=READERS[View.NAMES],
    answer=record(
        {
            "rows": rows(record({**_OF_NAME, "tier": TEXT, "devices": WHOLE})),
            "n": WHOLE,
            "day": TEXT,
            "compared": WHOLE,
            **_SCOPE,
        }
    ),
    commands=("log new",),
    tag="log",
)
WHY = WebOperation(
    name="explainLogRow",
    method="GET",
    path="/log/rows/{id}",
    about="A row of the log, and how it is judged by what was in force then.",
    run=asks("log why"),
    fields=Fields({"id": Text(32)}, ("id",)),
    roles=READERS[View.ROWS],
    answer=record({"row": _ROW, "then": maybe(EXPLANATION), "problem": TEXT, "sentence": SENTENCE}),
    commands=("log why",),
    tag="log",
)
CLASS_NAMES = WebOperation(
    name="readClassNames",
    method="GET",
    path="/log/classes/{class}",
    about="Today's names that several devices of a class asked for; a teacher: of own classes.",
    run=asks("log class"),
    fields=Fields({"class": CLASS}, ("class",)),
    roles=READERS[View.CLASS_NAMES],
    answer=record(
        {
            "day": TEXT,
            "class": TEXT,
            "level": of(LogLevel),
            "least_devices": WHOLE,
            "rows": rows(record({**_OF_NAME, "action": TEXT})),
        }
    ),
    commands=("log names",),
    tag="log",
)
DAY_NAMES = WebOperation(
    name="readDayNames",
    method="GET",
    path="/log/names",
    about="The distinct names of a day, for use within the school only.",
    run=_day_names,
    fields=Fields({"day": _DAY, "cursor": Text(3, r"[1-9][0-9]{0,2}")}, ("day",)),
    roles=READERS[View.NAMES],
    answer=record({"rows": rows(_SEEN), **_NEXT, **_SCOPE}),
    commands=("log export",),
    tag="log",
)
TOTALS = WebOperation(
    name="readTotals",
    method="GET",
    path="/log/totals",
    about="Answers and blocks by day or hour. Of classes and networks: admins, teachers own ones.",
    run=asks("log totals"),
    fields=Fields(
        {
            "days": Whole(1, MOST_TOTALS_DAYS),
            "tier": TIER,
            "grade": GRADE,
            "class": CLASS,
            "network": Text(64),
            "by_hour": Flag(),
            "by_class": Flag(),
            "by_network": Flag(),
        }
    ),
    answer=rows(
        record(
            {
                **each(TEXT, "date", "tier", "grade", "category", "action", "class", "network"),
                "n": WHOLE,
                "hour": AT,
            },
            ("class", "network", "hour"),
        )
    ),
    commands=("log totals",),
    tag="log",
)
HELP = WebOperation(
    name="readHelpSought",
    method="GET",
    path="/log/help",
    about="Whether confidential categories were asked for in a month: yes or no, to principals.",
    run=asks("log help"),
    fields=Fields({"month": MONTH}, ("month",)),
    roles=READERS[View.HELP],
    answer=record(
        {
            "month": TEXT,
            "least_devices": WHOLE,
            "answers": maybe(
                rows(record({"category": TEXT, "has_blocks": FLAG, "names": table(TEXT)}))
            ),
        }
    ),
    commands=("log help",),
    tag="log",
)
EXPORT = WebOperation(
    name="exportTotals",
    method="GET",
    path="/log/export",
    about="Totals of days and months that are over, which may leave the school.",
    run=asks("log export"),
    fields=Fields(
        {
            "month": MONTH,
            "days": Whole(1, 100),
        }
    ),
    roles=READERS[View.EXPORT],
    answer=record(
        {
            "rows": rows(
                record({**each(TEXT, "period", "tier", "grade", "category", "action"), "n": WHOLE})
            ),
            "left_out": FLAG,
            "least_devices": WHOLE,
        }
    ),
    commands=("log export",),
    tag="log",
)
LEVELS = WebOperation(
    name="readLogLevels",
    method="GET",
    path="/log/levels",
    about="How much is kept of the lookups of each tier, and what waits for a second person.",
    run=_levels,
    answer=record(
        {
            "tiers": rows(
                record(
                    {
                        "tier": TEXT,
                        "level": of(LogLevel),
                        "files": of(LogLevel),
                        "setting": maybe(of(LogSetting)),
                    }
                )
            ),
            "waiting": rows(of(LogSetting)),
        }
    ),
    commands=("log level",),
    tag="log",
)
LIVE = WebOperation(
    name="followLog",
    method="GET",
    path="/log/live",
    about="What happens now (SSE): lookups to admins by level; to teachers blocks of own classes.",
    run=_live,
    fields=Fields(
        {
            "class": CLASS,
            "grade": GRADE,
            "category": CATEGORY,
            "action": ACTION,
            "since": Whole(about="The id of the last event that is there already"),
        }
    ),
    roles=READERS[View.LIVE],
    answer=rows(record(_EVENT, tuple(_EVENT))),
    commands=("log tail",),
    tag="log",
    is_stream=True,
)

_REMOVED = record({"removed": TEXT, "rows": maybe(WHOLE), "unreadable": TEXTS})
SET_LEVEL = WebOperation(
    name="setLogLevel",
    method="POST",
    path="/log/levels",
    about="Set how much is kept of the lookups of a tier; `full` waits for a second person.",
    run=changes(LEVEL),
    fields=Fields(
        {
            "level": Choice(tuple(one.value for one in LogLevel)),
            "tier": TIER,
            "ends_at": Time("The end"),
            "for_s": Whole(60, 90 * 86_400, "The length in seconds, instead of an end"),
            "reason": REASON,
        },
        ("level", "reason"),
    ),
    roles=ADMINS,
    answer=CHANGE,
    commands=("log level",),
    tag="log",
    done=done,
)
CONFIRM_LEVEL = WebOperation(
    name="confirmLogLevel",
    method="POST",
    path="/log/levels/{id}/confirm",
    about="Confirm the level `full` that another person has set.",
    run=changes(CONFIRM),
    fields=Fields({"id": NUMBER_OF_CHANGE, "reason": REASON}, ("id",)),
    roles=frozenset((Role.PRINCIPAL, Role.ADMIN)),
    answer=CHANGE,
    commands=("log confirm",),
    tag="log",
    done=done,
)
FORGET = WebOperation(
    name="forgetLog",
    method="POST",
    path="/log/forget",
    about="Remove a name, today's rows of a device, or a day from the log.",
    run=_forget,
    fields=Fields(
        {
            "name": Text(253, about="A name, or *.NAME for all beneath it too"),
            "device": Text(64, about="Its MAC or address"),
            "day": _DAY,
            "reason": REASON,
        },
        ("reason",),
    ),
    roles=ADMINS,
    answer=_REMOVED,
    commands=("log forget",),
    tag="log",
    done=_removed,
)
PURGE = WebOperation(
    name="purgeLog",
    method="POST",
    path="/log/purge",
    about="Remove all names and rows from the log; totals stay.",
    run=asks("log purge"),
    fields=Fields({"reason": REASON}, ("reason",)),
    roles=ADMINS,
    answer=_REMOVED,
    commands=("log purge",),
    tag="log",
    done=_removed,
)
