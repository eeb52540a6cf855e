# SPDX-License-Identifier: Apache-2.0
"""The page of what classes ask the school to open: approve or refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.i18n import say
from filterd.overrides.descriptions import Teller
from filterd.overrides.review_requests import REQUESTS as LISTING
from filterd.web.operation import TEACHERS
from filterd.web.operations.request_operations import REQUESTS
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor

_LENGTHS = (
    ("lesson", say("until the lesson ends")),
    ("2700", say("45 minutes")),
    ("5400", say("90 minutes")),
    ("604800", say("a week")),
    ("permanent", say("without an end")),
)


async def _load(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    rows = await visitor.call(REQUESTS)
    teller = Teller(*visitor.wording)
    return {
        "listing": LISTING,
        "rows": rows,
        "seats": {row["id"]: teller.grade(row["seat"]) for row in rows},
        "lengths": [(value, visitor.texts(text)) for value, text in _LENGTHS],
    }


PAGE = Page(
    path="/requests", title=say("Requests"), template="requests.html", load=_load, roles=TEACHERS
)
