# SPDX-License-Identifier: Apache-2.0
"""The classes: their teachers, home rooms, where each sits now, and lending one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.i18n import say
from filterd.overrides.class_rows import CLASSES as LISTING
from filterd.web.form_choices import lengths
from filterd.web.list_part import part_of
from filterd.web.operations.room_operations import CLASSES, LEND
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor

LOANS_S = (86_400, 3 * 86_400, 7 * 86_400, 14 * 86_400)


async def _load(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    rows = await visitor.call(CLASSES)
    return {
        "part": part_of(
            rows,
            given,
            "/classes",
            lambda row: " ".join((row["class"], *row["teachers"], *row["networks"])),
        ),
        "listing": LISTING,
        "own": [
            (one["class"], one["class"])
            for one in rows
            if visitor.is_admin or visitor.account in one["teachers"]
        ],
        "lend": LEND,
        "loans": lengths(LOANS_S, visitor.wording),
    }


PAGE = Page(path="/classes", title=say("Classes"), template="classes.html", load=_load)
