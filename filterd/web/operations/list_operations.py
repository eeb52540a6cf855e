# SPDX-License-Identifier: Apache-2.0
"""Operations on lists: the feed alone, and sentences on decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.operations import lists
from filterd.operations.status import OF_PAGES
from filterd.texts.i18n import say
from filterd.web.endpoint import endpoint

if TYPE_CHECKING:
    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor


async def _feed(visitor: Visitor, _: Any) -> Any:
    return (await visitor.send(OF_PAGES))["feed"]


def decided(answer: Any, _: Visitor) -> Sentence:
    """Return the sentence on a decision on lists."""
    if isinstance(answer, dict) and "at_work" in answer:
        return say("filterd is working on it; the history of versions will show the result.")
    return say("Done.")


FEED_STATUS = endpoint(lists.FEED_STATUS, _feed)
