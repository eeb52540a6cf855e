# SPDX-License-Identifier: Apache-2.0
"""The page of the names that several devices of a class asked for today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.i18n import quoted, say
from filterd.overrides.descriptions import Teller
from filterd.overrides.read_access import READERS, View
from filterd.querylog.querylog_rows import OF_CLASS
from filterd.web.lookup_links import to_name
from filterd.web.operations.log_operations import CLASS_NAMES
from filterd.web.operations.policy_operations import IDS
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    own = visitor.classes
    classes = [one for one in (await visitor.call(IDS))["classes"] if own is None or one in own]
    chosen = query.get("class", "") or (classes[0] if len(classes) == 1 else "")
    found = await visitor.call(CLASS_NAMES, **{"class": chosen}) if chosen else None
    title = visitor.texts(OF_CLASS.title, class_id=chosen)
    return {
        "classes": [(one, Teller(*visitor.wording).grade(one)) for one in classes],
        "chosen": chosen,
        "found": found,
        "listing": OF_CLASS._replace(title=quoted(title)),
        "to_name": lambda row: to_name({**row, "class": chosen}),
    }


PAGE = Page(
    path="/class-names",
    title=say("Names of a class"),
    template="class_names.html",
    load=_load,
    roles=READERS[View.CLASS_NAMES],
)
