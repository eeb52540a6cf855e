# SPDX-License-Identifier: Apache-2.0
"""The hash-chained history of changes, in which alterations show. Pure.

Each row has the hash of the row before it, and a hash over all of itself with that one.
Altering, removing or adding a row in the middle breaks the chain there. A missing
end shows in the exported copy, which has the last number and hash.

The first row has number 1, or is of the kind ``restored``: a history that
begins with the overrides that were active when the one before it was set aside.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import StoreError
from filterd.base.value_class import frozen
from filterd.overrides.changes.effects import NOTHING, ChangeEffect, Fold, from_plain, to_plain
from filterd.overrides.rights.roles import person_of
from filterd.texts.i18n import UNSAID, Sentence, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.policy.temporary_rules import Overrides

GENESIS = "0" * 64
"""The first row's hash of the row before it."""
RESTORED = "restored"
FROM_BACKUP = "from-backup"
"""The row of a restore from a backup; see ``restored_history``."""
UNDO = "undo"
TRIAL, VIEW, REMOVAL, REFUSAL = "exam-trial", "log-view", "log-removal", "review-refusal"
ACCOUNT, SITE_EDIT, PROGRAM_UPDATE = "account", "site-edit", "program-update"
"""Kinds that set nothing."""
GUARDED = "guarded-end"
"""What opened a guarded category without an end has got one; see ``exception_changes``."""
CLOCK, CLOCK_ACCEPTED = "clock", "clock-accept"
"""The time became known, by itself or by an administrator's word."""
DATING = frozenset((CLOCK, CLOCK_ACCEPTED))
"""They date what was set before that. Without its dates it would begin anew: no undo takes them."""


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
        """Return the row of a change, behind the row of which ``previous`` is the hash."""
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
        """Return the value of ``hash`` in a row that was not altered."""
        content = json.dumps(self[:-1], ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()

    def effect(self) -> ChangeEffect:
        """Return the effect of the change.

        Raises:
            KeyError, TypeError, ValueError: the row is damaged.
        """
        before, after = from_plain(json.loads(self.before)), from_plain(json.loads(self.after))
        return ChangeEffect(before, after)

    def undone(self) -> int | None:
        """Return the number of the change that this one takes back, if it is an undo."""
        if self.kind != UNDO:
            return None
        number: int = json.loads(self.payload)["number"]
        return number

    def to_plain(self) -> dict[str, Any]:
        """Return the row as plain data, for people and for the control socket."""
        texts = {key: json.loads(getattr(self, key)) for key in ("payload", "before", "after")}
        return self._asdict() | texts


@frozen
class HistoryReplay:
    """The result of replaying rows, up to the first that is not as it was written.

    ``first_bad`` is its number, and ``problem`` what is wrong with it. ``at`` is the latest
    Unix time of a row, not counting rows before a correction of a clock that was ahead.
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
        begin: the result of the rows before.
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
        at = row.at if row.kind in DATING else max(at, row.at)
    return HistoryReplay(fold.overrides(number), last_hash, at, first_bad, problem)


def newest_undoable(rows: Iterable[HistoryRow], author: str) -> HistoryRow | None:
    """Return the author's newest change that an undo without a number takes back.

    It still counts, has an effect and is no undo. So undoing walks back, past what would
    stop it there for ever; and no person takes back by mistake what another one has done a
    moment ago.

    Args:
        rows: in descending order.
        author: of the undo.
    """
    counting = (row for row, taken_back_by in with_undos(rows) if taken_back_by is None)
    own = (row for row in counting if person_of(row.author) == person_of(author))
    none = {UNDO, RESTORED, TRIAL, GUARDED, *DATING}
    possible = (row for row in own if row.kind not in none)
    return next((row for row in possible if row.effect() != ChangeEffect()), None)


def with_undos(rows: Iterable[HistoryRow]) -> Iterator[tuple[HistoryRow, int | None]]:
    """Yield each row, and the number of the undo that took it back, if any.

    An undo that was taken back itself does not count.

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
    """Return how a row breaks the chain of this number and hash; ``UNSAID`` if not."""
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
    return UNSAID if row.previous == last_hash else say("the row before it is a different one")


def _applied(row: HistoryRow, fold: Fold) -> Sentence:
    """Apply a row's effect to ``fold``; return why that is impossible, or ``UNSAID``."""
    try:
        fold.apply(row.effect())
    except StoreError as error:
        return error.sentence
    except (KeyError, TypeError, ValueError):
        return say("it cannot be read")
    return UNSAID


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
