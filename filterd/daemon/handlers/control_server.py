# SPDX-License-Identifier: Apache-2.0
"""Serve the control socket: one request a connection, answered in frames.

The frames are those of ``control.frames``.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import grp
import logging
import os
import socket
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from inspect import isasyncgenfunction
from struct import Struct
from typing import TYPE_CHECKING, Any

from filterd.accounts.grant import NO_GRANT, Grant
from filterd.base.acceptor import Acceptor
from filterd.base.errors import ControlError, StoreError, to_plain
from filterd.base.socket_path import short_path
from filterd.control import frames
from filterd.daemon.handlers.control_caller import (
    Caller,
    Quota,
    Share,
    acts_for_a_person,
    busy,
    caller_of,
    check_address,
    check_face,
    check_login,
    face_uids,
    uid_of,
)
from filterd.daemon.handlers.control_followers import Followers, failed, held, send, stream
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


Command = Callable[[dict[str, Any], Caller], Any]
"""It gets the arguments, and separately the caller; it returns an awaitable of the result.
Of a function that is an async generator the values are streamed."""
Granting = Callable[[frames.ControlRequest, Caller], Grant]
"""Returns what a person may do by a request; raises ControlError."""

_READ_OCTETS = 16 * 1024
_REQUEST_WITHIN_S = 5.0
_TURN_WITHIN_S = 30.0
_BACKLOG = 128
_MODE = 0o660
_LOOK_EVERY_S = 5.0
MOST_OF_A_PERSON = 6
"""Commands of one person by the web at a time: half of those at work for all people."""

_logger = logging.getLogger("filterd.control")

_ATTRIBUTE = "system.posix_acl_access"
_VERSION = Struct("<I")
_ENTRY = Struct("<HHI")  # tag, rights, ID: linux/posix_acl_xattr.h
_OWNER, _GROUP, _NAMED_GROUP, _MASK, _OTHERS = 0x01, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFF_FFFF
_ALL, _NOTHING = 6, 0
_WITHOUT = (errno.ENOTSUP, errno.EPERM, errno.ENOSYS)


def no_accounts(_: frames.ControlRequest, caller: Caller) -> Grant:
    """Refuse to act for a person.

    Raises:
        ControlError: always.
    """
    raise ControlError(
        say(
            "this filterd has no accounts, so that {user} cannot act for another person;"
            " send no token",
            user=caller.user,
        )
    )


class ControlServer:
    """Answers commands on a Unix socket.

    Args:
        path: of the socket.
        commands: by name.
        groups: their members may connect, beside the daemon's own user and group.
        notices: returns the notices that every command must show, as plain sentences.
        granting: works out the rights of the tokens in whose name callers ask.
    """

    def __init__(
        self,
        path: Path,
        commands: Mapping[str, Command],
        groups: Collection[str] = (),
        notices: Callable[[], list[Any]] = list,
        granting: Granting = no_accounts,
    ) -> None:
        self._path, self._commands, self._groups = path, commands, groups
        self._notices, self._granting = notices, granting
        self._acceptor: Acceptor | None = None
        self._quota = Quota(os.geteuid(), face_uids())
        self._followers = Followers(os.geteuid())
        self._people = Counter[str]()
        """Commands at work for people by the web."""
        self._made: os.stat_result | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; an existing socket is of a dead daemon and is replaced.

        The caller holds the lock of the folder.

        Raises:
            StoreError: the folder cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._acceptor = Acceptor(listening, str(self._path), self._take_in)
            with short_path(self._path) as address:
                listening.bind(address)
            self._acceptor.listen(_BACKLOG)
            self._path.chmod(_MODE)
            if not let_in(self._path, self._groups) and self._groups:
                _logger.warning("%s: no access lists here; only its own group may ask", self._path)
            self._made = self._path.stat()
        except OSError as error:
            self._stop_listening()
            raise StoreError(
                say("{path}: cannot listen there: {why}", path=self._path, why=refused(error))
            ) from error

    async def keep(self) -> None:
        """Listen again whenever the socket is gone, for ever.

        It may have been removed, or the disk was full at the start. Without it no command
        could reload, and no other daemon may take this one's place.
        """
        problem = ""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if self._is_in_place():
                continue
            try:
                self._stop_listening()
                await self.start()
            except StoreError as error:
                if str(error) != problem:
                    _logger.error("%s; trying again", error)
                problem = str(error)
            else:
                problem = ""
                _logger.warning("%s: was missing and is there again", self._path)

    def _is_in_place(self) -> bool:
        with contextlib.suppress(OSError):
            return self._made is not None and os.path.samestat(self._made, self._path.stat())
        return False

    def _stop_listening(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
            self._acceptor = None

    async def close(self) -> None:
        """Stop listening, remove the socket, close all connections."""
        if self._is_in_place():
            self._path.unlink(missing_ok=True)
        self._stop_listening()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _take_in(self, connection: socket.socket, _address: Any) -> None:
        """Serve a connection in a task of its own, or turn it away."""
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            share = self._quota.take(uid_of(connection))
            if share is not None:
                task = asyncio.get_running_loop().create_task(self._serve(connection, share))
                share.task = task
                self._connections.add(task)
                task.add_done_callback(self._connections.discard)
                return
            connection.send(_refusal(busy()))
        connection.close()

    async def _serve(self, connection: socket.socket, share: Share) -> None:
        try:
            try:
                line = await _request(connection, share)
                share.has_asked()
                caller, request = caller_of(connection), frames.read_request(line)
                command: Any = self._commands.get(request.command, _unknown)
                is_streamed = isasyncgenfunction(command)
                if is_streamed:
                    caller = self._acting(caller, request)
                    with self._followers.place(caller):
                        share.release()
                        values = command(request.arguments, caller)
                        holds = NO_GRANT.holds if caller.grant is None else caller.grant.holds
                        await stream(connection, request, values, self._notices, holds)
                    return
                async with share.at_work(_TURN_WITHIN_S):
                    answer = await self._answer(request, caller)
                    share.hold(len(answer))
                    await send(connection, answer)
            except ControlError as error:  # it holds too much, or its request is none
                await send(connection, _refusal(error))
        except (OSError, ValueError, TimeoutError):
            pass  # the client went away, never asked a whole request, or does not read
        finally:
            connection.close()
            share.release()

    def _acting(self, caller: Caller, request: frames.ControlRequest) -> Caller:
        """Return the caller with the rights that count.

        Raises:
            ControlError: the person or process may not ask for it.
        """
        check_face(caller, request.command)
        check_address(caller, request.address)
        caller = replace(caller, address=request.address, token=request.act_for)
        if not acts_for_a_person(caller, request):
            check_login(caller, request)
            return caller
        return replace(caller, grant=self._granting(request, caller))

    @contextlib.contextmanager
    def _turn_of(self, caller: Caller) -> Iterator[None]:
        """Hold a turn of the person who asks, so that one leaves room for the others.

        Raises:
            ControlError: the person has too many commands at work.
        """
        person = "" if caller.grant is None else caller.grant.account
        if person and self._people[person] >= MOST_OF_A_PERSON:
            raise busy()
        with held(self._people, person):
            yield

    async def _answer(self, request: frames.ControlRequest, caller: Caller) -> bytes:
        """Return the frame that answers a request."""
        try:
            command: Any = self._commands.get(request.command, _unknown)
            caller = self._acting(caller, request)
            with self._turn_of(caller):
                result = await command(request.arguments, caller)
            notices = self._notices()
            content = {"ok": True, "result": result} | ({"notices": notices} if notices else {})
        except Exception as error:  # noqa: BLE001 -- logged whole, and a command must get some answer
            content = failed(error)
        return frames.dump_answer(request, content)


async def _request(connection: socket.socket, share: Share) -> bytes:
    """Read a line, and no more from the kernel than there is room for.

    Raises:
        ControlError: there is no room.
        ValueError: it is too long.
        TimeoutError: it does not come in time.
    """
    loop, line = asyncio.get_running_loop(), bytearray()
    try:
        async with asyncio.timeout(_REQUEST_WITHIN_S):
            while part := await loop.sock_recv(connection, _READ_OCTETS):
                share.hold(len(part))
                line += part
                if len(line) > frames.LARGEST_REQUEST_OCTETS:
                    raise ValueError("the request is too long")
                if b"\n" in part:
                    break
        return bytes(line.partition(b"\n")[0])
    finally:
        line.clear()  # an error's traceback would keep it until the collector comes


async def _unknown(_arguments: dict[str, Any], _caller: Caller) -> None:
    raise frames.unknown_command()


def _refusal(error: ControlError) -> bytes:
    return frames.dump_answer(frames.UNREADABLE, {"ok": False, **to_plain(error)})


def let_in(path: Path, groups: Iterable[str]) -> bool:
    """Let only the owner, the group and these groups open a socket (acl(5)).

    A socket has one group, and filterd has several groups of users. So each gets an entry in
    the access control list: its members can send commands without being in a group that
    may read the daemon's files.

    Args:
        path: the socket, of this process's user.
        groups: names; those that the machine does not have are left out.

    Returns: whether this file system has access control lists.

    Raises:
        OSError: the socket is gone, or the disk refused.
    """
    named = sorted(gid for gid in map(_number, groups) if gid is not None)
    entries = [
        (_OWNER, _ALL, _NO_ID),
        (_GROUP, _ALL, _NO_ID),
        *((_NAMED_GROUP, _ALL, gid) for gid in named),
        (_MASK, _ALL, _NO_ID),
        (_OTHERS, _NOTHING, _NO_ID),
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
