# SPDX-License-Identifier: Apache-2.0
"""Results of the store: a start, a change, a check of the history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filterd.overrides.history_chain import GENESIS, HistoryRow
from filterd.overrides.snapshot import Exported

if TYPE_CHECKING:
    from filterd.policy.temporary_rules import Overrides


@dataclass(frozen=True, slots=True)
class Started:
    """The overrides at a start, and the last change's hash; ``problem``: one line.

    As in the copies, things that ended long ago are missing.
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
    """A change that is on the disk, and the overrides after it, as in the copy.

    ``taken_back`` is the number of the change that it takes back, if it is an undo.
    """

    row: HistoryRow
    overrides: Overrides
    taken_back: HistoryRow | None = None
    at: float = field(default=0.0, compare=False)

    @property
    def exported(self) -> Exported:
        """The overrides after it as a copy."""
        return Exported(self.overrides, self.row.hash, self.at)


@dataclass(frozen=True, slots=True)
class HistoryCheck:
    """The result of a check of the history; ``first_bad`` is the first altered row.

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
        """Whether nothing was altered, neither here nor in the files set aside."""
        return self.first_bad is None and not self.altered
