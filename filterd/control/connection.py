# SPDX-License-Identifier: Apache-2.0
"""Asking the running daemon; synchronous, because a command does nothing else meanwhile."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pwd
import socket
import stat
from typing import TYPE_CHECKING, Any

from filterd.errors import ControlError, from_plain
from filterd.i18n import Sentence, refused, say
from filterd.i18n import from_plain as sentence_of
from filterd.overrides.roles import ADMINS, TEACHERS
from filterd.privileges import own_rights

if TYPE_CHECKING:
    from pathlib import Path

ANSWER_WITHIN_S = 90.0
"""A reload compiles the policy in a child process that may take a minute."""

_LARGEST = 16 * 1024 * 1024

notices: dict[Sentence, None] = {}
"""What the daemon has every command say, once each."""


class NotLetInError(ControlError):
    """The socket is there, or its folder is, and not for this user."""


def is_running(path: Path) -> bool:
    """Tell whether a daemon answers at this socket, or would answer others."""
    try:
        answer = _exchange(path, "ping")
    except NotLetInError:
        return True
    except ControlError:
        return False
    return answer.startswith(b'{"ok": ')  # one that is too busy to answer runs, too


def ask(path: Path, command: str, **arguments: Any) -> Any:
    """Return what the daemon says to a command.

    Raises:
        NotLetInError: a daemon may run, and this user may not ask it.
        ControlError: no daemon answers there, or it cannot do that.
        ConfigErrors: it found the site's files wrong; the old policy stays.
    """
    return _result(_exchange(path, command, **arguments), path)


def _exchange(path: Path, command: str, **arguments: Any) -> bytes:
    """Return the line that answers a command; empty if the connection ended without one.

    Raises:
        NotLetInError, ControlError: as ``ask``.
    """
    request = json.dumps({"command": command, **arguments}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_WITHIN_S)
            with own_rights():  # the kernel tells the daemon who connects
                _connect(connection, path)
            with contextlib.suppress(BrokenPipeError):  # it may have said why before it closed
                connection.sendall(request)
            return _read_line(connection)
    except PermissionError as error:
        raise NotLetInError(
            say(
                "{path}: {user} may not ask filterd; root and the groups {admins} and {teachers}"
                " may, from the next login on (`usermod -aG {teachers} {user}`)",
                path=path,
                user=_own_name(),
                admins=ADMINS,
                teachers=TEACHERS,
            )
        ) from error
    except OSError as error:
        raise ControlError(
            say(
                "{path}: no running filterd answers ({why}); start it with `filterd serve`,"
                " or name its state folder with --state",
                path=path,
                why=refused(error),
            )
        ) from error


def _connect(connection: socket.socket, path: Path) -> None:
    """Connect to the socket that stands there itself: a link may lead to another service's."""
    found = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISSOCK(os.fstat(found).st_mode):
            raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK), str(path))
        connection.connect(f"/proc/self/fd/{found}")
    finally:
        os.close(found)


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid-{os.geteuid()}"


def _read_line(connection: socket.socket) -> bytes:
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        part = connection.recv(65_536)
        if not part or sum(map(len, parts)) > _LARGEST:
            break
        parts.append(part)
    return b"".join(parts)


def _result(line: bytes, path: Path) -> Any:
    try:
        answer = json.loads(line)
        if answer["ok"]:
            notices.update(dict.fromkeys(map(sentence_of, answer.get("notices", ()))))
            return answer["result"]
        error = from_plain({"errors": [], **answer})
    except (ValueError, KeyError, TypeError, RecursionError) as wrong:
        raise ControlError(say("{path}: filterd gave no answer; see its log", path=path)) from wrong
    raise error
