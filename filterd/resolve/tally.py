# SPDX-License-Identifier: Apache-2.0
"""What the log counts of an answer: who asked, what it was about, what the client got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.verdict import Action
from filterd.resolve.query import Source

if TYPE_CHECKING:
    from filterd.querylog import Counts
    from filterd.resolve.query import Answer, Query

PASS = "pass"  # noqa: S105 -- what was not kept from the client
_PASSED = frozenset((Source.CACHED, Source.STALE, Source.FORWARDED))


def tally(counts: Counts, query: Query, answer: Answer) -> None:
    """Count one answer, for the grade as which it was judged in the end."""
    counts.add(*counted_as(query, answer))


def counted_as(query: Query, answer: Answer) -> tuple[str, str, str]:
    """Return grade, category and action: what an answer is counted as."""
    match = answer.verdict.match if answer.verdict else None
    grade = (answer.readmitted or query).client.grade.grade
    return grade, match.category if match else "", _action(answer)


def _action(answer: Answer) -> str:
    """Return the source where it says what the client got; where from matters to nobody here."""
    if answer.source not in _PASSED:
        return answer.source.value
    rewritten = answer.verdict is not None and answer.verdict.action is Action.REWRITE
    return Source.REWRITTEN.value if rewritten else PASS
