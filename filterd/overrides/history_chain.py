# SPDX-License-Identifier: Apache-2.0
"""The history: every change by a person, in a chain that shows what was altered. Pure.

Each row has the hash of the row before it, and a hash over all of itself with
that one. Whoever alters, removes or adds a row in the middle breaks the chain
there; whoever cuts its end is found by the exported copy, which knows the last
number and hash.

The first row has number 1, or is of the kind ``restored``: a history that
begins with what was in force when the one before it was set aside.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.errors import StoreError
from filterd.overrides.effects import NOTHING, ChangeEffect, Fold, from_plain, to_plain
from filterd.sentences import UNSAID, Sentence, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.policy.temporary_rules import Overrides

GENESIS = "0" * 64
"""What stands in the first row for the hash of the row before it."""
RESTORED = "restored"
UNDO = "undo"
TRIAL = "exam-trial"
"""A kind that sets nothing."""
CLOCK, CLOCK_ACCEPTED = "clock", "clock-accept"
"""The time became known, by itself or because an administrator says so."""


class HistoryRow(NamedTuple):
    """One change as it is stored; ``payload``, ``before`` and ``after`` are JSON.

    ``at`` is the Unix time that the gateway's clock showed, which may have been
    set back since the row before.
    """

    number: int
    at: float
    author: str
    kind: str
    payload: str
    reason: str
    before: str
    after: str
    previous: str
    hash: str

    @classmethod
    def of(
        cls,
        number: int,
        at: float,
        author: str,
        kind: str,
        payload: Mapping[str, Any],
        reason: str,
        effect: ChangeEffect,
        previous: str,
    ) -> HistoryRow:
        """Return the row of a change that follows the row of which ``previous`` is the hash."""
        row = cls(
            number,
            at,
            author,
            kind,
            _json(payload),
            reason,
            _json(to_plain(effect.before)),
            _json(to_plain(effect.after)),
            previous,
            "",
        )
        return row._replace(hash=row.true_hash())

    def true_hash(self) -> str:
        """Return what ``hash`` is in a row that nobody has altered."""
        told = json.dumps(self[:-1], ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(told.encode()).hexdigest()

    def effect(self) -> ChangeEffect:
        """Return what the change did.

        Raises:
            KeyError, TypeError, ValueError: the row is damaged.
        """
        before, after = from_plain(json.loads(self.before)), from_plain(json.loads(self.after))
        return ChangeEffect(before, after)

    def undone(self) -> int | None:
        """Return the number of the change that it takes back, if it is an undo."""
        if self.kind != UNDO:
            return None
        number: int = json.loads(self.payload)["number"]
        return number

    def to_plain(self) -> dict[str, Any]:
        """Return the row as plain data, for people and for the control socket."""
        texts = {key: json.loads(getattr(self, key)) for key in ("payload", "before", "after")}
        return self._asdict() | texts


@dataclass(frozen=True, slots=True)
class HistoryReplay:
    """What rows come to, up to the first that is not as it was written.

    ``first_bad`` is its number, and ``problem`` what is wrong with it. ``at`` is the latest
    Unix time of a row, and none before which the clock was ahead.
    """

    overrides: Overrides = NOTHING
    last_hash: str = GENESIS
    at: float = 0.0
    first_bad: int | None = None
    problem: Sentence = UNSAID


def replay(rows: Iterable[HistoryRow], begin: HistoryReplay | None = None) -> HistoryReplay:
    """Fold rows in ascending order, and check the chain on the way.

    Args:
        rows: all of them, or those that follow ``begin``.
        begin: what the rows before came to.
    """
    begin = begin or HistoryReplay()
    fold, number, last_hash = Fold(begin.overrides), begin.overrides.number, begin.last_hash
    first_bad, problem, at = None, UNSAID, begin.at
    for row in rows:
        problem = _problem(row, number, last_hash) or _applied(row, fold)
        if problem:
            first_bad = row.number
            break
        number, last_hash = row.number, row.hash
        at = row.at if row.kind in {CLOCK, CLOCK_ACCEPTED} else max(at, row.at)
    return HistoryReplay(fold.overrides(number), last_hash, at, first_bad, problem)


def newest_undoable(rows: Iterable[HistoryRow], author: str) -> HistoryRow | None:
    """Return the last change of somebody that counts, has done something and is no undo.

    So undoing walks back, and past what would stop it there for ever; and nobody
    takes back by mistake what somebody else has done a moment ago.

    Args:
        rows: in descending order.
        author: whose.
    """
    counting = (row for row, taken_back_by in with_undos(rows) if taken_back_by is None)
    own = (row for row in counting if row.author == author)
    possible = (row for row in own if row.kind not in {UNDO, RESTORED, TRIAL, CLOCK})
    return next((row for row in possible if row.effect() != ChangeEffect()), None)


def with_undos(rows: Iterable[HistoryRow]) -> Iterator[tuple[HistoryRow, int | None]]:
    """Yield each row, and the number of the undo that has taken it back if one has.

    An undo that has been taken back itself takes nothing back any more.

    Args:
        rows: in descending order.
    """
    taken_back = dict[int, int]()
    for row in rows:
        by, undone = taken_back.get(row.number), row.undone()
        if by is None and undone is not None:
            taken_back[undone] = row.number
        yield row, by


def _problem(row: HistoryRow, number: int, last_hash: str) -> Sentence:
    """Say how a row breaks the chain that ends with this number and hash; ``UNSAID`` if not."""
    try:
        altered = row.hash != row.true_hash()
    except (TypeError, ValueError):
        altered = True
    if altered:
        return say("it has been altered")
    if number == 0 and row.kind == RESTORED:
        return UNSAID
    if row.number != number + 1:
        return say("rows before it are missing")
    return UNSAID if row.previous == last_hash else say("the row before it is another")


def _applied(row: HistoryRow, fold: Fold) -> Sentence:
    """Do to ``fold`` what the change did; say why that cannot be, or ``UNSAID``."""
    try:
        fold.apply(row.effect())
    except StoreError as error:
        return error.sentence
    except (KeyError, TypeError, ValueError):
        return say("it cannot be read")
    return UNSAID


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
