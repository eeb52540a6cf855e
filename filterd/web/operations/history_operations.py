# SPDX-License-Identifier: Apache-2.0
"""Operations on the history of changes, and on reported mistakes of lists."""

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
    record,
    rows,
)
from filterd.operations.changes import CHANGE, HISTORY_ROW, NUMBER_OF_CHANGE
from filterd.operations.operation import ADMINS, TEACHERS
from filterd.operations.parameters.scalar import Fields, Flag, Text, Whole
from filterd.operations.parameters.time import Time
from filterd.operations.request import REASON
from filterd.overrides.target_text import name_from
from filterd.texts.i18n import say
from filterd.web.endpoint import WebOperation, asks
from filterd.web.wanted_change import change, changes, done

if TYPE_CHECKING:
    from filterd.web.visitor import Visitor

MOST_CHANGES = 100_000
_PAGE = 200


async def _history(visitor: Visitor, given: dict[str, Any]) -> Any:
    limit, cursor = given.get("limit", _PAGE), given.pop("cursor", "")
    before = {"before": int(cursor)} if cursor else {}
    found = await visitor.ask("history", limit=limit, views=given.get("views", False), **before)
    more = len(found) == limit and found[-1]["number"] > 1
    return {"rows": found, "next": str(found[-1]["number"]) if more else None}


async def _undo_setting(visitor: Visitor, given: dict[str, Any]) -> Any:
    gone = set()
    for row in await visitor.ask("history", limit=MOST_CHANGES):
        if row["number"] in gone:
            continue
        if row["kind"] == "undo":
            gone.add(row["payload"]["number"])
        elif row["kind"] == "grade":
            return await change(visitor, "undo", given, number=row["number"])
    raise ConfigError(say("no setting of a grade is left to undo"))


async def _report(visitor: Visitor, given: dict[str, Any]) -> Any:
    given["name"] = name_from(given["name"])
    return await change(visitor, "report-mistake", given)


HISTORY = WebOperation(
    name="readHistory",
    method="GET",
    path="/history",
    about="The changes: time, author, change and reason, the newest first.",
    run=_history,
    fields=Fields(
        {
            "limit": Whole(1, 1_000),
            "views": Flag("Include looks at the query log"),
            "cursor": Text(16, r"[0-9]{0,16}", about="What `next` of the answer before had"),
        }
    ),
    answer=record({"rows": rows(HISTORY_ROW), "next": maybe(TEXT)}),
    commands=("history list", "policy history"),
    tag="history",
)
VERIFY = WebOperation(
    name="verifyHistory",
    method="GET",
    path="/history/check",
    about="Check the whole history for later alterations.",
    run=asks("history-verify"),
    answer=record(
        {
            "ok": FLAG,
            "number": WHOLE,
            "first_bad": maybe(WHOLE),
            "problem": TEXT,
            "sentence": SENTENCE,
            "set_aside": TEXTS,
            "altered": TEXTS,
        }
    ),
    commands=("history verify",),
    tag="history",
)
UNDO = WebOperation(
    name="undo",
    method="POST",
    path="/history/undo",
    about="Take back one's own last change, or the one with a number.",
    run=changes("undo"),
    fields=Fields({"number": NUMBER_OF_CHANGE, "reason": REASON}),
    roles=TEACHERS,
    answer=CHANGE,
    commands=("undo",),
    tag="history",
    done=done,
)
UNDO_SETTING = WebOperation(
    name="undoSetting",
    method="POST",
    path="/policy/settings/undo",
    about="Take back the last setting of a grade that is in force.",
    run=_undo_setting,
    fields=Fields({"reason": REASON}),
    roles=ADMINS,
    answer=CHANGE,
    commands=("policy undo",),
    tag="policy",
    done=done,
)
MISTAKES = WebOperation(
    name="readMistakes",
    method="GET",
    path="/mistakes",
    about="The reported mistakes of lists, and which lists have corrected them.",
    run=asks("mistakes"),
    answer=rows(
        record(
            {
                **each(TEXT, "school", "name", "reason", "seen_in", "filterd"),
                "number": WHOLE,
                "at": AT,
                "entries": rows({"type": "object"}),
                "mended": maybe(FLAG),
                "mended_in": maybe(TEXT),
                "mended_at": maybe(AT),
                "listed": maybe(rows({"type": "object"})),
                "answer": maybe({"type": "object"}),
            }
        )
    ),
    commands=("report-mistake",),
    tag="lists",
)
REPORT = WebOperation(
    name="reportMistake",
    method="POST",
    path="/mistakes",
    about="Open a name that is on a list by mistake for 14 days, and report it.",
    run=_report,
    fields=Fields(
        {"name": Text(300, least=1), "ends_at": Time(), "reason": REASON}, ("name", "reason")
    ),
    roles=ADMINS,
    answer=CHANGE,
    commands=("report-mistake",),
    tag="lists",
    done=done,
)
