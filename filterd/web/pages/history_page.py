# SPDX-License-Identifier: Apache-2.0
"""The history: changes with author, time and reason, to undo; is it intact?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.i18n import from_plain, say
from filterd.overrides.descriptions import CHANGES, Teller
from filterd.overrides.history_chain import UNDO as TAKEN_BACK
from filterd.overrides.roles import person_of
from filterd.web.operations.history_operations import HISTORY, UNDO, VERIFY
from filterd.web.operations.log_operations import CONFIRM_LEVEL, LEVELS
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor

ROWS = 100


async def _load(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    views = "views" in given
    asked = {"limit": ROWS, "cursor": given.get("cursor", "")}
    found = await visitor.call(HISTORY, **asked, **({"views": True} if views else {}))
    verified = await visitor.call(VERIFY) if "verify" in given else None
    rows = found["rows"]
    undone = set[int]()
    for one in rows:  # the newest first: an undo that is undone takes nothing back
        if one["kind"] == TAKEN_BACK and one["number"] not in undone:
            undone.add(one["payload"].get("number", 0))
    return {
        "rows": rows,
        "next": found["next"],
        "views": views,
        "undone": undone,
        "listing": CHANGES,
        "person_of": person_of,
        "undo": UNDO,
        "verified": verified,
        "waiting": (await visitor.call(LEVELS))["waiting"] if visitor.may(CONFIRM_LEVEL) else [],
        "confirm_level": CONFIRM_LEVEL,
        "teller": Teller(*visitor.wording),
        "problem": from_plain(verified["sentence"]) if verified else "",
    }


PAGE = Page(path="/history", title=say("History"), template="history.html", load=_load)
