# SPDX-License-Identifier: Apache-2.0
"""Let more groups open the control socket than its own (acl(5)).

A socket has one group, and filterd has two groups of users. So each gets an entry in the
socket's access control list: its members can send commands without being in a group
that may read the daemon's files.
"""

from __future__ import annotations

import errno
import grp
import os
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_ATTRIBUTE = "system.posix_acl_access"
_VERSION = Struct("<I")
_ENTRY = Struct("<HHI")  # tag, rights, ID: linux/posix_acl_xattr.h
_OWNER, _GROUP, _NAMED_GROUP, _MASK, _OTHERS = 0x01, 0x04, 0x08, 0x10, 0x20
_NOBODY_IN_PARTICULAR = 0xFFFF_FFFF
_ALL, _NOTHING = 6, 0
_WITHOUT = (errno.ENOTSUP, errno.EPERM, errno.ENOSYS)


def let_in(path: Path, groups: Iterable[str]) -> bool:
    """Let only the owner, the group and these groups open a socket.

    Args:
        path: the socket, of this process's user.
        groups: names; those that the machine does not have are left out.

    Returns: whether this file system has access control lists.

    Raises:
        OSError: the socket is gone, or the disk refused.
    """
    named = sorted(gid for gid in map(_number, groups) if gid is not None)
    entries = [
        (_OWNER, _ALL, _NOBODY_IN_PARTICULAR),
        (_GROUP, _ALL, _NOBODY_IN_PARTICULAR),
        *((_NAMED_GROUP, _ALL, gid) for gid in named),
        (_MASK, _ALL, _NOBODY_IN_PARTICULAR),
        (_OTHERS, _NOTHING, _NOBODY_IN_PARTICULAR),
    ]
    content = _VERSION.pack(2) + b"".join(_ENTRY.pack(*entry) for entry in entries)
    try:
        os.setxattr(path, _ATTRIBUTE, content)
    except OSError as error:
        if error.errno in _WITHOUT:
            return False
        raise
    return True


def _number(group: str) -> int | None:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None
