# SPDX-License-Identifier: Apache-2.0
"""The pages that edit the site: parts, the form of one, the difference."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from filterd.base.errors import from_plain
from filterd.operations.operation import ADMINS
from filterd.operations.site import READ_DRAFT, READ_SITE
from filterd.policy.school_week import DAYS
from filterd.policy.timetable_changes import CHANGES
from filterd.texts import words
from filterd.texts.i18n import say
from filterd.web.operations.site_operations import EDITS
from filterd.web.page import Page
from filterd.web.pages.policy_page import what_if
from filterd.web.problem import WebError
from filterd.web.sections import BY_ID
from filterd.web.sections import ORDER as SECTIONS
from filterd.web.sections.site_section import REMOVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor

CHANGE_PATH = "/site/change"
_TRIED_WITHIN_S = 5
"""A page that shows a change does not wait longer for what it would have changed."""


async def _load_parts(_: Visitor, __: Mapping[str, str]) -> dict[str, Any]:
    return {"sections": SECTIONS}


async def _load_section(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    section = BY_ID.get(given["section"])
    if section is None:
        raise WebError(HTTPStatus.NOT_FOUND, say("there is no such page"))
    site = await visitor.call(READ_SITE)
    data, item = site["data"], given.get("item", "")
    items = section.items(data) if section.items else []
    is_new = section.item is not None and item not in items
    return {
        "section": section,
        "operation": EDITS[section.id],
        "items": items,
        "item": item if item in items else "",
        "is_new": is_new,
        "has_form": section.items is None or is_new or item in items,
        "is_imported": item in site["imported"],
        "values": section.values(data, item),
        "choices": {field.name: field.choices(data) for field in section.fields if field.choices},
        "days": DAYS,
        "weekdays": [words.WEEKDAY[str(number)] for number in range(len(DAYS))],
        "lessons": list(data.get("lessons") or {}),
        "remove": REMOVE,
        "back": CHANGE_PATH,
    }


async def _load_change(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    draft = await visitor.call(READ_DRAFT)
    problem = (
        draft["problem"] and from_plain(draft["problem"]).translated(visitor.language).splitlines()
    )
    doubts = [from_plain(one).translated(visitor.language) for one in draft["doubts"]]
    tried = {} if problem else await what_if(visitor, draft=True, within_s=_TRIED_WITHIN_S)
    shown = {"draft": draft, "changes": draft["changes"], "listing": CHANGES}
    return {**shown, "problem": problem, "doubts": doubts, **tried}


_CHANGE = Page(
    path=CHANGE_PATH,
    title=say("What will change"),
    template="site_change.html",
    load=_load_change,
    roles=ADMINS,
)
_SECTION = Page(
    path="/site/{section}",
    title=say("Site"),
    template="site_section.html",
    load=_load_section,
    roles=ADMINS,
)
PAGE = Page(path="/site", title=say("Site"), template="site.html", load=_load_parts, roles=ADMINS)

BESIDE = (_CHANGE, _SECTION)
"""The change before the section, whose address has a key there."""
