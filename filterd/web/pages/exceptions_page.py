# SPDX-License-Identifier: Apache-2.0
"""The exceptions: in force, planned and ended; to allow, block, pause, end.

Mistakes of lists that the school has reported are there with what the feed answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.i18n import say
from filterd.overrides.descriptions import EXCEPTIONS as LISTING
from filterd.overrides.descriptions import MISTAKES as MISTAKE_LISTING
from filterd.overrides.descriptions import Teller
from filterd.overrides.roles import person_of
from filterd.web.form_choices import audiences, lengths, terms
from filterd.web.list_part import part_of
from filterd.web.operations.exception_operations import ALLOW, BLOCK, EXCEPTIONS, PAUSE, REVOKE
from filterd.web.operations.history_operations import MISTAKES
from filterd.web.operations.policy_operations import IDS
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


PAUSES_S = (300, 600, 1_200, 3_600)
_MOST_MISTAKES = 20
"""The last ones; `report-mistake --list` shows all."""


async def _load(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    everything, teller = "all" in given, Teller(*visitor.wording)
    rows = await visitor.call(EXCEPTIONS, **({"all": True} if everything else {}))
    ids = await visitor.call(IDS)
    mistakes = await visitor.call(MISTAKES)
    own = visitor.classes if ids["classes"] else None  # without classes every grade is each one's
    return {
        "part": part_of(
            rows[::-1],
            given,
            "/exceptions",
            lambda row: " ".join((teller.thing("exceptions", row), row["author"], row["reason"])),
        ),
        "everything": everything,
        "listing": LISTING,
        "mistake_listing": MISTAKE_LISTING,
        "mistakes": mistakes[: -_MOST_MISTAKES - 1 : -1],
        "audiences": audiences(ids, visitor.wording, own, wide=visitor.is_admin),
        "terms": terms(visitor.wording),
        "pauses": lengths(PAUSES_S, visitor.wording),
        "person_of": person_of,
        "allow": ALLOW,
        "block": BLOCK,
        "pause": PAUSE,
        "revoke": REVOKE,
    }


PAGE = Page(path="/exceptions", title=say("Exceptions"), template="exceptions.html", load=_load)
