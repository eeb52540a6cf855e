# SPDX-License-Identifier: Apache-2.0
"""The page of the public lists that can be followed, and those that are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.feed.feed_details import SOURCES
from filterd.i18n import say
from filterd.web.form_choices import names_of
from filterd.web.operation import ADMINS
from filterd.web.operations.list_operations import SOURCES as READ_SOURCES
from filterd.web.operations.policy_operations import CATEGORIES
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    names = names_of(await visitor.call(CATEGORIES), visitor.wording)
    rows = [
        {**one, "category": names.get(one["category"], one["category"])}
        for one in await visitor.call(READ_SOURCES)
    ]
    return {
        "listing": SOURCES,
        "sources": rows,
        "others": [_choice(row) for row in rows if not row["followed"]],
        "by_command": [_choice(row) for row in rows if row["followed"] == "command"],
    }


def _choice(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["id"], f"{row['id']} ({row['category']})"


PAGE = Page(
    path="/lists/public",
    title=say("Public lists"),
    template="public_lists.html",
    load=_load,
    roles=ADMINS,
)
