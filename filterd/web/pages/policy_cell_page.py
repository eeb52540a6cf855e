# SPDX-License-Identifier: Apache-2.0
"""One category in one tier: why it is open or closed, and the settings of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from filterd import words
from filterd.errors import FilterdError
from filterd.i18n import say
from filterd.overrides.descriptions import Teller, warning_told
from filterd.overrides.matrix_rows import CHANGES
from filterd.overrides.roles import person_of
from filterd.web.operations.exception_operations import REVOKE
from filterd.web.operations.policy_operations import PREVIEW, SET
from filterd.web.operations.school_operations import MATRIX
from filterd.web.page import Page
from filterd.web.problem import WebError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    matrix = await visitor.call(MATRIX)
    row = next((one for one in matrix["categories"] if one["id"] == given["category"]), None)
    tier = next((one for one in matrix["tiers"] if one["tier"] == given["tier"]), None)
    if row is None or tier is None:
        raise WebError(HTTPStatus.NOT_FOUND, say("there is no such page"))
    cell = row["cells"][tier["tier"]]
    asked = {key: given[key] for key in (*PREVIEW.fields.required, "reason") if key in given}
    preview = None
    if visitor.may(PREVIEW) and asked.keys() >= set(PREVIEW.fields.required):
        try:
            preview = await visitor.call(PREVIEW, **asked)
        except FilterdError as error:  # of the change itself: the page stays
            visitor.trouble = error.translated(visitor.language)
    return {
        "asked": asked,
        "preview": preview,
        "names": {one["id"]: one for one in (*matrix["categories"], *matrix["services"])},
        "warnings": [
            warning_told(one, visitor.wording) for one in (preview or {}).get("warnings", ())
        ],
        "row": row,
        "tier": tier,
        "cell": cell,
        "listing": CHANGES,
        "changes": [*tier["changes"], *cell["changes"]],
        "states": _by_grade(cell["states"]),
        "files": _by_grade(cell["files"]),
        "services": [
            {**one, "states": _by_grade(one["cells"][tier["tier"]]["states"])}
            for one in matrix["services"]
            if one["group"] == row["id"]
        ],
        "back": f"/policy/{row['id']}/{tier['tier']}",
        "set_grade": SET,
        "revoke": REVOKE,
        "is_locked": bool(row["locked"] or row["ordered"]),
        "person_of": person_of,
        "words": words,
        "teller": Teller(*visitor.wording),
    }


def _by_grade(states: dict[str, list[str]]) -> dict[str, str]:
    """Return the state of each grade, and of each class that differs from its grade."""
    return {key: state for state, keys in states.items() for key in keys}


PAGE = Page(
    path="/policy/{category}/{tier}",
    title=say("Policy"),
    template="policy_cell.html",
    load=_load,
)
