# SPDX-License-Identifier: Apache-2.0
"""Get the user at the other end of a connection from the kernel (unix(7), SO_PEERCRED).

The process cannot claim another user. Its groups are those at the time of its
connection: a user who was just added to a group has to log in again.
"""

from __future__ import annotations

import grp
import pwd
import socket
from dataclasses import dataclass
from struct import Struct, iter_unpack
from typing import Protocol

from filterd.errors import ControlError
from filterd.i18n import say

_SO_PEERGROUPS = 59  # asm-generic/socket.h; Linux 4.13
_MOST_OCTETS = 1024
"""As much as Python takes from the kernel at once: 256 groups."""

_CREDENTIALS = Struct("@iII")


class Connection(Protocol):
    """A socket, or what an event loop has for one."""

    def getsockopt(self, level: int, option: int, octets: int, /) -> bytes:
        """Return an option (getsockopt(2))."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The client's user: ID, name, and the names of the groups."""

    uid: int
    user: str
    groups: frozenset[str]

    def acting_for(self, token: str) -> Caller:
        """Return whose rights count: this user's, or those of the person with a token.

        Raises:
            ControlError: there is a token, and there are no accounts yet that have one.
        """
        if token:
            raise ControlError(
                say(
                    "this filterd has no accounts, so that {user} cannot act for another person;"
                    " send no token",
                    user=self.user,
                )
            )
        return self


def caller_of(connection: Connection) -> Caller:
    """Return the user that opened the other end of a Unix socket.

    Raises:
        OSError: the kernel does not report it.
    """
    uid, gid = _ids_of(connection)
    gids = {gid, *_supplementary(connection)}
    return Caller(uid, _user(uid), frozenset(filter(None, map(_group, gids))))


def uid_of(connection: Connection) -> int:
    """Return the user ID alone, which needs no lookup.

    Raises:
        OSError: the kernel does not report it.
    """
    return _ids_of(connection)[0]


def _ids_of(connection: Connection) -> tuple[int, int]:
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, gid = _CREDENTIALS.unpack(told)
    return uid, gid


def _supplementary(connection: Connection) -> list[int]:
    try:
        told = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_OCTETS)
    except OSError:  # an old kernel, or more groups than these: that gives no right
        return []
    return [gid for (gid,) in iter_unpack("@I", told)]


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""
