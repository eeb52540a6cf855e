# SPDX-License-Identifier: Apache-2.0
"""Word what was done with pupils' requests and with trial runs of exams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.operations import exams, review_requests
from filterd.texts.i18n import say
from filterd.web.endpoint import endpoint
from filterd.web.wanted_change import done

if TYPE_CHECKING:
    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor


def _watched(answer: Any, _: Visitor) -> Sentence:
    return say("Room {room}: done.", room=answer["room"])


APPROVE = endpoint(review_requests.APPROVE, done=done)
WATCH_EXAM = endpoint(exams.WATCH, done=_watched)
