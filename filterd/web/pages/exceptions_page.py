# SPDX-License-Identifier: Apache-2.0
"""Exceptions, the requests of pupils for one, and the history of changes.

Mistakes of lists that the school has reported are there with what the feed answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.operations.exceptions import EXCEPTIONS
from filterd.operations.history import VERIFY
from filterd.operations.log_levels import CONFIRM_LEVEL, LEVELS
from filterd.operations.mistakes import MISTAKES
from filterd.operations.operation import TEACHERS
from filterd.operations.policy import IDS
from filterd.operations.review_requests import REQUESTS
from filterd.overrides.descriptions import Describer
from filterd.overrides.history.history_chain import UNDO as TAKEN_BACK
from filterd.overrides.override_rows import CHANGES
from filterd.overrides.override_rows import EXCEPTIONS as LISTING
from filterd.overrides.override_rows import FILE_EXCEPTIONS as FILE_LISTING
from filterd.overrides.override_rows import MISTAKES as MISTAKE_LISTING
from filterd.overrides.review_requests import REQUESTS as REQUEST_LISTING
from filterd.overrides.rights.roles import person_of
from filterd.texts.i18n import from_plain, say
from filterd.web.form_choices import audiences, lengths, terms
from filterd.web.operations.exception_operations import FILE_EXCEPTIONS
from filterd.web.operations.history_operations import HISTORY
from filterd.web.page import Page, part_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor

PAUSES_S = (300, 600, 1_200, 3_600)
_MOST_MISTAKES = 20
"""The last ones; `report-mistake --list` shows all."""


async def _load_exceptions(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    everything, describer = "all" in given, Describer(*visitor.wording)
    rows = await visitor.call(EXCEPTIONS, **({"all": True} if everything else {}))
    ids = await visitor.call(IDS)
    mistakes = await visitor.call(MISTAKES)
    own = visitor.classes if ids["classes"] else None  # without classes every grade is each one's
    return {
        "part": part_of(
            rows[::-1],
            given,
            "/exceptions",
            lambda row: " ".join(
                (describer.thing("exceptions", row), row["author"], row["reason"])
            ),
        ),
        "everything": everything,
        "listing": LISTING,
        "file_listing": FILE_LISTING,
        "of_files": await visitor.call(FILE_EXCEPTIONS),
        "mistake_listing": MISTAKE_LISTING,
        "mistakes": mistakes[: -_MOST_MISTAKES - 1 : -1],
        "audiences": audiences(ids, visitor.wording, own, wide=visitor.is_admin),
        "terms": terms(visitor.wording),
        "pauses": lengths(PAUSES_S, visitor.wording),
        "person_of": person_of,
    }


EXCEPTIONS_PAGE = Page(
    path="/exceptions", title=say("Exceptions"), template="exceptions.html", load=_load_exceptions
)


_LENGTHS = (
    ("lesson", say("until the lesson ends")),
    ("2700", say("45 minutes")),
    ("5400", say("90 minutes")),
    ("604800", say("a week")),
    ("permanent", say("without an end")),
)


async def _load_requests(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    rows = await visitor.call(REQUESTS)
    describer = Describer(*visitor.wording)
    return {
        "listing": REQUEST_LISTING,
        "rows": rows,
        "seats": {row["id"]: describer.grade(row["seat"]) for row in rows},
        "lengths": [(value, visitor.texts(text)) for value, text in _LENGTHS],
    }


REQUESTS_PAGE = Page(
    path="/requests",
    title=say("Requests"),
    template="requests.html",
    load=_load_requests,
    roles=TEACHERS,
)


_MOST_CHANGES = 100


async def _load_history(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    views = "views" in given
    asked = {"limit": _MOST_CHANGES, "cursor": given.get("cursor", "")}
    found = await visitor.call(HISTORY, **asked, **({"views": True} if views else {}))
    verified = await visitor.call(VERIFY) if "verify" in given else None
    rows = found["rows"]
    undone = set[int]()
    for row in rows:  # the newest first: an undo that is undone takes nothing back
        if row["kind"] == TAKEN_BACK and row["number"] not in undone:
            undone.add(row["payload"].get("number", 0))
    return {
        "rows": rows,
        "next": found["next"],
        "views": views,
        "undone": undone,
        "listing": CHANGES,
        "person_of": person_of,
        "verified": verified,
        "waiting": (await visitor.call(LEVELS))["waiting"] if visitor.may(CONFIRM_LEVEL) else [],
        "describer": Describer(*visitor.wording),
        "problem": from_plain(verified["sentence"]) if verified else "",
    }


HISTORY_PAGE = Page(
    path="/history", title=say("History"), template="history.html", load=_load_history
)
