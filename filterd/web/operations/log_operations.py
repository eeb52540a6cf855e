# SPDX-License-Identifier: Apache-2.0
"""Go on with pages of the query log, follow it, and say what was removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.operations import live_log, log, log_removal
from filterd.texts.counted import number
from filterd.texts.i18n import say, say_n
from filterd.web.endpoint import endpoint

if TYPE_CHECKING:
    from filterd.operations.live_log import FollowLog
    from filterd.operations.log import ReadDayNames, SearchLog
    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor


async def _search(visitor: Visitor, asked: SearchLog) -> Any:
    answer = await visitor.answer(asked)
    return {**answer, "next": answer.pop("cursor") or None}


async def _day_names(visitor: Visitor, asked: ReadDayNames) -> Any:
    answer = await visitor.answer(asked)
    return {**answer, "next": str(asked.page + 1) if answer.pop("more") else None}


async def _live(visitor: Visitor, asked: FollowLog) -> Any:
    return visitor.follow(asked.command, **asked.arguments)


def _removed(answer: Any, _: Visitor) -> Sentence:
    if answer["rows"] is None:
        return say("Removed. Totals stay: they have no names.")
    n = answer["rows"]
    return say_n("{n} row is removed.", "{n} rows are removed.", n, n=number(n))


SEARCH = endpoint(log.SEARCH, _search)
DAY_NAMES = endpoint(log.DAY_NAMES, _day_names)
LIVE = endpoint(live_log.LIVE, _live, is_stream=True)
FORGET = endpoint(log_removal.FORGET, done=_removed)
PURGE = endpoint(log_removal.PURGE, done=_removed)
