# SPDX-License-Identifier: Apache-2.0
"""What the store tells of its work: a start, a change, a look through the history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filterd.overrides.history_chain import GENESIS, HistoryRow
from filterd.overrides.snapshot import Exported

if TYPE_CHECKING:
    from filterd.policy.temporary_rules import Overrides


@dataclass(frozen=True, slots=True)
class Started:
    """What is set at a start, and the hash of the last change; ``problem`` is one line, or "".

    As in the copies, what ended long ago is not in it.
    """

    overrides: Overrides
    problem: str = ""
    last_hash: str = field(default=GENESIS, compare=False)
    at: float = field(default=0.0, compare=False)

    @property
    def exported(self) -> Exported:
        """The same as a copy."""
        return Exported(self.overrides, self.last_hash, self.at)


@dataclass(frozen=True, slots=True)
class Done:
    """A change that is on the disk, and what is set now, as it is in the copy.

    ``taken_back`` is the change that it takes back, if it is an undo.
    """

    row: HistoryRow
    overrides: Overrides
    taken_back: HistoryRow | None = None
    at: float = field(default=0.0, compare=False)

    @property
    def exported(self) -> Exported:
        """What is set now as a copy."""
        return Exported(self.overrides, self.row.hash, self.at)


@dataclass(frozen=True, slots=True)
class HistoryCheck:
    """Whether the history is as it was written; ``first_bad`` is the first row that is not.

    ``set_aside`` are the names of damaged files, each with a history that ended, and
    ``altered`` of those among them that were altered.
    """

    number: int
    first_bad: int | None = None
    problem: str = ""
    set_aside: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing was altered, neither here nor in what was set aside."""
        return self.first_bad is None and not self.altered
