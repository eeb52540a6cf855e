# SPDX-License-Identifier: Apache-2.0
"""The policy by category and tier, one cell of it, and what an edit would change."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from filterd.base.errors import FilterdError
from filterd.operations.policy import PREVIEW, WHAT_IF
from filterd.operations.school import MATRIX
from filterd.overrides.descriptions import Describer, warning_sentence
from filterd.overrides.override_rows import CELL_CHANGES, cell_change_sentence
from filterd.overrides.rights.read_access import READERS, View
from filterd.overrides.rights.roles import person_of
from filterd.policy.grade_rows import ranges
from filterd.querylog import querylog_rows
from filterd.resolve.what_if_rows import summary, tables
from filterd.texts import words
from filterd.texts.i18n import say
from filterd.web.page import Page
from filterd.web.problem import WebError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load_policy(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    matrix = await visitor.call(MATRIX)
    services: dict[str, list[dict[str, Any]]] = {}
    for one in matrix["services"]:
        services.setdefault(one["group"], []).append(one)
    return {
        "matrix": matrix,
        "services": services,
        "words": words,
        "ranges": ranges,
        "cell_sentence": cell_change_sentence,
    }


POLICY_PAGE = Page(path="/policy", title=say("Policy"), template="policy.html", load=_load_policy)


async def _load_cell(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
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
            warning_sentence(one, visitor.wording) for one in (preview or {}).get("warnings", ())
        ],
        "row": row,
        "tier": tier,
        "cell": cell,
        "listing": CELL_CHANGES,
        "changes": [*tier["changes"], *cell["changes"]],
        "states": _by_grade(cell["states"]),
        "files": _by_grade(cell["files"]),
        "services": [
            {**one, "states": _by_grade(one["cells"][tier["tier"]]["states"])}
            for one in matrix["services"]
            if one["group"] == row["id"]
        ],
        "back": f"/policy/{row['id']}/{tier['tier']}",
        "is_locked": bool(row["locked"] or row["ordered"]),
        "person_of": person_of,
        "words": words,
        "describer": Describer(*visitor.wording),
    }


def _by_grade(states: dict[str, list[str]]) -> dict[str, str]:
    """Return the state of each grade, and of each class that differs from its grade."""
    return {key: state for state, keys in states.items() for key in keys}


CELL_PAGE = Page(
    path="/policy/{category}/{tier}",
    title=say("Policy"),
    template="policy_cell.html",
    load=_load_cell,
)


_WHAT_IF_PATH = "/what-if"


async def what_if(visitor: Visitor, **asked: Any) -> dict[str, Any]:
    """Return the variables of ``what_if_part.html``, an error among them."""
    wanted = {key: value for key, value in asked.items() if key != "within_s"}
    again = (
        f"{_WHAT_IF_PATH}?{urlencode({key: 'on' if v is True else v for key, v in wanted.items()})}"
    )
    shown = {
        "trouble": "",
        "at_work": False,
        "again": again,
        "lines": [],
        "tables": [],
        "scope": [],
    }
    try:
        found = await visitor.call(WHAT_IF, **asked)
    except FilterdError as error:
        return shown | {"trouble": error.translated(visitor.language)}
    if found.get("at_work"):
        return shown | {"at_work": True}
    return shown | {
        "lines": list(summary(found, visitor.wording)),
        "tables": list(tables(found)),
        "scope": list(querylog_rows.scope(found, visitor.wording)),
    }


async def _load_what_if(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    return await what_if(
        visitor, **{key: query[key] for key in WHAT_IF.fields.named if key in query}
    )


WHAT_IF_PAGE = Page(
    path=_WHAT_IF_PATH,
    title=say("What would change"),
    template="what_if.html",
    load=_load_what_if,
    roles=READERS[View.ROWS],
)
