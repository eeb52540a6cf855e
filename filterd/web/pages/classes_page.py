# SPDX-License-Identifier: Apache-2.0
"""The classes, where each sits now, and lending one; one class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.overrides.current_rows import CLASS as DETAILS
from filterd.overrides.current_rows import CLASSES as LISTING
from filterd.texts.i18n import say
from filterd.web.form_choices import lengths
from filterd.web.operations.room_operations import CLASS_READ, CLASSES
from filterd.web.page import Page, filled, part_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor

LOANS_S = (86_400, 3 * 86_400, 7 * 86_400, 14 * 86_400)


async def _load_classes(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
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
        "loans": lengths(LOANS_S, visitor.wording),
    }


CLASSES_PAGE = Page(
    path="/classes", title=say("Classes"), template="classes.html", load=_load_classes
)


async def _load_class(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    row = await visitor.call(CLASS_READ, **{"class": given["class_id"]})
    return {
        "row": row,
        "described": DETAILS,
        "columns": filled(DETAILS.columns, row, visitor.wording),
    }


CLASS_PAGE = Page(
    path="/classes/{class_id:path}",
    title=say("Class"),
    template="class.html",
    load=_load_class,
)
