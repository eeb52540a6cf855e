# SPDX-License-Identifier: Apache-2.0
"""Three roles of users: administrator, teacher, reader. Pure, quick to import.

An *administrator* is root, the daemon's own user, or in the group
``filterd-admin``, and may everything. A *teacher* is in ``filterd-teacher``;
``permissions`` defines what teachers may change. All other users who can reach the
control socket may read.

Refusals name the roles that may.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from filterd.errors import ControlError
from filterd.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Collection

ADMINS, TEACHERS = "filterd-admin", "filterd-teacher"
"""Groups of the gateway."""

_ROOT = 0


class Rank(IntEnum):
    """The rank of a user; a higher rank includes the lower ones."""

    READER = 0
    TEACHER = 1
    ADMIN = 2


WHO = {
    Rank.ADMIN: say("administrators may: root and the group {admins}", admins=ADMINS),
    Rank.TEACHER: say(
        "teachers and administrators may: the groups {teachers} and {admins}",
        teachers=TEACHERS,
        admins=ADMINS,
    ),
}


@dataclass(frozen=True, slots=True)
class Author:
    """The author of a request: the name for the history, and the rank."""

    name: str
    rank: Rank

    @classmethod
    def of(cls, uid: int, user: str, groups: Collection[str], own_uid: int) -> Author:
        """Return the author and rank of a user of the gateway.

        Args:
            uid: the number of the user.
            user: the name.
            groups: the names of the groups.
            own_uid: of the daemon; that user could alter all of its files anyway.
        """
        if uid in (_ROOT, own_uid) or ADMINS in groups:
            return cls(user, Rank.ADMIN)
        return cls(user, Rank.TEACHER if TEACHERS in groups else Rank.READER)

    def must_be(self, least: Rank, to_do: Sentence) -> None:
        """Refuse a request of too low a rank.

        Raises:
            ControlError: it names the roles that may.
        """
        if self.rank < least:
            raise ControlError(
                say("{name} may not {to_do}; {who}", name=self.name, to_do=to_do, who=WHO[least])
            )
