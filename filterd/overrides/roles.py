# SPDX-License-Identifier: Apache-2.0
"""Three ranks of those who ask. Pure, and quick to import.

An *administrator* is root, the daemon's own user, or in the group
``filterd-admin``, and may everything. A *teacher* is in ``filterd-teacher``;
``rights`` says what teachers may change. Everybody else who gets as far as asking
may look.

Refusals name who may.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from filterd.errors import ControlError
from filterd.sentences import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Collection

ADMINS, TEACHERS = "filterd-admin", "filterd-teacher"
"""Groups of the gateway."""

_ROOT = 0


class Rank(IntEnum):
    """What somebody may do; whoever is above may do it, too."""

    READER = 0
    TEACHER = 1
    ADMIN = 2


WHO = {
    Rank.ADMIN: say("administrators may: root, and the group {admins}", admins=ADMINS),
    Rank.TEACHER: say(
        "teachers and administrators may: the groups {teachers} and {admins}",
        teachers=TEACHERS,
        admins=ADMINS,
    ),
}


@dataclass(frozen=True, slots=True)
class Author:
    """Who asks: the name that the history remembers, and what they may do."""

    name: str
    rank: Rank

    @classmethod
    def of(cls, uid: int, user: str, groups: Collection[str], own_uid: int) -> Author:
        """Return who a user of the gateway is to filterd.

        Args:
            uid: the number of the user.
            user: the name.
            groups: the names of the groups.
            own_uid: of the daemon, whose user could alter all of its files anyway.
        """
        if uid in (_ROOT, own_uid) or ADMINS in groups:
            return cls(user, Rank.ADMIN)
        return cls(user, Rank.TEACHER if TEACHERS in groups else Rank.READER)

    def must_be(self, least: Rank, to_do: Sentence) -> None:
        """Refuse to do something for whoever is of too low a rank.

        Raises:
            ControlError: it says who may.
        """
        if self.rank < least:
            raise ControlError(
                say("{name} may not {to_do}; {who}", name=self.name, to_do=to_do, who=WHO[least])
            )
