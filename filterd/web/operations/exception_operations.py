# SPDX-License-Identifier: Apache-2.0
"""Read exceptions of files; word what was done with requests and trial runs."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from filterd.operations import exams, exceptions, review_requests
from filterd.operations.clock import ReadClock
from filterd.overrides.override_rows import file_rows
from filterd.policy.unknown_time import known_or_least
from filterd.texts.i18n import say
from filterd.web.endpoint import endpoint
from filterd.web.school_state import policy_of
from filterd.web.wanted_change import done

if TYPE_CHECKING:
    from filterd.operations.policy import ReadOfPolicy
    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor


def _watched(answer: Any, _: Visitor) -> Sentence:
    return say("Room {room}: done.", room=answer["room"])


async def _of_files(visitor: Visitor, _: ReadOfPolicy) -> Any:
    clock = await visitor.send(ReadClock())
    not_before = float(clock.get("not_before", inf))
    return file_rows(await policy_of(visitor), known_or_least(clock), not_before)


FILE_EXCEPTIONS = endpoint(exceptions.FILE_EXCEPTIONS, _of_files)
APPROVE = endpoint(review_requests.APPROVE, done=done)
WATCH_EXAM = endpoint(exams.WATCH, done=_watched)
