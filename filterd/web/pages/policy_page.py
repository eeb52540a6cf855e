# SPDX-License-Identifier: Apache-2.0
"""The policy as a table: a row for each category, a column for each tier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd import words
from filterd.i18n import say
from filterd.overrides.matrix_rows import told_of
from filterd.policy.grade_rows import ranges
from filterd.web.operations.school_operations import MATRIX
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    matrix = await visitor.call(MATRIX)
    services: dict[str, list[dict[str, Any]]] = {}
    for one in matrix["services"]:
        services.setdefault(one["group"], []).append(one)
    return {
        "matrix": matrix,
        "services": services,
        "words": words,
        "ranges": ranges,
        "told_of": told_of,
    }


PAGE = Page(path="/policy", title=say("Policy"), template="policy.html", load=_load)
