# SPDX-License-Identifier: Apache-2.0
"""A history in memory, and changes to make in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.overrides.changes.change_kinds import ChangeRequest, parse
from filterd.overrides.changes.effects import ChangeContext, NoHistory
from filterd.overrides.history.history_chain import HistoryReplay, HistoryRow, replay
from filterd.overrides.rights.permissions import check_change
from tests.support.policies import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.overrides.changes.effects import ChangeHistory
    from filterd.overrides.rights.permissions import Classroom
    from filterd.overrides.rights.roles import Author
    from filterd.policy.temporary_rules import Overrides

LESSON_S = 2_700.0


class Book:
    """What the store does, without a file: rows, and what they come to."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now
        self.rows: list[HistoryRow] = []
        self.replay = HistoryReplay()

    @property
    def overrides(self) -> Overrides:
        return self.replay.overrides

    def make(
        self, kind: str, /, reason: str = "bài học", author: str = "lan", **payload: Any
    ) -> HistoryRow:
        """Make a change, and check that its row can be read again."""
        request = ChangeRequest.of(kind, payload, author, reason)
        row = request.row(self.now, self.overrides, self, self.replay.last_hash)
        done = replay((row,), self.replay)
        assert done.first_bad is None, done.problem
        self.replay = done
        self.rows.append(row)
        return row

    def row(self, number: int) -> HistoryRow | None:
        return next((row for row in self.rows if row.number == number), None)

    def since(self, number: int) -> Iterator[HistoryRow]:
        return (row for row in self.rows if row.number > number)

    def newest_first(self) -> Iterator[HistoryRow]:
        return reversed(self.rows)


def check_permission(
    author: Author,
    kind: str,
    payload: dict[str, Any],
    classroom: Classroom,
    past: ChangeHistory | None = None,
) -> None:
    """Refuse a change that the author may not make, as the daemon does."""
    change, history = parse(kind, payload), past or NoHistory()
    now = 0.0 if classroom.now is None else classroom.now
    context = ChangeContext(99, now, author.name, "", classroom.overrides, history)
    check_change(author, change, change.effect(context), classroom)


def an_exception(**more: Any) -> dict[str, Any]:
    return {"target_kind": "name", "target": "game.example", "allow": True} | more


def some_exceptions(*targets: tuple[str, str], **more: Any) -> dict[str, Any]:
    wanted = targets or (("name", "game.example"), ("service", "youtube"))
    return {"targets": [list(one) for one in wanted], "allow": True} | more


def a_table(**rooms: list[str]) -> list[dict[str, Any]]:
    """Return a table of devices, by room."""
    return [{"room": room.replace("_", "-"), "macs": macs} for room, macs in rooms.items()]


def an_exam(**more: Any) -> dict[str, Any]:
    return {"room": "lab-a", "names": ["thi.example"], "ends_at": NOW + LESSON_S} | more


def a_grade_setting(**more: Any) -> dict[str, Any]:
    return {"grade": "7", "target_kind": "category", "target": "streaming", "opens": True} | more
