# SPDX-License-Identifier: Apache-2.0
"""Questions and answers between the manager and one worker.

A pair of ``SOCK_SEQPACKET`` sockets that the supervisor made before it forked and
keeps: whichever end's process dies, its successor finds the channel as it was.
One message is one packet of JSON: ``{"id", "ask", "with"}``, answered by
``{"id", "result"}`` or ``{"id", "error", "errors"}``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from filterd.errors import ControlError, FilterdError, from_plain, to_plain

Handlers = Mapping[str, Callable[..., Awaitable[Any]]]

_LARGEST = 1024 * 1024
_log = logging.getLogger("filterd.channel")


def channel_pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a new channel."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGEST)
    return ends


class Channel:
    """One end. ``handlers`` are what the other end may ask, by name."""

    def __init__(self, end: socket.socket, handlers: Handlers | None = None) -> None:
        self._end, self._handlers = end, handlers or {}
        self._loop = asyncio.get_running_loop()
        self._next_id = secrets.randbits(48)  # a predecessor's questions are not this one's
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._loop.add_reader(end, self._readable)

    async def ask(self, what: str, *, within_s: float, **arguments: Any) -> Any:
        """Return what the other end answers.

        Raises:
            ControlError: it does not answer in time, or cannot.
            ConfigErrors: it found the site's files wrong.
        """
        self._next_id += 1
        waiter = self._waiting[self._next_id] = self._loop.create_future()
        try:
            self._send({"id": self._next_id, "ask": what, "with": arguments})
            async with asyncio.timeout(within_s):
                return await waiter
        except TimeoutError as error:
            raise ControlError("a worker did not answer in time; see the log") from error
        finally:
            self._waiting = {key: one for key, one in self._waiting.items() if one is not waiter}

    async def close(self) -> None:
        """Stop listening and give up what is being answered; the socket stays open."""
        self._loop.remove_reader(self._end)
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    def _readable(self) -> None:
        try:
            message = json.loads(self._end.recv(_LARGEST))
        except OSError:
            return
        except ValueError:  # the other end is gone: an empty packet is the end
            self._loop.remove_reader(self._end)
            return
        if "ask" in message:
            task = self._loop.create_task(self._answer(message))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        else:
            self._answered(message)

    def _answered(self, message: dict[str, Any]) -> None:
        waiter = self._waiting.get(message["id"])
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
        except Exception:  # noqa: BLE001 -- logged whole, and whoever asks must get some answer
            _log.exception("a command failed")
            reply = {"error": "the command failed inside filterd; see its log", "errors": []}
        try:
            self._send({"id": message["id"], **reply})
        except ControlError as error:
            _log.error("%s", error)

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._end.send(json.dumps(message).encode())
        except OSError as error:
            raise ControlError(f"a process of filterd cannot be told: {error.strerror}") from error
