# SPDX-License-Identifier: Apache-2.0
"""The roles and ranks of users. Pure, quick to import.

A user of the gateway has a role by each group; root and the daemon's own user are
administrators. ``permissions`` defines what each rank may change: an *administrator*
everything, a *teacher* what a lesson needs, the others nothing. ``read_access`` defines
what each role may read. All users who can reach the control socket are readers.

Refusals name the roles that may.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from filterd.base.errors import ControlError
from filterd.base.value_class import frozen
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Collection


class Role(StrEnum):
    """What a person is at the school; a person may have several."""

    READER = "reader"
    TEACHER = "teacher"
    PRINCIPAL = "principal"
    INSPECTOR = "inspector"
    ADMIN = "admin"

    @property
    def group(self) -> str:
        """The group of the gateway whose members have the role."""
        return f"filterd-{self.value}"


ADMINS, TEACHERS = Role.ADMIN.group, Role.TEACHER.group

_ROOT = 0

SHARED = frozenset(("root", "filterd"))
"""Names of users that several people may act as, so that they name no person."""


class Rank(IntEnum):
    """The rank of a user; a higher rank includes the lower ones."""

    READER = 0
    TEACHER = 1
    ADMIN = 2


def person_of(author: str) -> str:
    """Return the person's name in an author of the history."""
    return author.rpartition(":")[2]


WHO = {
    Rank.ADMIN: say("administrators may: root and the group {admins}", admins=ADMINS),
    Rank.TEACHER: say(
        "teachers and administrators may: the groups {teachers} and {admins}",
        teachers=TEACHERS,
        admins=ADMINS,
    ),
}


class PasswordNeededError(ControlError):
    """The command needs a password that was given a moment ago."""

    code = "password-needed"


@frozen
class Author:
    """The author of a request: the name for the history, the rank, and the roles.

    The name of an account has its channel before it: ``web:lan``, ``api:lan``. ``is_fresh``:
    the password was given a moment ago; at the gateway, it is root.
    """

    name: str
    rank: Rank
    roles: frozenset[Role] = frozenset()
    is_fresh: bool = False

    @property
    def person(self) -> str:
        """The person; by the web and at the gateway one name is one person."""
        return person_of(self.name)

    @classmethod
    def with_roles(cls, name: str, roles: frozenset[Role], *, is_fresh: bool = False) -> Author:
        """Return an author with the rank of the roles."""
        rank = Rank.READER
        if Role.TEACHER in roles:
            rank = Rank.TEACHER
        if Role.ADMIN in roles:
            rank = Rank.ADMIN
        return cls(name, rank, roles, is_fresh)

    @classmethod
    def of(cls, uid: int, user: str, groups: Collection[str], own_uid: int) -> Author:
        """Return the author and rank of a user of the gateway.

        Args:
            uid: the number of the user.
            user: the name.
            groups: the names of the groups.
            own_uid: of the daemon; that user could alter all of its files anyway.
        """
        roles = {Role.READER, *(role for role in Role if role.group in groups)}
        is_root = uid in (_ROOT, own_uid)
        if is_root:
            roles.add(Role.ADMIN)
        return cls.with_roles(user, frozenset(roles), is_fresh=is_root)

    def must_have_proved(self, to_do: Sentence) -> None:
        """Refuse what must not be done by a session or a shell that was left open.

        Raises:
            PasswordNeededError: a session's password has not been given a moment ago.
            ControlError: it came by another way; it names the way to take.
        """
        if self.is_fresh:
            return
        if self.name.startswith("web:"):
            raise PasswordNeededError(say("give your password once more for this"))
        raise ControlError(
            say(
                "{name} may not {to_do}; root may, or an administrator in the dashboard",
                name=self.name,
                to_do=to_do,
            )
        )

    def must_be(self, least: Rank, to_do: Sentence) -> None:
        """Refuse a request of too low a rank.

        Raises:
            ControlError: it names the roles that may.
        """
        if self.rank < least:
            raise ControlError(
                say("{name} may not {to_do}; {who}", name=self.name, to_do=to_do, who=WHO[least])
            )
