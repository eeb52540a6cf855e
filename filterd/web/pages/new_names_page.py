# SPDX-License-Identifier: Apache-2.0
"""The page of names that pass today and that a tier did not have before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd import counted
from filterd.i18n import say
from filterd.overrides.read_access import READERS, View
from filterd.querylog.querylog_rows import NEW, scope, with_least
from filterd.web.lookup_links import tabs, to_name
from filterd.web.operations.log_operations import NEW as READ_NEW
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    found = await visitor.call(READ_NEW, limit=query.get("limit", "100"))
    n, days = counted.names(found["n"]), counted.days(found["compared"])
    summary = say("{names} new, compared with {days}", names=n, days=days)
    if not found["compared"]:
        summary = say("{names}; the log has no day before to compare them with", names=n)
    return {
        "tabs": tabs(visitor),
        "listing": NEW,
        "rows": with_least(found["rows"], found["least_devices"]),
        "summary": visitor.texts(summary),
        "more": found["n"] > len(found["rows"]) and len(found["rows"]) < 500,
        "to_name": to_name,
        "scope": list(scope(found, visitor.wording)),
    }


PAGE = Page(
    path="/lookups/new",
    title=say("New names"),
    template="new_names.html",
    load=_load,
    roles=READERS[View.NAMES],
)
