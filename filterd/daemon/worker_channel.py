# SPDX-License-Identifier: Apache-2.0
"""Requests and replies between the manager and one worker.

A pair of ``SOCK_SEQPACKET`` sockets that the supervisor made before it forked and
keeps: if the process of an end dies, its successor finds the channel unchanged. One
message is one packet of JSON: ``{"id", "ask", "with"}``, answered by
``{"id", "result"}`` or ``{"id", "error", "errors"}``; ``{"tell", "with"}`` has no reply,
and waits for its reader. A successor sends ``{"new"}`` and gets the unanswered requests
of its predecessor again, so every request must be idempotent. There is no third attempt:
a request that two processes did not survive may have ended them.

A message of more than ``PACKET_OCTETS`` is never sent, whatever this kernel would take: its
sender gets an error, and a request whose answer is too large gets that as its answer. What
comes in rows is cut before (``filterd.base.packet_room``).
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any

from filterd.base.errors import ControlError, FilterdError, from_plain, to_plain
from filterd.base.journal import is_out_of_memory
from filterd.base.packet_room import PACKET_OCTETS
from filterd.texts import counted
from filterd.texts.i18n import refused, say

Handlers = Mapping[str, Callable[..., Awaitable[Any]]]

_WAITING_OCTETS = 1024 * 1024
"""Of packets that their reader has not taken, where the kernel allows as many."""

_TAKEN_WITHIN_S = 0.5

_logger = logging.getLogger("filterd.worker_channel")


def channel_pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a new channel."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WAITING_OCTETS)
    return ends


class Channel:
    """One end of a channel.

    ``handlers`` answer the requests of the other end, by name.
    """

    def __init__(self, end: socket.socket, handlers: Handlers | None = None) -> None:
        self._end, self._handlers = end, handlers or {}
        self._loop = asyncio.get_running_loop()
        self._next_id = secrets.randbits(48)  # a predecessor's questions are not this one's
        self._asked: dict[int, tuple[dict[str, Any], asyncio.Future[Any]]] = {}
        self._asked_again: set[int] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self._loop.add_reader(end, self._readable)

    async def ask(self, what: str, *, within_s: float, **arguments: Any) -> Any:
        """Send a request and return the answer of the other end.

        Raises:
            ControlError: it does not answer in time, or cannot.
            ConfigErrors: it found the site's files wrong.
        """
        self._next_id += 1
        key, waiter = self._next_id, self._loop.create_future()
        question = {"id": key, "ask": what, "with": arguments}
        self._asked[key] = question, waiter
        try:
            self._send(question)
            async with asyncio.timeout(within_s):
                return await waiter
        except TimeoutError as error:
            raise _unanswered() from error
        finally:
            del self._asked[key]
            self._asked_again.discard(key)

    def tell(self, what: str, **arguments: Any) -> None:
        """Send a message without a reply: this process may be gone before one."""
        self._send_or_log({"tell": what, "with": arguments})

    async def hand_over(self, what: str, batches: Iterable[dict[str, Any]]) -> None:
        """Hand over the last batches of a process that ends, as ``batch`` of a request.

        Each waits for the other end to take the one before, because the channel holds only a
        few. To an end that does not answer the rest is sent as far as there is room.
        """
        answers = True
        for batch in batches:
            if answers:
                try:
                    await self.ask(what, within_s=_TAKEN_WITHIN_S, batch=batch)
                    continue
                except FilterdError:
                    answers = False
            self.tell(what, batch=batch)

    def announce(self) -> None:
        """Announce to the other end that this process is new."""
        self._send_or_log({"new": True})

    async def close(self) -> None:
        """Stop listening and cancel running handlers; the socket stays open."""
        self._loop.remove_reader(self._end)
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    def _readable(self) -> None:
        try:
            packet = self._end.recv(PACKET_OCTETS)
        except OSError:
            return
        if not packet:  # the other end is closed
            self._loop.remove_reader(self._end)
            return
        try:
            message = json.loads(packet)
        except (ValueError, RecursionError) as error:
            _logger.error("a message of another process cannot be read: %s", error)
            return
        self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        if "new" in message:
            for key, (question, waiter) in self._asked.items():
                if key not in self._asked_again:
                    self._asked_again.add(key)
                    self._send_or_log(question)
                elif not waiter.done():
                    waiter.set_exception(_unanswered())
        elif "ask" in message:
            self._keep(self._answer(message))
        elif "tell" in message:
            self._keep(self._hear(message))
        else:
            self._answered(message)

    def _keep(self, answering: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(answering)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    def _answered(self, message: dict[str, Any]) -> None:
        _, waiter = self._asked.get(message["id"], (None, None))
        if waiter is None or waiter.done():
            return
        if "error" in message:
            waiter.set_exception(from_plain(message))
        else:
            waiter.set_result(message["result"])

    async def _answer(self, message: dict[str, Any]) -> None:
        reply: dict[str, Any]
        try:
            reply = {"result": await self._handlers[message["ask"]](**message["with"])}
        except FilterdError as error:
            reply = to_plain(error)
        except Exception as error:
            if is_out_of_memory(error):  # answered first: the log ends this process
                short = to_plain(
                    ControlError(
                        say("there is not enough memory; the old policy and lists stay in force")
                    )
                )
                self._send_or_log({"id": message["id"], **short})
            _logger.exception("a command failed")
            reply = {
                "error": "the command failed inside filterd; see its log",
                "code": "internal",
                "errors": [],
            }
        self._reply(message["id"], reply)

    def _reply(self, key: int, reply: dict[str, Any]) -> None:
        """Send a reply; of one that cannot be sent the other end gets the reason."""
        try:
            self._send({"id": key, **reply})
        except ControlError as error:
            _logger.error("%s", error)
            self._send_or_log({"id": key, **to_plain(error)})

    async def _hear(self, message: dict[str, Any]) -> None:
        try:
            await self._handlers[message["tell"]](**message["with"])
        except Exception:
            _logger.exception("what another process said was of no use")

    def _send_or_log(self, message: dict[str, Any]) -> None:
        try:
            self._send(message)
        except ControlError as error:
            _logger.error("%s", error)

    def _send(self, message: dict[str, Any]) -> None:
        packet = json.dumps(message).encode()
        if len(packet) > PACKET_OCTETS:
            raise ControlError(
                say(
                    "a message between processes of filterd is too large: {size}",
                    size=counted.size(len(packet)),
                )
            )
        try:
            self._end.send(packet)
        except OSError as error:
            raise ControlError(
                say("a process of filterd cannot be reached: {why}", why=refused(error))
            ) from error


def _unanswered() -> ControlError:
    return ControlError(say("a worker did not answer in time; see the log"))
