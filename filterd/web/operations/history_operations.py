# SPDX-License-Identifier: Apache-2.0
"""Turn the pages of the history, and word an undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.operations import history
from filterd.operations.history import ReadHistory, ReadHistoryPage
from filterd.web.endpoint import endpoint
from filterd.web.wanted_change import done

if TYPE_CHECKING:
    from filterd.web.visitor import Visitor


async def _page(visitor: Visitor, asked: ReadHistoryPage) -> dict[str, Any]:
    before = int(asked.cursor) if asked.cursor else None
    rows = await visitor.send(ReadHistory(limit=asked.limit, views=asked.views, before=before))
    has_more = len(rows) == asked.limit and rows[-1]["number"] > 1
    return {"rows": rows, "next": str(rows[-1]["number"]) if has_more else None}


HISTORY = endpoint(history.HISTORY, _page)
UNDO_SETTING = endpoint(history.UNDO_SETTING, done=done)
