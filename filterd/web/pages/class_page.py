# SPDX-License-Identifier: Apache-2.0
"""One class: its teachers, lessons, loans, and what is set for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.i18n import say
from filterd.overrides.class_rows import CLASS as DETAILS
from filterd.web.operations.room_operations import CLASS_READ
from filterd.web.page import Page, filled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    row = await visitor.call(CLASS_READ, **{"class": given["class_id"]})
    return {
        "row": row,
        "described": DETAILS,
        "columns": filled(DETAILS.columns, row, visitor.wording),
    }


PAGE = Page(
    path="/classes/{class_id:path}",
    title=say("Class"),
    template="class.html",
    load=_load,
)
