# SPDX-License-Identifier: Apache-2.0
"""Ask the running daemon and wait for the answer.

It is synchronous, because a command does nothing else meanwhile. A process that follows
several streams at once takes ``event_stream``, which needs an event loop.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import pwd
import socket
import stat
from struct import Struct
from typing import IO, TYPE_CHECKING, Any

from filterd.base.errors import ControlError, from_plain
from filterd.base.privileges import own_rights
from filterd.control import frames
from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import Sentence, refused, say
from filterd.texts.i18n import from_plain as sentence_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANSWER_WITHIN_S = 90.0
"""A reload compiles the policy in a child process that may take a minute."""

FOLLOWED_SILENCE_S = 40.0
"""Without even a heartbeat, of which the daemon sends one every 15 s."""

_MOST_FRAMES = 10_000
"""Of one answer."""

_TIMEVAL = Struct("@ll")  # seconds and microseconds: socket(7)

_ids = itertools.count(1)
notices: dict[Sentence, None] = {}
"""Notices of the daemon, which every command prints, each once."""


class NotLetInError(ControlError):
    """The socket or its folder exists and is not open to this user."""


class UnansweredError(ControlError):
    """No daemon answers at the socket, or its answer broke off."""


def is_running(path: Path) -> bool:
    """Return whether a daemon answers at this socket, be it only to other users."""
    try:
        with _connection(path, new_request("ping"), ANSWER_WITHIN_S) as lines:
            return _line(lines).startswith(b'{"ok": ')  # a daemon that is too busy answers too
    except NotLetInError:
        return True
    except ControlError:
        return False


def ask(
    path: Path,
    command: str,
    *,
    act_for: str = "",
    address: str = "",
    silence_s: float | None = None,
    **arguments: Any,
) -> Any:
    """Send a command and return its result, from the last frame of the answer.

    Args:
        path: the daemon's socket.
        command: its name.
        act_for: the token of the person for whom this process asks; else empty.
        address: of that person's device; else empty.
        silence_s: after so many seconds without an octet it counts as not answering; None
            for ``ANSWER_WITHIN_S``.
        arguments: of the command.

    Raises:
        NotLetInError: a daemon may run, and this user may not ask it.
        ControlError: no daemon answers there, or the command fails.
        ConfigErrors: the site's files are wrong; the old policy stays in force.
    """
    request = new_request(command, arguments, act_for, address)
    with _connection(path, request, ANSWER_WITHIN_S if silence_s is None else silence_s) as lines:
        for _ in range(_MOST_FRAMES):
            content, is_end = read_content(_line(lines), request, path)
            if is_end:
                return content["result"]
    raise no_answer(path)


def stream(
    path: Path,
    command: str,
    *,
    act_for: str = "",
    address: str = "",
    silence_s: float = FOLLOWED_SILENCE_S,
    **arguments: Any,
) -> Iterator[Any]:
    """Yield the values of a command that streams, until it ends or the daemon does.

    A heartbeat of the daemon is no value. Arguments and errors are those of ``ask``.
    """
    request = new_request(command, arguments, act_for, address)
    with _connection(path, request, silence_s) as lines:
        while True:
            content, is_end = read_content(_line(lines), request, path)
            if is_end:
                return
            if not content.get(frames.HEARTBEAT):
                yield content["result"]


def new_request(
    command: str,
    arguments: dict[str, Any] | None = None,
    act_for: str = "",
    address: str = "",
) -> frames.ControlRequest:
    """Return a request with a number of its own."""
    number = next(_ids) % (frames.MOST_ID + 1)
    return frames.ControlRequest(command, arguments or {}, number, 0, act_for, address)


@contextlib.contextmanager
def _connection(
    path: Path, request: frames.ControlRequest, silence_s: float
) -> Iterator[IO[bytes]]:
    """Send a request and yield the stream of answers, one a line.

    Raises:
        NotLetInError, ControlError: as ``ask``.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            with own_rights():  # the kernel reports the user to the daemon
                connect(connection, path, silence_s)
            connection.settimeout(silence_s)
            with contextlib.suppress(BrokenPipeError):  # its refusal may be there to read
                connection.sendall(frames.dump_request(request))
            with connection.makefile("rb") as lines:
                yield lines
    except PermissionError as error:
        raise NotLetInError(
            say(
                "{path}: {user} may not ask filterd; root and these groups may, from the next"
                " login on: {groups} (`usermod -aG {reader} {user}`)",
                path=path,
                user=_own_name(),
                groups=", ".join(role.group for role in Role),
                reader=Role.READER.group,
            )
        ) from error
    except OSError as error:
        raise UnansweredError(
            say(
                "{path}: no running filterd answers ({why}); start it with `filterd serve`,"
                " or name its state folder with --state",
                path=path,
                why=refused(error),
            )
        ) from error


def connect(connection: socket.socket, path: Path, within_s: float) -> None:
    """Connect to the socket itself: a link may lead to the socket of another service.

    It waits for its turn while others connect; a socket that does not block would be refused.

    Raises:
        OSError: there is no such socket, or nobody listens.
    """
    wait = _TIMEVAL.pack(int(within_s), int(within_s % 1 * 1e6))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, wait)
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


def _line(lines: IO[bytes]) -> bytes:
    """Return the next frame; one beyond the bound is cut off, and so is malformed."""
    return lines.readline(frames.LARGEST_ANSWER_OCTETS)


def read_content(
    line: bytes, request: frames.ControlRequest, path: Path
) -> tuple[dict[str, Any], bool]:
    """Return the content of a frame, which has a result, and whether it is the last.

    Raises:
        ControlError, ConfigErrors: as ``ask``.
    """
    try:
        answer, is_end = frames.read_answer(line, request)
        if answer.get("code") == frames.UNKNOWN:
            raise ControlError(
                say(
                    "{path}: the filterd that runs is of an earlier release than this command;"
                    " restart it: `sudo systemctl restart filterd`",
                    path=path,
                )
            )
        if answer["ok"]:
            notices.update(dict.fromkeys(map(sentence_of, answer.get("notices", ()))))
            return {"result": answer["result"], **answer}, is_end
        error = from_plain({"errors": [], **answer})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as wrong:
        raise no_answer(path) from wrong
    raise error


def no_answer(path: Path) -> UnansweredError:
    """Return the error for an answer that is none."""
    return UnansweredError(say("{path}: filterd did not answer; see its log", path=path))
