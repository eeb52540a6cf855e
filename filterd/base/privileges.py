# SPDX-License-Identifier: Apache-2.0
"""Drop root's rights below the state folder, where its owner's are enough.

An administrator runs commands as root. The service's user may change everything below
the state folder at any moment: a name there may be a link to any file of the machine,
and the service cannot replace root's files there. So a command uses the effective IDs of
the folder's owner, and takes root's back (``own_rights``) for files that the operator
names and for the control socket, whose server must see the real user. The folder itself
may be a link, because the folders above it are not the service's.

``end_sooner`` has the kernel choose which process to end first when memory is short (proc(5)).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from filterd.base.paths import is_there

if TYPE_CHECKING:
    from collections.abc import Iterator

_given_up: list[tuple[_Ids, _Ids]] = []
"""What ``as_owner_of`` has given up, to be taken back, and what it has instead."""

_one_thread = threading.RLock()
"""A process has its rights in all threads: one that gives them back takes them from others."""

A_COMPILER = 700
"""What compiles lists or a policy, or judges a version: its caller does without."""
THE_MANAGER = 400
"""No lookup needs it."""
A_WORKER = 100
"""It is replaced at once; only the supervisor's end is the end of all."""

_HIGHEST = 1000
_PATH = Path("/proc/self/oom_score_adj")


class ChildIds(TypedDict, total=False):
    """Arguments of ``subprocess``."""

    user: int
    group: int


class _Ids(NamedTuple):
    uid: int
    gid: int
    groups: tuple[int, ...]

    def take(self) -> None:
        """Have these; only root can take others', so its user ID is first and last."""
        os.seteuid(0)
        os.setgroups(self.groups)
        os.setegid(self.gid)
        os.seteuid(self.uid)


@contextlib.contextmanager
def as_owner_of(folder: Path) -> Iterator[None]:
    """Have the rights of a state folder's owner, if this process is root's.

    Where the folder is root's, too, nothing changes.

    What root owns below it, left by an earlier release, is given to the owner first.

    Args:
        folder: the state folder; where it is missing, what is to be made for it is of the
            owner of the nearest folder above.
    """
    owner = _owner_of(folder) if os.geteuid() == 0 and not _given_up else 0
    if owner == 0:
        yield
        return
    _give_below(folder, owner)
    own, its = _Ids(0, os.getegid(), tuple(os.getgroups())), _ids_of(owner)
    try:
        its.take()
    except PermissionError:  # root without capabilities, in a container: it has nothing to give up
        yield
        return
    _given_up.append((own, its))
    try:
        yield
    finally:
        if _given_up:  # and not for good
            _given_up.clear()
            own.take()


@contextlib.contextmanager
def own_rights() -> Iterator[None]:
    """Have the rights that ``as_owner_of`` has given up.

    They are for what does not lie below the state folder. One thread has them at a time.
    """
    if not _given_up:
        yield
        return
    with _one_thread:
        ((own, its),) = _given_up
        own.take()
        try:
            yield
        finally:
            its.take()


def make_folder_for_owner(folder: Path) -> None:
    """Make a missing folder for the owner of the state.

    That is the one whose rights this process has had below the state.
    """
    if not _given_up or is_there(folder):
        return
    with contextlib.suppress(OSError):  # then its reader reports it
        folder.mkdir(mode=0o755)
        ((_, its),) = _given_up
        os.chown(folder, its.uid, its.gid)


def keep_none() -> None:
    """Give up for good what ``as_owner_of`` has given up for a while."""
    if os.getuid() != os.geteuid():
        os.setresgid(os.getegid(), os.getegid(), os.getegid())
        os.setresuid(os.geteuid(), os.geteuid(), os.geteuid())
    _given_up.clear()


def of_a_child() -> ChildIds:
    """Return ``subprocess`` arguments by which a child cannot take root's rights back."""
    if os.getuid() == os.geteuid():
        return {}  # the service may not even make these system calls
    return {"user": os.geteuid(), "group": os.getegid()}


def _owner_of(folder: Path) -> int:
    for path in (folder, *folder.absolute().parents):
        with contextlib.suppress(OSError):
            return path.stat().st_uid
    return 0


def _ids_of(uid: int) -> _Ids:
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        return _Ids(uid, uid, (uid,))
    groups = os.getgrouplist(user.pw_name, user.pw_gid)
    return _Ids(uid, user.pw_gid, tuple(groups))


def _give_below(folder: Path, owner: int) -> None:
    """Give folders and plain files of root's to the owner.

    No link is followed, and no file with two names is given: a second name may stand elsewhere,
    where the file is none of the owner's business.
    """
    gid = _ids_of(owner).gid
    with contextlib.suppress(OSError):  # then a command reports what it cannot read or write
        for _, _, files, at in os.fwalk(os.path.realpath(folder)):
            if os.fstat(at).st_uid == 0:
                os.fchown(at, owner, gid)
            for name in files:
                _give(name, at, owner, gid)


def _give(name: str, at: int, owner: int, gid: int) -> None:
    with contextlib.suppress(OSError):
        if os.stat(name, dir_fd=at, follow_symlinks=False).st_uid != 0:
            return
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.open(name, flags, dir_fd=at)
        try:
            found = os.fstat(file)
            if stat.S_ISREG(found.st_mode) and found.st_uid == 0 and found.st_nlink == 1:
                os.fchown(file, owner, gid)
        finally:
            os.close(file)


def end_sooner(more: int) -> None:
    """Have this process, and what it starts, ended sooner.

    The steps are at most a thousand in all.
    """
    with contextlib.suppress(OSError, ValueError):  # then it is as likely as its parent
        _PATH.write_text(str(min(_HIGHEST, int(_PATH.read_text()) + more)))
