# SPDX-License-Identifier: Apache-2.0
"""What the log counts of an answer: who asked, what it was about, what the client got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.verdict import Action
from filterd.resolve.query import Source

if TYPE_CHECKING:
    from filterd.policy.verdict import Verdict
    from filterd.querylog import Counts
    from filterd.resolve.query import Answer, Query

PASS = "pass"  # noqa: S105 -- what was not kept from the client
_BLOCKED, _REWRITTEN = Source.BLOCKED, Source.REWRITTEN
_CACHED, _FORWARDED, _STALE = Source.CACHED, Source.FORWARDED, Source.STALE
_REWRITE = Action.REWRITE


def tally(counts: Counts, query: Query, answer: Answer) -> None:
    """Count one answer, for the grade as which it was judged in the end."""
    counts.add(*counted_as(query, answer))


def counted_as(query: Query, answer: Answer) -> tuple[str, str, str]:
    """Return grade, category and action: what an answer is counted as."""
    verdict = answer.verdict
    match = verdict.match if verdict else None
    grade = (answer.readmitted or query).client.grade.grade
    return grade, match.category if match else "", _action(answer.source, verdict)


def _action(source: Source, verdict: Verdict | None) -> str:
    """Return the source where it says what the client got; where from matters to nobody here.

    By identity, and the most frequent first: hashing an enumeration costs more
    than all of it, and every answer comes by here.
    """
    if source is _CACHED or source is _FORWARDED or source is _STALE:
        rewritten = verdict is not None and verdict.action is _REWRITE
        return _REWRITTEN.value if rewritten else PASS
    return "blocked" if source is _BLOCKED else source.value
