# SPDX-License-Identifier: Apache-2.0
"""The page of today: what is answered and blocked, what is open, what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.i18n import say
from filterd.web.operations.log_operations import TOTALS
from filterd.web.operations.status_operations import STATUS
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    return {
        "status": await visitor.call(STATUS),
        "totals": await visitor.call(TOTALS, days=1, by_hour=True),
    }


PAGE = Page(path="/", title=say("Today"), template="today.html", load=_load)
