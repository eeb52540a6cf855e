# SPDX-License-Identifier: Apache-2.0
"""The page of one lookup of the log: what was decided, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd import i18n
from filterd.i18n import say
from filterd.overrides.read_access import READERS, View
from filterd.querylog.querylog_rows import ROW
from filterd.resolve.explanation import EXPLANATION, passes
from filterd.web.lookup_links import to_name
from filterd.web.operations.log_operations import WHY
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    found = await visitor.call(WHY, id=query["id"])
    row, then, by = found["row"], found["then"], visitor.wording
    return {
        "title": ROW.title(row, by),
        "row": row,
        "row_columns": ROW.filled(row, by),
        "then": then,
        "then_columns": EXPLANATION.filled(then, by) if then else (),
        "differs": then is not None and passes(then["action"]) is (row["action"] == "blocked"),
        "problem": i18n.translated(i18n.from_plain(found["sentence"]), visitor.language),
        "now": to_name(row),
    }


PAGE = Page(
    path="/lookups/rows/{id}",
    title=say("A lookup"),
    template="lookup.html",
    load=_load,
    roles=READERS[View.ROWS],
)
