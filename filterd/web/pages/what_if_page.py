# SPDX-License-Identifier: Apache-2.0
"""The page of what a list, a version or an edit of the site would have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from filterd.errors import FilterdError
from filterd.i18n import say
from filterd.overrides.read_access import READERS, View
from filterd.querylog import querylog_rows
from filterd.resolve.what_if_rows import summary, tables
from filterd.web.operations.policy_operations import WHAT_IF
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor

PATH = "/what-if"


async def what_if(visitor: Visitor, **asked: Any) -> dict[str, Any]:
    """Return the variables of ``what_if_part.html``, an error among them."""
    wanted = {key: value for key, value in asked.items() if key != "within_s"}
    again = f"{PATH}?{urlencode({key: 'on' if v is True else v for key, v in wanted.items()})}"
    shown = {
        "trouble": "",
        "at_work": False,
        "again": again,
        "lines": [],
        "tables": [],
        "scope": [],
    }
    try:
        found = await visitor.call(WHAT_IF, **asked)
    except FilterdError as error:
        return shown | {"trouble": error.translated(visitor.language)}
    if found.get("at_work"):
        return shown | {"at_work": True}
    return shown | {
        "lines": list(summary(found, visitor.wording)),
        "tables": list(tables(found)),
        "scope": list(querylog_rows.scope(found, visitor.wording)),
    }


async def _load(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    return await what_if(
        visitor, **{key: query[key] for key in WHAT_IF.fields.named if key in query}
    )


PAGE = Page(
    path=PATH,
    title=say("What would change"),
    template="what_if.html",
    load=_load,
    roles=READERS[View.ROWS],
)
